/**
 * Maintenance: the mail of a route is held back on purpose, until a given moment or until somebody ends it. What waits
 * does not grow older meanwhile: the lifetime of a message is lengthened by the time for which it was held back.
 */
export interface Maintenance {
  /** `tenant/name` */
  readonly route: string
  /** Wall clock, ms. */
  readonly beginsMs: number
  /** Wall clock, ms: the planned end, or the real one. */
  readonly untilMs: number
  readonly reason?: string
}

/** For how long, between two moments, mail was held back. Windows of one route do not overlap. */
export function heldBackMs(windows: Iterable<Maintenance>, fromMs: number, toMs: number): number {
  let sumMs = 0
  for (const { beginsMs, untilMs } of windows) {
    sumMs += Math.max(0, Math.min(untilMs, toMs) - Math.max(beginsMs, fromMs))
  }
  return sumMs
}

/** By route. */
export function byRoute(windows: Iterable<Maintenance>): Map<string, Maintenance[]> {
  const found = new Map<string, Maintenance[]>()
  for (const window of windows) {
    const others = found.get(window.route)
    if (others) others.push(window)
    else found.set(window.route, [window])
  }
  return found
}
