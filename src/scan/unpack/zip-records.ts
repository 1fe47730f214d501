/**
 * The records of a zip file as they stand: what the header before each entry says (local), and what the directory at the
 * end says (central). They are found by their signatures, wherever they stand, and not by following one chain: programs
 * follow different ones. Nothing is judged here. Sizes and offsets in octets; a record that does not fit is left out.
 *
 * The format: PKWARE's APPNOTE 6.3, §4.3.7 local header, §4.3.12 central header, §4.3.16 end of the directory.
 */

export const LOCAL_SIGNATURE = Buffer.from('PK\x03\x04', 'latin1')
export const CENTRAL_SIGNATURE = Buffer.from('PK\x01\x02', 'latin1')
const END_SIGNATURE = Buffer.from('PK\x05\x06', 'latin1')
const END64_SIGNATURE = Buffer.from('PK\x06\x06', 'latin1')
const DESCRIPTOR_SIGNATURE = Buffer.from('PK\x07\x08', 'latin1')

/** Central records that are read; more are a limit of the object count. */
export const RECORDS_MAX = 20_000
/** Ends of directories; honest files have one, and one more for each zip that is stored inside. */
const ENDS_MAX = 16
const LOCAL_HEADER_OCTETS = 30
const CENTRAL_HEADER_OCTETS = 46
const END_OCTETS = 22
const SIZE_IN_EXTRA = 0xffffffff

const FLAG_ENCRYPTED = 0x0001
const FLAG_SIZES_FOLLOW = 0x0008
const FLAG_STRONG_ENCRYPTION = 0x0040
const EXTRA_ZIP64 = 0x0001
const EXTRA_UNICODE_PATH = 0x7075
const EXTRA_AES = 0x9901
const METHOD_AES = 99

export interface ZipHeader {
  readonly method: number
  readonly isEncrypted: boolean
  /** The sizes of this header are not meant: they stand behind the data. */
  readonly sizesFollow: boolean
  readonly crc: number
  readonly packedOctets: number
  readonly octets: number
  readonly name: Buffer
  /** The name in UTF-8 that stands beside it (Info-ZIP); it wins in some programs. */
  readonly unicodeName: Buffer | undefined
}

export interface LocalHeader extends ZipHeader {
  readonly dataAt: number
}

export interface CentralHeader extends ZipHeader {
  readonly at: number
  readonly end: number
  readonly localOffset: number
}

/** Reads what stands there as a local header; the signature is not asked for. */
export function localHeaderAt(file: Buffer, at: number): LocalHeader | undefined {
  if (at < 0 || at + LOCAL_HEADER_OCTETS > file.length) return undefined
  const nameOctets = file.readUInt16LE(at + 26)
  const extraAt = at + LOCAL_HEADER_OCTETS + nameOctets
  const dataAt = extraAt + file.readUInt16LE(at + 28)
  if (extraAt > file.length) return undefined
  return {
    ...header(file, at + 6, file.subarray(at + LOCAL_HEADER_OCTETS, extraAt), file.subarray(extraAt, dataAt)),
    dataAt: Math.min(dataAt, file.length),
  }
}

function centralHeaderAt(file: Buffer, at: number): CentralHeader | undefined {
  if (at + CENTRAL_HEADER_OCTETS > file.length) return undefined
  const extraAt = at + CENTRAL_HEADER_OCTETS + file.readUInt16LE(at + 28)
  if (extraAt > file.length) return undefined
  const extra = file.subarray(extraAt, extraAt + file.readUInt16LE(at + 30))
  const common = header(file, at + 8, file.subarray(at + CENTRAL_HEADER_OCTETS, extraAt), extra)
  const offset = file.readUInt32LE(at + 42)
  const [, , localOffset] = largeNumbers(extra, [file.readUInt32LE(at + 24), file.readUInt32LE(at + 20), offset])
  const end = extraAt + extra.length + file.readUInt16LE(at + 32)
  return { ...common, at, end, localOffset: localOffset ?? offset }
}

// From the flags on, both headers have the same fields.
function header(file: Buffer, flagsAt: number, name: Buffer, extra: Buffer): ZipHeader {
  const flags = file.readUInt16LE(flagsAt)
  const method = file.readUInt16LE(flagsAt + 2)
  const packed = file.readUInt32LE(flagsAt + 12)
  const size = file.readUInt32LE(flagsAt + 16)
  const [octets = size, packedOctets = packed] = largeNumbers(extra, [size, packed])
  const isAes = method === METHOD_AES || extraField(extra, EXTRA_AES) !== undefined
  return {
    method,
    isEncrypted: (flags & (FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION)) !== 0 || isAes,
    sizesFollow: (flags & FLAG_SIZES_FOLLOW) !== 0,
    crc: file.readUInt32LE(flagsAt + 8),
    packedOctets,
    octets,
    name,
    unicodeName: extraField(extra, EXTRA_UNICODE_PATH)?.subarray(5),
  }
}

/** Numbers that did not fit stand in the extra field, in this order (§4.5.3). */
function largeNumbers(extra: Buffer, numbers: readonly number[]): number[] {
  const field = extraField(extra, EXTRA_ZIP64)
  let at = 0
  return numbers.map((number) => {
    if (number !== SIZE_IN_EXTRA || field === undefined || at + 8 > field.length) return number
    at += 8
    return Number(field.readBigUInt64LE(at - 8))
  })
}

function extraField(extra: Buffer, id: number): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === id) return extra.subarray(at + 4, end)
    at = end
  }
  return undefined
}

export function centralHeaders(file: Buffer): CentralHeader[] {
  const headers: CentralHeader[] = []
  let at = file.indexOf(CENTRAL_SIGNATURE)
  while (at >= 0 && headers.length < RECORDS_MAX) {
    const found = centralHeaderAt(file, at)
    if (found) headers.push(found)
    at = file.indexOf(CENTRAL_SIGNATURE, at + 4)
  }
  return headers
}

/** The directory that one end points to: what programs go by that start at the end of the file. */
export interface Directory {
  readonly headers: readonly CentralHeader[]
  /** What may be added to its offsets: nothing, or the octets that stand before the archive. */
  readonly shifts: readonly number[]
  readonly isPartOfSeveral: boolean
}

/** Of each end, the last one first. */
export function directories(file: Buffer): Directory[] {
  const found: Directory[] = []
  let at = file.lastIndexOf(END_SIGNATURE)
  while (at >= 0 && found.length < ENDS_MAX) {
    if (at + END_OCTETS <= file.length) found.push(directoryOf(file, at))
    at = at === 0 ? -1 : file.lastIndexOf(END_SIGNATURE, at - 1)
  }
  return found
}

function directoryOf(file: Buffer, at: number): Directory {
  const disk = file.readUInt16LE(at + 4)
  const places = [{ octets: file.readUInt32LE(at + 12), offset: file.readUInt32LE(at + 16), before: at }]
  const end64 = file.lastIndexOf(END64_SIGNATURE, at)
  if (end64 >= 0 && end64 + 56 <= file.length) {
    const octets = Number(file.readBigUInt64LE(end64 + 40))
    places.push({ octets, offset: Number(file.readBigUInt64LE(end64 + 48)), before: end64 })
  }
  // The directory may stand right before its end, or where the end says.
  const starts = places.flatMap(({ octets, offset, before }) => [before - octets, offset])
  const shifts = places.map(({ octets, offset, before }) => before - octets - offset)
  const chains = [...new Set(starts)].map((start) => chainAt(file, start))
  return {
    headers: chains.reduce((longest, chain) => (chain.length > longest.length ? chain : longest), []),
    shifts: [...new Set([0, ...shifts])],
    isPartOfSeveral: disk !== 0 && disk !== 0xffff,
  }
}

function chainAt(file: Buffer, start: number): CentralHeader[] {
  const chain: CentralHeader[] = []
  let at = start
  while (at >= 0 && chain.length < RECORDS_MAX && file.subarray(at, at + 4).equals(CENTRAL_SIGNATURE)) {
    const found = centralHeaderAt(file, at)
    if (!found) break
    chain.push(found)
    at = found.end
  }
  return chain
}

export function isSplitStart(file: Buffer): boolean {
  return file.subarray(0, 4).equals(DESCRIPTOR_SIGNATURE)
}

/** Where the next record of any kind begins: data whose size is not known ends there at the latest. */
export function nextRecordAt(file: Buffer, from: number): number {
  const places = [LOCAL_SIGNATURE, CENTRAL_SIGNATURE, DESCRIPTOR_SIGNATURE, END_SIGNATURE].map((signature) =>
    file.indexOf(signature, from),
  )
  return Math.min(...places.filter((place) => place >= 0), file.length)
}

/** Sizes and checksum behind the data (§4.3.9), with signature or without. */
export function descriptorCrc(file: Buffer, at: number): number | undefined {
  const crcAt = file.subarray(at, at + 4).equals(DESCRIPTOR_SIGNATURE) ? at + 4 : at
  return crcAt + 4 <= file.length ? file.readUInt32LE(crcAt) : undefined
}

/** What the record behind the data says of their length; without a signature it cannot be told from other octets. */
export function descriptorOctets(file: Buffer, at: number): number | undefined {
  const isThere = file.subarray(at, at + 4).equals(DESCRIPTOR_SIGNATURE) && at + 12 <= file.length
  return isThere ? file.readUInt32LE(at + 8) : undefined
}

/** Two openers ask about each object. */
const KNOWN = new WeakMap<Buffer, boolean>()

export function hasZipRecords(file: Buffer): boolean {
  const known = KNOWN.get(file) ?? isThere(file)
  KNOWN.set(file, known)
  return known
}

function isThere(file: Buffer): boolean {
  return file.includes(LOCAL_SIGNATURE) || (file.includes(CENTRAL_SIGNATURE) && file.includes(END_SIGNATURE))
}
