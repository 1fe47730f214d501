import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FEATURES_MAX, featuresFrom, PLACES } from './gathering.ts'
import { PACKED_OCTETS_MAX, packed, unpacked } from './packing.ts'

const view = fc
  .uniqueArray(fc.integer({ min: 0, max: PLACES - 1 }), { maxLength: 50 })
  .map((places) => featuresFrom(Uint32Array.from(places).sort()))

test('what is packed is unpacked as it was, in order', () => {
  fc.assert(
    fc.property(view, view, view, (words, header, body) => {
      assert.deepEqual(unpacked(packed({ words, header, body })), { words, header, body })
    }),
  )
})

test('there is one way to write it: whatever is read is written the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
      const read = unpacked(octets)
      if (read !== undefined) assert.deepEqual(packed(read), Buffer.from(octets))
    }),
    { numRuns: 2_000 },
  )
})

test('what is cut, longer, out of order or too much is nothing', () => {
  const one = featuresFrom(Uint32Array.of(5, 700, PLACES - 1))
  const whole = packed({ words: one, header: one, body: one })
  for (let length = 0; length < whole.length; length++) assert.equal(unpacked(whole.subarray(0, length)), undefined)
  assert.equal(unpacked(Buffer.concat([whole, Buffer.of(0)])), undefined)
  assert.equal(unpacked(Buffer.of(0xff, 0xff, 0x7f, 0, 0)), undefined)
})

test('the most that a message has stays within the limit', () => {
  const full = featuresFrom(Uint32Array.from({ length: FEATURES_MAX }, (_, i) => i * 131))
  assert.ok(packed({ words: full, header: full, body: full }).length <= PACKED_OCTETS_MAX)
})
