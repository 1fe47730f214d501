/**
 * Reads single messages back, with all checksums. A bounded number of segment files stay open for it.
 */
import { crc32 } from 'node:zlib'
import type { NewMessage } from '#mail/stored.ts'
import type { Disk, DiskFile } from '#sys/disk.ts'
import type { Entry } from './entry.ts'
import { decodeMessage } from './payload.ts'
import { decodeHeader, HEADER_OCTETS, RECORD_TYPES } from './record.ts'
import type { Segment } from './segment.ts'

/** File handles; a first delivery rarely reads at all, and retries come in the order of their segments. */
const OPEN_FILES_MAX = 64

export interface StoredRecord {
  readonly message: NewMessage
  readonly content: Buffer
}

export class Reader {
  readonly #disk: Disk
  /** The least recently used first. */
  readonly #files = new Map<Segment, Promise<DiskFile>>()

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** Undefined: what stands there is not this message. Rejects if the disk cannot read. */
  async read(entry: Entry): Promise<StoredRecord | undefined> {
    const { segment, position, recordOctets, id } = entry
    const file = await this.#open(segment)
    const bytes = Buffer.allocUnsafeSlow(recordOctets)
    const octets = await file.read(bytes, position)
    const record = octets === recordOctets ? decode(bytes, segment.key) : undefined
    return record?.message.id === id ? record : undefined
  }

  /** Before a segment is unlinked, and at the end. */
  async close(segment: Segment): Promise<void> {
    const file = this.#files.get(segment)
    this.#files.delete(segment)
    await file?.then((opened) => opened.close()).catch(() => undefined)
  }

  async closeAll(): Promise<void> {
    for (const segment of [...this.#files.keys()]) await this.close(segment)
  }

  #open(segment: Segment): Promise<DiskFile> {
    const known = this.#files.get(segment)
    const file = known ?? this.#disk.open(segment.path, 'read')
    if (known) this.#files.delete(segment)
    else file.catch(() => this.#files.delete(segment))
    this.#files.set(segment, file)
    if (this.#files.size > OPEN_FILES_MAX) {
      const oldest = this.#files.keys().next().value
      if (oldest) void this.close(oldest)
    }
    return file
  }
}

function decode(bytes: Buffer, key: Buffer): StoredRecord | undefined {
  const header = decodeHeader(bytes, 0, key)
  if (header === undefined || header.type !== RECORD_TYPES.message) return undefined
  const metaEnd = HEADER_OCTETS + header.metaOctets
  const meta = bytes.subarray(HEADER_OCTETS, metaEnd)
  const content = bytes.subarray(metaEnd, metaEnd + header.contentOctets)
  if (crc32(meta) !== header.metaChecksum || crc32(content) !== header.contentChecksum) return undefined
  const decoded = decodeMessage(header.version, meta)
  return decoded && { message: decoded.message, content }
}
