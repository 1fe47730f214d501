/**
 * Keeps callouts to one customer's server polite: a budget for each second, and after a failure a pause with one trial
 * at its end (half-open). Refusing to ask never says anything about a recipient.
 */
import type { Clock } from '#sys/clock.ts'

const SECOND_MS = 1000

export interface NotNow {
  /** For the operator. */
  readonly text: string
  /** Before this it is no use to ask. */
  readonly retryMs: number
}

export class Breaker {
  readonly #clock: Clock
  readonly #pauseMs: number
  /** When the last questions were asked: as many as one second may have, used as a ring. */
  readonly #askedMs: number[]
  #next = 0
  #closedUntilMs = Number.NEGATIVE_INFINITY
  #trialOpen = false
  #lastText = ''

  constructor(clock: Clock, pauseMs: number, perSecondMax: number) {
    this.#clock = clock
    this.#pauseMs = pauseMs
    this.#askedMs = Array<number>(Math.max(1, Math.floor(perSecondMax))).fill(Number.NEGATIVE_INFINITY)
  }

  /** Undefined: ask, and say afterwards how it went. */
  mayAsk(): NotNow | undefined {
    const now = this.#clock.monotonic()
    if (this.isDown) {
      const pauseMs = this.#closedUntilMs - now
      if (pauseMs > 0) return { text: `not asked again yet: ${this.#lastText}`, retryMs: pauseMs }
      if (this.#trialOpen) return { text: `a trial is under way: ${this.#lastText}`, retryMs: SECOND_MS }
    }
    // In no second more than the budget, wherever the second begins: a bucket would let twice as many through at first.
    const sinceMs = now - this.#askedMs[this.#next]!
    if (sinceMs < SECOND_MS) {
      const text = 'the budget of callouts to this server is used up for this second'
      return { text, retryMs: SECOND_MS - sinceMs }
    }
    this.#askedMs[this.#next] = now
    this.#next = (this.#next + 1) % this.#askedMs.length
    if (this.isDown) this.#trialOpen = true
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

  /** Whoever asked is gone, and nobody knows what it heard. */
  abandoned(): void {
    this.#trialOpen = false
  }

  /** It failed, and has not answered since. */
  get isDown(): boolean {
    return this.#closedUntilMs !== Number.NEGATIVE_INFINITY
  }

  get text(): string {
    return this.#lastText
  }

  /** Nothing that is worth keeping. */
  get idle(): boolean {
    const last = Math.max(...this.#askedMs)
    return !this.isDown && this.#clock.monotonic() - last > SECOND_MS
  }
}
