/**
 * The writing end: gathers records from all sessions and brings them to disk in batches, each with one write and one
 * sync (group commit). It knows nothing of what the records mean.
 *
 * Two lines wait: messages, whose senders are waiting for a sync, and notes (changes, compaction), which go out with
 * the next batch but do not cause a sync by themselves for 100 ms. While one batch is being synced the next gathers.
 *
 * A write or a sync that fails ends the segment file: its state is unknown from the last good sync on, and a second
 * sync would say "done" without having done anything. See `#fail`.
 */
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Disk } from '#sys/disk.ts'
import { type SpoolAlarm, SpoolError, type SpoolHealth } from './contract.ts'
import type { Ledger } from './ledger.ts'
import { type End, encodeSeal } from './payload.ts'
import { type EncodedRecord, place } from './record.ts'
import type { Segment } from './segment.ts'
import { SegmentFile } from './segment-file.ts'
import { isNoSpace, LOOK_MS, type Space } from './space.ts'

/** Messages in one batch, octets; a single larger message goes alone. Bounds what one sync has to bring to disk. */
const MESSAGES_OCTETS_MAX = 8 * 1024 * 1024
/** Notes in one batch, so that they hold up no message for long. */
const NOTES_MAX = 2048
const NOTES_OCTETS_MAX = 2 * 1024 * 1024
/**
 * A note waits for company so long: under load it goes out with the next message and costs no write of its own. What a
 * kill in this time makes of it is one more attempt, as in the time between the next hop's reply and our hearing it.
 */
export const NOTES_WRITE_MS = 2
/** Written notes are synced after this at the latest. */
export const NOTES_SYNC_MS = 100
/** A broken disk is tried again after this, doubling. */
export const RETRY_MS_MIN = 1000
export const RETRY_MS_MAX = 60_000

export interface LogItem {
  /** Asked when the batch is put together; undefined: not needed any more. */
  encode(): EncodedRecord | undefined
  /** Synced. */
  durable(segment: Segment, position: number): void
  /** The batch is lost. True: put it in line again. */
  failed(error: SpoolError): boolean
}

export interface LogParts {
  readonly ledger: Ledger
  readonly disk: Disk
  readonly clock: Clock
  readonly space: Space
  readonly segmentOctets: number
  readonly newKey: () => Buffer
  readonly alarm: (event: SpoolAlarm) => void
}

interface Written {
  readonly item: LogItem
  readonly position: number
}

interface Batch {
  readonly written: Written[]
  readonly parts: Buffer[]
  octets: number
  /** Senders wait for it. */
  urgent: boolean
  /** The last of this segment. */
  seals: boolean
  /** A sync was asked for, so that it may be what failed. */
  synced: boolean
}

export class Log {
  batches = 0
  syncs = 0
  readonly #parts: LogParts
  #messages: LogItem[] = []
  #notes: LogItem[] = []
  /** Written, not synced. */
  #unsynced: Written[] = []
  #file: SegmentFile | undefined
  /** Ends of other segments, not yet stated on disk. */
  readonly #voids = new Map<Segment, End>()
  #fault: { kind: 'full' | 'broken'; error: unknown } | undefined
  #retryMs = RETRY_MS_MIN
  #syncTimer: Cancel | undefined
  #retryTimer: Cancel | undefined
  #spaceTimer: Cancel | undefined
  #syncDue = false
  #notesTimer: Cancel | undefined
  #notesDue = false
  #running: Promise<void> | undefined
  #closing = false
  #closed = false

  constructor(parts: LogParts) {
    this.#parts = parts
  }

  get health(): SpoolHealth {
    if (this.#fault?.kind === 'broken') return { kind: 'broken', error: this.#fault.error }
    return this.#fault || this.#parts.space.low ? { kind: 'full' } : { kind: 'ok' }
  }

  /**
   * Opens the first segment, which states the ends of those that the last process left open. Never rejects: a full or
   * broken disk shows in `health`, and is tried again.
   */
  async start(leftOpen: ReadonlyMap<Segment, number>): Promise<void> {
    for (const [segment, octets] of leftOpen) this.#voids.set(segment, { end: octets, open: true })
    await this.#parts.space.look()
    if (this.#parts.space.low) this.#spaceIsLow()
    else await this.#parts.space.keepReserve()
    try {
      this.#file = await this.#open()
    } catch (error) {
      await this.#fail(error, undefined)
    }
  }

  /** The caller has looked at `health`. */
  append(item: LogItem): void {
    this.#messages.push(item)
    this.#kick()
  }

  note(item: LogItem): void {
    if (this.#closed) {
      item.failed(new SpoolError('closing', 'the spool is closed'))
      return
    }
    this.#notes.push(item)
    if (this.#notes.length >= NOTES_MAX) this.#kick()
    else this.#kickForNotes()
  }

  /** Writes what waits, seals the segment. A broken disk is tried once more. */
  async close(): Promise<void> {
    this.#closing = true
    this.#retryTimer?.()
    this.#spaceTimer?.()
    this.#fault = undefined
    this.#kick()
    await this.#running
    this.#syncTimer?.()
    this.#notesTimer?.()
    this.#closed = true
    const closed = new SpoolError('closing', 'the spool is closed')
    this.#refuse(closed)
    for (const note of this.#notes) note.failed(closed)
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  #kick(): void {
    if (this.#running || this.#fault) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      if (this.#notes.length > 0) this.#kickForNotes()
    })
  }

  #kickForNotes(): void {
    if (this.#running || this.#fault || this.#notesTimer) return
    this.#notesTimer = this.#parts.clock.after(NOTES_WRITE_MS, () => {
      this.#notesTimer = undefined
      this.#notesDue = true
      this.#kick()
    })
  }

  // One turn of the event loop before the first batch, two after each: the sessions that were just answered, and those
  // whose octets have just arrived, get into the next batch. Measured in bench/spool.ts.
  async #run(): Promise<void> {
    await turn()
    while (!this.#fault && this.#hasWork) {
      await this.#cycle()
      await turn()
      await turn()
    }
  }

  get #hasWork(): boolean {
    if (this.#messages.length > 0 || this.#notes.length >= NOTES_MAX) return true
    if (this.#notes.length > 0 && (this.#notesDue || this.#closing)) return true
    return (this.#syncDue || this.#closing) && this.#file !== undefined
  }

  async #cycle(): Promise<void> {
    const { space } = this.#parts
    await space.look()
    if (space.low && this.#messages.length > 0) {
      this.#spaceIsLow()
      this.#refuse(new SpoolError('full', 'no space left for mail'))
      if (!this.#hasWork) return
    }
    let batch: Batch | undefined
    try {
      this.#file ??= await this.#open()
      batch = this.#take(this.#file)
      await this.#bring(batch, this.#file)
      this.#retryMs = RETRY_MS_MIN
    } catch (error) {
      await this.#fail(error, batch)
    }
  }

  #take(file: SegmentFile): Batch {
    const batch: Batch = {
      written: [],
      parts: [],
      octets: 0,
      urgent: this.#messages.length > 0,
      seals: false,
      synced: false,
    }
    this.#messages = fill(batch, file, this.#messages, MESSAGES_OCTETS_MAX, Number.POSITIVE_INFINITY)
    this.#notes = fill(batch, file, this.#notes, batch.octets + NOTES_OCTETS_MAX, NOTES_MAX)
    this.#notesDue = this.#notes.length > 0
    const waiting = this.#messages.length + this.#notes.length
    if (file.position + batch.octets >= this.#parts.segmentOctets || (this.#closing && waiting === 0)) {
      put(batch, file, encodeSeal())
      batch.seals = true
    }
    return batch
  }

  async #bring(batch: Batch, file: SegmentFile): Promise<void> {
    if (batch.octets > 0) {
      this.batches++
      await file.write(batch.parts, batch.octets)
      this.#parts.space.written(batch.octets)
    } else if (!this.#syncDue) return
    if (batch.urgent || batch.seals || this.#syncDue) {
      this.syncs++
      batch.synced = true
      await file.sync()
      this.#settle(batch, file.segment)
      if (batch.seals) await this.#leaveSealed(file)
    } else {
      for (const written of batch.written) this.#unsynced.push(written)
      this.#syncTimer ??= this.#parts.clock.after(NOTES_SYNC_MS, () => {
        this.#syncDue = true
        this.#kick()
      })
    }
  }

  #settle(batch: Batch, segment: Segment): void {
    const unsynced = this.#takeUnsynced()
    for (const { item, position } of unsynced) item.durable(segment, position)
    for (const { item, position } of batch.written) item.durable(segment, position)
  }

  #takeUnsynced(): Written[] {
    const unsynced = this.#unsynced
    this.#unsynced = []
    this.#syncDue = false
    this.#syncTimer?.()
    this.#syncTimer = undefined
    return unsynced
  }

  async #leaveSealed(file: SegmentFile): Promise<void> {
    this.#file = undefined
    await file.close()
  }

  #open(): Promise<SegmentFile> {
    const { ledger, disk, newKey } = this.#parts
    return SegmentFile.create(ledger, disk, newKey(), this.#voids)
  }

  /**
   * Nothing since the last good sync can be trusted. The batch must not come back at the next start, because its
   * senders will hear a 4yz: so the place where the file ends is stated in a new segment, synced, before anyone hears
   * anything. If that fails as well, the senders must hear nothing at all (`uncertain`), and it is tried again later.
   * Only where a write found no space, and no sync failed, is the same file cut back and used on.
   */
  async #fail(error: unknown, batch: Batch | undefined): Promise<void> {
    const lost = [...this.#takeUnsynced(), ...(batch?.written ?? [])]
    const file = this.#file
    const kind = isNoSpace(error) ? 'full' : 'broken'
    this.#fault = { kind, error }
    this.#parts.alarm(kind === 'full' ? { kind } : { kind, error })
    const cutBack = file !== undefined && kind === 'full' && !batch?.synced && (await file.cutBack())
    if (file && !cutBack) {
      this.#file = undefined
      this.#voids.set(file.segment, { end: await file.leave(), open: false })
    }
    const roomier = kind === 'full' && (await this.#parts.space.giveUpReserve())
    if (kind === 'full') await this.#parts.space.look(true)
    const certain = cutBack || (await this.#reopen())
    const refusal = new SpoolError(certain ? kind : 'uncertain', 'the batch could not be brought to disk', error)
    this.#lose(lost, refusal)
    this.#refuse(new SpoolError(kind, 'the spool does not accept', error))
    // At once only the first time: a disk that fails every batch must not be asked in a tight loop.
    const first = this.#retryMs === RETRY_MS_MIN
    if (certain && first && (kind === 'broken' || roomier)) this.#resume()
    else this.#retryLater()
  }

  #lose(lost: readonly Written[], refusal: SpoolError): void {
    const again: LogItem[] = []
    for (const { item } of lost) if (item.failed(refusal)) again.push(item)
    this.#notes = [...again, ...this.#notes]
  }

  async #reopen(): Promise<boolean> {
    try {
      this.#file ??= await this.#open()
      return true
    } catch {
      return false
    }
  }

  #retryLater(): void {
    if (!this.#closing) this.#retryTimer = this.#parts.clock.after(this.#retryMs, () => void this.#retry())
    this.#backOff()
  }

  #backOff(): void {
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX)
  }

  async #retry(): Promise<void> {
    await this.#parts.space.look(true)
    if (this.#closing) return
    if (await this.#reopen()) this.#resume()
    else this.#retryLater()
  }

  #resume(): void {
    this.#fault = undefined
    this.#backOff()
    this.#parts.alarm({ kind: 'recovered' })
    if (this.#parts.space.low) this.#spaceIsLow()
    else void this.#parts.space.keepReserve()
    this.#kick()
  }

  #spaceIsLow(): void {
    if (this.#spaceTimer || this.#closing) return
    this.#parts.alarm({ kind: 'full' })
    this.#watchSpace()
  }

  #watchSpace(): void {
    this.#spaceTimer = this.#parts.clock.after(LOOK_MS, () => void this.#lookForSpace())
  }

  async #lookForSpace(): Promise<void> {
    await this.#parts.space.look(true)
    if (this.#parts.space.low) return this.#watchSpace()
    this.#spaceTimer = undefined
    this.#parts.alarm({ kind: 'recovered' })
    await this.#parts.space.keepReserve()
  }

  // They were never written.
  #refuse(error: SpoolError): void {
    const messages = this.#messages
    this.#messages = []
    for (const item of messages) item.failed(error)
  }
}

/** Moves items from a line into the batch; the answer is the rest of the line. */
function fill(batch: Batch, file: SegmentFile, line: LogItem[], octetsMax: number, countMax: number): LogItem[] {
  let taken = 0
  while (taken < line.length && taken < countMax && batch.octets < octetsMax) {
    const item = line[taken++]!
    const record = item.encode()
    if (record === undefined) continue
    batch.written.push({ item, position: file.position + batch.octets })
    put(batch, file, record)
  }
  return taken === line.length ? [] : line.slice(taken)
}

function put(batch: Batch, file: SegmentFile, record: EncodedRecord): void {
  place(record, file.segment.key)
  batch.parts.push(record.head)
  if (record.content) for (const chunk of record.content.chunks) batch.parts.push(chunk)
  batch.octets += record.octets
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
