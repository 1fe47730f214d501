/**
 * Time, as the product sees it. Wall time is for people and for what must outlive a restart; monotonic time is for every
 * interval, so that a clock that jumps expires nothing. The simulator has a twin that runs on a seed.
 */
export type Cancel = () => void

export interface Clock {
  /** Wall clock: ms since 1970. */
  wall(): number
  /** Monotonic: ms since some start. Never goes back. */
  monotonic(): number
  /** Calls once after `ms` of monotonic time. Does not keep the process alive by itself. */
  after(ms: number, call: () => void): Cancel
}

/** setTimeout's largest delay; a longer one would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

export const systemClock: Clock = {
  wall: Date.now,
  monotonic: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, Math.min(Math.max(ms, 0), TIMER_MS_MAX))
    timer.unref()
    return () => clearTimeout(timer)
  },
}
