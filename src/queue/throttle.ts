/**
 * What a tenant may start in a second, over all its routes, and the timers of sites that must wait for their moment: one
 * each, however many messages wait.
 */
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Route } from '#tenant/directory.ts'
import { Spacing } from './pace.ts'
import type { Site } from './site.ts'

/** setTimeout takes 24.8 days at most, and maintenance may last longer. */
const TIMER_MS_MAX = 24 * 3_600_000

export interface ThrottleParts {
  readonly clock: Clock
  /** Undefined: any number. */
  readonly tenantRate: (tenant: string) => number | undefined
  readonly pump: (site: Site) => void
}

export class Throttle {
  readonly #parts: ThrottleParts
  readonly #tenants = new Map<string, Spacing>()
  readonly #timers = new Map<Site, { readonly dueMs: number; readonly cancel: Cancel }>()
  #stopped = false

  constructor(parts: ThrottleParts) {
    this.#parts = parts
  }

  /** ms until the next message may start; 0: now. */
  waitMs(site: Site, route: Route | undefined, nowMs: number): number {
    const tenantMs = (route && this.#tenants.get(route.tenant)?.waitMs(nowMs)) ?? 0
    return Math.max(site.pace.waitMs(nowMs), tenantMs)
  }

  started(site: Site, { tenant, messagesPerSecondMax }: Route): void {
    const nowMs = this.#parts.clock.monotonic()
    site.pace.started(nowMs, messagesPerSecondMax)
    const perSecond = this.#parts.tenantRate(tenant)
    if (perSecond === undefined) return
    let spacing = this.#tenants.get(tenant)
    if (spacing === undefined) this.#tenants.set(tenant, (spacing = new Spacing()))
    spacing.started(nowMs, perSecond)
  }

  /** Looks at the site again then (monotonic ms). */
  pumpAt(site: Site, dueMs: number): void {
    const waiting = this.#timers.get(site)
    if (this.#stopped || (waiting !== undefined && waiting.dueMs <= dueMs)) return
    waiting?.cancel()
    const waitMs = Math.ceil(dueMs - this.#parts.clock.monotonic())
    const cancel = this.#parts.clock.after(Math.min(waitMs, TIMER_MS_MAX), () => {
      this.#timers.delete(site)
      this.#parts.pump(site)
    })
    this.#timers.set(site, { dueMs, cancel })
  }

  stop(): void {
    this.#stopped = true
    for (const { cancel } of this.#timers.values()) cancel()
  }
}
