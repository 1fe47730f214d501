/**
 * One destination of the queue: a route, with the messages that are due for it, how many may be under way, and whether
 * its servers answer at all. What happens at one site never holds up another.
 *
 * Concurrency grows by one with each success and halves when the server says it has enough (421, 4.7.x) or cannot be
 * reached. While a site is down, its messages stay where they are, untouched: one of them is tried at the end of each
 * pause, and the first success opens the gates again, one step at a time.
 */
import type { TraceId } from '#mail/trace-id.ts'
import type { Clock } from '#sys/clock.ts'

export const CONCURRENCY_FIRST = 5
/** Pauses of a site that cannot be reached: first, doubling to the largest. */
export const SITE_PAUSE_FIRST_MS = 15_000
export const SITE_PAUSE_MAX_MS = 10 * 60_000

/** Ids in the order they became due. A deque on one array with a moving head: shift() would copy half a million ids. */
class Line {
  #ids: (TraceId | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#ids.length - this.#head
  }

  push(id: TraceId): void {
    this.#ids.push(id)
  }

  shift(): TraceId | undefined {
    if (this.length === 0) return undefined
    const id = this.#ids[this.#head]
    this.#ids[this.#head++] = undefined
    if (this.#head > 1024 && this.#head * 2 > this.#ids.length) {
      this.#ids = this.#ids.slice(this.#head)
      this.#head = 0
    }
    return id
  }
}

export class Site {
  readonly routeId: string
  readonly ready = new Line()
  active = 0
  #limit = CONCURRENCY_FIRST
  #pausedUntilMs = Number.NEGATIVE_INFINITY
  #failures = 0

  constructor(routeId: string) {
    this.routeId = routeId
  }

  /** How many more attempts may start now. */
  room(connectionsMax: number, nowMs: number): number {
    if (nowMs < this.#pausedUntilMs) return 0
    const limit = this.#failures > 0 ? 1 : Math.min(this.#limit, connectionsMax)
    return Math.max(0, limit - this.active)
  }

  /** Monotonic ms; in the past when the site is not paused. */
  get pausedUntilMs(): number {
    return this.#pausedUntilMs
  }

  get down(): boolean {
    return this.#failures > 0
  }

  succeeded(connectionsMax: number): void {
    // After an outage, start gently: everybody else's queue opens at the same moment.
    if (this.#failures > 0) this.#limit = CONCURRENCY_FIRST
    this.#failures = 0
    this.#pausedUntilMs = Number.NEGATIVE_INFINITY
    if (this.#limit < connectionsMax) this.#limit++
  }

  /** The server is there and has enough for now. */
  congested(): void {
    this.#limit = Math.max(1, this.#limit >> 1)
  }

  /** Its servers cannot be reached. Attempts that were under way together count as one failure. */
  unreachable(clock: Clock, random: number): void {
    const nowMs = clock.monotonic()
    if (nowMs < this.#pausedUntilMs) return
    const pauseMs = Math.min(SITE_PAUSE_FIRST_MS * 2 ** Math.min(this.#failures, 10), SITE_PAUSE_MAX_MS)
    this.#failures++
    this.#pausedUntilMs = nowMs + pauseMs * (0.9 + 0.2 * random)
    this.#limit = CONCURRENCY_FIRST
  }

  /** An operator says: try now. */
  wake(): void {
    this.#pausedUntilMs = Number.NEGATIVE_INFINITY
    this.#failures = 0
    this.#limit = CONCURRENCY_FIRST
  }
}
