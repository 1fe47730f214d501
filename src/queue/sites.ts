/**
 * The sites of a queue, by route. There are a few declared routes, and no end to the destinations that mail may go to: a
 * destination's site is let go when nothing waits there and nothing is worth remembering; of those that are worth it, the
 * ones whose mail is gone are looked for now and then.
 */
import type { TraceId } from '#mail/trace-id.ts'
import type { Drain } from './contract.ts'
import { Site } from './site.ts'
import { drainsOf, siteCounts } from './site-counts.ts'

/** Below this many there is nothing to look for. */
export const SITES_LOOK_MIN = 1_000

export class Sites {
  readonly #sites = new Map<string, Site>()
  readonly #isLive: (id: TraceId) => boolean
  #lookAt = SITES_LOOK_MIN

  constructor(isLive: (id: TraceId) => boolean) {
    this.#isLive = isLive
  }

  get counts(): ReturnType<typeof siteCounts> {
    return siteCounts(this.#sites.values())
  }

  /** Destinations that are away or being drained, by declared route. */
  drains(nowMs: number): Drain[] {
    return drainsOf(this.#sites.values(), nowMs)
  }

  get(routeId: string): Site | undefined {
    return this.#sites.get(routeId)
  }

  /** Made where there is none. */
  of(routeId: string, nowMs: number): Site {
    let site = this.#sites.get(routeId)
    if (site === undefined) {
      if (this.#sites.size >= this.#lookAt) this.#look(nowMs)
      site = new Site(routeId)
      this.#sites.set(routeId, site)
    }
    return site
  }

  /** An attempt has ended there. */
  ended(site: Site, nowMs: number): void {
    if (site.isDestination && site.isEmpty && site.isOrdinary(nowMs)) this.#forget(site)
  }

  // Twice as many until the next time: each site pays for its own.
  #look(nowMs: number): void {
    for (const site of this.#sites.values()) {
      if (site.isDestination && site.isEmpty && site.closedUntilMs <= nowMs && !site.isMissed(this.#isLive)) {
        this.#forget(site)
      }
    }
    this.#lookAt = Math.max(SITES_LOOK_MIN, this.#sites.size * 2)
  }

  #forget(site: Site): void {
    if (this.#sites.get(site.routeId) === site) this.#sites.delete(site.routeId)
  }
}
