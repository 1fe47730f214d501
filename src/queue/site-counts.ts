/** What all destinations of a queue together are, and which of them are away or being drained: for the metrics. */
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
  const drains: Drain[] = []
  for (const site of sites) {
    const { routeId: route, ready, drained } = site
    const waiting = site.isOpen(nowMs) ? ready.backlog : ready.length
    if (waiting > 0 || drained > 0) drains.push({ route, waiting, drained })
  }
  return drains
}
