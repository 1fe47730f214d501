import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { remoteReply } from '#mail/reply.ts'
import { attempted, deferred } from '#mail/testing.ts'
import { siteSignal } from './aftermath.ts'
import { GREYLISTED_ATTEMPTS_MAX, nextDelayMs, RETRY_JITTER, retryDelayMs, STATED_MS_MAX } from './schedule.ts'
import { DAY, HOUR, MINUTE, queueBench, route } from './testing.ts'

const reply = (line: string) => remoteReply(Number(line.slice(0, 3)), [line.slice(4)])
const of = { retryFirstMs: 15 * MINUTE, retryMaxMs: HOUR }

/** In the middle of the jitter, in minutes. */
function minutes(line: string | undefined, attempts = 1, leftMs = DAY): number {
  const delayMs = nextDelayMs([line === undefined ? undefined : reply(line)], {
    route: of,
    attempts,
    random: 0,
    leftMs,
  })
  return delayMs / MINUTE
}

describe('the next attempt', () => {
  const usual = 15 * (1 - RETRY_JITTER)
  const examples: readonly [string, string | undefined, number, number][] = [
    ['as usual where nothing was said', undefined, 1, usual],
    ['as usual where something is wrong over there', '451 4.3.0 internal error', 1, usual],
    ['after five minutes at a greylister', '451 4.7.1 Greylisted', 1, 5],
    ['when a greylister says', '451 4.7.1 Greylisted for 7 minutes', 2, 7],
    ['not at once, whatever it says', '451 4.7.1 Greylisted, try again in 0 seconds', 1, 1],
    ['not in a week, whatever it says', '451 4.7.1 Greylisted, try again in 200 hours', 1, STATED_MS_MAX / MINUTE],
    ['as usual where greylisting has no end', '451 4.7.1 Greylisted', GREYLISTED_ATTEMPTS_MAX + 1, 54],
    ['as usual where mail is too much', '421 4.7.0 too many connections', 1, usual],
    ['when one says who has too much', '452 4.7.1 rate limit, retry in 50 minutes', 1, 50],
    ['after hours at a full mailbox', '452 4.2.2 mailbox full', 1, 60],
    ['and more hours', '452 4.2.2 mailbox full', 2, 120],
    ['but four at most', '452 4.2.2 mailbox full', 9, 240],
    ['later where our address is not wanted', '450 4.7.1 your IP has a bad reputation', 1, 30],
  ]
  for (const [name, line, attempts, wanted] of examples)
    it(`is ${name}`, () => assert.equal(minutes(line, attempts), wanted))

  it('does not put off the end of the lifetime', () => {
    assert.equal(minutes('452 4.2.2 mailbox full', 3, 70 * MINUTE), 70)
    assert.equal(minutes('452 4.2.2 mailbox full', 3, MINUTE), 54)
  })

  it('is that of the recipient who should be tried first', () => {
    const replies = [reply('452 4.2.2 mailbox full'), reply('451 4.7.1 Greylisted')]
    assert.equal(nextDelayMs(replies, { route: of, attempts: 1, random: 0, leftMs: DAY }), 5 * MINUTE)
  })

  it('is never sooner than said, nor out of bounds', () => {
    const line = fc.tuple(fc.constantFrom('450 greylisted ', '451 rate limit ', '452 '), fc.string(), fc.nat(99_999))
    fc.assert(
      fc.property(
        line,
        fc.integer({ min: 1, max: 99 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (l, attempts, random) => {
          const waiting = { route: of, attempts, random, leftMs: DAY }
          const delayMs = nextDelayMs([reply(`${l[0]}in ${l[2]} seconds ${l[1]}`)], waiting)
          assert.ok(delayMs >= Math.min(MINUTE, retryDelayMs(of, attempts, random)))
          assert.ok(delayMs <= STATED_MS_MAX * (1 + RETRY_JITTER))
        },
      ),
    )
  })
})

describe('what a reply says of the whole destination', () => {
  const examples: readonly [string, 'succeeded' | 'congested'][] = [
    ['451 4.7.1 Greylisted for 5 minutes', 'succeeded'],
    ['452 4.2.2 mailbox full', 'succeeded'],
    ['450 4.7.1 rejected by DMARC policy', 'succeeded'],
    ['451 4.3.0 internal error', 'succeeded'],
    ['451 4.7.0 Temporary server error', 'congested'],
    ['452 4.1.1 too many recent messages', 'congested'],
    ['450 rate limit exceeded', 'congested'],
    ['451 4.7.650 limited due to IP reputation', 'congested'],
    ['421 greylisted', 'congested'],
  ]
  for (const [line, signal] of examples)
    it(`${line}: ${signal}`, () => assert.equal(siteSignal(attempted(deferred('refused-for-now', line))), signal))
})

it('a refusal for now stays one, whatever its words say, and is tried when they say', async () => {
  const { clock, add, trying, answer, keep } = queueBench([route('bakery/main', of)])
  answer.with = () => attempted(deferred('refused-for-now', '450 5.1.1 user unknown, no such user, spam, blocked'))
  const id = add()
  await clock.pass(DAY)
  assert.equal(keep.get(id)?.state, 'active')
  answer.with = () => attempted(deferred('refused-for-now', '450 4.2.0 Greylisted for 9 minutes'))
  const other = add()
  const before = trying.length
  await clock.pass(8 * MINUTE)
  assert.equal(trying.slice(before - 1).filter((one) => one.id === other).length, 1)
  await clock.pass(2 * MINUTE)
  assert.equal(trying.filter((one) => one.id === other).length, 2)
})
