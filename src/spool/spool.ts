/**
 * The durable spool of one worker: every message that we answered 250 for and that is not settled.
 *
 * A folder holds segment files of records (`record.ts`), appended in batches (`log.ts`), read back at start
 * (`replay.ts`) and let go when nothing needs them (`housekeeping.ts`); `set-aside/` holds what could not be read,
 * `lock` who owns the folder, `reserve` a little space for a full disk. Memory holds some 300 octets of each message.
 *
 * With a full or broken disk appends are refused and everything else goes on; both end by themselves.
 */
import { randomBytes } from 'node:crypto'
import { type Content, content as contentOf } from '#mail/content.ts'
import type { SpoolReceipt } from '#mail/custody.ts'
import type { Soon } from '#mail/decisions.ts'
import type { Change, NewMessage, QueueEntry } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Disk } from '#sys/disk.ts'
import { applyChange } from './change.ts'
import {
  type ReadResult,
  type Replayed,
  type Spool,
  type SpoolCounts,
  SpoolError,
  type SpoolHealth,
  type SpoolOptions,
} from './contract.ts'
import type { Entry } from './entry.ts'
import { Housekeeping } from './housekeeping.ts'
import { EndItem, NewMessageItem, StateItem } from './items.ts'
import { Ledger } from './ledger.ts'
import { lockFolder, thisProcess } from './lock.ts'
import { Log } from './log.ts'
import { Reader } from './reader.ts'
import { RECENT_OCTETS_MAX, Recent } from './recent.ts'
import { KEY_OCTETS } from './record.ts'
import { Replay } from './replay.ts'
import type { Segment } from './segment.ts'
import { setAside } from './set-aside.ts'
import { isNoSpace, Space } from './space.ts'
import { stored } from './stored.ts'

/** Large enough that a segment lasts seconds under load, small enough that one read at start takes a moment. */
const SEGMENT_OCTETS = 64 * 1024 * 1024

/**
 * Locks the folder and opens a fresh segment; replay of what is there runs in the background. Rejects with
 * `SpoolLocked`, or when the folder cannot be made or listed; any other fault of the disk shows in `health`.
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { folder, disk } = options
  await disk.makeFolder(folder)
  const space = new Space(disk, options.clock, folder, options.freeOctetsMin)
  const lock = () => lockFolder(folder, disk, options.lockOwner ?? thisProcess())
  // A full disk has no room for the lock either, and the queue must still be able to drain.
  const unlock = await lock().catch(async (error: unknown) => {
    if (isNoSpace(error) && (await space.giveUpReserve())) return lock()
    throw error
  })
  try {
    const ledger = new Ledger(folder)
    const older = ledger.adopt(await disk.list(folder))
    const spool = new SegmentSpool(options, ledger, space, unlock)
    await spool.start(older)
    return spool
  } catch (error) {
    await unlock().catch(() => undefined)
    throw error
  }
}

class SegmentSpool implements Spool {
  readonly #space: Space
  readonly replayed: Promise<Replayed>
  readonly #options: SpoolOptions
  readonly #ledger: Ledger
  readonly #log: Log
  readonly #recent: Recent
  readonly #reader: Reader
  readonly #housekeeping: Housekeeping
  readonly #unlock: () => Promise<void>
  readonly #replay: Replay
  #replaying = true
  #endReplay: (replayed: Replayed | Promise<Replayed>) => void = () => undefined
  #onEntry: (entry: QueueEntry) => void = () => undefined
  #closing: Promise<void> | undefined

  constructor(options: SpoolOptions, ledger: Ledger, space: Space, unlock: () => Promise<void>) {
    this.#space = space
    const { disk, clock, alarm } = options
    const segmentOctets = options.segmentOctets ?? SEGMENT_OCTETS
    const newKey = options.newKey ?? (() => randomBytes(KEY_OCTETS))
    this.#options = options
    this.#ledger = ledger
    this.#unlock = unlock
    this.#recent = new Recent(options.recentOctetsMax ?? RECENT_OCTETS_MAX)
    this.#reader = new Reader(disk)
    this.#log = new Log({ ledger, disk, clock, space, segmentOctets, newKey, alarm })
    const log = this.#log
    const reader = this.#reader
    const corrupt = (entry: Entry) => this.#forget(entry)
    this.#housekeeping = new Housekeeping({ ledger, log, reader, disk, clock, segmentOctets, alarm, corrupt })
    this.#replay = new Replay(ledger, disk, clock, {
      readOnly: false,
      alarm,
      found: (entry) => this.#onEntry(entry),
      setAside: (segment, range) => setAside(disk, ledger.folder, segment, range),
      endFound: (segment, end) =>
        this.#log.note(new EndItem(segment, { end, open: false }, undefined, () => undefined)),
    })
    this.replayed = new Promise((resolve) => {
      this.#endReplay = resolve
    })
  }

  async start(older: readonly Segment[]): Promise<void> {
    await this.#log.start(await this.#leftOpen(older))
    // After the caller had its turn to ask for entries.
    setImmediate(() => this.#endReplay(this.#runReplay(older)))
  }

  /** The newest segment that holds anything, and empty ones after it: only these can lack a seal or a stated end. */
  async #leftOpen(older: readonly Segment[]): Promise<Map<Segment, number>> {
    const sizes = new Map<Segment, number>()
    for (const segment of older) {
      const octets = await fileSize(this.#options.disk, segment.path).catch(() => undefined)
      if (octets !== undefined) sizes.set(segment, octets)
      if (octets !== 0) break
    }
    return sizes
  }

  async #runReplay(older: readonly Segment[]): Promise<Replayed> {
    const replayed = await this.#replay.run(older)
    this.#replaying = false
    if (!this.#closing) this.#housekeeping.start()
    return replayed
  }

  append(message: NewMessage, content: Content, firstAttemptMs: number): Promise<SpoolReceipt> {
    const refusal = this.#refusal()
    if (refusal) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      const store = { ledger: this.#ledger, recent: this.#recent }
      this.#log.append(new NewMessageItem(store, message, content, firstAttemptMs, resolve, reject))
    })
  }

  #refusal(): SpoolError | undefined {
    if (this.#closing) return new SpoolError('closing', 'the spool is closing')
    const health = this.#log.health
    if (health.kind === 'ok') return undefined
    return health.kind === 'full'
      ? new SpoolError('full', 'no space left for mail')
      : new SpoolError('broken', 'the disk of the spool fails', health.error)
  }

  change(id: TraceId, change: Change): void {
    const entry = this.#ledger.get(id)
    if (entry === undefined) return
    applyChange(entry, change, this.#ledger.texts)
    if (entry.settled) this.#withdraw(entry)
    this.#note(entry)
  }

  #withdraw(entry: Entry): void {
    this.#ledger.withdraw(entry)
    this.#recent.delete(entry.id)
    if (this.#replaying) this.#replay.settledHere(entry)
  }

  #note(entry: Entry): void {
    const note = StateItem.of(this.#ledger, entry)
    if (note) this.#log.note(note)
  }

  entries(): Iterable<QueueEntry> {
    return this.#ledger.index
  }

  get(id: TraceId): QueueEntry | undefined {
    return this.#ledger.get(id)
  }

  onEntry(callback: (entry: QueueEntry) => void): void {
    this.#onEntry = callback
  }

  read(id: TraceId): Soon<ReadResult> {
    const entry = this.#ledger.get(id)
    if (entry === undefined) return { kind: 'gone' }
    const recent = this.#recent.get(id)
    if (recent) return { kind: 'stored', message: stored(entry, recent.message, recent.content) }
    return this.#readDisk(entry)
  }

  async #readDisk(entry: Entry): Promise<ReadResult> {
    const { segment } = entry
    try {
      const record = await this.#reader.read(entry)
      if (record) return { kind: 'stored', message: stored(entry, record.message, contentOf([record.content])) }
    } catch (error) {
      if (entry.settled) return { kind: 'gone' }
      if (entry.segment === segment) return { kind: 'unreadable', error }
    }
    if (entry.settled) return { kind: 'gone' }
    // Compaction moved it meanwhile.
    if (entry.segment !== segment) return this.#readDisk(entry)
    await this.#forget(entry)
    return { kind: 'corrupt' }
  }

  // The damaged record is copied, or its segment stays; then nothing can be done for the message here.
  async #forget(entry: Entry): Promise<void> {
    if (entry.settled) return
    entry.settled = true
    this.#withdraw(entry)
    const { segment, position: from, recordOctets, id } = entry
    const range = { from, to: from + recordOctets }
    const copy = await setAside(this.#options.disk, this.#ledger.folder, segment, range)
    const alarm = { kind: 'corrupt' as const, segment: segment.name, ...range, reason: 'content' as const, id }
    this.#options.alarm(copy ? { ...alarm, copy } : alarm)
    this.#note(entry)
  }

  get health(): SpoolHealth {
    return this.#log.health
  }

  get roomOctets(): number {
    return this.#space.roomOctets
  }

  get counts(): SpoolCounts {
    const { index, octets, segments } = this.#ledger
    const { batches, syncs } = this.#log
    return { messages: index.size, octets, segments: segments.size, batches, syncs }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#replay.stop()
    this.#housekeeping.halt()
    await this.replayed
    await this.#log.close()
    await this.#housekeeping.stop()
    await this.#reader.closeAll()
    await this.#unlock().catch(() => undefined)
  }
}

async function fileSize(disk: Disk, path: string): Promise<number> {
  const file = await disk.open(path, 'read')
  try {
    return await file.size()
  } finally {
    await file.close()
  }
}
