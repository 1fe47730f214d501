/**
 * Lets segments go. Those that nobody needs are unlinked; of those that are nearly empty, what is still needed is
 * copied to the current segment first. It begins when replay has ended, and never holds up an append: it puts a few
 * items at a time into the line of notes.
 *
 * A copy is synced before its original is unlinked. A crash in between leaves both, with one id; replay takes the newer.
 */
import type { Clock } from '#sys/clock.ts'
import type { Disk } from '#sys/disk.ts'
import type { SpoolAlarm } from './contract.ts'
import type { Entry } from './entry.ts'
import { CopyItem, EndItem, SettledAgainItem, StateItem } from './items.ts'
import type { Ledger } from './ledger.ts'
import type { Log } from './log.ts'
import { Nap } from './nap.ts'
import { encodeSeal } from './payload.ts'
import type { Reader } from './reader.ts'
import { place } from './record.ts'
import { pause } from './scan.ts'
import type { Segment } from './segment.ts'

/** Between two looks at the segments. */
export const HOUSEKEEPING_MS = 1000
/** Between two steps of a compaction; with the next figure at most 20 MiB/s. */
const STEP_MS = 50
const STEP_OCTETS_MAX = 1024 * 1024
const STEP_ENTRIES_MAX = 256
/** After a failure, before the same segment is tried again. */
const RETRY_MS = 60_000
/** A segment is compacted when less than this part of it is needed: each octet copied frees at least three. */
const NEEDED_BELOW = 0.25
/** A segment smaller than this part of a full one is always compacted, or each restart would leave one for long. */
const SMALL_PART = 1 / 16
/** Entries looked at between two pauses, about 1 ms. */
const ENTRIES_PER_SLICE = 20_000

export interface HousekeepingParts {
  readonly ledger: Ledger
  readonly log: Log
  readonly reader: Reader
  readonly disk: Disk
  readonly clock: Clock
  readonly segmentOctets: number
  readonly alarm: (event: SpoolAlarm) => void
  /** The record of this message is damaged: sets it aside and forgets the message. */
  readonly corrupt: (entry: Entry) => Promise<void>
}

export class Housekeeping {
  readonly #parts: HousekeepingParts
  /** Not to be tried again before this, monotonic ms. */
  readonly #notBefore = new Map<Segment, number>()
  readonly #nap: Nap
  #running: Promise<void> | undefined

  constructor(parts: HousekeepingParts) {
    this.#parts = parts
    this.#nap = new Nap(parts.clock)
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Ends between two steps. What waits in the log must end first. */
  async stop(): Promise<void> {
    this.halt()
    await this.#running
  }

  /** Puts nothing more into the log. */
  halt(): void {
    this.#nap.endAll()
  }

  async #run(): Promise<void> {
    while (!this.#nap.over) {
      await this.#nap.sleep(HOUSEKEEPING_MS)
      await this.#unlinkAll()
      const sparse = this.#parts.log.health.kind === 'broken' ? undefined : this.#sparse()
      if (sparse === undefined || this.#nap.over) continue
      if (await this.#compact(sparse)) await this.#unlinkAll()
      else this.#later(sparse)
    }
  }

  #later(segment: Segment): void {
    this.#notBefore.set(segment, this.#parts.clock.monotonic() + RETRY_MS)
  }

  #mayTry(segment: Segment): boolean {
    return (this.#notBefore.get(segment) ?? 0) <= this.#parts.clock.monotonic()
  }

  /** One segment that goes may let another go; each unlink must be durable before the next. */
  async #unlinkAll(): Promise<void> {
    for (;;) {
      const unlinked: Segment[] = []
      for (const segment of this.#parts.ledger.segments) {
        if (segment.mayGo && this.#mayTry(segment) && (await this.#unlink(segment))) unlinked.push(segment)
      }
      if (unlinked.length === 0) return
      try {
        await this.#parts.disk.syncFolder(this.#parts.ledger.folder)
      } catch (error) {
        // Whether they are gone is not known before the next start, so what needs them to be gone stays.
        for (const segment of unlinked) segment.kept = true
        this.#parts.alarm({ kind: 'housekeeping-failed', segment: unlinked[0]!.name, error })
        return
      }
      this.#parts.ledger.gone(unlinked)
      for (const segment of unlinked) this.#notBefore.delete(segment)
    }
  }

  async #unlink(segment: Segment): Promise<boolean> {
    await this.#parts.reader.close(segment)
    try {
      await this.#empty(segment)
      await this.#parts.disk.unlink(segment.path)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
      this.#later(segment)
      this.#parts.alarm({ kind: 'housekeeping-failed', segment: segment.name, error })
      return false
    }
  }

  // A name that was unlinked comes back if the folder's sync lied. The file must then say nothing.
  async #empty(segment: Segment): Promise<void> {
    const file = await this.#parts.disk.open(segment.path, 'write')
    try {
      const seal = encodeSeal()
      place(seal, segment.key)
      await file.truncate(0)
      await file.writeAll([seal.head], 0)
      await file.datasync()
    } finally {
      await file.close()
    }
  }

  /** The one with the least to copy. */
  #sparse(): Segment | undefined {
    let best: Segment | undefined
    for (const segment of this.#parts.ledger.segments) {
      if (!segment.closed || segment.kept || segment.pins.size > 0 || segment.mayGo) continue
      const needed = segment.neededOctets
      const isSmall = segment.octets < this.#parts.segmentOctets * SMALL_PART
      if (!(isSmall || needed < segment.octets * NEEDED_BELOW) || !this.#mayTry(segment)) continue
      if (best === undefined || needed < best.neededOctets) best = segment
    }
    return best
  }

  /** False: something could not be read or written. */
  async #compact(segment: Segment): Promise<boolean> {
    const statements = this.#restate(segment)
    const needed = await this.#entriesOf(segment)
    for (let at = 0; at < needed.length && !this.#nap.over; ) {
      const copies: Promise<boolean>[] = []
      let octets = 0
      while (at < needed.length && copies.length < STEP_ENTRIES_MAX && octets < STEP_OCTETS_MAX) {
        const entry = needed[at++]!
        octets += entry.recordOctets
        if (entry.segment === segment && !entry.settled) copies.push(this.#copy(entry))
        else this.#noteState(entry)
      }
      if (!(await allTrue(copies))) return false
      await this.#nap.sleep(STEP_MS)
    }
    return allTrue(statements)
  }

  #restate(segment: Segment): Promise<boolean>[] {
    const { log } = this.#parts
    const said: Promise<boolean>[] = []
    for (const [about, end] of segment.ends) {
      said.push(new Promise((done) => log.note(new EndItem(about, end, segment, done))))
    }
    for (const [about, ids] of segment.owed) {
      said.push(new Promise((done) => log.note(new SettledAgainItem(about, segment, ids, done))))
    }
    return said
  }

  #noteState(entry: Entry): void {
    const note = StateItem.of(this.#parts.ledger, entry)
    if (note) this.#parts.log.note(note)
  }

  async #entriesOf(segment: Segment): Promise<Entry[]> {
    const needed: Entry[] = []
    let looked = 0
    for (const entry of this.#parts.ledger.index) {
      if (entry.segment === segment || entry.stateSegment === segment) needed.push(entry)
      if (++looked % ENTRIES_PER_SLICE === 0) await pause()
    }
    return needed
  }

  async #copy(entry: Entry): Promise<boolean> {
    const { reader, ledger, log } = this.#parts
    try {
      const record = await reader.read(entry)
      if (record) return await new Promise((done) => log.note(new CopyItem(ledger, entry, record, done)))
      await this.#parts.corrupt(entry)
      return true
    } catch {
      return false
    }
  }
}

async function allTrue(answers: readonly Promise<boolean>[]): Promise<boolean> {
  return (await Promise.all(answers)).every((answer) => answer)
}
