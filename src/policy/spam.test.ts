/** From a score, a class and a policy to a decision. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { probabilityOf, SPAM_DECISIONS, type SpamClass, type SpamResult } from '#mail/spam.ts'
import { DEFAULT_SPAM_POLICY, type SpamPolicyLayer, spamPolicy } from '#tenant/spam-policy.ts'
import { judgeSpam } from './spam.ts'

const result = (score: number, kind: SpamClass = 'ordinary', silent: readonly string[] = []): SpamResult => ({
  ...{ score, probability: probabilityOf(score), class: kind, signs: [], silent, durationMs: 1 },
})
const decided = (said: SpamResult, layer: SpamPolicyLayer = {}) => judgeSpam(said, spamPolicy(layer)).decision

test('by default spam is tagged from 5 on and refused from 12 on, phishing from 4 and from 10; a threshold is reached', () => {
  const scores = [-50, 3.99, 4, 4.99, 5, 9.99, 10, 11.99, 12]
  assert.deepEqual(
    scores.map((score) => decided(result(score))),
    ['pass', 'pass', 'pass', 'pass', 'tag', 'tag', 'tag', 'tag', 'reject'],
  )
  assert.deepEqual(
    scores.map((score) => decided(result(score, 'phishing'))),
    ['pass', 'pass', 'tag', 'tag', 'tag', 'tag', 'reject', 'reject', 'reject'],
  )
})

test('the verdict names the setting that asked for it', () => {
  assert.deepEqual(judgeSpam(result(6), DEFAULT_SPAM_POLICY), { decision: 'tag', by: 'tagAt' })
  assert.deepEqual(judgeSpam(result(6, 'phishing'), spamPolicy({ phishingQuarantineAt: 6 })), {
    decision: 'quarantine',
    by: 'phishingQuarantineAt',
  })
  assert.deepEqual(judgeSpam(result(0), DEFAULT_SPAM_POLICY), { decision: 'pass' })
})

test('greylisting is for what is below the tag and no other', () => {
  const at = (score: number) => decided(result(score), { greylistAt: 2 })
  assert.deepEqual([1.99, 2, 4.99, 5, 12].map(at), ['pass', 'greylist', 'greylist', 'tag', 'reject'])
})

test('bulk and backscatter have actions of their own; a score asks for more', () => {
  assert.equal(decided(result(0, 'bulk'), { bulk: 'quarantine' }), 'quarantine')
  assert.equal(decided(result(20, 'bulk'), { bulk: 'tag' }), 'reject')
  assert.equal(decided(result(0, 'backscatter')), 'pass')
  assert.equal(decided(result(0, 'backscatter'), { backscatter: 'reject' }), 'reject')
  assert.equal(decided(result(0), { backscatter: 'reject', bulk: 'tag' }), 'pass')
})

test('silence of an engine defers only where the policy says so, and never what is known to be spam', () => {
  assert.equal(decided(result(0, 'ordinary', ['reader'])), 'pass')
  assert.equal(decided(result(0, 'ordinary', ['reader']), { engineSilent: 'defer' }), 'defer')
  assert.equal(decided(result(0, 'ordinary', ['lists']), { engineSilent: 'defer' }), 'pass')
  assert.equal(decided(result(13, 'ordinary', ['engines']), { engineSilent: 'defer' }), 'reject')
})

test('a higher score is never judged more mildly', () => {
  const threshold = fc.oneof(fc.constant('off' as const), fc.double({ min: -10, max: 20, noNaN: true }))
  const layer = fc.record({ tagAt: threshold, quarantineAt: threshold, rejectAt: threshold })
  const score = fc.double({ min: -20, max: 30, noNaN: true })
  fc.assert(
    fc.property(layer, score, score, (policy, one, other) => {
      const [low, high] = [Math.min(one, other), Math.max(one, other)].map((at) =>
        SPAM_DECISIONS.indexOf(decided(result(at), policy)),
      )
      return low! <= high!
    }),
  )
})
