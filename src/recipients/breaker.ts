/**
 * Keeps callouts to one customer's server polite: a budget per second, and after a failure a pause with one trial at
 * its end (half-open). Refusing to ask never says anything about a recipient.
 */
import type { Clock } from '#sys/clock.ts'

export class Breaker {
  readonly #clock: Clock
  readonly #pauseMs: number
  readonly #perSecondMax: number
  #closedUntilMs = Number.NEGATIVE_INFINITY
  #trialOpen = false
  #lastText = ''
  #tokens: number
  #tokensAtMs: number

  constructor(clock: Clock, pauseMs: number, perSecondMax: number) {
    this.#clock = clock
    this.#pauseMs = pauseMs
    this.#perSecondMax = perSecondMax
    this.#tokens = perSecondMax
    this.#tokensAtMs = clock.monotonic()
  }

  /** Undefined: ask, and say afterwards how it went. A text: why not. */
  mayAsk(): string | undefined {
    const now = this.#clock.monotonic()
    if (now < this.#closedUntilMs) return `not asked again yet: ${this.#lastText}`
    if (this.#closedUntilMs > 0 && this.#trialOpen) return `a trial is under way: ${this.#lastText}`
    this.#tokens = Math.min(this.#perSecondMax, this.#tokens + ((now - this.#tokensAtMs) / 1000) * this.#perSecondMax)
    this.#tokensAtMs = now
    if (this.#tokens < 1) return 'the budget of callouts to this server is used up for this second'
    this.#tokens--
    if (this.#closedUntilMs > 0) this.#trialOpen = true
    return undefined
  }

  answered(): void {
    this.#closedUntilMs = Number.NEGATIVE_INFINITY
    this.#trialOpen = false
  }

  failed(text: string): void {
    this.#closedUntilMs = this.#clock.monotonic() + this.#pauseMs
    this.#trialOpen = false
    this.#lastText = text
  }
}
