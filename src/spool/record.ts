/**
 * One record of a segment file: a header of 36 octets, meta (JSON, or ids), content (octets as received).
 *
 *      0  magic       4    97 56 50 52
 *      4  version     1    of meta and content
 *      5  type        1
 *      6  zero        2
 *      8  key         8    of the segment, also in its name
 *     16  meta        4    octets
 *     20  content     4    octets
 *     24  checksum    4    of meta
 *     28  checksum    4    of content
 *     32  checksum    4    of the 32 octets before
 *
 * Integers are little-endian, checksums CRC-32. The header has its own checksum, so a flipped bit in a length is seen
 * and cannot swallow the records behind. The key is random: a message that contains a spool file cannot pass for
 * records when a damaged place is searched for the next header. The header's layout is the same in every version.
 *
 * Limits: meta and content below 4 GiB each.
 */
import { crc32 } from 'node:zlib'
import type { Content } from '#mail/content.ts'

export const HEADER_OCTETS = 36
export const KEY_OCTETS = 8
/** The newest version that we write: 3 knows submissions and what senders were told, 2 redirected recipients and notices. */
export const FORMAT_VERSION = 3
/** The oldest that we read, and write. */
export const FORMAT_VERSION_MIN = 1
export const MAGIC = Buffer.from([0x97, 0x56, 0x50, 0x52])
const MAGIC_NUMBER = MAGIC.readUInt32LE(0)
const CHECKED_OCTETS = 32

/** Their numbers are on disk for good: add, never change. */
export const RECORD_TYPES = { message: 1, state: 2, settled: 3, end: 4, seal: 5 } as const
export type RecordType = keyof typeof RECORD_TYPES

export interface RecordHeader {
  readonly version: number
  readonly type: number
  readonly metaOctets: number
  readonly contentOctets: number
  readonly metaChecksum: number
  readonly contentChecksum: number
}

/** A record that still has to learn its segment. */
export interface EncodedRecord {
  /** Header and meta. */
  readonly head: Buffer
  readonly content: Content | undefined
  /** Of the whole record. */
  readonly octets: number
}

const NOTHING = Buffer.alloc(0)

export function encodeRecord(
  type: RecordType,
  meta: string,
  content?: Content,
  version = FORMAT_VERSION_MIN,
): EncodedRecord {
  const metaOctets = Buffer.byteLength(meta)
  const head = Buffer.allocUnsafe(HEADER_OCTETS + metaOctets)
  head.write(meta, HEADER_OCTETS)
  head.writeUInt32LE(MAGIC_NUMBER, 0)
  head.writeUInt32LE(version | (RECORD_TYPES[type] << 8), 4)
  head.writeUInt32LE(metaOctets, 16)
  head.writeUInt32LE(content?.octets ?? 0, 20)
  head.writeUInt32LE(crc32(head.subarray(HEADER_OCTETS)), 24)
  head.writeUInt32LE(contentChecksum(content), 28)
  return { head, content, octets: head.length + (content?.octets ?? 0) }
}

/** Completes the header; from now on the record belongs to this segment and to no other. */
export function place(record: EncodedRecord, key: Buffer): void {
  const { head } = record
  key.copy(head, 8)
  head.writeUInt32LE(crc32(head.subarray(0, CHECKED_OCTETS)), CHECKED_OCTETS)
}

function contentChecksum(content: Content | undefined): number {
  let checksum = crc32(NOTHING)
  if (content) for (const chunk of content.chunks) checksum = crc32(chunk, checksum)
  return checksum
}

/** Undefined unless a header of this segment stands at `at`. */
export function decodeHeader(bytes: Buffer, at: number, key: Buffer): RecordHeader | undefined {
  if (at + HEADER_OCTETS > bytes.length || bytes.readUInt32LE(at) !== MAGIC_NUMBER) return undefined
  if (bytes.readUInt32LE(at + CHECKED_OCTETS) !== crc32(bytes.subarray(at, at + CHECKED_OCTETS))) return undefined
  if (bytes.compare(key, 0, KEY_OCTETS, at + 8, at + 8 + KEY_OCTETS) !== 0) return undefined
  return {
    version: bytes[at + 4]!,
    type: bytes[at + 5]!,
    metaOctets: bytes.readUInt32LE(at + 16),
    contentOctets: bytes.readUInt32LE(at + 20),
    metaChecksum: bytes.readUInt32LE(at + 24),
    contentChecksum: bytes.readUInt32LE(at + 28),
  }
}

export const recordOctets = (header: RecordHeader): number => HEADER_OCTETS + header.metaOctets + header.contentOctets
