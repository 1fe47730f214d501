/**
 * Start-up: finds out from the segment files which messages are live.
 *
 * Segments are read newest first. So when a message is met, everything that happened to it later is known: it is
 * settled, or superseded by a copy, or live in the state with the highest turn, and can be handed to the queue at once.
 * Only inside a segment must its end be awaited. Stated ends are always in a newer segment than the one they speak of.
 *
 * Nothing is written here; what must be written or set aside is the caller's, by `ReplayHooks`. Nothing may be unlinked
 * before the end, because a copy of any message may still turn up.
 */
import type { TraceId } from '#mail/trace-id.ts'
import type { Clock } from '#sys/clock.ts'
import type { Disk } from '#sys/disk.ts'
import type { Replayed, SpoolAlarm } from './contract.ts'
import type { Entry } from './entry.ts'
import type { Ledger } from './ledger.ts'
import { Nap } from './nap.ts'
import type { End, EndMeta, Standing } from './payload.ts'
import { pause } from './scan.ts'
import type { Segment } from './segment.ts'
import { readSegment, type SegmentReading } from './segment-reading.ts'

/** A disk that does not answer is asked again after these; then its segment is left for the next start. */
const RETRY_MS = [100, 1000, 5000]
/** Entries handed over between two pauses. */
const ENTRIES_PER_SLICE = 256

export interface ReplayHooks {
  /** Not even a sync. */
  readonly readOnly: boolean
  readonly alarm: (event: SpoolAlarm) => void
  /** A live message. */
  found(entry: Entry): void
  /** The path of the copy; without one the segment is marked as kept. */
  setAside(segment: Segment, range: { readonly from: number; readonly to: number }): Promise<string | undefined>
  /** The segment ends here, and nothing on disk says so yet. */
  endFound(segment: Segment, end: number): void
}

interface Early {
  standing: Standing
  segment: Segment
}

export class Replay {
  readonly #ledger: Ledger
  readonly #disk: Disk
  readonly #nap: Nap
  readonly #hooks: ReplayHooks
  /** Settled by a record in this segment. */
  readonly #settled = new Map<TraceId, Segment>()
  /** Settled by this process, since it began. */
  readonly #settledHere = new Map<TraceId, Entry>()
  /** States of messages that are in an older segment. */
  readonly #early = new Map<TraceId, Early>()
  readonly #ends = new Map<string, End>()
  readonly #unsynced: Segment[] = []
  readonly #tally = { messages: 0, corrupt: 0, torn: 0 }

  constructor(ledger: Ledger, disk: Disk, clock: Clock, hooks: ReplayHooks) {
    this.#ledger = ledger
    this.#disk = disk
    this.#nap = new Nap(clock)
    this.#hooks = hooks
  }

  /** `segments` newest first. Rejects only for a defect. */
  async run(segments: readonly Segment[]): Promise<Replayed> {
    let newest = true
    for (const segment of segments) {
      if (this.#nap.over) return this.#tally
      const reading = await this.#read(segment)
      if (reading === undefined) continue
      await this.#take(segment, reading, newest)
      if (reading.size > 0) newest = false
    }
    // A segment that was not read may hold older copies of any message in a newer one.
    for (const segment of segments) {
      if (segment.kept) for (const newer of segments) if (newer.number > segment.number) newer.pins.add(segment)
    }
    // What replaces older records may not be on disk: the older ones stay.
    for (const segment of this.#unsynced) {
      for (const older of segments) if (older.number < segment.number) older.pins.add(segment)
    }
    return this.#tally
  }

  /** After the segment that is being read. */
  stop(): void {
    this.#nap.endAll()
  }

  /** A message is settled while we run: an older copy of it must not come back. */
  settledHere(entry: Entry): void {
    this.#settledHere.set(entry.id, entry)
  }

  async #read(segment: Segment): Promise<SegmentReading | undefined> {
    for (let tries = 0; ; tries++) {
      try {
        const stated = this.#ends.get(segment.name)
        return await readSegment(segment, {
          disk: this.#disk,
          stated,
          texts: this.#ledger.texts,
          sync: !this.#hooks.readOnly,
        })
      } catch (error) {
        const waitMs = this.#hooks.readOnly ? undefined : RETRY_MS[tries]
        if (waitMs === undefined || this.#nap.over) {
          segment.kept = true
          this.#hooks.alarm({ kind: 'unreadable', segment: segment.name, error })
          return undefined
        }
        await this.#nap.sleep(waitMs)
      }
    }
  }

  async #take(segment: Segment, reading: SegmentReading, newest: boolean): Promise<void> {
    segment.octets = reading.end
    for (const id of reading.settled) if (!this.#settled.has(id)) this.#settled.set(id, segment)
    for (const end of reading.ends) this.#learnEnd(segment, end)
    this.#states(segment, reading)
    let taken = 0
    for (const [id, entry] of reading.messages) {
      this.#message(segment, id, entry)
      if (++taken % ENTRIES_PER_SLICE === 0) await pause()
    }
    await this.#report(segment, reading, newest)
  }

  #learnEnd(by: Segment, { segment: name, end, open }: EndMeta): void {
    const known = this.#ends.get(name)
    // A final word beats an open one, whichever was read first.
    if (known === undefined || (known.open && !open) || (known.open === open && end < known.end)) {
      this.#ends.set(name, { end, open })
    }
    for (const segment of this.#ledger.segments) if (segment.name === name) by.ends.set(segment, { end, open })
  }

  #states(segment: Segment, reading: SegmentReading): void {
    for (const [id, standing] of reading.states) {
      if (this.#settled.has(id) || this.#settledHere.has(id) || this.#ledger.get(id)) continue
      const known = this.#early.get(id)
      if (known && known.standing.turn >= standing.turn) continue
      this.#early.set(id, { standing, segment })
    }
  }

  #message(segment: Segment, id: TraceId, entry: Entry): void {
    const settledBy = this.#settled.get(id)
    if (settledBy) {
      settledBy.owe(segment, id)
      return
    }
    const newer = this.#ledger.get(id) ?? this.#settledHere.get(id)
    if (newer) {
      if (newer.segment !== segment) newer.segment.pins.add(segment)
      return
    }
    const early = this.#early.get(id)
    if (early) {
      this.#early.delete(id)
      if (early.standing.turn > entry.turn) {
        entry.assume(early.standing)
        if (early.segment !== segment) entry.stateSegment = early.segment
      }
    }
    this.#tally.messages++
    this.#ledger.admit(entry)
    this.#hooks.found(entry)
  }

  async #report(segment: Segment, reading: SegmentReading, newest: boolean): Promise<void> {
    if (reading.newerVersion !== undefined) {
      segment.kept = true
      this.#hooks.alarm({ kind: 'newer-version', segment: segment.name, version: reading.newerVersion })
    }
    if (reading.syncError) {
      segment.kept = true
      this.#unsynced.push(segment)
      this.#hooks.alarm({ kind: 'unsynced', segment: segment.name, ...reading.syncError })
    }
    await this.#setAside(segment, reading)
    const { cut } = reading
    if (cut) this.#hooks.alarm({ kind: 'cut', segment: segment.name, ...cut })
    else if (!reading.ended) {
      // Only the newest may lack both a seal and any stated end: the process that wrote it died.
      if (!newest && !this.#ends.has(segment.name))
        this.#hooks.alarm({ kind: 'cut', segment: segment.name, at: reading.end })
      this.#hooks.endFound(segment, reading.end)
    }
  }

  async #setAside(segment: Segment, { damaged, torn }: SegmentReading): Promise<void> {
    for (const range of damaged) {
      this.#tally.corrupt++
      const copy = await this.#hooks.setAside(segment, range)
      this.#hooks.alarm({ kind: 'corrupt', segment: segment.name, ...range, ...(copy ? { copy } : {}) })
    }
    if (torn === undefined) return
    this.#tally.torn++
    const { from, to, isZero } = torn
    // Nobody can tell a torn write from a file that was cut later.
    const copy = isZero ? undefined : await this.#hooks.setAside(segment, torn)
    this.#hooks.alarm({ kind: 'torn', segment: segment.name, from, to, ...(copy ? { copy } : {}) })
  }
}
