/**
 * What engines beside us would not see for themselves: readings of parts that a straightforward reader of mail does not make,
 * and what is in containers that ClamAV does not open. Made in a reading thread, and bounded: a message of tricks alone must
 * not keep a scanner busy for minutes. What is left out is a fact.
 *
 * They leave the thread as one piece of memory, which is handed over, not copied.
 */
import { hash } from 'node:crypto'
import type { ScanFact } from '#mail/scan.ts'
import type { Reading } from '#mime/readings/contract.ts'
import type { Opener, ScanBudget, ScanObject } from './contract.ts'
import { encodedText } from './unpack/encoded-text.ts'
import { flatOffice } from './unpack/flat-office.ts'
import { zstd } from './unpack/gzip.ts'
import { rtf } from './unpack/rtf.ts'

/** Of one message. Real mail has up to 10, mostly 0; each is a scan of its own. */
export const EXTRA_OBJECTS_MAX = 100
/** Octets for each octet of the message. Real mail comes up to 2.5: two readings of its one large attachment. */
export const EXTRA_RATIO_MAX = 4
/** Below it the ratio is no matter. */
export const EXTRA_OCTETS_FREE = 4 * 1024 * 1024

/** ClamAV 1.4 hands these through as they are. Inside of other containers only the embedded engine sees them. */
const UNOPENED_BY_OTHERS: readonly Opener[] = [zstd, rtf, flatOffice, encodedText]

export interface Extra {
  readonly objects: readonly ScanObject[]
  readonly facts: readonly ScanFact[]
}

export async function extraOf(readings: readonly Reading[], octets: number, budget: ScanBudget): Promise<Extra> {
  const facts: ScanFact[] = []
  const objects: ScanObject[] = []
  const seen = new Set(readings.filter(({ isPlain }) => isPlain).map((reading) => hash('sha256', reading.octets)))
  let left = Math.max(EXTRA_OCTETS_FREE, octets * EXTRA_RATIO_MAX)
  for await (const found of candidates(readings, budget)) {
    if ('fact' in found) {
      facts.push(found.fact)
      continue
    }
    const { object } = found
    const key = hash('sha256', object.octets)
    if (object.octets.length === 0 || seen.has(key)) continue
    seen.add(key)
    left -= object.octets.length
    if (left < 0 || objects.length === EXTRA_OBJECTS_MAX) {
      const symbol = left < 0 ? 'decoded-too-large' : 'too-many-readings'
      facts.push({ kind: 'cannot-tell', symbol, where: object.where, text: 'more readings than scanners are given' })
      break
    }
    objects.push(object)
  }
  return { objects, facts }
}

async function* candidates(readings: readonly Reading[], budget: ScanBudget) {
  for (const reading of readings) if (!reading.isPlain) yield { object: objectOf(reading) }
  for (const reading of readings)
    for (const opener of UNOPENED_BY_OTHERS)
      if (opener.recognises(reading.octets)) yield* opener.open(objectOf(reading), budget)
}

export const objectOf = ({ where, names, declaredType, octets }: Reading): ScanObject => ({
  where,
  names,
  ...(declaredType !== undefined && { declaredType }),
  octets,
  depth: 0,
})

/** Objects on their way out of a thread. */
export interface Packed {
  readonly octets: Uint8Array<ArrayBuffer>
  readonly objects: readonly (Omit<ScanObject, 'octets'> & { readonly length: number })[]
}

export function pack(objects: readonly ScanObject[]): Packed {
  const octets = new Uint8Array(objects.reduce((sum, object) => sum + object.octets.length, 0))
  let at = 0
  const packed = objects.map(({ octets: own, ...rest }) => {
    octets.set(own, at)
    at += own.length
    return { ...rest, length: own.length }
  })
  return { octets, objects: packed }
}

export function unpacked({ octets, objects }: Packed): ScanObject[] {
  let at = 0
  return objects.map(({ length, ...rest }) => {
    const own = Buffer.from(octets.buffer, octets.byteOffset + at, length)
    at += length
    return { ...rest, octets: own }
  })
}
