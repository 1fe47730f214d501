/**
 * A segment file open for writing: how far it is written, how far it is synced, and how to leave it when the disk fails.
 */
import type { Disk, DiskFile } from '#sys/disk.ts'
import type { Ledger } from './ledger.ts'
import { type End, encodeEnd } from './payload.ts'
import { place } from './record.ts'
import type { Segment } from './segment.ts'

export class SegmentFile {
  readonly segment: Segment
  /** Octets written. */
  position = 0
  readonly #file: DiskFile
  #synced = 0

  private constructor(segment: Segment, file: DiskFile) {
    this.segment = segment
    this.#file = file
  }

  /**
   * Creates the next segment. What `voids` says of the ends of others is written and synced first, which also proves
   * that this disk can write again. After this a receipt may rest on the file. Rejects with what the disk threw; the
   * failed file is then among the voids itself.
   */
  static async create(ledger: Ledger, disk: Disk, key: Buffer, voids: Map<Segment, End>): Promise<SegmentFile> {
    const segment = ledger.newSegment(key)
    const file = await disk.open(segment.path, 'create').catch((error: unknown) => {
      ledger.segments.delete(segment)
      throw error
    })
    const created = new SegmentFile(segment, file)
    try {
      await created.#state(voids)
      // The name must survive a power loss too.
      await disk.syncFolder(ledger.folder)
    } catch (error) {
      segment.closed = true
      voids.set(segment, { end: 0, open: false })
      await file.close().catch(() => undefined)
      throw error
    }
    for (const [failed, end] of voids) if (!failed.gone) segment.ends.set(failed, end)
    voids.clear()
    return created
  }

  async #state(voids: ReadonlyMap<Segment, End>): Promise<void> {
    const heads: Buffer[] = []
    let octets = 0
    for (const [failed, end] of voids) {
      if (failed.gone) continue
      const record = encodeEnd(failed.name, end)
      place(record, this.segment.key)
      heads.push(record.head)
      octets += record.octets
    }
    if (octets === 0) return
    await this.write(heads, octets)
    await this.sync()
  }

  async write(parts: readonly Buffer[], octets: number): Promise<void> {
    await this.#file.writeAll(parts, this.position)
    this.position += octets
  }

  /** At most one failure: never call again after it. */
  async sync(): Promise<void> {
    await this.#file.datasync()
    this.#synced = this.position
    this.segment.octets = this.position
  }

  /**
   * After a write that found no space: takes away what it left, durably. No sync has failed here, so one may be asked
   * for. False: the file must be left.
   */
  async cutBack(): Promise<boolean> {
    try {
      await this.#file.truncate(this.#synced)
      await this.#file.datasync()
      this.position = this.#synced
      return true
    } catch {
      return false
    }
  }

  /**
   * Leaves the file. The answer is where it ends: what stands behind was not acknowledged, and must be declared void
   * in the next segment. Cutting it off here helps only against a kill before that.
   */
  async leave(): Promise<number> {
    await this.#file.truncate(this.#synced).catch(() => undefined)
    await this.close()
    return this.#synced
  }

  async close(): Promise<void> {
    this.segment.closed = true
    await this.#file.close().catch(() => undefined)
  }
}
