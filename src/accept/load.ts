/**
 * Is there room for one more session? Work that has begun goes first: beyond a limit only new sessions are turned away,
 * with a 421 that costs next to nothing (RFC 5321 §3.8).
 *
 * How late the event loop is, is measured by the ticker itself: a tick that should come every second and comes late
 * was kept waiting by everything that also waits.
 */
export const TICK_MS = 1000

export type Overload = 'sessions-max' | 'lag' | 'memory'

export interface LoadLimits {
  readonly sessionsMax: number
  readonly lagMsMax: number
}

export class Load {
  limits: LoadLimits
  readonly #hasMemory: () => boolean
  #lastTickMs: number | undefined
  #lagMs = 0

  /** `hasMemory`: false while the contents in memory have reached their budget. */
  constructor(limits: LoadLimits, hasMemory: () => boolean) {
    this.limits = limits
    this.#hasMemory = hasMemory
  }

  /** Monotonic ms, about every `TICK_MS`. */
  tick(nowMs: number): void {
    if (this.#lastTickMs !== undefined) this.#lagMs = Math.max(0, nowMs - this.#lastTickMs - TICK_MS)
    this.#lastTickMs = nowMs
  }

  get lagMs(): number {
    return this.#lagMs
  }

  overload(sessions: number): Overload | undefined {
    if (sessions >= this.limits.sessionsMax) return 'sessions-max'
    if (this.#lagMs > this.limits.lagMsMax) return 'lag'
    return this.#hasMemory() ? undefined : 'memory'
  }
}
