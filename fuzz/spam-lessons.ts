/**
 * Fuzzes what the spam filter reads back of its own: layers and packed lessons with octets changed, cut, or doubled.
 *
 * - nothing throws, and what is read of a layer is a layer: its sizes are those of its head;
 * - a layer in which something was changed is not read;
 * - what is read as features is written the same again, so that no two texts mean one lesson.
 */
import type { Layer } from '#scan/spam/classifier/classifier.ts'
import { featuresFrom, PLACES } from '#scan/spam/classifier/gathering.ts'
import { layerFile, readLayerFile } from '#scan/spam/classifier/layer-file.ts'
import { packed, unpacked } from '#scan/spam/classifier/packing.ts'
import { type Chance, chances } from './made-mail.ts'

const BITS = 8
const CHANGES_MAX = 4

type Read = (file: Buffer) => boolean
const isLayer: Read = (file) => readLayerFile(file).kind === 'layer'

export function fuzz(seed: number, iterations: number): void {
  run(seed, iterations, isLayer)
}

/** A reader that does not look at the digest. */
export function canary(): void {
  run(1, 200, (file) => file.toString('latin1', 0, 8) === 'VPSPAM01')
}

function run(seed: number, iterations: number, read: Read): void {
  const chance = chances(seed)
  for (let i = 0; i < iterations; i++) {
    const file = layerFile(someLayer(chance))
    const damaged = changed(file, chance)
    if (!read(file)) throw new Error('a layer is not read')
    if (!damaged.equals(file) && read(damaged)) throw new Error(`a damaged layer is read: ${damaged.toString('hex')}`)
    const lesson = changed(someLesson(chance), chance)
    const features = unpacked(lesson)
    if (features !== undefined && !packed(features).equals(lesson))
      throw new Error(`two ways: ${lesson.toString('hex')}`)
  }
}

const someLayer = (chance: Chance): Layer => ({
  ham: chance(1000),
  spam: chance(1000),
  bits: BITS,
  weights: [1, 2, 3].map(() => Int8Array.from({ length: 2 ** BITS }, () => chance(256) - 128)),
  steps: [chance(10), chance(10), chance(10)],
})

function someLesson(chance: Chance): Buffer {
  const view = () =>
    featuresFrom(
      Uint32Array.from(
        new Set(Array.from({ length: chance(20) }, () => chance(chance(2) === 0 ? PLACES : 300))),
      ).sort(),
    )
  return packed({ words: view(), header: view(), body: view() })
}

function changed(octets: Buffer, chance: Chance): Buffer {
  let now: Buffer = Buffer.from(octets)
  for (let changes = chance(CHANGES_MAX); changes > 0; changes--) {
    const at = chance(now.length + 1)
    switch (chance(4)) {
      case 0:
        now = now.subarray(0, at)
        break
      case 1:
        now = Buffer.concat([now.subarray(0, at), Buffer.of(chance(256)), now.subarray(at)])
        break
      case 2:
        now = Buffer.concat([now, now.subarray(at)])
        break
      default:
        if (at < now.length) now[at] = chance(256)
    }
  }
  return now
}
