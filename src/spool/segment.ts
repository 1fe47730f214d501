/**
 * One segment file, as memory knows it: what is in it, and why it may not go yet.
 *
 * A segment may be unlinked when nothing live points into it and when no older segment needs what it says: that a
 * message there is settled (`owed`), where that segment ends (`ends`), or that a message there was copied (`pins`).
 * Else the older records would come back to life at the next start.
 */
import type { TraceId } from '#mail/trace-id.ts'
import type { End } from './payload.ts'
import { HEADER_OCTETS, KEY_OCTETS } from './record.ts'

/** Octets that a settled record, or its share of one, takes; for accounts. */
const SETTLED_OCTETS = HEADER_OCTETS + 15
const NAME = /^(\d{10})-([0-9a-f]{16})\.segment$/

export class Segment {
  readonly number: number
  readonly key: Buffer
  readonly name: string
  readonly path: string
  /** Octets that count: up to the last sync, or to its stated end. */
  octets = 0
  /** Messages, and present states of messages elsewhere. */
  live = 0
  liveOctets = 0
  /** Settled here, but the message is in another segment. */
  readonly owed = new Map<Segment, TraceId[]>()
  /** Stated ends of other segments. */
  readonly ends = new Map<Segment, End>()
  /** Must not go before these. */
  readonly pins = new Set<Segment>()
  /** Takes no more records. */
  closed = false
  /** Holds something that could neither be read nor copied; this process never unlinks it. */
  kept = false
  /** Unlinked, durably. */
  gone = false

  constructor(folder: string, number: number, key: Buffer) {
    this.number = number
    this.key = key
    this.name = `${String(number).padStart(10, '0')}-${key.toString('hex')}.segment`
    this.path = `${folder}/${this.name}`
  }

  hold(octets: number): void {
    this.live++
    this.liveOctets += octets
  }

  release(octets: number): void {
    this.live--
    this.liveOctets -= octets
  }

  owe(about: Segment, id: TraceId): void {
    if (about === this || about.gone) return
    const ids = this.owed.get(about)
    if (ids) ids.push(id)
    else this.owed.set(about, [id])
  }

  /** Another segment is gone: nothing needs to be known of it. */
  forget(other: Segment): void {
    this.owed.delete(other)
    this.ends.delete(other)
    this.pins.delete(other)
  }

  get mayGo(): boolean {
    if (!this.closed || this.kept || this.gone || this.live > 0) return false
    return this.owed.size === 0 && this.ends.size === 0 && this.pins.size === 0
  }

  /** What would have to be written anew to let this segment go. */
  get neededOctets(): number {
    let octets = this.liveOctets + this.ends.size * SETTLED_OCTETS
    for (const ids of this.owed.values()) octets += ids.length * SETTLED_OCTETS
    return octets
  }
}

/** The segment of a file name; undefined for any other file. */
export function segmentOfName(folder: string, name: string): Segment | undefined {
  const match = NAME.exec(name)
  if (!match) return undefined
  const key = Buffer.from(match[2]!, 'hex')
  return key.length === KEY_OCTETS ? new Segment(folder, Number(match[1]), key) : undefined
}
