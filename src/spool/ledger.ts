/**
 * The account of one spool: live messages, segments, and which segment is needed for which message. Every reference
 * from an entry to a segment is taken and given back here, and only when the record it stands for is synced.
 */
import type { TraceId } from '#mail/trace-id.ts'
import { type Entry, EntryIndex, Interned } from './entry.ts'
import { Segment, segmentOfName } from './segment.ts'

/** A state record is JSON of about this size; for accounts. */
const STATE_OCTETS = 250
/** Distinct texts of obstacles, and names of tenants and routes, that are shared. */
const TEXTS_MAX = 16_384

export class Ledger {
  readonly folder: string
  readonly index = new EntryIndex()
  readonly segments = new Set<Segment>()
  readonly texts = new Interned(TEXTS_MAX)
  /** Content octets of live messages. */
  octets = 0
  #numberMax = 0

  constructor(folder: string) {
    this.folder = folder
  }

  /** Takes the segments that are in the folder, newest first. */
  adopt(names: readonly string[]): Segment[] {
    const found: Segment[] = []
    for (const name of names) {
      const segment = segmentOfName(this.folder, name)
      if (segment) found.push(segment)
    }
    found.sort((a, b) => b.number - a.number)
    for (const segment of found) {
      segment.closed = true
      this.segments.add(segment)
    }
    this.#numberMax = found[0]?.number ?? 0
    return found
  }

  newSegment(key: Buffer): Segment {
    const segment = new Segment(this.folder, ++this.#numberMax, key)
    this.segments.add(segment)
    return segment
  }

  admit(entry: Entry): void {
    this.index.add(entry)
    this.octets += entry.octets
    entry.segment.hold(entry.recordOctets)
    entry.stateSegment?.hold(STATE_OCTETS)
  }

  /** The message is settled, or lost to corruption: nobody finds it any more. Its segments stay held. */
  withdraw(entry: Entry): void {
    this.index.delete(entry.id)
    this.octets -= entry.octets
  }

  /** The message is in another place as well, state included. */
  moved(entry: Entry, to: Segment, position: number, recordOctets: number): void {
    this.#releaseState(entry)
    if (entry.segment !== to) to.pins.add(entry.segment)
    entry.segment.release(entry.recordOctets)
    entry.segment = to
    entry.position = position
    entry.recordOctets = recordOctets
    to.hold(recordOctets)
  }

  stateMoved(entry: Entry, to: Segment): void {
    this.#releaseState(entry)
    if (to === entry.segment) return
    entry.stateSegment = to
    to.hold(STATE_OCTETS)
  }

  /** Its settled record is in `by`. */
  settled(entry: Entry, by: Segment): void {
    this.release(entry)
    by.owe(entry.segment, entry.id)
  }

  /** Nothing holds its segments for this entry any more. */
  release(entry: Entry): void {
    this.#releaseState(entry)
    entry.segment.release(entry.recordOctets)
  }

  /** These files are gone for good. */
  gone(segments: readonly Segment[]): void {
    for (const segment of segments) {
      segment.gone = true
      this.segments.delete(segment)
    }
    for (const rest of this.segments) for (const segment of segments) rest.forget(segment)
  }

  get(id: TraceId): Entry | undefined {
    return this.index.get(id)
  }

  #releaseState(entry: Entry): void {
    entry.stateSegment?.release(STATE_OCTETS)
    entry.stateSegment = undefined
  }
}
