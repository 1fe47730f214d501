/**
 * The clerk of outages: it watches the primaries of all domains that we are a fallback MX for, keeps maintenance, tells
 * the workers of both, and the tenants' postmasters.
 *
 * Workers ask for the news now and then (`outages/news`); a change is sent to them at once. What was told to whom is in
 * the store, so that a restart in the middle of an outage neither tells it again nor forgets its beginning.
 */

import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { type Knock, knock } from '#deliver/knock.ts'
import { PrimaryWatch } from '#deliver/watch.ts'
import type { Notify, PrimaryNotice, RouteFacts, ServerNotice } from '#mail/notice.ts'
import type { OutagesNews } from '#queue/outages.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { OutagesStore, StoredMaintenance, StoredOutage } from '#store/outages.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Connect } from '#sys/wire.ts'
import type { Directory, Route, ServedDomain } from '#tenant/directory.ts'
import { domainsByRoute } from '#tenant/share.ts'
import type { AskWorkers, Clerk } from '../serve/desk.ts'
import { MaintenanceDesk, type MaintenanceTold } from './maintenance.ts'

const DAY_MS = 24 * 3_600_000
/** How often it is seen whether somebody must be told something, and whether a maintenance is over. */
const LOOK_MS = 5_000
/** Past maintenance is kept as long as a message may be: no lifetime is longer (`lifetime` of a route: 60 days). */
export const MAINTENANCE_KEPT_MS = 61 * DAY_MS
/** A backlog that is gone so soon is told together with the end of the outage. */
export const UP_TOLD_MS = 60_000
/** Later it is looked at less often: each look goes through the queues. */
const DRAIN_LOOK_MS = 30_000
/** What is left of it then is put off by the server, and its own story. */
const DRAIN_TOLD_MS_MAX = DAY_MS
/** For an answer about the queue, which may be long. */
const WAITING_MS_MAX = 10_000

export interface OutagesParts {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly connect: Connect
  readonly resolve: (name: string) => Promise<readonly string[]>
  readonly store: OutagesStore
  readonly notify: Notify
  /** One line for the operator. */
  readonly log: (line: string) => void
}

/** About a route; `upMs`: when its server was up again. */
export interface WaitingQuestion {
  readonly route: string
  readonly upMs?: number
}

/** What waits for a route, in one worker. */
export interface Waiting {
  readonly messages: number
  /** Wall clock, ms. */
  readonly oldestMs?: number
  /** Of those, received before the server was up again. */
  readonly backlog: number
  /** Received before, and held since. */
  readonly held: number
}

type Facts = RouteFacts & Pick<Waiting, 'backlog' | 'held'>

export class OutagesClerk implements Clerk<Config> {
  readonly subject = 'outages'
  readonly #parts: OutagesParts
  readonly #watch: PrimaryWatch
  readonly #maintenance: MaintenanceDesk
  #hostname: string
  #directory: Directory
  #domains: ReadonlyMap<string, readonly ServedDomain[]>
  #workers: AskWorkers = async () => []
  /** When a backlog was last looked at, by route. */
  readonly #drainLookMs = new Map<string, number>()
  #look: Cancel | undefined
  #looking = Promise.resolve()

  constructor(config: Config, parts: OutagesParts) {
    const { clock, random } = parts
    this.#parts = parts
    this.#hostname = config.hostname
    this.#directory = directoryFrom(config)
    this.#domains = domainsByRoute(this.#directory)
    this.#watch = new PrimaryWatch({
      clock,
      random,
      knock: (route) => this.#knock(route),
      changed: (route, state, text) => this.#changed(route, state, text),
    })
    this.#maintenance = new MaintenanceDesk({
      store: parts.store,
      wallMs: () => clock.wall(),
      directory: () => this.#directory,
      changed: (route) => {
        this.#watch.hurry(route)
        void this.#broadcast()
      },
    })
    this.#watch.watch(this.#watched())
  }

  started(workers: AskWorkers): void {
    this.#workers = workers
    this.#lookLater()
    void this.#broadcast()
  }

  async reload(config: Config): Promise<void> {
    this.#hostname = config.hostname
    this.#directory = directoryFrom(config)
    this.#domains = domainsByRoute(this.#directory)
    this.#watch.watch(this.#watched())
    for (const { route } of this.#parts.store.outages()) {
      if (this.#watch.state(route) === 'unknown') this.#parts.store.endOutage(route)
    }
    await this.#broadcast()
  }

  async answer(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'news':
        return this.#news()
      case 'flush':
        return this.#flush(body as { readonly routes: readonly string[] })
      case 'met': {
        const { route, up } = body as { route: string; up: boolean }
        return this.#watch.met(route, up)
      }
      default:
        throw new Error(`no question about outages: ${what}`)
    }
  }

  async command(what: string, body: unknown): Promise<unknown> {
    return this.#maintenance.command(what, body)
  }

  metrics(): Snapshot {
    const states = [...this.#watch.states()]
    const samples = states
      .filter(([, state]) => state !== 'unknown')
      .map(([route, state]) => [`vorposten_primary_up{route="${route}"}`, state === 'up' ? 1 : 0])
    const held = this.#maintenance.present().length
    return {
      vorposten_primary_up: {
        kind: 'gauge',
        help: '1: the primary of a fallback domain answers; 0: it does not',
        samples: Object.fromEntries(samples),
      },
      vorposten_routes_in_maintenance: {
        kind: 'gauge',
        help: 'Routes whose mail is held back on purpose',
        samples: { vorposten_routes_in_maintenance: held },
      },
    }
  }

  async close(): Promise<void> {
    this.#look?.()
    this.#watch.close()
    await this.#looking
  }

  #watched(): Route[] {
    const routes = [...this.#domains].flatMap(([, domains]) => (domains.some(isFallback) ? [domains[0]!.route] : []))
    return routes
  }

  #knock(route: Route): Promise<Knock> {
    const { clock, connect, resolve } = this.#parts
    return knock(route, { clock, connect, resolve, hostname: this.#hostname })
  }

  #news(): OutagesNews {
    const states = [...this.#watch.states()]
    const those = (wanted: string) => states.filter(([, state]) => state === wanted).map(([route]) => route)
    return { up: those('up'), down: those('down'), maintenance: this.#maintenance.known() }
  }

  async #broadcast(): Promise<void> {
    await this.#workers('outages-news', this.#news())
  }

  /** A customer's server asked for its mail: it is up, whatever we thought. */
  async #flush({ routes }: { readonly routes: readonly string[] }): Promise<{ waiting: number }> {
    for (const route of routes) this.#watch.hurry(route)
    const counts = (await this.#workers('outages-flush', { routes })) as number[]
    return { waiting: counts.reduce((sum, count) => sum + count, 0) }
  }

  #changed(route: string, state: 'up' | 'down', text: string): void {
    const { log, store, clock } = this.#parts
    log(`primary of ${route} is ${state}: ${text}`)
    if (state === 'down') {
      const before = store.outages().find((outage) => outage.route === route)
      // Who knows that it was up hears of a new outage; who does not, that it is still down.
      if (before === undefined || before.up?.told) store.putOutage({ route, sinceMs: clock.wall() })
      else if (before.up !== undefined) {
        const { up: _, ...goesOn } = before
        store.putOutage(goesOn)
      }
    }
    void this.#broadcast()
    this.#lookSoon()
  }

  #lookLater(): void {
    this.#look?.()
    this.#look = this.#parts.clock.after(LOOK_MS, () => {
      this.#lookSoon()
      this.#lookLater()
    })
  }

  // One look after the other: a notice must not be made twice.
  #lookSoon(): void {
    this.#looking = this.#looking.then(() => this.#lookNow()).catch((error: Error) => this.#parts.log(error.message))
  }

  async #lookNow(): Promise<void> {
    const { store, clock } = this.#parts
    for (const outage of store.outages()) await this.#lookAt(outage)
    for (const one of this.#maintenance.untold()) await this.#tellMaintenance(one)
    store.forgetMaintenance(clock.wall() - MAINTENANCE_KEPT_MS)
  }

  async #lookAt(outage: StoredOutage): Promise<void> {
    const { store, clock } = this.#parts
    const { route, sinceMs, toldMs } = outage
    const state = this.#watch.state(route)
    if (state === 'up') return toldMs === undefined ? store.endOutage(route) : this.#lookAtReturn(outage)
    if (state !== 'down' || this.#maintenance.holds(route)) return
    if (toldMs !== undefined && clock.wall() - toldMs < DAY_MS) return
    const facts = await this.#facts(route, sinceMs)
    if (facts) this.#tellPrimary(toldMs === undefined ? 'primary-down' : 'still-down', facts)
    store.putOutage({ route, sinceMs, toldMs: clock.wall() })
  }

  /** It is up again: told at once with what became of the backlog if that is gone soon, else in two parts. */
  async #lookAtReturn(outage: StoredOutage): Promise<void> {
    const { store, clock } = this.#parts
    const { route, sinceMs, up } = outage
    const upMs = up?.atMs ?? clock.wall()
    if (up?.told && clock.monotonic() - (this.#drainLookMs.get(route) ?? 0) < DRAIN_LOOK_MS) return
    this.#drainLookMs.set(route, clock.monotonic())
    const facts = await this.#facts(route, sinceMs, upMs)
    if (facts === undefined) return store.endOutage(route)
    const { backlog = facts.backlog, told = false } = up ?? {}
    const tookMs = clock.wall() - upMs
    if (facts.backlog > 0 && tookMs < DRAIN_TOLD_MS_MAX) {
      const tellNow = !told && tookMs >= UP_TOLD_MS
      if (tellNow) this.#tellPrimary('primary-up', facts, { upMs })
      return store.putOutage({ ...outage, up: { atMs: upMs, backlog, told: told || tellNow } })
    }
    const { oldestMs, ...left } = { ...facts, waiting: facts.backlog }
    const messages = backlog - facts.backlog - facts.held
    this.#tellPrimary(told ? 'primary-drained' : 'primary-up', left, {
      upMs,
      ...(messages > 0 && { drained: { messages, tookMs } }),
      ...(facts.held > 0 && { held: facts.held }),
    })
    store.endOutage(route)
  }

  #tellPrimary(kind: PrimaryNotice['kind'], known: Facts, more: Partial<PrimaryNotice> = {}): void {
    const { backlog: _, held: __, ...facts } = known
    const text = [...this.#watch.states()].find(([id]) => id === facts.route)?.[2] ?? ''
    const lifetimeMs = Math.min(...(this.#domains.get(facts.route) ?? []).map((domain) => lifetimeOf(domain)))
    const expires = facts.oldestMs !== undefined && { expiresMs: facts.oldestMs + lifetimeMs }
    this.#tell({ ...facts, kind, text, ...expires, ...more })
  }

  async #tellMaintenance(one: StoredMaintenance & { readonly tell: MaintenanceTold }): Promise<void> {
    const { route, untilMs, beginsMs, reason, tell } = one
    const known = await this.#facts(route, beginsMs)
    if (known) {
      const { backlog: _, held: __, ...facts } = known
      this.#tell({ ...facts, kind: `maintenance-${tell}`, untilMs, ...(reason !== undefined && { reason }) })
    }
    this.#maintenance.told(one)
    if (tell === 'ended') {
      this.#watch.hurry(route)
      await this.#broadcast()
    }
  }

  #tell(notice: ServerNotice): void {
    this.#parts.log(noticeLine(notice))
    this.#parts.notify(notice)
  }

  async #facts(route: string, sinceMs: number, upMs?: number): Promise<Facts | undefined> {
    const domains = this.#domains.get(route)
    if (domains === undefined) return undefined
    const question: WaitingQuestion = { route, ...(upMs !== undefined && { upMs }) }
    const answers = (await this.#workers('outages-waiting', question, WAITING_MS_MAX)) as Waiting[]
    const oldest = answers.flatMap(({ oldestMs }) => (oldestMs === undefined ? [] : [oldestMs]))
    return {
      tenant: domains[0]!.tenant.name,
      route,
      domains: domains.map(({ name }) => name),
      sinceMs,
      atMs: this.#parts.clock.wall(),
      waiting: answers.reduce((sum, { messages }) => sum + messages, 0),
      backlog: answers.reduce((sum, { backlog }) => sum + backlog, 0),
      held: answers.reduce((sum, { held }) => sum + held, 0),
      ...(oldest.length > 0 && { oldestMs: Math.min(...oldest) }),
    }
  }
}

const isFallback = ({ fallback }: ServedDomain): boolean => fallback !== undefined
const lifetimeOf = ({ lifetimeMs, route }: ServedDomain): number => lifetimeMs ?? route.lifetimeMs

function noticeLine(notice: ServerNotice): string {
  const { kind, tenant, route, sinceMs, waiting, oldestMs } = notice
  const oldest = oldestMs === undefined ? '' : `, the oldest of ${new Date(oldestMs).toISOString()}`
  const drained = 'drained' in notice && notice.drained ? `, ${notice.drained.messages} left since it is up` : ''
  return `notice ${kind}: ${route} of ${tenant}, since ${new Date(sinceMs).toISOString()}, ${waiting} messages wait${oldest}${drained}`
}
