import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openStore } from './database.ts'
import { REPLY_LIMITS, ReplyLimitsStore } from './reply-limits.ts'

const WEEK_MS = 7 * 86_400_000
const START_MS = 1_800_000_000_000

function bench(slotsMax?: number) {
  const database = openStore(':memory:', [REPLY_LIMITS])
  const store = new ReplyLimitsStore(database, slotsMax)
  const take = (atMs: number, counter = 'anna bob', limit = 2, tenant = 'bakery') =>
    store.take(tenant, counter, limit, WEEK_MS, START_MS + atMs)
  const rows = () => Number(database.prepare('SELECT count(*) AS n FROM reply_slots').get()?.['n'])
  return { database, store, take, rows }
}

test('two within the window, which slides', () => {
  const { take } = bench()
  assert.deepEqual([take(0), take(1000), take(2000), take(WEEK_MS - 1)], [true, true, false, false])
  // The first slot is free again, the second is not.
  assert.deepEqual([take(WEEK_MS), take(WEEK_MS + 1)], [true, false])
  assert.deepEqual([take(WEEK_MS + 1000), take(WEEK_MS + 1001)], [true, false])
})

test('counters and tenants do not share; a limit of 0 lets none through', () => {
  const { take } = bench()
  assert.deepEqual([take(0), take(0), take(0)], [true, true, false])
  assert.deepEqual([take(0, 'anna eve'), take(0, 'anna bob', 2, 'smith'), take(0, 'x', 0)], [true, true, false])
})

test('a time that goes back frees nothing', () => {
  const { take } = bench()
  take(0)
  take(0)
  assert.deepEqual([take(-WEEK_MS * 10), take(-1), take(1)], [false, false, false])
})

test('slots that have ended are forgotten, others are not; another process finds them', () => {
  const { database, store, take, rows } = bench()
  take(0)
  take(1000, 'anna eve')
  assert.equal(store.prune(START_MS + WEEK_MS + 500), false)
  assert.equal(rows(), 1)
  const again = new ReplyLimitsStore(database, 2)
  assert.equal(again.take('bakery', 'c', 2, WEEK_MS, START_MS + 2000), true)
  assert.equal(again.take('bakery', 'd', 2, WEEK_MS, START_MS + 2000), false)
  again.prune(START_MS + 3 * WEEK_MS)
  assert.equal(rows(), 0)
  assert.equal(again.take('bakery', 'd', 2, WEEK_MS, START_MS + 3 * WEEK_MS), true)
})

test('a tenant has so many slots, and then no more; others are not touched', () => {
  const { take } = bench(3)
  assert.deepEqual(
    [1, 2, 3, 4].map((n) => take(0, `c${n}`)),
    [true, true, true, false],
  )
  assert.equal(take(0, 'c1', 2, 'smith'), true)
})

test('whatever is asked, in whatever order of times, no window holds more than the limit', () => {
  const ask = fc.record({ atMs: fc.integer({ min: 0, max: 3 * WEEK_MS }), counter: fc.constantFrom('a', 'b') })
  fc.assert(
    fc.property(fc.array(ask, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (asked, limit) => {
      const { take, store } = bench()
      const taken: { atMs: number; counter: string }[] = []
      let nowMs = 0
      for (const { atMs, counter } of asked) {
        // The clock of the caller never goes back.
        nowMs = Math.max(nowMs, atMs)
        if (take(nowMs, counter, limit)) taken.push({ atMs: nowMs, counter })
        if (atMs % 7 === 0) store.prune(START_MS + nowMs)
      }
      for (const { atMs, counter } of taken) {
        const within = taken.filter((one) => one.counter === counter && one.atMs <= atMs && one.atMs > atMs - WEEK_MS)
        assert.ok(within.length <= limit)
      }
    }),
    { numRuns: 40 },
  )
})
