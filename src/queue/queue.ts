/**
 * The queue of one worker: every stored message that is not settled, by destination. It decides when and how many;
 * `deliver/` does the attempt, the spool remembers.
 *
 * A message is in one of three places: in the heap until it is due, in its site's line while it waits for room, or
 * under way. Times inside are monotonic; the wall time of the next attempt, which the spool keeps, is derived from the
 * wall clock of the start, so that a clock that jumps neither wakes nor expires anything.
 */
import type { Soon } from '#mail/decisions.ts'
import type { Attempt } from '#mail/outcome.ts'
import type { QueueEntry, StoredMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Route } from '#tenant/directory.ts'
import { aftermath, pendingOf, type SiteSignal, siteSignal } from './aftermath.ts'
import type { Counts, Drain, QueueParts, Tried } from './contract.ts'
import { DUE_SLACK_MS, Later } from './later.ts'
import { Overdue } from './overdue.ts'
import { Providers } from './providers.ts'
import { RETRY_JITTER, STATED_MS_MAX } from './schedule.ts'
import type { Site } from './site.ts'
import { Sites } from './sites.ts'
import { Starts } from './starts.ts'
import { type Told, told } from './telling.ts'
import { Throttle } from './throttle.ts'
import { attempted, endsWithoutDelivery } from './undelivered.ts'

export type { Keep, QueueParts } from './contract.ts'

/** A message whose route left the configuration is looked at again after this. */
export const NO_ROUTE_RETRY_MS = 15 * 60_000
/** Mail older than this, at a site of which nothing is known: there may have been an outage. */
export const BACKLOG_MS_MIN = 60_000

export class Queue {
  readonly #parts: QueueParts
  readonly #sites: Sites
  readonly #later: Later
  readonly #overdue: Overdue
  /** In whose line: an id that was rerouted may stand in an older line too, and counts for nothing there. */
  readonly #waiting = new Map<TraceId, Site>()
  readonly #starts: Starts
  readonly #providers: Providers
  readonly #throttle: Throttle
  /** To be pumped in a moment. */
  readonly #pumped = new Set<Site>()
  readonly #wallAtStart: number
  readonly #monotonicAtStart: number
  #stopped = false

  constructor(parts: QueueParts) {
    this.#parts = parts
    this.#sites = new Sites((id) => parts.keep.get(id)?.state === 'active')
    this.#wallAtStart = parts.clock.wall()
    this.#monotonicAtStart = parts.clock.monotonic()
    const pump = (site: Site): void => this.#pump(site)
    this.#starts = new Starts({ clock: parts.clock, pump })
    this.#providers = new Providers({ clock: parts.clock, pump, provider: parts.provider })
    this.#throttle = new Throttle({
      clock: parts.clock,
      tenantRate: (tenant) => parts.tenantRate?.(tenant),
      pump,
    })
    this.#later = new Later(parts.clock, (ids) => this.#wake(ids))
    this.#overdue = new Overdue({
      ...parts,
      nowMs: () => this.nowMs(),
      begin: (site, id, work) => this.#begin(site, id, work),
      back: (site, id, receivedMs) => {
        this.#waiting.set(id, site)
        site.ready.push(id, receivedMs, false)
      },
      apply: (site, route, message, tried, attempt) => this.#apply(site, route, message, tried, attempt),
    })
  }

  /** Wall time that only ever passes at the speed of the monotonic clock. */
  nowMs(): number {
    return this.#wallAtStart + (this.#parts.clock.monotonic() - this.#monotonicAtStart)
  }

  get counts(): Counts {
    return {
      waiting: this.#waiting.size,
      underWay: this.#starts.size,
      later: this.#later.size,
      providersLimited: this.#providers.limited,
      ...this.#sites.counts,
    }
  }

  /** Destinations that are away or being drained. */
  get drains(): Drain[] {
    return this.#sites.drains(this.#parts.clock.monotonic())
  }

  /** A message that the spool has: new, or found by replay. */
  add(entry: QueueEntry): void {
    if (entry.state !== 'active') return
    // Old mail at a new site: the program was away for a while, and with it an outage may have ended.
    if (this.#sites.get(entry.route) === undefined && this.nowMs() - entry.receivedMs > BACKLOG_MS_MIN) {
      this.#site(entry.route).recovered(this.#parts.clock.monotonic())
    }
    if (entry.nextAttemptMs <= this.nowMs() + DUE_SLACK_MS) this.#makeReady(entry.id, entry.route)
    else this.#schedule(entry.id, this.#notTooLate(entry))
  }

  // The wall clock may have been wrong when the time was written down. No schedule waits longer than its maximum.
  #notTooLate(entry: QueueEntry): number {
    const route = this.#parts.route(entry.route)
    if (route === undefined) return entry.nextAttemptMs
    const latestMs = this.nowMs() + Math.max(route.retryMaxMs, STATED_MS_MAX) * (1 + RETRY_JITTER)
    if (entry.nextAttemptMs <= latestMs) return entry.nextAttemptMs
    this.#parts.keep.change(entry.id, { kind: 'reschedule', atMs: this.nowMs(), nextAttemptMs: latestMs })
    return latestMs
  }

  /**
   * A message whose first attempt began in a session, by this route: one that took too long for the sender, or that only
   * some of the recipients have. The attempt may have ended already.
   */
  adopt(id: TraceId, route: Route, attempt: Promise<Attempt>): void {
    const site = this.#site(route.id)
    this.#starts.joined(id)
    site.active++
    void this.#conclude(site, id, async () => {
      // First the attempt: whatever happens to the spool meanwhile, a rejection is heard.
      const ended = await attempt
      const message = await this.#parts.keep.load(id)
      if (message) await this.#apply(site, route, message, pendingOf(message), ended)
    })
  }

  /** What an attempt outside the queue (in a session) showed of a site. */
  observe(route: Route, attempt: Attempt): void {
    if (attempt.outcomes.some((o) => o.kind === 'deferred' && o.obstacle === 'busy')) return
    const site = this.#site(route.id)
    site.pace.started(this.#parts.clock.monotonic(), route.messagesPerSecondMax)
    this.#signal(site, route, siteSignal(attempt))
  }

  /** The servers of this route answer again, or their owner says so: what waits goes out, gently at first. */
  reached(routeId: string): void {
    const site = this.#site(routeId)
    const nowMs = this.#parts.clock.monotonic()
    // Said again, it does not begin the ramp again.
    if (!site.isOpen(nowMs)) site.recovered(nowMs)
    this.#missed(site)
    this.#pump(site)
  }

  /** The servers of this route do not answer. Trials go on, in case we are wrong. */
  lost(routeId: string): void {
    const site = this.#site(routeId)
    if (!site.down) site.unreachable(this.#parts.clock, this.#parts.random())
  }

  /** Tries nothing for this route until then (wall clock, ms); a time in the past ends the hold. */
  hold(routeId: string, untilMs: number): void {
    const site = this.#site(routeId)
    const nowMs = this.#parts.clock.monotonic()
    site.hold(nowMs + (untilMs - this.nowMs()), nowMs)
    if (site.isHeld(nowMs)) this.#throttle.pumpAt(site, site.closedUntilMs)
    else this.#pump(site)
  }

  /** True: the next hops of this route did not answer lately; a session should not wait for them. */
  isDown(routeId: string): boolean {
    const site = this.#sites.get(routeId)
    return site !== undefined && site.closedUntilMs > this.#parts.clock.monotonic()
  }

  /** Makes a message due now, whatever its schedule says. */
  flush(id: TraceId): boolean {
    const entry = this.#parts.keep.get(id)
    if (entry?.state !== 'active' || this.#starts.has(id)) return false
    const site = this.#site(entry.route)
    site.wake()
    this.#makeReady(id, entry.route)
    this.#pump(site)
    return true
  }

  /** As `flush`, but as fast as the site takes it, and not at once: for many. */
  due(id: TraceId): void {
    const entry = this.#parts.keep.get(id)
    if (entry?.state === 'active') this.#makeReady(id, entry.route)
  }

  isUnderWay(id: TraceId): boolean {
    return this.#starts.has(id)
  }

  /** Starts nothing more; resolves when what is under way has ended. */
  drain(): Promise<void> {
    this.#stopped = true
    this.#later.stop()
    this.#throttle.stop()
    this.#starts.stop()
    this.#providers.stop()
    return this.#starts.allEnded()
  }

  #site(routeId: string): Site {
    return this.#sites.of(routeId, this.#parts.clock.monotonic())
  }

  #makeReady(id: TraceId, routeId: string): void {
    const site = this.#site(routeId)
    if (this.#waiting.get(id) === site || this.#starts.has(id)) return
    this.#waiting.set(id, site)
    const entry = this.#parts.keep.get(id)
    site.ready.push(id, entry?.receivedMs ?? 0, entry !== undefined && this.#isFresh(entry, site), entry?.prompt)
    this.#pumpSoon(site)
  }

  #isFresh({ receivedMs }: QueueEntry, site: Site): boolean {
    return site.isFresh(this.#monotonic(receivedMs), this.#parts.clock.monotonic())
  }

  #monotonic(wallMs: number): number {
    return this.#parts.clock.monotonic() - (this.nowMs() - wallMs)
  }

  // The sender hears his 250 before the next hop hears its MAIL; and what came in together goes out together.
  #pumpSoon(site: Site): void {
    const { soon } = this.#parts
    if (soon === undefined) {
      this.#pump(site)
      return
    }
    if (this.#pumped.size === 0) {
      soon(() => {
        const sites = [...this.#pumped]
        this.#pumped.clear()
        for (const each of sites) this.#pump(each)
      })
    }
    this.#pumped.add(site)
  }

  #pump(site: Site): void {
    if (this.#stopped) return
    const route = this.#parts.route(site.routeId)
    const nowMs = this.#parts.clock.monotonic()
    if (site.holdEnded(nowMs)) {
      site.recovered(nowMs)
      this.#missed(site)
    }
    let room = site.room(route?.connectionsMax ?? 1, nowMs)
    while (room > 0 && site.ready.length > 0) {
      const waitMs = this.#throttle.waitMs(site, route, nowMs)
      if (waitMs > 0) {
        this.#throttle.pumpAt(site, nowMs + waitMs)
        return
      }
      if (!this.#providers.may(site, nowMs) || !this.#starts.may(site, nowMs)) return
      const id = site.ready.shift()!
      if (this.#waiting.get(id) !== site) continue
      this.#waiting.delete(id)
      if (this.#start(site, route, id)) room--
    }
    if (site.ready.length > 0 && site.closedUntilMs > nowMs) this.#throttle.pumpAt(site, site.closedUntilMs)
  }

  #missed(site: Site): void {
    for (const id of site.takeMissed())
      if (this.#parts.keep.get(id)?.route === site.routeId) this.#makeReady(id, site.routeId)
  }

  // False: there is nothing to do for this id any more (an operator held, deleted or rerouted it meanwhile).
  #start(site: Site, route: Route | undefined, id: TraceId): boolean {
    const entry = this.#parts.keep.get(id)
    if (entry?.state !== 'active' || this.#starts.has(id)) return false
    if (entry.route !== site.routeId) {
      this.#makeReady(id, entry.route)
      return false
    }
    if (route === undefined) {
      this.#withoutRoute(entry)
      return false
    }
    this.#starts.started(site, id, this.#parts.clock.monotonic())
    site.active++
    this.#throttle.started(site, route)
    void this.#conclude(site, id, async () => {
      const enters = this.#providers.enter(site, route, id)
      if (!(enters instanceof Promise ? await enters : enters)) return this.#back(site, entry)
      const loaded = this.#parts.keep.load(id)
      const message = loaded instanceof Promise ? await loaded : loaded
      if (!message || this.#parts.withheld?.(message)) return
      const tried = pendingOf(message)
      await this.#apply(site, route, message, tried, await this.#parts.attempt(route, message, tried))
    })
    return true
  }

  #back(site: Site, entry: QueueEntry): void {
    this.#waiting.set(entry.id, site)
    site.ready.push(entry.id, entry.receivedMs, this.#isFresh(entry, site), entry.prompt)
  }

  // False: it does not stand in this line any more.
  #begin(site: Site, id: TraceId, work: () => Promise<void>): boolean {
    if (this.#stopped || this.#waiting.get(id) !== site || this.#parts.keep.get(id)?.route !== site.routeId)
      return false
    this.#waiting.delete(id)
    this.#starts.joined(id)
    site.active++
    void this.#conclude(site, id, work)
    return true
  }

  #withoutRoute({ id, route }: QueueEntry): void {
    this.#postpone(id)
    const text = `${id} waits for route ${route}, which the configuration no longer has: bring it back, or reroute the message`
    this.#parts.report({ kind: 'alarm', symbol: 'queue-without-route', text })
  }

  #postpone(id: TraceId): void {
    const nextAttemptMs = this.nowMs() + NO_ROUTE_RETRY_MS
    this.#parts.keep.change(id, { kind: 'reschedule', atMs: this.nowMs(), nextAttemptMs })
    this.#schedule(id, nextAttemptMs)
  }

  async #conclude(site: Site, id: TraceId, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#defect(id, error)
    } finally {
      this.#starts.ended(id)
      this.#providers.left(id)
      site.active--
      this.#pump(site)
      this.#sites.ended(site, this.#parts.clock.monotonic())
      this.#starts.serve()
    }
  }

  // A defect of ours must not lose the message from the queue, nor spin on it.
  #defect(id: TraceId, error: unknown): void {
    if (this.#parts.keep.get(id)) this.#postpone(id)
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#parts.report({ kind: 'alarm', symbol: 'queue-defect', text: `${id}: ${text}` })
  }

  #apply(site: Site, route: Route, message: StoredMessage, tried: readonly number[], attempt: Attempt): Soon<void> {
    const { random, tell } = this.#parts
    const lifetimeMs = this.#overdue.lifetimeMs(route, message)
    const moment = { wallMs: this.nowMs(), random: random() }
    const after = aftermath(message, tried, attempt, { ...route, lifetimeMs }, moment)
    const ended = { tried, attempt, lifetimeMs }
    if (message.submission === undefined || tell === undefined) return this.#applied(site, route, message, ended, after)
    return told(tell, message, ended, after).then((then) => this.#applied(site, route, message, ended, then))
  }

  #applied(site: Site, route: Route, message: StoredMessage, ended: Tried, after: Told): void {
    const { keep, report } = this.#parts
    // It may be settled by the change, and its entry gone.
    const before = keep.get(message.id)
    keep.change(message.id, after.change)
    if (after.site === 'unreachable' || after.early) site.missed(message.id)
    this.#signal(site, route, after.site)
    if (ended.attempt.outcomes.some(({ kind }) => kind === 'delivered'))
      site.left(this.#monotonic(message.reception.receivedMs))
    report(attempted(message, route, ended, after))
    const entry = keep.get(message.id)
    for (const event of endsWithoutDelivery(entry ?? before, message, after.undelivered)) report(event)
    if (after.settled) report({ kind: 'settled', id: message.id, tenant: message.tenant })
    else if (entry?.state === 'active') this.#schedule(message.id, after.change.nextAttemptMs)
    if (after.site === 'unreachable') this.#overdue.next(site, route, ended.attempt)
  }

  #signal(site: Site, route: Route, signal: SiteSignal): void {
    const nowMs = this.#parts.clock.monotonic()
    this.#starts.heard(site, signal === 'succeeded', nowMs)
    if (signal !== 'unreachable') this.#providers.heard(site, signal, nowMs)
    if (signal === 'succeeded') site.succeeded(route.connectionsMax, nowMs, route.messagesPerSecondMax)
    else if (signal === 'congested') site.congested(nowMs)
    else site.unreachable(this.#parts.clock, this.#parts.random())
    if (signal === 'succeeded') this.#missed(site)
    if (site.ready.length > 0) this.#pump(site)
  }

  // Not by the difference to now: two looks at the clock may be far apart, and who wakes early would be forgotten.
  #schedule(id: TraceId, nextAttemptMs: number): void {
    this.#later.push(id, this.#monotonicAtStart + (nextAttemptMs - this.#wallAtStart))
  }

  #wake(ids: readonly TraceId[]): void {
    for (const id of ids) {
      const entry = this.#parts.keep.get(id)
      // Rescheduled meanwhile: a later item of the heap stands for it.
      if (entry?.state === 'active' && entry.nextAttemptMs <= this.nowMs() + DUE_SLACK_MS) {
        this.#makeReady(id, entry.route)
      }
    }
  }
}
