/**
 * The sites of a queue, by route. There are a few declared routes, and no end to the destinations that mail may go to: a
 * destination's site is let go when nothing waits there and nothing is worth remembering; of those that are worth it, the
 * ones whose mail is gone are looked for now and then.
 */
import type { TraceId } from '#mail/trace-id.ts'
import { splitRouteId } from '#tenant/destination.ts'
import { Site } from './site.ts'

/** Below this many there is nothing to look for. */
export const SITES_LOOK_MIN = 1_000

export interface SiteCounts {
  readonly sites: number
  readonly sitesDown: number
  /** Whose rate is limited by an outage that is over, or by what the server said. */
  readonly sitesPaced: number
}

export class Sites {
  readonly #sites = new Map<string, Site>()
  readonly #isLive: (id: TraceId) => boolean
  #lookAt = SITES_LOOK_MIN

  constructor(isLive: (id: TraceId) => boolean) {
    this.#isLive = isLive
  }

  get counts(): SiteCounts {
    let sitesDown = 0
    let sitesPaced = 0
    for (const site of this.#sites.values()) {
      if (site.down) sitesDown++
      else if (site.pace.allowedPerSecond !== Number.POSITIVE_INFINITY) sitesPaced++
    }
    return { sites: this.#sites.size, sitesDown, sitesPaced }
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
    if (isDestination(site) && site.isEmpty && site.isOrdinary(nowMs)) this.#forget(site)
  }

  // Twice as many until the next time: each site pays for its own.
  #look(nowMs: number): void {
    for (const site of this.#sites.values()) {
      if (isDestination(site) && site.isEmpty && site.closedUntilMs <= nowMs && !site.isMissed(this.#isLive)) {
        this.#forget(site)
      }
    }
    this.#lookAt = Math.max(SITES_LOOK_MIN, this.#sites.size * 2)
  }

  #forget(site: Site): void {
    if (this.#sites.get(site.routeId) === site) this.#sites.delete(site.routeId)
  }
}

const isDestination = ({ routeId }: Site): boolean => splitRouteId(routeId).destination !== undefined
