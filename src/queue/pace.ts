/**
 * How fast messages may start on their way to one destination. Three things hold at once:
 *
 * - the rate that the configuration allows, if it names one, kept by spacing: no bursts;
 * - after an outage a ramp: a few messages per second, doubled while it goes well (slow start);
 * - what the server said: 421 and 4.7.x halve the rate, and from there it grows slowly, as TCP does (RFC 5681 §3.1).
 *
 * A rate that held nothing back for a while is forgotten. Pure: the caller brings the time (monotonic ms).
 */

/** The first rate after an outage, messages per second in one worker: every other sender's queue opens at this moment too. */
export const RAMP_FIRST_PER_SECOND = 5
/** So long a rate is kept before it grows; long enough for a server to complain. */
export const RAMP_STEP_MS = 3_000
/** Never slower, whatever a server says: a message a second is no storm. */
const RATE_MIN_PER_SECOND = 1
/** Growth in one step after the server complained: a share of the rate at which it did not. */
const CAREFUL_GROWTH = 0.05
/** Complaints to what was under way together are one complaint. */
export const ONE_COMPLAINT_MS = 2_000
/** Silence after a complaint: first, doubling with each further one until a message gets through. */
const SILENCE_FIRST_MS = 1_000
const SILENCE_MS_MAX = 60_000
/** A rate that delayed nothing for so long is forgotten. */
export const FORGET_MS = 10 * 60_000
/** Servers count by their own clock, behind a network that bunches: we stay this far below the configured rate. */
export const HEADROOM = 0.02
/** A timer that fires late is made up for, but no more than this: it must not become a burst. */
const CATCH_UP_MS = 10

/** Starts at least 1/rate apart. */
export class Spacing {
  #nextMs = Number.NEGATIVE_INFINITY

  waitMs(nowMs: number): number {
    return Math.max(0, this.#nextMs - nowMs)
  }

  notBefore(ms: number): void {
    this.#nextMs = Math.max(this.#nextMs, ms)
  }

  started(nowMs: number, perSecond: number): void {
    this.#nextMs = Math.max(this.#nextMs, nowMs - CATCH_UP_MS) + 1000 / perSecond
  }
}

export class Pace {
  readonly #spacing = new Spacing()
  #allowedPerSecond = Number.POSITIVE_INFINITY
  /** Up to here the rate doubles, beyond it grows carefully. */
  #thresholdPerSecond = Number.POSITIVE_INFINITY
  #grownMs = Number.NEGATIVE_INFINITY
  #complaintMs = Number.NEGATIVE_INFINITY
  /** Since the last success. */
  #complaints = 0
  #delayedMs = Number.NEGATIVE_INFINITY
  /** Starts of the present second, and how many the last one had. */
  readonly #count = { sinceMs: Number.NEGATIVE_INFINITY, starts: 0, before: 0 }

  /** ms until the next start; 0: now. */
  waitMs(nowMs: number): number {
    if (nowMs - this.#delayedMs > FORGET_MS) this.#forget()
    const waitMs = this.#spacing.waitMs(nowMs)
    if (waitMs > 0 && this.#allowedPerSecond !== Number.POSITIVE_INFINITY) this.#delayedMs = nowMs
    return waitMs
  }

  /** `maxPerSecond`: what the configuration allows, if it says so. */
  started(nowMs: number, maxPerSecond = Number.POSITIVE_INFINITY): void {
    this.#counted(nowMs)
    this.#spacing.started(nowMs, Math.min(this.#allowedPerSecond, maxPerSecond * (1 - HEADROOM)))
  }

  /** Messages per second; infinite if only the configuration limits it. */
  get allowedPerSecond(): number {
    return this.#allowedPerSecond
  }

  /** The destination is back after an outage. */
  recovered(nowMs: number): void {
    this.#allowedPerSecond = RAMP_FIRST_PER_SECOND
    this.#thresholdPerSecond = Number.POSITIVE_INFINITY
    this.#grownMs = nowMs
    this.#delayedMs = nowMs
  }

  /** A message got through; `maxPerSecond` as above: a ramp ends there. */
  succeeded(nowMs: number, maxPerSecond = RAMP_END_PER_SECOND): void {
    this.#complaints = 0
    if (this.#allowedPerSecond === Number.POSITIVE_INFINITY || nowMs - this.#grownMs < RAMP_STEP_MS) return
    this.#grownMs = nowMs
    const doubled = this.#allowedPerSecond * 2
    const careful = this.#allowedPerSecond + Math.max(RATE_MIN_PER_SECOND, this.#thresholdPerSecond * CAREFUL_GROWTH)
    const slow = this.#allowedPerSecond >= this.#thresholdPerSecond
    this.#allowedPerSecond = slow ? careful : Math.min(doubled, Math.max(this.#thresholdPerSecond, careful))
    if (this.#allowedPerSecond >= maxPerSecond) this.#forget()
  }

  /** The server says that it has enough. */
  congested(nowMs: number): void {
    if (nowMs - this.#complaintMs < ONE_COMPLAINT_MS) return
    // Where nothing was limited yet, what really went out; but a single complaint to little mail is not about its rate.
    const rate = Math.min(this.#allowedPerSecond, Math.max(this.#recentPerSecond(nowMs), 2 * RAMP_FIRST_PER_SECOND))
    this.#allowedPerSecond = Math.max(RATE_MIN_PER_SECOND, rate / 2)
    this.#thresholdPerSecond = this.#allowedPerSecond
    this.#complaintMs = nowMs
    this.#spacing.notBefore(nowMs + Math.min(SILENCE_FIRST_MS * 2 ** Math.min(this.#complaints++, 10), SILENCE_MS_MAX))
    this.#grownMs = nowMs
    this.#delayedMs = nowMs
  }

  #forget(): void {
    this.#allowedPerSecond = Number.POSITIVE_INFINITY
    this.#thresholdPerSecond = Number.POSITIVE_INFINITY
  }

  #counted(nowMs: number): void {
    const count = this.#count
    const passedMs = nowMs - count.sinceMs
    if (passedMs >= 1000) {
      count.before = passedMs < 2000 ? count.starts : 0
      count.starts = 0
      count.sinceMs = nowMs
    }
    count.starts++
  }

  #recentPerSecond(nowMs: number): number {
    const { sinceMs, starts, before } = this.#count
    return nowMs - sinceMs >= 2000 ? RATE_MIN_PER_SECOND : Math.max(starts, before)
  }
}

/** A ramp that came so far has nothing left to find out: connections are the limit then. */
const RAMP_END_PER_SECOND = 5_000
