/** Who waits, who passes, and that strangers cannot push out who is known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COME_BACK_MS_MAX, COME_BACK_MS_MIN, Greylist, KNOWN_MS, TRIPLETS_MAX } from './greylist.ts'

function book() {
  let nowMs = 5
  const greylist = new Greylist(() => nowMs)
  const after = (ms: number, key = 'a') => {
    nowMs += ms
    return greylist.asks(key)
  }
  return { greylist, after }
}

test('first contact waits, a retry in time passes, and is known from then on', () => {
  const { after } = book()
  assert.deepEqual([after(0), after(COME_BACK_MS_MIN - 1), after(1)], ['wait', 'wait', 'pass'])
  assert.deepEqual([after(1), after(KNOWN_MS), after(0, 'b')], ['pass', 'pass', 'wait'])
  assert.equal(after(KNOWN_MS + 1), 'wait', 'and forgotten when it stays away')
})

test('a retry that comes too late begins again', () => {
  const { after } = book()
  assert.deepEqual([after(0), after(COME_BACK_MS_MAX + 1), after(COME_BACK_MS_MIN)], ['wait', 'wait', 'pass'])
})

test('it is bounded; a flood of strangers pushes out strangers', () => {
  const { greylist, after } = book()
  after(0, 'known')
  assert.equal(after(COME_BACK_MS_MIN, 'known'), 'pass')
  for (let i = 0; i < TRIPLETS_MAX + 10; i++) after(0, `stranger ${i}`)
  assert.equal(greylist.size, TRIPLETS_MAX)
  assert.equal(after(0, 'known'), 'pass')
})
