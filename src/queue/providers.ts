/**
 * Providers: many domains have their mail at the same few. What one destination hears ("too many connections", "slow down")
 * holds for all of them at that provider, since it counts what comes from us, not for whom. So besides its own pace and
 * concurrency each destination has those of its provider, as long as that complains: halved by a complaint, one more with each
 * success, forgotten when nothing is held back any more. A provider that never complained limits nothing.
 *
 * Who the provider is, DNS says; a destination is asked for with its first attempt, which then may have to stand in line.
 * Groups are those of one declared route: tenants never cross (law 7), and another route may have other addresses of ours.
 */
import type { TraceId } from '#mail/trace-id.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import { declaredRouteId } from '#tenant/destination.ts'
import type { Route } from '#tenant/directory.ts'
import { ONE_COMPLAINT_MS, Pace } from './pace.ts'
import type { Site } from './site.ts'

/** So many at a time without a complaint, and there is no limit any more. */
export const PROVIDER_CONNECTIONS_MAX = 200
/** A destination may move: its provider is asked for again. */
export const PROVIDER_KNOWN_MS = 60 * 60_000
/** Remembered though nothing is under way there and nothing is held back; some 300 octets each. */
const PROVIDERS_KEPT = 1_000

export interface ProvidersParts {
  readonly clock: Clock
  readonly pump: (site: Site) => void
  /** By its MX; undefined: nobody can say, or it is not by MX. Never rejects. Absent: there are no providers. */
  readonly provider: ((route: Route) => Promise<string | undefined>) | undefined
}

class Provider {
  readonly name: string
  readonly pace = new Pace()
  readonly waiting = new Set<Site>()
  active = 0
  timer: Cancel | undefined
  #limit = Number.POSITIVE_INFINITY
  #complaintMs = Number.NEGATIVE_INFINITY

  constructor(name: string) {
    this.name = name
  }

  get hasRoom(): boolean {
    return this.active < this.#limit
  }

  /** As if it were new. */
  get isForgettable(): boolean {
    const free = this.#limit === Number.POSITIVE_INFINITY && this.pace.allowedPerSecond === Number.POSITIVE_INFINITY
    return this.active === 0 && this.waiting.size === 0 && free
  }

  succeeded(nowMs: number): void {
    this.pace.succeeded(nowMs)
    if (this.#limit < PROVIDER_CONNECTIONS_MAX) this.#limit++
    else this.#limit = Number.POSITIVE_INFINITY
  }

  /** Complaints to what was under way together are one. */
  congested(nowMs: number): void {
    this.pace.congested(nowMs)
    if (nowMs - this.#complaintMs < ONE_COMPLAINT_MS) return
    this.#complaintMs = nowMs
    this.#limit = Math.max(1, Math.min(this.#limit, this.active) >> 1)
  }
}

interface Known {
  readonly name: string | undefined
  readonly sinceMs: number
}

export class Providers {
  readonly #parts: ProvidersParts
  readonly #providers = new Map<string, Provider>()
  readonly #known = new WeakMap<Site, Known>()
  readonly #of = new Map<TraceId, Provider>()
  #stopped = false

  constructor(parts: ProvidersParts) {
    this.#parts = parts
  }

  /** May one more start there, as far as its provider is known? If not, the site is pumped when it may. */
  may(site: Site, nowMs: number): boolean {
    const provider = this.#at(site)
    return provider === undefined || this.#mayAt(provider, site, nowMs)
  }

  /** An attempt is about to begin: false, if its provider turns out to have no room; then `may` says when. */
  enter(site: Site, route: Route, id: TraceId): boolean | Promise<boolean> {
    const { provider: ask, clock } = this.#parts
    if (ask === undefined || route.destination === undefined) return true
    const known = this.#known.get(site)
    if (known && clock.monotonic() - known.sinceMs < PROVIDER_KNOWN_MS) return this.#enters(known.name, site, id)
    return ask(route).then((found) => {
      const name = found === undefined ? undefined : `${declaredRouteId(route.id)} ${found}`
      this.#known.set(site, { name, sinceMs: clock.monotonic() })
      return this.#enters(name, site, id)
    })
  }

  /** After `enter`, whatever it said. */
  left(id: TraceId): void {
    const provider = this.#of.get(id)
    if (provider === undefined) return
    this.#of.delete(id)
    provider.active--
    this.#serve(provider)
    if (this.#providers.size > PROVIDERS_KEPT && provider.isForgettable) this.#providers.delete(provider.name)
  }

  heard(site: Site, what: 'succeeded' | 'congested', nowMs: number): void {
    this.#at(site)?.[what](nowMs)
  }

  /** Providers that hold something back: for the metrics. */
  get limited(): number {
    let limited = 0
    for (const provider of this.#providers.values()) {
      if (provider.waiting.size > 0 || provider.pace.allowedPerSecond !== Number.POSITIVE_INFINITY) limited++
    }
    return limited
  }

  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#providers.values()) timer?.()
  }

  #at(site: Site): Provider | undefined {
    const name = this.#known.get(site)?.name
    return name === undefined ? undefined : this.#providers.get(name)
  }

  #enters(name: string | undefined, site: Site, id: TraceId): boolean {
    if (name === undefined) return true
    const provider = this.#named(name)
    const nowMs = this.#parts.clock.monotonic()
    if (!this.#mayAt(provider, site, nowMs)) return false
    provider.pace.started(nowMs)
    provider.active++
    this.#of.set(id, provider)
    return true
  }

  #mayAt(provider: Provider, site: Site, nowMs: number): boolean {
    const waitMs = provider.pace.waitMs(nowMs)
    if (waitMs === 0 && provider.hasRoom) return true
    provider.waiting.add(site)
    // For room, an attempt must end; and one is under way where there is none.
    if (waitMs > 0) this.#serveIn(provider, waitMs)
    return false
  }

  // One timer, however many sites wait, and they take turns: who still has mail stands at the end again.
  #serveIn(provider: Provider, waitMs: number): void {
    if (this.#stopped || provider.timer !== undefined) return
    provider.timer = this.#parts.clock.after(Math.max(1, Math.ceil(waitMs)), () => {
      provider.timer = undefined
      this.#serve(provider)
    })
  }

  #serve(provider: Provider): void {
    const { clock, pump } = this.#parts
    for (let left = provider.waiting.size; left > 0; left--) {
      const waitMs = provider.pace.waitMs(clock.monotonic())
      if (waitMs > 0) this.#serveIn(provider, waitMs)
      if (waitMs > 0 || !provider.hasRoom) return
      const [site] = provider.waiting
      provider.waiting.delete(site!)
      pump(site!)
    }
  }

  #named(name: string): Provider {
    let provider = this.#providers.get(name)
    if (provider === undefined) this.#providers.set(name, (provider = new Provider(name)))
    return provider
  }
}
