/** What all destinations of a queue together are, and which of them are away or being drained: for the metrics. */

import { declaredRouteId } from '#tenant/destination.ts'
import type { Counts, Drain } from './contract.ts'
import type { Site } from './site.ts'

export function siteCounts(sites: Iterable<Site>): Pick<Counts, 'sites' | 'sitesDown' | 'sitesPaced'> {
  const counts = { sites: 0, sitesDown: 0, sitesPaced: 0 }
  for (const site of sites) {
    counts.sites++
    if (site.down) counts.sitesDown++
    else if (site.pace.allowedPerSecond !== Number.POSITIVE_INFINITY) counts.sitesPaced++
  }
  return counts
}

export function drainsOf(sites: Iterable<Site>, nowMs: number): Drain[] {
  const drains = new Map<string, Drain>()
  for (const site of sites) {
    const { routeId, ready, drained } = site
    const waiting = site.isOpen(nowMs) ? ready.backlog : ready.length
    if (waiting === 0 && drained === 0) continue
    // There is no end to destinations, and a metric has one for each of its labels.
    const route = declaredRouteId(routeId)
    const others = drains.get(route) ?? { route, waiting: 0, drained: 0 }
    drains.set(route, { route, waiting: others.waiting + waiting, drained: others.drained + drained })
  }
  return [...drains.values()]
}
