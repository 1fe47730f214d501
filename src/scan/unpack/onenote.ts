/**
 * Opens OneNote sections: the files that lie in them, of which a person sees an icon. They stand whole behind a mark of their
 * own, so the tree of the section is not followed. Sections that Office on the web wrote have another packing, where a
 * file is told by two lengths that must agree. Names stand elsewhere and are not given.
 *
 * The formats: [MS-ONESTORE] §2.3.1 (header), §2.6.13 (FileDataStoreObject); [MS-FSSHTTPB] §2.2.1.5 (stream object header) and
 * §2.2.1.12.8 (object data BLOB). Sizes in octets.
 */
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { broken, charged, inside, overLimit } from './inside.ts'

const SECTION = Buffer.from('e4525c7b8cd8a74daeb15378d02996d3', 'hex')
const FILE_DATA = Buffer.from('e716e3bd65261145a4c48d4d0b7a9eac', 'hex')
/** Behind the mark: the size in eight octets, then twelve that are reserved. */
const BEFORE_DATA = FILE_DATA.length + 8 + 12

/** Of the file format that is a tree of its own: no other packing is in it. */
const TREE_AT = 48
const TREE = Buffer.from('3fdd9a101b91f549a5d01791edc8aed8', 'hex')
/** A stream object of type 2, whose length has 15 bits; and one whose length has 7. */
const BLOB = Buffer.from([0x12, 0x00])
const SMALL_BLOB = 0x10
/** The length follows as a number of its own. */
const BLOB_LENGTH_FOLLOWS = 0x7fff
/** Smaller ones are not worth the false alarms of a mark of one octet. */
const SMALL_BLOB_OCTETS_MIN = 16

export const oneNote: Opener = {
  container: 'onenote',
  recognises: (octets) => octets.subarray(0, SECTION.length).equals(SECTION),
  open: openSection,
}

function* openSection(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const file = object.octets
  for (let at = file.indexOf(FILE_DATA); at >= 0; at = file.indexOf(FILE_DATA, at + FILE_DATA.length)) {
    if (budget.isOver()) return yield overLimit('time', object.where)
    const dataAt = at + BEFORE_DATA
    const size = dataAt <= file.length ? Number(file.readBigUInt64LE(at + FILE_DATA.length)) : 0
    const child = inside(object, [], `file at ${at}`, file.subarray(dataAt, dataAt + size))
    if (dataAt > file.length || dataAt + size > file.length) yield broken('onenote', child.where, 'its data are cut')
    yield charged(child, child.octets.length, budget)
  }
  if (!file.subarray(TREE_AT, TREE_AT + TREE.length).equals(TREE)) yield* openBlobs(object, budget)
}

function* openBlobs(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const file = object.octets
  for (let at = 0; at + 4 < file.length; at++) {
    if (file[at] !== BLOB[0] && file[at] !== SMALL_BLOB) continue
    const octets = blobAt(file, at)
    if (!octets) continue
    if (budget.isOver()) return yield overLimit('time', object.where)
    yield charged(inside(object, [], `file at ${at}`, octets), octets.length, budget)
    at += octets.length
  }
}

/** The length of the stream object is that of the data with the number before them that says theirs. */
function blobAt(file: Buffer, at: number): Buffer | undefined {
  let [bodyAt, length] = [at + 2, file[at + 1]! >> 1]
  if (file[at] === BLOB[0]) {
    if (file[at + 1] !== BLOB[1]) return undefined
    ;[bodyAt, length] = [at + 4, file.readUInt32LE(at) >>> 17]
    if (length === BLOB_LENGTH_FOLLOWS) {
      const large = compactNumber(file, bodyAt)
      ;[bodyAt, length] = [bodyAt + large.octets, large.value]
    }
  } else if (length < SMALL_BLOB_OCTETS_MIN) return undefined
  const own = compactNumber(file, bodyAt)
  const dataAt = bodyAt + own.octets
  if (own.value === 0 || own.octets + own.value !== length || dataAt + own.value > file.length) return undefined
  return file.subarray(dataAt, dataAt + own.value)
}

/** [MS-FSSHTTPB] §2.2.1.1: the place of the lowest bit that is set says how many octets there are. */
function compactNumber(file: Buffer, at: number): { readonly value: number; readonly octets: number } {
  const first = file[at] ?? 0
  if (first === 0) return { value: 0, octets: 1 }
  const octets = Math.clz32(first & -first) ^ 31
  if (at + 8 > file.length) return { value: 0, octets: octets + 1 }
  if (octets === 7) return { value: at + 9 > file.length ? 0 : Number(file.readBigUInt64LE(at + 1)), octets: 9 }
  const size = octets + 1
  return { value: Math.floor(file.readUIntLE(at, Math.min(6, size)) / 2 ** size), octets: size }
}
