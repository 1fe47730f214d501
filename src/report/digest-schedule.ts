/**
 * When a tenant hears of held mail: a while after the first new hold, so that one digest tells of all that came with it;
 * then at most once per interval; and once a week while something is held and nobody decides.
 *
 * Pure but for one memory: since when something new was seen. After a restart that begins again, and a digest is late by
 * `COLLECT_MS` at most.
 */
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** An outage that ends in refusals makes its holds within minutes. */
export const COLLECT_MS = 15 * MINUTE_MS
export const REMIND_MS = 7 * 24 * HOUR_MS
/** A little less than the period, so that a daily digest does not wander through the day. */
export const INTERVAL_MS = { hourly: HOUR_MS - MINUTE_MS, daily: 24 * HOUR_MS - MINUTE_MS } as const

export interface HeldSummary {
  readonly held: number
  /** When the newest hold began. */
  readonly newestMs: number
}

export interface Told {
  readonly toldMs: number
  readonly atMs: number
}

export type DigestDue = 'no' | 'new' | 'reminder'

export class DigestSchedule {
  readonly #newSinceMs = new Map<string, number>()

  due(
    tenant: string,
    { held, newestMs }: HeldSummary,
    told: Told | undefined,
    every: keyof typeof INTERVAL_MS | 'off',
    nowMs: number,
    collectMs = COLLECT_MS,
  ): DigestDue {
    if (every === 'off' || held === 0) {
      this.#newSinceMs.delete(tenant)
      return 'no'
    }
    const waitedMs = told === undefined ? Number.POSITIVE_INFINITY : nowMs - told.atMs
    if (newestMs <= (told?.toldMs ?? Number.NEGATIVE_INFINITY)) return waitedMs >= REMIND_MS ? 'reminder' : 'no'
    const newSinceMs = this.#newSinceMs.get(tenant) ?? nowMs
    this.#newSinceMs.set(tenant, newSinceMs)
    return nowMs - newSinceMs >= collectMs && waitedMs >= INTERVAL_MS[every] ? 'new' : 'no'
  }

  /** The digest went. */
  sent(tenant: string): void {
    this.#newSinceMs.delete(tenant)
  }
}
