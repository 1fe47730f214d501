/**
 * Which attempts may start in one worker, all sites together; each holds a socket and a message in memory, and costs time on
 * the loop that healthy sites need as well.
 *
 * A declared route, and a destination whose last attempt got through, may start whenever there is room. Of all others
 * nothing good is known: they have half of the room at most, a few starts each, and a rate for all of them together; those that
 * failed the last time have a smaller one of their own. So ten thousand domains that are dead or silent take little from one
 * that is well, and nothing from one that was never tried. They take turns by tenant, so that one tenant's domains do not delay
 * another's.
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
 * thousand new ones are tried in two minutes by two workers.
 */
export const UNPROVEN_PER_SECOND = 50
/** At once, after a quiet moment. */
export const UNPROVEN_BURST = 20
/** The same to those that failed the last time. Two workers come round ten thousand of them within the longest pause of a site. */
export const AGAIN_PER_SECOND = 10
export const AGAIN_BURST = 5
/** Of the attempts under way to unproven destinations. */
export const AGAIN_ATTEMPTS_MAX = 250
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
  readonly #first = new Allowance(UNPROVEN_PER_SECOND, UNPROVEN_BURST, UNPROVEN_ATTEMPTS_MAX)
  readonly #again = new Allowance(AGAIN_PER_SECOND, AGAIN_BURST, AGAIN_ATTEMPTS_MAX)
  readonly #proven = new Map<string, number>()
  /** Sites that found no room, by what they are. */
  readonly #wanting = new Set<Site>()
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
    const allowance = this.#allowanceOf(site)
    if (this.#hasRoom(allowance, nowMs)) return true
    allowance.turns.add(site)
    this.#serveLater(nowMs)
    return false
  }

  /** After `may`. */
  started(site: Site, id: TraceId, nowMs: number): void {
    this.#underWay.add(id)
    if (this.#isProven(site, nowMs)) return
    this.#allowanceOf(site).take(id)
  }

  /** An attempt that nobody asked for: it began in a session, or shares a failure. */
  joined(id: TraceId): void {
    this.#underWay.add(id)
  }

  ended(id: TraceId): void {
    this.#underWay.delete(id)
    this.#first.underWay.delete(id)
    this.#again.underWay.delete(id)
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
    for (const allowance of [this.#first, this.#again]) {
      while (allowance.turns.size > 0 && this.#hasRoom(allowance, nowMs)) this.#parts.pump(allowance.turns.next()!)
    }
    this.#serveLater(nowMs)
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

  #allowanceOf(site: Site): Allowance {
    return site.down ? this.#again : this.#first
  }

  #hasRoom(allowance: Allowance, nowMs: number): boolean {
    const unproven = this.#first.underWay.size + this.#again.underWay.size
    if (this.#underWay.size >= ATTEMPTS_MAX || unproven >= UNPROVEN_ATTEMPTS_MAX) return false
    return allowance.allows(nowMs)
  }

  // Only a lack of tokens ends by itself; for room, an attempt must end.
  #serveLater(nowMs: number): void {
    const waits = [this.#first, this.#again].map((allowance) => allowance.waitMs).filter((ms) => ms > 0)
    if (this.#stopped || this.#timer !== undefined || waits.length === 0) return
    const atMs = nowMs + Math.ceil(Math.min(...waits))
    this.#timer = this.#parts.clock.after(Math.max(1, atMs - this.#parts.clock.monotonic()), () => {
      this.#timer = undefined
      this.serve()
    })
  }
}

/** What a kind of destination may have: so many attempts under way, and starts by a token bucket. */
class Allowance {
  readonly turns = new Turns()
  readonly underWay = new Set<TraceId>()
  readonly #perSecond: number
  readonly #burst: number
  readonly #underWayMax: number
  #tokens: number
  #filledMs = Number.NEGATIVE_INFINITY

  constructor(perSecond: number, burst: number, underWayMax: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#underWayMax = underWayMax
    this.#tokens = burst
  }

  allows(nowMs: number): boolean {
    if (this.underWay.size >= this.#underWayMax) return false
    const gained = ((nowMs - this.#filledMs) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#burst, this.#tokens + gained)
    this.#filledMs = nowMs
    return this.#tokens >= 1
  }

  take(id: TraceId): void {
    this.underWay.add(id)
    this.#tokens--
  }

  /** Until the next token, for who waits for one; 0: nobody does. Counted from the last question. */
  get waitMs(): number {
    if (this.turns.size === 0 || this.#tokens >= 1) return 0
    return ((1 - this.#tokens) * 1000) / this.#perSecond
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
    const key = site.routeId.slice(0, site.routeId.indexOf('/'))
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
