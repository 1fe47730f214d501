import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Layer } from './classifier.ts'
import { layerFile, readLayerFile } from './layer-file.ts'

const BITS = 9
const layer: Layer = {
  ham: 70_000,
  spam: 3,
  bits: BITS,
  weights: [1, 2, 3].map((seed) => Int8Array.from({ length: 2 ** BITS }, (_, i) => ((i * seed) % 256) - 128)),
  steps: [Math.fround(0.01), 0, Math.fround(0.5)],
}
const signed = (before: Buffer): Buffer => Buffer.concat([before, createHash('sha256').update(before).digest()])

test('it is read as it was written', () => {
  assert.deepEqual(readLayerFile(layerFile(layer)), { kind: 'layer', layer })
})

test('a file in which any octet is wrong is not used', () => {
  const file = layerFile(layer)
  for (let at = 0; at < file.length; at += 7) {
    const wrong = Buffer.from(file)
    wrong[at]! ^= 0x10
    assert.notEqual(readLayerFile(wrong).kind, 'layer', `octet ${at}`)
  }
  for (const length of [0, 7, 28, file.length - 1])
    assert.equal(readLayerFile(file.subarray(0, length)).kind, 'damaged')
})

test('what says of itself that it is whole, and is not, is damaged', () => {
  const before = layerFile(layer).subarray(0, -32)
  const withBits = Buffer.from(before)
  withBits[16] = BITS + 1
  assert.deepEqual(readLayerFile(signed(withBits)), { kind: 'damaged', text: 'its weights cannot be unpacked' })
  withBits[16] = 30
  assert.deepEqual(readLayerFile(signed(withBits)), { kind: 'damaged', text: 'its head makes no sense' })
  const withStep = Buffer.from(before)
  withStep.writeFloatLE(Number.NaN, 17)
  assert.deepEqual(readLayerFile(signed(withStep)), { kind: 'damaged', text: 'its head makes no sense' })
})

test('of a newer release it says so', () => {
  const file = Buffer.from(layerFile(layer))
  file.write('VPSPAM02', 'latin1')
  assert.deepEqual(readLayerFile(file), { kind: 'newer', text: 'it is of version 2' })
})
