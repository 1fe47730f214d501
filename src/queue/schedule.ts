/**
 * When to try again: exponential from the route's first interval to its largest, with jitter, so that what failed
 * together does not come back together. RFC 5321 §4.5.4.1 asks for 30 minutes "in general" and leaves better
 * strategies open; the first steps are shorter because most outages are (greylisting, restarts).
 */
import type { Route } from '#tenant/directory.ts'

/** Of the interval, up or down. */
export const RETRY_JITTER = 0.1

/** ms until the next attempt, after `attempts` (≥ 1) of them failed. `random` in [0, 1). */
export function retryDelayMs(
  route: Pick<Route, 'retryFirstMs' | 'retryMaxMs'>,
  attempts: number,
  random: number,
): number {
  // Beyond 2^30 the shift would overflow; every schedule has met its maximum long before.
  const doubled = route.retryFirstMs * 2 ** Math.min(Math.max(attempts, 1) - 1, 30)
  return Math.round(Math.min(doubled, route.retryMaxMs) * (1 - RETRY_JITTER + 2 * RETRY_JITTER * random))
}
