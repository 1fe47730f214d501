import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NULL_PATH } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { complaint, dsn } from '../../../test/harness/feedback.ts'
import { classify } from './classify.ts'

function tokensIn(text: string): readonly string[] | undefined {
  const whole = content([Buffer.from(text, 'latin1')])
  const found = classify({ reversePath: NULL_PATH, header: readHeaderSection(whole), content: whole })
  if (found.kind === 'dsn') return found.dsn.originalTokens
  assert.equal(found.kind, 'feedback-report')
  return found.kind === 'feedback-report' ? found.feedback.originalTokens : undefined
}

const original = (...tokens: string[]): string =>
  [...tokens.map((token) => `X-Vorposten-Token: ${token}`), 'From: a@b.test', '', 'Text.', ''].join('\r\n')

test('the tokens of the returned message come topmost first, without folds, and not those of the notice itself', () => {
  const folded = original('AA_-\r\n bb', 'second')
  assert.deepEqual(tokensIn(dsn({ recipient: 'b@far.test', original: folded })), ['AA_-bb', 'second'])
  assert.deepEqual(tokensIn(complaint(folded)), ['AA_-bb', 'second'])
  assert.equal(tokensIn(`X-Vorposten-Token: mine\r\n${complaint(original())}`), undefined)
})

test('of many, or long ones, only some is read', () => {
  const many = tokensIn(complaint(original(...Array.from({ length: 50 }, (_, i) => `t${i}`))))
  assert.deepEqual(many, ['t0', 't1', 't2', 't3', 't4'])
  assert.equal(tokensIn(complaint(original('a'.repeat(20_000))))?.[0]?.length, 6000)
})
