/**
 * A layer as a file: its head, its weights (deflated), and a digest of all before it.
 *
 * | octets | what |
 * |---|---|
 * | 8 | `VPSPAM` and the version, two digits |
 * | 4, 4 | lessons: ham, spam (all numbers little endian) |
 * | 1 | bits |
 * | 3 x 4 | steps (32-bit floats) |
 * | the rest | weights, 3 x 2^bits signed octets, raw deflate |
 * | 32 | SHA-256 of what is before it |
 *
 * It is read whole or not at all: what is damaged, longer than it says, or of a newer release is told apart, and never used.
 */
import { createHash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { type Layer, VIEWS } from './classifier.ts'
import { PLACE_BITS } from './gathering.ts'

const MAGIC = 'VPSPAM'
const VERSION = 1
const HEAD_OCTETS = 8 + 4 + 4 + 1 + 4 * VIEWS.length
const DIGEST_OCTETS = 32
const BITS_MIN = 8
/** A file that says more is none of ours. */
export const LAYER_FILE_OCTETS_MAX = 2 * VIEWS.length * 2 ** PLACE_BITS

export type LayerRead =
  | { readonly kind: 'layer'; readonly layer: Layer }
  /** What is wrong with it, for the operator. */
  | { readonly kind: 'damaged' | 'newer'; readonly text: string }

export function layerFile({ ham, spam, bits, weights, steps }: Layer): Buffer {
  const head = Buffer.alloc(HEAD_OCTETS)
  head.write(MAGIC + String(VERSION).padStart(2, '0'), 'latin1')
  head.writeUInt32LE(ham, 8)
  head.writeUInt32LE(spam, 12)
  head.writeUInt8(bits, 16)
  for (const [i, step] of steps.entries()) head.writeFloatLE(step, 17 + 4 * i)
  const packed = deflateRawSync(
    Buffer.concat(weights.map((view) => Buffer.from(view.buffer, view.byteOffset, view.length))),
  )
  const before = Buffer.concat([head, packed])
  return Buffer.concat([before, digest(before)])
}

export function readLayerFile(file: Buffer): LayerRead {
  const version = new RegExp(`^${MAGIC}(\\d\\d)$`).exec(file.toString('latin1', 0, 8))?.[1]
  if (version === undefined) return damaged('it is no file of weights')
  if (Number(version) !== VERSION) return { kind: 'newer', text: `it is of version ${Number(version)}` }
  if (file.length < HEAD_OCTETS + DIGEST_OCTETS || file.length > LAYER_FILE_OCTETS_MAX)
    return damaged('its length is wrong')
  const before = file.subarray(0, file.length - DIGEST_OCTETS)
  if (!digest(before).equals(file.subarray(before.length))) return damaged('its digest is wrong')
  const bits = file.readUInt8(16)
  const steps = VIEWS.map((_, i) => file.readFloatLE(17 + 4 * i))
  if (bits < BITS_MIN || bits > PLACE_BITS || !steps.every((step) => Number.isFinite(step) && step >= 0))
    return damaged('its head makes no sense')
  const all = inflated(before.subarray(HEAD_OCTETS), VIEWS.length * 2 ** bits)
  if (all === undefined) return damaged('its weights cannot be unpacked')
  const weights = VIEWS.map((_, i) => new Int8Array(all.buffer, all.byteOffset + i * 2 ** bits, 2 ** bits))
  return { kind: 'layer', layer: { ham: file.readUInt32LE(8), spam: file.readUInt32LE(12), bits, weights, steps } }
}

const digest = (octets: Buffer): Buffer => createHash('sha256').update(octets).digest()
const damaged = (text: string): LayerRead => ({ kind: 'damaged', text })

function inflated(packed: Buffer, length: number): Buffer | undefined {
  try {
    const all = inflateRawSync(packed, { maxOutputLength: length })
    return all.length === length ? all : undefined
  } catch {
    return undefined
  }
}
