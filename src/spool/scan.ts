/**
 * Reads a segment file from its start to its end, record by record, in windows; memory does not grow with the file or
 * with a message. Whatever is not a whole record with right checksums is reported as a damaged range, and the reading
 * goes on at the next header of this segment, wherever that is.
 */
import { crc32 } from 'node:zlib'
import type { TraceId } from '#mail/trace-id.ts'
import type { DiskFile } from '#sys/disk.ts'
import type { Damage } from './contract.ts'
import { decodeHeader, HEADER_OCTETS, MAGIC, type RecordHeader, recordOctets } from './record.ts'

/** Read at a time. Larger reads are no faster, and what is in one window is worked through without a pause. */
export const WINDOW_OCTETS = 512 * 1024
/** Records between two pauses; some 3 ms of work. */
const RECORDS_PER_SLICE = 256

export interface DamagedRange {
  readonly from: number
  readonly to: number
  readonly reason: Damage
  /** The message, where the meta is sound. */
  readonly id?: TraceId
}

export interface Visitor {
  /** A sound record. False: its meta says nothing sensible. `meta` is valid during the call only. */
  record(header: RecordHeader, meta: Buffer, position: number): boolean
  /** The message of a record whose header and meta are sound. */
  idOf(header: RecordHeader, meta: Buffer): TraceId | undefined
  damaged(range: DamagedRange): void
}

export class Scan {
  readonly #file: DiskFile
  readonly #key: Buffer
  readonly #end: number
  readonly #visitor: Visitor
  #window = Buffer.alloc(0)
  #start = 0

  /** Looks at nothing from `end` on. */
  constructor(file: DiskFile, key: Buffer, end: number, visitor: Visitor) {
    this.#file = file
    this.#key = key
    this.#end = end
    this.#visitor = visitor
  }

  /** Rejects only if the disk cannot read. */
  async run(): Promise<void> {
    let records = 0
    for (let at = 0; at < this.#end; ) {
      if (!this.#has(at, HEADER_OCTETS)) await this.#fill(at)
      const header = decodeHeader(this.#window, at - this.#start, this.#key)
      const damage = header ? await this.#record(header, at) : { reason: 'header' as const }
      if (header && damage === undefined) at += recordOctets(header)
      else {
        // Not at the end of the damaged record: if octets are missing, the next one begins before that.
        const next = await this.#nextHeader(at + 1)
        this.#visitor.damaged({ from: at, to: next, ...damage! })
        at = next
      }
      if (++records % RECORDS_PER_SLICE === 0) await pause()
    }
  }

  /** Undefined: sound. */
  async #record(header: RecordHeader, at: number): Promise<Omit<DamagedRange, 'from' | 'to'> | undefined> {
    const to = at + recordOctets(header)
    if (to > this.#end) return { reason: 'incomplete' }
    const metaEnd = at + HEADER_OCTETS + header.metaOctets
    if (!this.#has(at, to - at)) await this.#fill(at, metaEnd - at)
    const meta = this.#window.subarray(at + HEADER_OCTETS - this.#start, metaEnd - this.#start)
    if (crc32(meta) !== header.metaChecksum) return { reason: 'meta' }
    const checksum = this.#has(at, to - at) ? this.#checksumHere(metaEnd, to) : await this.#checksum(metaEnd, to)
    if (checksum !== header.contentChecksum) {
      const id = this.#visitor.idOf(header, meta)
      return { reason: 'content', ...(id ? { id } : {}) }
    }
    return this.#visitor.record(header, meta, at) ? undefined : { reason: 'payload' }
  }

  #checksumHere(from: number, to: number): number {
    return crc32(this.#window.subarray(from - this.#start, to - this.#start))
  }

  // The window moves on over large content, but `meta` is a view of the old one, which stays as it is.
  async #checksum(from: number, to: number): Promise<number> {
    let checksum = crc32(Buffer.alloc(0))
    for (let at = from; at < to; ) {
      if (!this.#has(at, 1)) await this.#fill(at)
      const upTo = Math.min(to, this.#start + this.#window.length)
      checksum = crc32(this.#window.subarray(at - this.#start, upTo - this.#start), checksum)
      at = upTo
    }
    return checksum
  }

  async #nextHeader(from: number): Promise<number> {
    for (let at = from; at + HEADER_OCTETS <= this.#end; ) {
      if (!this.#has(at, HEADER_OCTETS)) await this.#fill(at)
      const found = this.#window.indexOf(MAGIC, at - this.#start)
      if (found < 0) {
        // The magic may lie across the end of the window.
        at = Math.max(at + 1, this.#start + this.#window.length - MAGIC.length + 1)
        continue
      }
      at = this.#start + found
      if (!this.#has(at, HEADER_OCTETS)) await this.#fill(at)
      if (decodeHeader(this.#window, at - this.#start, this.#key)) return at
      at++
    }
    return this.#end
  }

  #has(at: number, octets: number): boolean {
    return at >= this.#start && at + octets <= this.#start + this.#window.length
  }

  async #fill(at: number, octetsMin = HEADER_OCTETS): Promise<void> {
    const octets = Math.min(Math.max(WINDOW_OCTETS, octetsMin), this.#end - at)
    const window = Buffer.allocUnsafeSlow(octets)
    const read = await this.#file.read(window, at)
    if (read < octets) throw new Error(`segment became shorter while it was read: ${at + read} octets`)
    this.#window = window
    this.#start = at
  }
}

/** Lets the event loop turn. */
export const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
