import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ListEntry } from './recipient-lists.ts'
import { PART_OCTETS_MAX, SortedEntries } from './sorted-entries.ts'

const byKey = (a: ListEntry, b: ListEntry) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

test('what is pushed comes out by key, entries of one key in their order, over many runs', () => {
  const sorted = new SortedEntries()
  const entries = Array.from(
    { length: 35_000 },
    (_, i): ListEntry => ({ key: `user${(i * 7919) % 1000}`, note: `${i}` }),
  )
  for (const entry of entries) sorted.push(entry)
  assert.equal(sorted.size, entries.length)
  const taken: ListEntry[] = []
  for (let step = sorted.take(2_000); step.length > 0; step = sorted.take(2_000)) taken.push(...step)
  assert.equal(sorted.size, 0)
  assert.deepEqual(taken, entries.toSorted(byKey))
})

test('pushing and taking in any turn: nothing is lost or changed, and each take is the first by key', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 6 })
  const entry: fc.Arbitrary<ListEntry> = fc.oneof(
    text.map((key) => ({ key })),
    fc.tuple(text, text).map(([key, note]) => ({ key, note })),
  )
  const step = fc.oneof(fc.array(entry, { maxLength: 20 }), fc.integer({ min: 0, max: 10 }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const sorted = new SortedEntries()
      let model: ListEntry[] = []
      for (const each of steps) {
        if (typeof each !== 'number') {
          for (const one of each) sorted.push(one)
          model = [...model, ...each].sort(byKey)
        } else assert.deepEqual(sorted.take(each), model.splice(0, each))
        assert.equal(sorted.size, model.length)
      }
    }),
  )
})

test('a key or note that is longer than its length can say is an error', () => {
  for (const entry of [
    { key: 'x'.repeat(PART_OCTETS_MAX + 1) },
    { key: 'x', note: 'ü'.repeat(PART_OCTETS_MAX / 2 + 1) },
  ]) {
    const sorted = new SortedEntries()
    sorted.push(entry)
    assert.throws(() => sorted.take(1), RangeError)
  }
})
