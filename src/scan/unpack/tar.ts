/**
 * Opens tar archives: ustar, GNU, pax and the old kind. A header whose checksum is wrong ends the archive for some
 * programs, others search on for the next one (`tar --ignore-zeros`, 7-Zip): the search goes on here, block by block, and
 * `broken` says so. Nothing is written to a disk, so links and paths are only names.
 *
 * The format: IEEE Std 1003.1, "pax", Extended Description. Sizes in octets; all is padded to blocks of 512.
 */
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { nameReadings } from './entry-names.ts'
import { broken, charged, inside, overLimit } from './inside.ts'

const BLOCK_OCTETS = 512
const MARK_AT = 257
const CHECKSUM_AT = 148
const CHECKSUM_OCTETS = 8
/** Records of a pax header; honest ones have below 20. */
const PAX_RECORDS_MAX = 1_000

const TYPE_LONG_NAME = 'L'
const TYPE_LONG_LINK = 'K'
const TYPE_PAX = 'x'
const TYPE_PAX_GLOBAL = 'g'
/** Link, symbolic link, devices, folder, pipe: their size means nothing, and no data follow. */
const TYPES_WITHOUT_DATA = '123456'

interface Pending {
  names: string[]
  size: number | undefined
}

export const tar: Opener = {
  container: 'tar',
  recognises: (octets) => octets.length >= BLOCK_OCTETS && (isHeader(octets, 0) || hasMark(octets)),
  open: openTar,
}

function hasMark(octets: Buffer): boolean {
  return octets.toString('latin1', MARK_AT, MARK_AT + 5) === 'ustar'
}

function* openTar(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const file = object.octets
  const pending: Pending = { names: [], size: undefined }
  let isLost = false
  for (let at = 0; at + BLOCK_OCTETS <= file.length; ) {
    if (budget.isOver()) return yield overLimit('time', object.where)
    if (isHeader(file, at)) {
      isLost = false
      at = yield* entryAt(object, at, pending, budget)
      continue
    }
    if (!isLost && !isZeros(file, at)) {
      isLost = true
      yield broken('tar', object.where, `the header at octet ${at} is damaged`)
    }
    at += BLOCK_OCTETS
  }
  if (pending.names.length > 0) yield broken('tar', object.where, 'it ends with a name that no entry has')
  if (file.length % BLOCK_OCTETS !== 0) yield broken('tar', object.where, 'it is no whole number of blocks')
}

function* entryAt(object: ScanObject, at: number, pending: Pending, budget: ScanBudget): Generator<Opened, number> {
  const file = object.octets
  const type = String.fromCharCode(file[at + 156]!)
  const stated = numberAt(file, at + 124, 12)
  const dataAt = at + BLOCK_OCTETS
  const size = pending.size ?? stated ?? 0
  const names = [...pending.names, ...nameReadings(nameAt(file, at))]
  if (stated === undefined) yield broken('tar', inside(object, names, 'entry', file).where, 'its size is no number')
  const octets = file.subarray(dataAt, dataAt + size)
  if (isAbout(type)) {
    readAbout(type, octets, pending)
    if (octets.length < size) yield broken('tar', object.where, 'the description of an entry is cut')
  } else {
    pending.names = []
    pending.size = undefined
    if (TYPES_WITHOUT_DATA.includes(type) && size === 0) return dataAt
    const child = inside(object, names, 'entry', octets)
    if (octets.length < size) yield broken('tar', child.where, 'its data are cut')
    yield charged(child, octets.length, budget)
    // A folder or a link with data: some skip them, for others the next header follows at once.
    if (TYPES_WITHOUT_DATA.includes(type)) return dataAt
  }
  return dataAt + Math.ceil(size / BLOCK_OCTETS) * BLOCK_OCTETS
}

function isAbout(type: string): boolean {
  return [TYPE_LONG_NAME, TYPE_LONG_LINK, TYPE_PAX, TYPE_PAX_GLOBAL].includes(type)
}

function readAbout(type: string, octets: Buffer, pending: Pending): void {
  if (type === TYPE_LONG_NAME) pending.names.push(...nameReadings(untilNul(octets)))
  if (type !== TYPE_PAX) return
  for (const [key, value] of paxRecords(octets)) {
    if (key === 'path' || key === 'GNU.sparse.name') pending.names.push(...nameReadings(value))
    if (key === 'size' && /^\d{1,15}$/.test(value.toString('latin1'))) pending.size = Number(value.toString('latin1'))
  }
}

function* paxRecords(octets: Buffer): Generator<readonly [string, Buffer]> {
  let at = 0
  for (let count = 0; count < PAX_RECORDS_MAX && at < octets.length; count++) {
    const space = octets.indexOf(' ', at)
    const length = space < 0 ? 0 : Number(octets.toString('latin1', at, Math.min(space, at + 12)))
    if (!Number.isSafeInteger(length) || length <= space - at) return
    const equals = octets.indexOf('=', space)
    if (equals > space && equals < at + length)
      yield [octets.toString('latin1', space + 1, equals), octets.subarray(equals + 1, at + length - 1)]
    at += length
  }
}

// The sum counts its own field as blanks; old programs summed signed octets.
function isHeader(file: Buffer, at: number): boolean {
  const told = numberAt(file, at + CHECKSUM_AT, CHECKSUM_OCTETS)
  if (told === undefined || told === 0) return false
  let [unsigned, signed] = [0, 0]
  for (let index = 0; index < BLOCK_OCTETS; index++) {
    const isSum = index >= CHECKSUM_AT && index < CHECKSUM_AT + CHECKSUM_OCTETS
    const octet = isSum ? 0x20 : file[at + index]!
    unsigned += octet
    signed += octet > 0x7f ? octet - 0x100 : octet
  }
  return told === unsigned || told === signed
}

/** Octal digits, or in GNU's way a first bit and a number in base 256. */
function numberAt(file: Buffer, at: number, octets: number): number | undefined {
  const first = file[at]!
  if (first === 0x80) {
    const large = BigInt(`0x${file.toString('hex', at + 1, at + octets)}`)
    return large > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(large)
  }
  const digits = file.toString('latin1', at, at + octets).replace(/^[ \0]+|[ \0].*$/gs, '')
  if (digits === '') return 0
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined
}

// Beside "ustar" a prefix of the path may stand; the old kinds have other things there.
function nameAt(file: Buffer, at: number): Buffer {
  const name = untilNul(file.subarray(at, at + 100))
  const prefix = untilNul(file.subarray(at + 345, at + 500))
  const isUstar = file.toString('latin1', at + 257, at + 263) === 'ustar\0'
  return isUstar && prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name
}

function untilNul(octets: Buffer): Buffer {
  const end = octets.indexOf(0)
  return end < 0 ? octets : octets.subarray(0, end)
}

function isZeros(file: Buffer, at: number): boolean {
  for (let index = at; index < at + BLOCK_OCTETS; index++) if (file[index] !== 0) return false
  return true
}
