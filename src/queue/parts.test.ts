import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Outcome } from '#mail/outcome.ts'
import { attempted, deferred, delivered, failed, WALL_MS } from '#mail/testing.ts'
import { aftermath, siteSignal } from './aftermath.ts'
import { DueHeap } from './due-heap.ts'
import { RETRY_JITTER, retryDelayMs } from './schedule.ts'
import { HOUR, MINUTE, newMessage, route } from './testing.ts'

it('the heap gives back by time, and nothing before its time', () => {
  const times = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 60 })
  fc.assert(
    fc.property(times, fc.integer({ min: 0, max: 50 }), (dueMs, nowMs) => {
      const heap = new DueHeap<number>()
      for (const ms of dueMs) heap.push(ms, ms)
      assert.equal(heap.firstDueMs, Math.min(...dueMs))
      const popped: number[] = []
      for (let item = heap.popDue(nowMs); item !== undefined; item = heap.popDue(nowMs)) popped.push(item)
      const naive = dueMs.filter((ms) => ms <= nowMs).sort((a, b) => a - b)
      assert.deepEqual(popped, naive)
      assert.equal(heap.size, dueMs.length - naive.length)
    }),
    { numRuns: 500 },
  )
})

it('the delay doubles to its maximum, with jitter, and does not overflow', () => {
  const schedule = { retryFirstMs: 5 * MINUTE, retryMaxMs: HOUR }
  const minutes = [0, 1, 2, 3, 4, 5, 6, 5000].map((attempts) => retryDelayMs(schedule, attempts, 0.5) / MINUTE)
  assert.deepEqual(minutes, [5, 5, 10, 20, 40, 60, 60, 60])
  assert.equal(retryDelayMs(schedule, 9, 0), HOUR * (1 - RETRY_JITTER))
  assert.ok(retryDelayMs(schedule, 9, 0.999) <= HOUR * (1 + RETRY_JITTER))
})

describe('the aftermath', () => {
  const stored = (to: readonly string[], ageMs = 0) => {
    const recipients = to.map(() => ({ kind: 'pending' }) as const)
    return { ...newMessage(to, 'bakery/main', WALL_MS - ageMs), recipients, attempts: 2 }
  }
  const moment = { wallMs: WALL_MS, random: 0.5 }
  const three = ['a@b.test', 'b@b.test', 'c@b.test']

  it('gives each recipient tried its state, and keeps the others', () => {
    const attempt = attempted(delivered('2.0.0 got it'), deferred('refused-for-now', '451 4.3.0 later'))
    const { change, undelivered, settled } = aftermath(stored(three), [0, 2], attempt, route(), moment)
    assert.deepEqual([...change.recipients.keys()], [0, 2])
    const first = change.recipients.get(0)
    assert.ok(first?.kind === 'delivered' && first.text.includes('got it'))
    assert.equal(change.recipients.get(2)?.kind, 'pending')
    assert.deepEqual([change.obstacle, change.text], ['refused-for-now', '451 4.3.0 later'])
    assert.equal(change.nextAttemptMs, WALL_MS + 20 * MINUTE)
    assert.deepEqual([undelivered.size, settled], [0, false])
  })

  it('settles only what everybody has', () => {
    const settledBy = (...outcomes: Outcome[]) =>
      aftermath(stored(three.slice(1)), [0, 1], attempted(...outcomes), route(), moment).settled
    assert.equal(settledBy(delivered(), delivered()), true)
    assert.equal(settledBy(delivered(), failed('550 5.1.1 no')), false)
    assert.equal(settledBy(delivered(), deferred('timeout')), false)
  })

  it('expires at the lifetime to the millisecond, and only who has just been deferred', () => {
    const { lifetimeMs } = route()
    const kindAt = (ageMs: number) => {
      const { change } = aftermath(stored(['a@b.test'], ageMs), [0], attempted(deferred('timeout')), route(), moment)
      return change.recipients.get(0)?.kind
    }
    assert.equal(kindAt(lifetimeMs - 1), 'pending')
    assert.equal(kindAt(lifetimeMs), 'held')
  })

  it('says of the site what the attempt showed', () => {
    const signals: [string, Outcome[]][] = [
      ['succeeded', [delivered()]],
      ['succeeded', [failed('550 5.1.1 no')]],
      ['succeeded', [deferred('refused-for-now', '450 4.2.0 greylisted')]],
      ['succeeded', [deferred('timeout'), delivered()]],
      ['unreachable', [deferred('connect')]],
      ['unreachable', [deferred('timeout'), deferred('dns')]],
      ['unreachable', [deferred('tls'), deferred('timeout')]],
      ['congested', [deferred('timeout')]],
      ['congested', [deferred('refused-for-now', '421 4.0.0 too many')]],
      ['congested', [deferred('refused-for-now', '450 4.7.1 slow down')]],
      ['congested', [deferred('refused-for-now', '451 4.3.2 shutting down')]],
      ['congested', [deferred('busy')]],
    ]
    for (const [signal, outcomes] of signals) assert.equal(siteSignal(attempted(...outcomes)), signal)
  })
})
