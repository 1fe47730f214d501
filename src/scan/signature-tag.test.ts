/** Signatures are asked for beside the work, and what is old is not believed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allKnown, SignatureTag, TAG_MS_MAX, TAG_REFRESH_MS } from './signature-tag.ts'

test('nobody waits; the next one knows; new ones count after the next question; what is old is not known', async () => {
  let [nowMs, tag, asked]: [number, string | undefined, number] = [0, 'v1', 0]
  const one = new SignatureTag(
    async () => {
      asked++
      return tag
    },
    { monotonic: () => nowMs },
  )
  const later = () => new Promise((resolve) => setImmediate(resolve))
  assert.equal(one.get(), undefined)
  await later()
  assert.equal(one.get(), 'v1')
  tag = 'v2'
  nowMs = TAG_REFRESH_MS - 1
  assert.equal(one.get(), 'v1')
  await later()
  assert.deepEqual([one.get(), asked], ['v1', 1])
  nowMs = TAG_REFRESH_MS
  one.get()
  await later()
  assert.deepEqual([one.get(), asked], ['v2', 2])
  nowMs += TAG_MS_MAX
  assert.equal(one.get(), undefined)
  await later()
  assert.equal(one.get(), 'v2')
  tag = undefined
  nowMs += TAG_REFRESH_MS
  one.get()
  await later()
  assert.equal(one.get(), undefined)
})

test('one server of which nothing is known is enough to know nothing', () => {
  assert.equal(allKnown(['a', 'b']), 'a; b')
  assert.equal(allKnown(['a', undefined]), undefined)
})
