/**
 * Messages whose time is over while their destination is down. An end needs an attempt that failed (aftermath.ts), and a
 * site that is down has one attempt in ten minutes: alone, a thousand messages would take a week to end. So all whose time is
 * over share the failure, one after the other, each read from the spool when it is its turn.
 *
 * Which are old enough is seen by their reception and the shortest lifetime of the route; who turns out to have more time
 * goes back into the line, as if received that much later. So each is read once or twice, however long the outage is.
 */
import type { Soon } from '#mail/decisions.ts'
import type { Attempt } from '#mail/outcome.ts'
import type { StoredMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Clock } from '#sys/clock.ts'
import type { Route } from '#tenant/directory.ts'
import { pendingOf, sharing, startedMs } from './aftermath.ts'
import type { QueueParts } from './contract.ts'
import type { Site } from './site.ts'

export interface OverdueParts extends Pick<QueueParts, 'lifetimeMs' | 'lifetimeMsMin' | 'keep'> {
  readonly clock: Clock
  readonly nowMs: () => number
  /** Takes it from the line to those under way; false: it does not wait there any more, or nothing may start. */
  readonly begin: (site: Site, id: TraceId, work: () => Promise<void>) => boolean
  readonly back: (site: Site, id: TraceId, receivedMs: number) => void
  /** Ends with `next`, if the attempt says that the site is down. */
  readonly apply: (
    site: Site,
    route: Route,
    message: StoredMessage,
    tried: readonly number[],
    attempt: Attempt,
  ) => Soon<void>
}

export class Overdue {
  readonly #parts: OverdueParts

  constructor(parts: OverdueParts) {
    this.#parts = parts
  }

  lifetimeMs(route: Route, message: StoredMessage): number {
    return this.#parts.lifetimeMs?.(route, message) ?? route.lifetimeMs
  }

  /** Begins the end of the oldest whose time may be over. */
  next(site: Site, route: Route, failed: Attempt): void {
    const { clock, nowMs, begin, lifetimeMsMin } = this.#parts
    const leastMs = lifetimeMsMin?.(route) ?? route.lifetimeMs
    for (;;) {
      const id = site.takeReceivedBy(nowMs() - leastMs, clock.monotonic())
      if (id === undefined || begin(site, id, () => this.#end(site, route, id, failed, leastMs))) return
    }
  }

  async #end(site: Site, route: Route, id: TraceId, failed: Attempt, leastMs: number): Promise<void> {
    const { keep, nowMs, apply, back } = this.#parts
    const message = await keep.load(id)
    const tried = message === undefined ? [] : pendingOf(message)
    const shared = sharing(failed, tried)
    if (message !== undefined && shared !== undefined) {
      const endMs = startedMs(message) + this.lifetimeMs(route, message)
      if (endMs <= nowMs()) return apply(site, route, message, tried, shared)
      back(site, id, endMs - leastMs)
    }
    this.next(site, route, failed)
  }
}
