/**
 * A worker's view of the sender domains: whether one is verified, read from the store and kept in memory, until the desk says
 * that something has changed. That word may get lost, so nothing is kept for longer than a minute.
 */
import type { Database } from '#store/database.ts'
import { SenderDomainReader } from '#store/sender-domains.ts'
import type { Clock } from '#sys/clock.ts'
import type { Verified } from '../relay/sender-rights.ts'

const KEPT_MS_MAX = 60_000
/** Domains; one takes some 100 octets. */
const KEPT_MAX = 100_000

export class VerifiedDomains {
  readonly #reader: SenderDomainReader
  readonly #clock: Clock
  readonly #kept = new Map<string, { readonly verified: boolean; readonly untilMs: number }>()

  constructor(store: Database, clock: Clock) {
    this.#reader = new SenderDomainReader(store)
    this.#clock = clock
  }

  readonly has: Verified = (tenant, domain) => {
    const nowMs = this.#clock.monotonic()
    const name = `${tenant} ${domain}`
    const kept = this.#kept.get(name)
    if (kept !== undefined && kept.untilMs > nowMs) return kept.verified
    const verified = this.#reader.find({ tenant, domain })?.verifiedMs !== undefined
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear()
    this.#kept.set(name, { verified, untilMs: nowMs + KEPT_MS_MAX })
    return verified
  }

  changed(): void {
    this.#kept.clear()
  }
}
