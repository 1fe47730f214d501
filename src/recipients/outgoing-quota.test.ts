import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OutgoingQuota } from './outgoing-quota.ts'

const HOUR = 3_600_000

test('so many new addresses for each tenant and day; the operator hears once', () => {
  let nowMs = 0
  const clock = { wall: () => 0, monotonic: () => nowMs, after: () => () => {} }
  const told: string[] = []
  const quota = new OutgoingQuota(clock, 2, (text) => void told.push(text))
  const takes = (route: string, times: number) => Array.from({ length: times }, () => quota.take(route))
  assert.deepEqual(takes('bakery/a', 4), [true, true, false, false])
  assert.deepEqual(takes('bakery/b', 1), [false])
  assert.deepEqual(takes('smith/a', 2), [true, true])
  assert.equal(told.length, 1)
  assert.match(told[0]!, /^tenant bakery wrote from more than 2 addresses/)
  nowMs += 24 * HOUR - 1
  assert.equal(quota.take('bakery/a'), false)
  nowMs += 1
  assert.deepEqual(takes('bakery/a', 3), [true, true, false])
  assert.equal(told.length, 2)
})
