import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { REFUSAL_CLASSES, refusalClass, statedDelayMs } from './refusal-class.ts'
import { type RemoteReply, remoteReply } from './reply.ts'

const REPLIES = join(import.meta.dirname, '../../fixtures/smtp-replies/replies.tsv')

const replyOf = (line: string): RemoteReply => remoteReply(Number(line.slice(0, 3)), [line.slice(4)])

const rows = readFileSync(REPLIES, 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [source, wanted, reply] = line.split('\t') as [string, string, string]
    return { source, wanted: wanted.split('|'), reply: replyOf(reply) }
  })

/** Of replies that servers really gave; `of` in rows of that kind. */
const FLOORS = [
  { name: 'replies of large providers and filters', of: 'field-manual', least: 0.96 },
  { name: 'replies in bounces, as Sisimai reads them', of: 'sisimai', least: 0.93 },
] as const

describe('of real replies', () => {
  const share = (some: typeof rows): number =>
    some.filter(({ wanted, reply }) => wanted.includes(refusalClass(reply))).length / some.length
  for (const { name, of, least } of FLOORS) {
    it(`${least * 100} % are read right: ${name}`, () => {
      const some = rows.filter(({ source }) => source === of)
      assert.ok(some.length > 100)
      assert.ok(share(some) >= least, `${share(some)}`)
    })
  }

  it('95 % of those that refuse for now, which decide when we come again', () => {
    const some = rows.filter(({ reply }) => reply.code < 500)
    assert.ok(some.length > 40)
    assert.ok(share(some) >= 0.95, `${share(some)}`)
  })
})

describe('a class', () => {
  const examples: readonly [string, string][] = [
    ['450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, see http://postgrey.example/', 'greylisted'],
    ['451 4.7.1 Please try again in 300 seconds', 'greylisted'],
    ['421 4.7.0 Too many concurrent SMTP connections from this address', 'rate'],
    ['421', 'rate'],
    ['452 4.2.2 Mailbox full', 'mailbox-full'],
    ['452 4.3.1 Insufficient system storage', 'local'],
    ['451 4.3.5 Server configuration error', 'local'],
    ['550 5.1.1 User unknown', 'recipient'],
    ['554 5.7.1 Spam', 'policy'],
    ['550 5.7.25 no', 'reputation'],
    ['554 5.7.1 see https://www.spamhaus.org/query/ip/192.0.2.1', 'reputation'],
    ['554 no', 'other'],
  ]
  for (const [line, wanted] of examples) it(`of ${line}`, () => assert.equal(refusalClass(replyOf(line)), wanted))

  it('is not taken from a link', () => {
    assert.equal(refusalClass(replyOf('550 5.1.1 no such user https://example.test/spam-policy')), 'recipient')
  })

  it('of a refusal for good is never that we shall come again', () => {
    assert.notEqual(refusalClass(replyOf('550 5.7.1 greylisted, try again in 5 minutes')), 'greylisted')
  })
})

describe('the stated time', () => {
  const MINUTE = 60_000
  const examples: readonly [string, number | undefined][] = [
    ['451 4.7.1 Greylisted for 5 minutes', 5 * MINUTE],
    ['450 4.7.1 Greylisting in action, please come back in 00:04:30', 4.5 * MINUTE],
    ['450 please retry in 300 seconds', 5 * MINUTE],
    ['450 try again in 90s', 1.5 * MINUTE],
    ['451 wait 2 h', 120 * MINUTE],
    ['451 more than 20 messages in 5 messages', undefined],
    ['451 try again later', undefined],
  ]
  for (const [line, ms] of examples) it(`${line}`, () => assert.equal(statedDelayMs(replyOf(line)), ms))
})

it('whatever a stranger writes has a class', () => {
  const words = fc.constantFrom('in ', '5', ' minutes', '00:00:', '99', 'for ', 'greylist', 'http://', ' ')
  const text = fc.oneof(
    fc.string(),
    fc.array(words).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(fc.integer({ min: 400, max: 599 }), fc.array(text, { maxLength: 20 }), (code, texts) => {
      const reply = remoteReply(code, texts)
      assert.ok(REFUSAL_CLASSES.includes(refusalClass(reply)))
      const ms = statedDelayMs(reply) ?? 0
      assert.ok(ms >= 0 && ms <= 99_999 * 3_600_000)
    }),
  )
})
