/**
 * What memory keeps of a message: some 280 octets, so that a million fits. Envelope and content stay on disk. Also the
 * index of all entries, by id.
 */
import type { QueueEntry, RecipientState, Redirect } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Standing } from './payload.ts'
import type { Segment } from './segment.ts'

export class Entry implements QueueEntry {
  readonly id: TraceId
  readonly tenant: string
  route: string
  readonly receivedMs: number
  readonly octets: number
  readonly prompt: boolean
  attempts: number
  nextAttemptMs: number
  state: 'active' | 'held' = 'active'
  readonly recipientCount: number
  /** Undefined while all are pending, which is what nearly all entries are. */
  recipients: readonly RecipientState[] | undefined
  lastText: string | undefined
  /** Undefined for nearly all. */
  redirects: readonly Redirect[] | undefined
  delayTold: true | undefined
  turn: number
  /** Every recipient has its end; the entry has left the index. */
  settled = false
  /** A record of the present state waits to be written. */
  noted = false
  /** Where the message is. */
  segment: Segment
  position: number
  recordOctets: number
  /** Where its present state is, if not with the message. */
  stateSegment: Segment | undefined

  constructor(facts: EntryFacts, standing: Standing, segment: Segment, position: number, recordOctets: number) {
    this.id = facts.id
    this.tenant = facts.tenant
    this.receivedMs = facts.receivedMs
    this.octets = facts.octets
    this.prompt = facts.prompt === true
    this.recipientCount = facts.recipientCount
    this.segment = segment
    this.position = position
    this.recordOctets = recordOctets
    this.stateSegment = undefined
    this.turn = standing.turn
    this.route = standing.route
    this.attempts = standing.attempts
    this.nextAttemptMs = standing.nextAttemptMs
    this.recipients = standing.recipients
    this.lastText = standing.lastText
    this.redirects = standing.redirects
    this.delayTold = standing.delayTold
    if (standing.recipients) this.weigh()
  }

  get standing(): Standing {
    const { turn, route, attempts, nextAttemptMs, recipients, lastText, redirects, delayTold } = this
    const rare = { ...(redirects && { redirects }), ...(delayTold && { delayTold }) }
    return { turn, route, attempts, nextAttemptMs, recipients, lastText, ...rare }
  }

  get heldSinceMs(): number | undefined {
    if (this.state !== 'held') return undefined
    let sinceMs = Number.NEGATIVE_INFINITY
    for (const recipient of this.recipients ?? []) {
      if (recipient.kind === 'held') sinceMs = Math.max(sinceMs, recipient.atMs)
    }
    return sinceMs
  }

  /** Takes over a newer standing. */
  assume(standing: Standing): void {
    this.turn = standing.turn
    this.route = standing.route
    this.attempts = standing.attempts
    this.nextAttemptMs = standing.nextAttemptMs
    this.recipients = standing.recipients
    this.lastText = standing.lastText
    this.redirects = standing.redirects
    this.delayTold = standing.delayTold
    this.weigh()
  }

  /** Draws `state` and `settled` from the recipients. */
  weigh(): void {
    let held = 0
    let pending = this.recipients ? 0 : this.recipientCount
    for (const recipient of this.recipients ?? []) {
      if (recipient.kind === 'pending') pending++
      else if (recipient.kind === 'held') held++
    }
    if (pending === this.recipientCount) this.recipients = undefined
    this.state = pending === 0 && held > 0 ? 'held' : 'active'
    this.settled = pending === 0 && held === 0
  }
}

export interface EntryFacts {
  readonly id: TraceId
  readonly tenant: string
  readonly receivedMs: number
  /** Of the content. */
  readonly octets: number
  readonly recipientCount: number
  readonly prompt?: boolean
}

/** One Map of a million entries stops the process for a tenth of a second when it grows; these grow one at a time. */
const SHARDS = 1024

export class EntryIndex {
  readonly #shards: Map<TraceId, Entry>[] = Array.from({ length: SHARDS }, () => new Map<TraceId, Entry>())
  size = 0

  get(id: TraceId): Entry | undefined {
    return this.#shard(id).get(id)
  }

  add(entry: Entry): void {
    this.#shard(entry.id).set(entry.id, entry)
    this.size++
  }

  delete(id: TraceId): void {
    if (this.#shard(id).delete(id)) this.size--
  }

  *[Symbol.iterator](): Generator<Entry, void, undefined> {
    for (const shard of this.#shards) yield* shard.values()
  }

  // The last characters of an id count up, so they spread evenly.
  #shard(id: TraceId): Map<TraceId, Entry> {
    const last = id.length - 1
    return this.#shards[((id.charCodeAt(last - 1) & 31) << 5) | (id.charCodeAt(last) & 31)]!
  }
}

/** Equal texts of many messages are kept once. Forgets all when full, which costs only memory. */
export class Interned {
  readonly #texts = new Map<string, string>()
  readonly #countMax: number

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  of(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size >= this.#countMax) this.#texts.clear()
    // A text may be a slice that keeps a whole reply or record in memory.
    const own = Buffer.from(text).toString()
    this.#texts.set(own, own)
    return own
  }
}
