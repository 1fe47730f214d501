/**
 * Two accounts, and what must hold between them: what the clients were told, and what the next hop got. Both are kept in
 * the memory of a process that is never killed.
 *
 * 1. Acknowledged: it ended, delivered or refused by the next hop, for each recipient that was accepted.
 * 2. Answered 4yz or 5yz, never completed, or never sent: it did not arrive.
 * 3. What arrived is octet for octet what was sent.
 * 4. It ended once; twice only around a kill: the next hop had it, and we died before we had written that down.
 */
import type { Fate } from '../../bench/load-session.ts'
import type { Arrival } from '../../bench/sink-session.ts'

/** Between the next hop's reply and a record of it that survives a kill. */
const DUPLICATE_WINDOW_MS = 1000
/** What a dead worker had handed to the kernel reaches the sink after its death. */
const IN_FLIGHT_MS = 1000
/** A run that fails badly need not list everything. */
const VIOLATIONS_SHOWN_MAX = 20

export type ViolationKind =
  | 'lost'
  | 'delivered-after-refusal'
  | 'delivered-though-incomplete'
  | 'unknown-number'
  | 'damaged'
  | 'ended-twice'
  | 'relay'

export interface Violation {
  readonly kind: ViolationKind
  readonly text: string
}

export interface Account {
  readonly fates: Record<Fate, number>
  /** Ends at the next hop, recipients counted singly. */
  readonly delivered: number
  readonly refusedByNextHop: number
  readonly deferredByNextHop: number
  readonly duplicates: number
  readonly kills: number
  readonly violations: readonly Violation[]
}

interface Entry {
  fate: Fate | undefined
  readonly recipients: number
  /** Bits of the recipients that were refused at RCPT. */
  refused: number
  /** For each recipient: the ends it met, and when the last was. */
  readonly ends: Uint8Array
  readonly endedMs: Float64Array
}

export class Ledger {
  readonly #entries = new Map<number, Entry>()
  readonly #kills: number[] = []
  readonly #violations: Violation[] = []
  readonly #twice: { key: string; firstMs: number; againMs: number }[] = []
  readonly #now: () => number
  #open = 0
  #delivered = 0
  #refused = 0
  #deferred = 0

  /** `now`: monotonic ms. */
  constructor(now: () => number) {
    this.#now = now
  }

  begun(number: number, recipients: number): void {
    const [ends, endedMs] = [new Uint8Array(recipients), new Float64Array(recipients)]
    this.#entries.set(number, { fate: undefined, recipients, refused: 0, ends, endedMs })
  }

  recipientRefused(number: number, index: number): void {
    const entry = this.#entries.get(number)
    if (entry) entry.refused |= 1 << index
  }

  settled(number: number, fate: Fate): void {
    const entry = this.#entries.get(number)!
    entry.fate = fate
    if (fate === 'acknowledged') this.#open += this.#missing(entry)
  }

  killed(): void {
    this.#kills.push(this.#now())
  }

  fault(text: string): void {
    this.#violations.push({ kind: 'relay', text })
  }

  arrived(arrival: Arrival): void {
    if (!arrival.intact) this.#violations.push({ kind: 'damaged', text: `message ${arrival.number}` })
    const entry = this.#entries.get(arrival.number)
    if (!entry) this.#violations.push({ kind: 'unknown-number', text: `message ${arrival.number}` })
    else for (const recipient of arrival.recipients) this.#arrivedFor(entry, arrival, recipient)
  }

  /** Recipients of acknowledged messages that have not ended yet. */
  get outstanding(): number {
    return this.#open
  }

  /** `drained`: the queue had its chance; else what is missing is not called lost. */
  account(drained = true): Account {
    const fates: Record<Fate, number> = { acknowledged: 0, deferred: 0, rejected: 0, unknown: 0, unsent: 0 }
    const violations = [...this.#violations]
    for (const [number, entry] of this.#entries) {
      if (entry.fate !== undefined) fates[entry.fate]++
      this.#judge(number, entry, violations, drained)
    }
    for (const { key, firstMs, againMs } of this.#twice) {
      if (this.#excused(firstMs, againMs)) continue
      violations.push({ kind: 'ended-twice', text: `message ${key}, ${Math.round(againMs - firstMs)} ms apart` })
    }
    return {
      fates,
      delivered: this.#delivered,
      refusedByNextHop: this.#refused,
      deferredByNextHop: this.#deferred,
      duplicates: this.#twice.length,
      kills: this.#kills.length,
      violations,
    }
  }

  // Recipients are called `something-INDEX@domain`.
  #arrivedFor(entry: Entry, arrival: Arrival, recipient: string): void {
    if (arrival.reply === 'defer') {
      this.#deferred++
      return
    }
    if (arrival.reply === 'accept') this.#delivered++
    else this.#refused++
    const index = Number(recipient[recipient.indexOf('@') - 1])
    const now = this.#now()
    const key = `${arrival.number} for ${recipient}`
    if (arrival.reply === 'accept' && (entry.refused & (1 << index)) !== 0) {
      this.#violations.push({ kind: 'delivered-after-refusal', text: `message ${key}, refused at RCPT` })
    }
    if (entry.ends[index]! > 0) this.#twice.push({ key, firstMs: entry.endedMs[index]!, againMs: now })
    else if (entry.fate === 'acknowledged') this.#open--
    entry.ends[index] = arrival.reply === 'accept' ? 2 : Math.max(entry.ends[index]!, 1)
    entry.endedMs[index] = now
  }

  #missing(entry: Entry): number {
    let missing = 0
    for (let i = 0; i < entry.recipients; i++) if (entry.ends[i] === 0 && (entry.refused & (1 << i)) === 0) missing++
    return missing
  }

  #judge(number: number, entry: Entry, violations: Violation[], drained: boolean): void {
    const delivered = entry.ends.includes(2)
    const { fate } = entry
    if (fate === 'acknowledged') {
      const missing = drained ? this.#missing(entry) : 0
      if (missing > 0) violations.push({ kind: 'lost', text: `message ${number}: ${missing} of ${entry.recipients}` })
    } else if (delivered && (fate === 'deferred' || fate === 'rejected')) {
      violations.push({ kind: 'delivered-after-refusal', text: `message ${number}, ${fate}` })
    } else if (delivered && fate === 'unsent') {
      violations.push({ kind: 'delivered-though-incomplete', text: `message ${number}` })
    }
  }

  #excused(firstMs: number, againMs: number): boolean {
    return this.#kills.some(
      (kill) => kill >= firstMs - IN_FLIGHT_MS && kill <= againMs && kill <= firstMs + DUPLICATE_WINDOW_MS,
    )
  }
}

/** The account as people read it. */
export function accountText(account: Account): string {
  const { fates, violations } = account
  const lines = [
    `kills                     ${account.kills}`,
    `acknowledged              ${fates.acknowledged}`,
    `answered 4yz / 5yz        ${fates.deferred} / ${fates.rejected}`,
    `no answer / not completed ${fates.unknown} / ${fates.unsent}`,
    `next hop: delivered       ${account.delivered} (${account.duplicates} of them again, around a kill)`,
    `next hop: 5yz / 4yz       ${account.refusedByNextHop} / ${account.deferredByNextHop}`,
    `violations                ${violations.length}`,
    ...violations.slice(0, VIOLATIONS_SHOWN_MAX).map(({ kind, text }) => `  ${kind}: ${text}`),
  ]
  return lines.join('\n')
}
