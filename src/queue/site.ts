/**
 * One destination of the queue: a route, with the messages that are due for it, how many may be under way, how fast they
 * may start, and whether its servers answer at all. What happens at one site never holds up another.
 *
 * Concurrency grows by one with each success and halves when the server says it has enough (421, 4.7.x) or cannot be
 * reached; the rate is `pace.ts`. While a site is down, its messages stay where they are, untouched: one of them is
 * tried at the end of each pause, and the first success opens the gates again, one step at a time. While it is held on
 * purpose (maintenance), nothing is tried at all.
 */
import type { TraceId } from '#mail/trace-id.ts'
import type { Clock } from '#sys/clock.ts'
import { splitRouteId } from '#tenant/destination.ts'
import { Line } from './line.ts'
import { Pace } from './pace.ts'

export const CONCURRENCY_FIRST = 5
/** Pauses of a site that cannot be reached: first, doubling to the largest. */
export const SITE_PAUSE_FIRST_MS = 15_000
export const SITE_PAUSE_MAX_MS = 10 * 60_000
/** Closed for longer, its mail is a backlog; mail of a shorter pause is as fresh as any. */
export const OUTAGE_MS_MIN = 2 * 60_000
/** Remembered of the messages whose trial met a closed door; others wait for their schedule, an hour at most. */
const MISSED_MAX = 1_000

export class Site {
  readonly routeId: string
  /** One of the many that a route finds by MX; false: a declared route. */
  readonly isDestination: boolean
  readonly ready = new Line()
  readonly pace = new Pace()
  active = 0
  #limit = CONCURRENCY_FIRST
  #pausedUntilMs = Number.NEGATIVE_INFINITY
  #heldUntilMs = Number.NEGATIVE_INFINITY
  #failures = 0
  /** When the last outage began and ended; of a new site nobody knows. */
  #closedMs = Number.NEGATIVE_INFINITY
  #openedMs = Number.NEGATIVE_INFINITY
  #missed = new Set<TraceId>()
  #drained = 0

  constructor(routeId: string) {
    this.routeId = routeId
    this.isDestination = splitRouteId(routeId).destination !== undefined
  }

  /** How many more attempts may start now. */
  room(connectionsMax: number, nowMs: number): number {
    if (nowMs < this.#pausedUntilMs || nowMs < this.#heldUntilMs) return 0
    const limit = this.#failures > 0 ? 1 : Math.min(this.#limit, connectionsMax)
    return Math.max(0, limit - this.active)
  }

  /** Monotonic ms; in the past when nothing keeps the site closed. */
  get closedUntilMs(): number {
    return Math.max(this.#pausedUntilMs, this.#heldUntilMs)
  }

  get down(): boolean {
    return this.#failures > 0
  }

  isHeld(nowMs: number): boolean {
    return nowMs < this.#heldUntilMs
  }

  /** Nothing waits here, and nothing is under way. */
  get isEmpty(): boolean {
    return this.active === 0 && this.ready.length === 0
  }

  /** As if it were new: a new one in its place would do the same. */
  isOrdinary(nowMs: number): boolean {
    return this.isOpen(nowMs) && this.#missed.size === 0 && this.pace.allowedPerSecond === Number.POSITIVE_INFINITY
  }

  isOpen(nowMs: number): boolean {
    return this.#failures === 0 && nowMs >= this.closedUntilMs
  }

  /** Mail that came after the last outage need not stand behind the backlog. */
  isFresh(receivedMs: number, nowMs: number): boolean {
    return receivedMs >= this.#openedMs && (this.isOpen(nowMs) || !this.#isOutage(nowMs))
  }

  /** Takes one out of the line that was received by then (wall clock, ms), if it is its turn. */
  takeReceivedBy(ms: number, nowMs: number): TraceId | undefined {
    if (this.#isOutage(nowMs)) this.ready.age()
    return this.ready.takeReceivedBy(ms)
  }

  succeeded(connectionsMax: number, nowMs: number, maxPerSecond?: number): void {
    // After an outage, start gently: everybody else's queue opens at the same moment.
    if (this.#failures > 0) this.#open(CONCURRENCY_FIRST, nowMs)
    this.pace.succeeded(nowMs, maxPerSecond)
    if (this.#limit < connectionsMax) this.#limit++
  }

  /** The server is there and has enough for now. */
  congested(nowMs: number): void {
    this.#limit = Math.max(1, this.#limit >> 1)
    this.pace.congested(nowMs)
  }

  /** Its servers cannot be reached. Attempts that were under way together count as one failure. */
  unreachable(clock: Clock, random: number): void {
    const nowMs = clock.monotonic()
    if (nowMs < this.#pausedUntilMs) return
    const pauseMs = Math.min(SITE_PAUSE_FIRST_MS * 2 ** Math.min(this.#failures, 10), SITE_PAUSE_MAX_MS)
    if (this.isOpen(nowMs)) this.#closedMs = nowMs
    this.#failures++
    this.#pausedUntilMs = nowMs + pauseMs * (0.9 + 0.2 * random)
    this.#limit = CONCURRENCY_FIRST
  }

  /** Something of a message was delivered, which we have since then (monotonic ms). */
  left(receivedMs: number): void {
    if (receivedMs < this.#openedMs) this.#drained++
  }

  /** Messages that came before it was back from an outage, and left. */
  get drained(): number {
    return this.#drained
  }

  /** A message met a closed door, or a full house; its schedule need not hold it back once others get in. */
  missed(id: TraceId): void {
    if (this.#missed.size < MISSED_MAX) this.#missed.add(id)
  }

  /** Is one of them still there? Those that are not are forgotten. */
  isMissed(isLive: (id: TraceId) => boolean): boolean {
    for (const id of this.#missed) if (!isLive(id)) this.#missed.delete(id)
    return this.#missed.size > 0
  }

  takeMissed(): Iterable<TraceId> {
    const missed = this.#missed
    this.#missed = new Set()
    return missed
  }

  /** Somebody else knows that its servers answer (again): one connection first. */
  recovered(nowMs: number): void {
    this.#open(1, nowMs)
  }

  /** Until then nothing is tried. In the past: the hold is over. */
  hold(untilMs: number, nowMs: number): void {
    if (untilMs <= nowMs && !this.isHeld(nowMs)) return
    if (untilMs > nowMs && this.isOpen(nowMs)) this.#closedMs = nowMs
    this.#heldUntilMs = untilMs
  }

  /** The hold is over by itself: once true after its end. */
  holdEnded(nowMs: number): boolean {
    if (this.#heldUntilMs === Number.NEGATIVE_INFINITY || nowMs < this.#heldUntilMs) return false
    this.#heldUntilMs = Number.NEGATIVE_INFINITY
    return true
  }

  /** An operator says: try now. */
  wake(): void {
    this.#pausedUntilMs = Number.NEGATIVE_INFINITY
    this.#failures = 0
    this.#limit = CONCURRENCY_FIRST
  }

  #isOutage(nowMs: number): boolean {
    return nowMs - this.#closedMs > OUTAGE_MS_MIN
  }

  #open(limit: number, nowMs: number): void {
    this.#failures = 0
    this.#pausedUntilMs = Number.NEGATIVE_INFINITY
    this.#limit = limit
    if (this.#isOutage(nowMs)) {
      this.ready.age()
      this.#openedMs = nowMs
    }
    this.pace.recovered(nowMs)
  }
}
