/**
 * Wrong passwords of one subject: an address, a network, a login. An attempt counts as wrong as soon as it begins, so that a
 * thousand at the same time are no way around a limit; it is taken back when it ends well. Monotonic ms.
 */
import { type GuessLimit, STRIKES_KEPT_MS, TALLIES_MAX } from './guess-limits.ts'

export class Tally {
  /** Within the window; those under way are among them. */
  wrong = 0
  lastMs = Number.NEGATIVE_INFINITY
  #pending = 0
  #sinceMs = Number.NEGATIVE_INFINITY
  #refusedUntilMs = Number.NEGATIVE_INFINITY
  #strikes = 0

  refusedForMs(nowMs: number): number {
    return Math.max(0, this.#refusedUntilMs - nowMs)
  }

  /** `busy`: it is known when those under way have ended. */
  state(limit: GuessLimit, nowMs: number): 'go' | 'busy' | 'refuse' {
    if (this.refusedForMs(nowMs) > 0) return 'refuse'
    this.#begin(limit.windowMs, nowMs)
    return this.wrong < limit.wrongMax ? 'go' : 'busy'
  }

  start(windowMs: number, nowMs: number): void {
    this.#begin(windowMs, nowMs)
    this.wrong++
    this.#pending++
    this.lastMs = nowMs
  }

  takenBack(): void {
    this.wrong--
    this.#pending--
  }

  confirmed(limit: GuessLimit, nowMs: number): void {
    this.#pending--
    if (this.wrong - this.#pending < limit.wrongMax) return
    if (nowMs - this.#refusedUntilMs > STRIKES_KEPT_MS) this.#strikes = 0
    this.#refusedUntilMs = nowMs + Math.min(limit.refuseMs * 2 ** this.#strikes, limit.refuseMsMax)
    this.#strikes++
    this.#sinceMs = nowMs
    this.wrong = this.#pending
  }

  #begin(windowMs: number, nowMs: number): void {
    if (nowMs - this.#sinceMs < windowMs) return
    this.#sinceMs = nowMs
    this.wrong = this.#pending
  }
}

/** Tallies by key, so many at most. */
export class Tallies {
  readonly limit: GuessLimit
  readonly #tallies = new Map<string, Tally>()
  readonly #entriesMax: number

  constructor(limit: GuessLimit, entriesMax = TALLIES_MAX) {
    this.limit = limit
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#tallies.size
  }

  /** Without making one. */
  find(key: string): Tally | undefined {
    return this.#tallies.get(key)
  }

  get(key: string): Tally {
    const tally = this.#tallies.get(key) ?? new Tally()
    this.#tallies.delete(key)
    if (this.#tallies.size >= this.#entriesMax) this.#tallies.delete(this.#tallies.keys().next().value ?? '')
    this.#tallies.set(key, tally)
    return tally
  }

  forget(key: string): boolean {
    return this.#tallies.delete(key)
  }

  /** Those that are refused now, for how long. */
  refused(nowMs: number): { readonly key: string; readonly forMs: number }[] {
    const all = [...this.#tallies].map(([key, tally]) => ({ key, forMs: tally.refusedForMs(nowMs) }))
    return all.filter(({ forMs }) => forMs > 0)
  }
}
