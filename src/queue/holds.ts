/**
 * The held messages of one worker: which they are, what a digest says of them, and the end of their time.
 *
 * It hears of every change in the spool (`saw`), so nothing ever searches a million entries for the few that are held.
 * When nobody decided within the tenant's `holds.keep`, the message is dropped, with a line in the log and in the trace.
 *
 * A wall clock that is wrong must not delete mail. So time passes at the speed of the monotonic clock (the queue's
 * `nowMs`), the wall clock must agree, and what replay found lives for another `RETENTION_GRACE_MS`.
 */
import type { ForwardPath, ReversePath } from '#mail/address.ts'
import type { Report } from '#mail/event.ts'
import type { HoldReason, QueueEntry, RecipientState, StoredMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import { DueHeap } from './due-heap.ts'
import { durationWords } from './duration-words.ts'
import type { Keep } from './queue.ts'

/** After a start the wall clock may be wrong until time is synchronised; that takes minutes at most. */
export const RETENTION_GRACE_MS = 10 * 60_000
/** The sweep wakes at least so often while something is held: what a reload or a corrected clock changed shows then. */
export const SWEEP_MS_MAX = 60 * 60_000
/** A message that could not be read is looked at again after this. */
const UNREADABLE_RETRY_MS = 15 * 60_000
/** Dropped in one turn; the next comes at once, and mail passes between them. */
const DROPS_PER_TURN = 100
/** Rows of one answer: each is read from disk. */
export const HELD_ROWS_MAX = 1000

/** One message that is held. All octets are as senders and servers wrote them: who shows them makes them harmless. */
export interface HeldRow {
  readonly id: TraceId
  readonly tenant: string
  /** `tenant/name` */
  readonly route: string
  readonly reversePath: ReversePath
  /** Those that are held; others of the same message may have been delivered. */
  readonly recipients: readonly HeldRecipientRow[]
  /** What stands behind the colon of the first Subject field and From field, one character per octet. Absent: none. */
  readonly subject?: string
  readonly from?: string
  readonly octets: number
  /** Wall clock, ms. */
  readonly receivedMs: number
  /** Wall clock, ms: since when the last of the recipients is held. */
  readonly heldSinceMs: number
  /** Wall clock, ms: when it will be dropped. */
  readonly keptUntilMs: number
}

export interface HeldRecipientRow {
  readonly forwardPath: ForwardPath
  /** Where it went at first, before an operator redirected it. */
  readonly original?: ForwardPath
  readonly reason: HoldReason
  /** The reply of the next hop (`550 5.1.1 no such user`), or what we say. */
  readonly text: string
  /** Wall clock, ms. */
  readonly sinceMs: number
}

export interface HoldsQuestion {
  readonly rowsMax: number
  readonly tenant?: string | undefined
  /** Only holds that began after this (wall clock, ms): the `heldSinceMs` of the last row of an answer asks for the next. */
  readonly afterMs?: number | undefined
}

export interface HeldList {
  /** Held first, first. */
  readonly rows: readonly HeldRow[]
  /** How many there are, those of `rows` included. */
  readonly found: number
  /** There are more than the rows. */
  readonly more: boolean
}

/** What one tenant has in hold. */
export interface HeldSummary {
  readonly held: number
  /** Wall clock, ms: since when the newest of them is held. */
  readonly newestMs: number
}

/** Recipients of held messages, by why they are held. Of a message that is still tried for others, none is here. */
export type HeldCounts = Readonly<Record<HoldReason, number>>

interface Known {
  readonly sinceMs: number
  readonly recipients: readonly RecipientState[]
}

export interface HoldsParts {
  readonly clock: Clock
  /** The queue's. */
  readonly nowMs: () => number
  readonly keep: Keep
  /** How long a held message of this tenant is kept. */
  readonly keepMs: (tenant: string) => number
  readonly report: Report
}

export class Holds {
  readonly #parts: HoldsParts
  readonly #known = new Map<TraceId, Known>()
  /** Kept with each change, so that whoever asks pays nothing for a hundred thousand holds. */
  readonly #counts: Record<HoldReason, number> = { refused: 0, expired: 0, operator: 0, loop: 0, policy: 0, locked: 0 }
  readonly #later = new DueHeap<TraceId>()
  readonly #graceEndMs: number
  #timer: { dueMs: number; cancel: Cancel } | undefined
  #sweeping = false
  #stopped = false

  constructor(parts: HoldsParts) {
    this.#parts = parts
    this.#graceEndMs = parts.nowMs() + RETENTION_GRACE_MS
  }

  get size(): number {
    return this.#known.size
  }

  get counts(): HeldCounts {
    return this.#counts
  }

  /** Replay found it. */
  found(entry: QueueEntry): void {
    this.#take(entry, this.#graceEndMs)
  }

  /** Something changed about this message. */
  saw(id: TraceId): void {
    const entry = this.#parts.keep.get(id)
    if (entry?.state === 'held') this.#take(entry, Number.NEGATIVE_INFINITY)
    else this.#forget(id)
  }

  /** After a reload: every time may be another. */
  changed(): void {
    while (this.#later.popDue(Number.POSITIVE_INFINITY) !== undefined);
    const soonestMs = this.#graceEndMs
    for (const id of this.#known.keys()) {
      const entry = this.#parts.keep.get(id)
      if (entry !== undefined) this.#schedule(id, Math.max(soonestMs, this.#endMs(entry)))
    }
  }

  /** Wall clock, ms. Undefined: it is not held. */
  keptUntilMs(entry: QueueEntry): number | undefined {
    return entry.heldSinceMs === undefined ? undefined : this.#endMs(entry)
  }

  async list({ rowsMax, tenant, afterMs = Number.NEGATIVE_INFINITY }: HoldsQuestion): Promise<HeldList> {
    const entries = [...this.#entries()]
      .filter((entry) => entry.heldSinceMs > afterMs && (tenant === undefined || entry.tenant === tenant))
      .sort((a, b) => a.heldSinceMs - b.heldSinceMs)
    const rowsWanted = Math.min(rowsMax, HELD_ROWS_MAX)
    const rows: HeldRow[] = []
    let found = entries.length
    let taken = 0
    for (; taken < entries.length && rows.length < rowsWanted; taken++) {
      const entry = entries[taken]!
      const message = await this.#load(entry.id)
      // It may have been released meanwhile, or its disk does not answer; a notice that an operator holds is no mail of the tenant's.
      if (message === undefined || entry.heldSinceMs === undefined || message.notice) found--
      else rows.push(this.#row(entry, message))
    }
    return { rows, found, more: taken < entries.length }
  }

  /** By tenant. */
  summary(): Record<string, HeldSummary> {
    const all: Record<string, HeldSummary> = {}
    for (const { tenant, heldSinceMs } of this.#entries()) {
      const { held, newestMs } = all[tenant] ?? { held: 0, newestMs: heldSinceMs }
      all[tenant] = { held: held + 1, newestMs: Math.max(newestMs, heldSinceMs) }
    }
    return all
  }

  *#entries(): Iterable<QueueEntry & { readonly heldSinceMs: number }> {
    for (const id of this.#known.keys()) {
      const entry = this.#parts.keep.get(id)
      if (entry?.heldSinceMs !== undefined) yield entry as QueueEntry & { heldSinceMs: number }
    }
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #take(entry: QueueEntry, soonestMs: number): void {
    const { id, heldSinceMs, recipients = [] } = entry
    if (heldSinceMs === undefined) return
    const before = this.#known.get(id)
    if (before?.sinceMs === heldSinceMs && before.recipients === recipients) return
    this.#forget(id)
    this.#known.set(id, { sinceMs: heldSinceMs, recipients })
    this.#count(recipients, 1)
    if (before?.sinceMs !== heldSinceMs) this.#schedule(id, Math.max(soonestMs, this.#endMs(entry)))
  }

  #forget(id: TraceId): void {
    const known = this.#known.get(id)
    if (known === undefined) return
    this.#known.delete(id)
    this.#count(known.recipients, -1)
  }

  #count(recipients: readonly RecipientState[], by: 1 | -1): void {
    for (const state of recipients) if (state.kind === 'held') this.#counts[state.reason] += by
  }

  #endMs({ tenant, heldSinceMs = 0 }: QueueEntry): number {
    return heldSinceMs + this.#parts.keepMs(tenant)
  }

  #schedule(id: TraceId, atMs: number): void {
    this.#later.push(id, atMs)
    this.#wakeAt(atMs)
  }

  #wakeAt(atMs: number): void {
    if (this.#stopped) return
    const nowMs = this.#parts.nowMs()
    const dueMs = Math.min(Math.max(atMs, nowMs), nowMs + SWEEP_MS_MAX)
    if (this.#timer !== undefined && this.#timer.dueMs <= dueMs) return
    this.#timer?.cancel()
    this.#timer = { dueMs, cancel: this.#parts.clock.after(dueMs - nowMs, () => void this.#wake()) }
  }

  async #wake(): Promise<void> {
    this.#timer = undefined
    if (this.#sweeping) return
    this.#sweeping = true
    try {
      for (let drops = 0; drops < DROPS_PER_TURN && !this.#stopped; drops++) {
        const id = this.#later.popDue(this.#parts.nowMs())
        if (id === undefined) break
        await this.#end(id)
      }
    } finally {
      this.#sweeping = false
      if (this.#later.size > 0) this.#wakeAt(this.#later.firstDueMs)
    }
  }

  // An older item of the heap may stand for a message that was released, or held again later.
  async #end(id: TraceId): Promise<void> {
    const due = this.#due(id)
    if (due === 'not-held') return this.#forget(id)
    if (due !== 'now') return this.#schedule(id, due)
    const message = await this.#load(id)
    if (message === undefined) {
      if (this.#due(id) === 'now') this.#schedule(id, this.#parts.nowMs() + UNREADABLE_RETRY_MS)
      return
    }
    // An operator may have decided while the disk was read.
    const entry = this.#parts.keep.get(id)
    if (entry !== undefined && this.#due(id) === 'now') this.#drop(entry, message)
  }

  #due(id: TraceId): 'not-held' | 'now' | number {
    const entry = this.#parts.keep.get(id)
    if (entry?.state !== 'held') return 'not-held'
    const endMs = this.#endMs(entry)
    const { nowMs, clock } = this.#parts
    if (endMs > nowMs()) return endMs
    // The wall clock was ahead when we began, and has been put right: by it there is time left.
    const leftMs = endMs - clock.wall()
    return leftMs > 0 ? nowMs() + leftMs : 'now'
  }

  #drop(entry: QueueEntry, message: StoredMessage): void {
    const { keep, report, keepMs, nowMs } = this.#parts
    const { id, tenant } = entry
    const text = `held for ${durationWords(keepMs(tenant))}, nobody released it`
    const recipients = message.envelope.recipients.filter((_, i) => message.recipients[i]?.kind === 'held')
    report({ kind: 'dropped', entry, reason: 'kept', recipients, text })
    keep.change(id, { kind: 'drop', atMs: nowMs(), text })
    this.#forget(id)
    report({ kind: 'settled', id, tenant })
  }

  // The spool rejects while the disk does not answer, and has told so.
  async #load(id: TraceId): Promise<StoredMessage | undefined> {
    try {
      return await this.#parts.keep.load(id)
    } catch {
      return undefined
    }
  }

  #row(entry: QueueEntry & { readonly heldSinceMs: number }, message: StoredMessage): HeldRow {
    const { id, tenant, route, octets, receivedMs, heldSinceMs } = entry
    const { fields } = readHeaderSection(message.content)
    const value = (name: string) => fields.find((field) => field.name === name)?.value.replace(/\r\n$/, '')
    const subject = value('subject')
    const from = value('from')
    return {
      id,
      tenant,
      route,
      reversePath: message.envelope.reversePath,
      recipients: heldRecipients(message),
      ...(subject !== undefined && { subject }),
      ...(from !== undefined && { from }),
      octets,
      receivedMs,
      heldSinceMs,
      keptUntilMs: this.#endMs(entry),
    }
  }
}

function heldRecipients({ envelope, recipients, redirected = [] }: StoredMessage): HeldRecipientRow[] {
  return recipients.flatMap((state, i) => {
    if (state.kind !== 'held') return []
    const { forwardPath } = envelope.recipients[i]!
    const { reason, text, atMs } = state
    const original = redirected.find(({ recipient }) => recipient === i)?.original
    return [{ forwardPath, ...(original && { original }), reason, text, sinceMs: atMs }]
  })
}
