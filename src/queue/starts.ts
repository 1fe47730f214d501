/**
 * Which attempts may start in one worker, all sites together; each holds a socket and a message in memory, and costs time on
 * the loop that healthy sites need as well.
 *
 * A declared route, and a destination whose last attempt got through, may start whenever there is room. Of all others
 * nothing good is known: they have half of the room at most, a few starts each, and a rate for all of them together. So ten
 * thousand domains that are dead or silent take little from one that is well. They take turns: by tenant, and those that were
 * never tried with those that are tried again, so that neither one tenant's dead domains nor old ones delay another's
 * first message.
 *
 * Which destinations are well is remembered by name, and longer than their sites are: PROVEN_MAX names.
 */
import type { TraceId } from '#mail/trace-id.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Site } from './site.ts'

/** Attempts under way at a time. */
export const ATTEMPTS_MAX = 1000
/** Of them to destinations of which nothing good is known; the rest is kept for those that are well. */
export const UNPROVEN_ATTEMPTS_MAX = 500
/**
 * Starts in a second to all such destinations together: each takes time on the loop that mail for the others needs. Ten
 * thousand of them are tried in two minutes by two workers.
 */
export const UNPROVEN_PER_SECOND = 50
/** At once, after a quiet moment. */
export const UNPROVEN_BURST = 20
/** To one of them at a time: a dead domain needs no five attempts to be found dead. */
export const UNPROVEN_PER_SITE_MAX = 2
/** Names of destinations that are well, some 100 octets each. */
export const PROVEN_MAX = 20_000
export const PROVEN_MS = 24 * 3_600_000
/** A proof is written down again only when it is older. */
const PROVEN_RENEW_MS = 60_000

export interface StartsParts {
  readonly clock: Clock
  readonly pump: (site: Site) => void
}

export class Starts {
  readonly #parts: StartsParts
  readonly #underWay = new Set<TraceId>()
  readonly #unproven = new Set<TraceId>()
  readonly #proven = new Map<string, number>()
  /** Sites that found no room, by what they are. */
  readonly #wanting = new Set<Site>()
  readonly #turns = new Turns()
  #tokens = UNPROVEN_BURST
  #filledMs = Number.NEGATIVE_INFINITY
  #timer: Cancel | undefined
  readonly #draining: (() => void)[] = []
  #stopped = false

  constructor(parts: StartsParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#underWay.size
  }

  has(id: TraceId): boolean {
    return this.#underWay.has(id)
  }

  /** May one more start there? If not, the site is pumped when it may. */
  may(site: Site, nowMs: number): boolean {
    if (this.#isProven(site, nowMs)) {
      if (this.#underWay.size < ATTEMPTS_MAX) return true
      this.#wanting.add(site)
      return false
    }
    // The end of its own attempts pumps it.
    if (site.active >= UNPROVEN_PER_SITE_MAX) return false
    if (this.#hasRoom(nowMs)) return true
    this.#turns.add(site)
    this.#serveLater(nowMs)
    return false
  }

  /** After `may`. */
  started(site: Site, id: TraceId, nowMs: number): void {
    this.#underWay.add(id)
    if (this.#isProven(site, nowMs)) return
    this.#unproven.add(id)
    this.#tokens--
  }

  /** An attempt that nobody asked for: it began in a session, or shares a failure. */
  joined(id: TraceId): void {
    this.#underWay.add(id)
  }

  ended(id: TraceId): void {
    this.#underWay.delete(id)
    this.#unproven.delete(id)
    if (this.#underWay.size === 0) for (const resolve of this.#draining.splice(0)) resolve()
  }

  /** Resolves when nothing is under way. */
  allEnded(): Promise<void> {
    if (this.#underWay.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#draining.push(resolve)
    })
  }

  /** What was heard of a site: it took mail, or did not. */
  heard(site: Site, well: boolean, nowMs: number): void {
    const { routeId, isDestination } = site
    if (!isDestination) return
    if (!well) {
      this.#proven.delete(routeId)
      return
    }
    const sinceMs = this.#proven.get(routeId)
    if (sinceMs !== undefined && nowMs - sinceMs < PROVEN_RENEW_MS) return
    this.#proven.delete(routeId)
    this.#proven.set(routeId, nowMs)
    if (this.#proven.size > PROVEN_MAX) this.#proven.delete(this.#proven.keys().next().value!)
  }

  /** Sites that wait for room get what there is. */
  serve(): void {
    for (const site of this.#wanting) {
      if (this.#underWay.size >= ATTEMPTS_MAX) return
      this.#wanting.delete(site)
      this.#parts.pump(site)
    }
    const nowMs = this.#parts.clock.monotonic()
    while (this.#turns.size > 0 && this.#hasRoom(nowMs)) this.#parts.pump(this.#turns.next()!)
    if (this.#turns.size > 0) this.#serveLater(nowMs)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.()
  }

  #isProven(site: Site, nowMs: number): boolean {
    if (!site.isDestination) return true
    const sinceMs = this.#proven.get(site.routeId)
    return sinceMs !== undefined && nowMs - sinceMs < PROVEN_MS
  }

  #hasRoom(nowMs: number): boolean {
    if (this.#underWay.size >= ATTEMPTS_MAX || this.#unproven.size >= UNPROVEN_ATTEMPTS_MAX) return false
    const gained = ((nowMs - this.#filledMs) / 1000) * UNPROVEN_PER_SECOND
    this.#tokens = Math.min(UNPROVEN_BURST, this.#tokens + gained)
    this.#filledMs = nowMs
    return this.#tokens >= 1
  }

  // Only a lack of tokens ends by itself; for room, an attempt must end.
  #serveLater(nowMs: number): void {
    if (this.#stopped || this.#timer !== undefined || this.#tokens >= 1) return
    const waitMs = Math.ceil(((1 - this.#tokens) * 1000) / UNPROVEN_PER_SECOND)
    this.#timer = this.#parts.clock.after(Math.max(1, nowMs + waitMs - this.#parts.clock.monotonic()), () => {
      this.#timer = undefined
      this.serve()
    })
  }
}

/** Sites in turns: one of each line, again and again. */
class Turns {
  readonly #lines = new Map<string, Set<Site>>()
  readonly #lineOf = new Map<Site, string>()

  get size(): number {
    return this.#lineOf.size
  }

  add(site: Site): void {
    if (this.#lineOf.has(site)) return
    const key = `${site.down ? 'again' : 'new'} ${site.routeId.slice(0, site.routeId.indexOf('/'))}`
    const line = this.#lines.get(key)
    if (line === undefined) this.#lines.set(key, new Set([site]))
    else line.add(site)
    this.#lineOf.set(site, key)
  }

  next(): Site | undefined {
    for (const [key, line] of this.#lines) {
      const [site] = line
      this.#lines.delete(key)
      line.delete(site!)
      if (line.size > 0) this.#lines.set(key, line)
      this.#lineOf.delete(site!)
      return site
    }
    return undefined
  }
}
