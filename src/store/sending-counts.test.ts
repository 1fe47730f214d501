import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from './database.ts'
import { PRUNE_ROWS_MAX, SENDING_COUNTS, SendingCounts } from './sending-counts.ts'

const open = () => new SendingCounts(openStore(':memory:', [SENDING_COUNTS]))
const row = (startMs: number, count: number, more = {}) => ({
  subject: 'login anna',
  what: 'minutes',
  startMs,
  count,
  untilMs: startMs + 100,
  ...more,
})

test('a bucket that is written again has its new count, and they come back oldest first', () => {
  const counts = open()
  counts.put([row(60, 1), row(0, 2), row(0, 7, { what: 'hours' }), row(0, 9, { subject: 'tenant bakery' })], 60)
  counts.put([row(60, 3)], 60)
  const found = counts.all(60)
  assert.equal(found.length, 4)
  assert.deepEqual(found.at(-1), row(60, 3))
})

test('what has had its time is left out, and removed at the next writing, some at a time', () => {
  const counts = open()
  const many = Array.from({ length: PRUNE_ROWS_MAX + 10 }, (_, i) => row(0, 1, { subject: `login ${i}` }))
  counts.put(many, 0)
  assert.equal(counts.all(99).length, many.length)
  assert.equal(counts.all(100).length, 0, 'its end counts no more')
  counts.put([], 100)
  // A clock that goes back would show them again.
  assert.equal(counts.all(0).length, 10)
  counts.put([row(100, 1)], 100)
  assert.deepEqual(counts.all(0), [row(100, 1)])
})
