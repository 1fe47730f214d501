/**
 * The connections of one route that serve one purpose (deliveries, or probes), and who waits for one.
 *
 * Connections are opened on demand and belong to nobody while they open: whoever waits longest gets the first one that
 * is ready. So a slow connection set-up is never one message's bad luck, and nothing outside this route ever waits for
 * it. When no host can be tried (all in back-off) and none is connected, those who wait hear so at once.
 */
import type { SessionFault } from '#smtp/client/contract.ts'
import type { Connection, ConnectionEvents } from './connection.ts'
import { type Dialler, dialHost } from './dial.ts'
import type { Host, Hosts } from './hosts.ts'
import type { DeliverLimits } from './limits.ts'

export interface PoolOptions {
  readonly connectionsMax: number
  /** Jobs over one connection. */
  readonly jobsMax: number
  readonly hosts: Hosts
  readonly limits: DeliverLimits
  readonly monotonic: () => number
  readonly dialler: Omit<Dialler, 'events'>
  /** The pool needs its ticks from now on. */
  readonly woke: () => void
}

export interface WaitOptions {
  /** Monotonic ms; then the wait ends with `busy`. */
  readonly untilMs: number
  /** Before all others: a second try after a connection that turned out dead. */
  readonly first: boolean
}

interface Waiter extends WaitOptions {
  readonly resolve: (lease: Connection | SessionFault) => void
}

export class Pool implements ConnectionEvents {
  readonly #options: PoolOptions
  readonly #hosts: Hosts
  /** Everything with a wire, from connect to close. */
  readonly #connections = new Set<Connection>()
  /** Opened successfully and not over. */
  readonly #live = new Set<Connection>()
  readonly #idle: Connection[] = []
  #waiting: Waiter[] = []
  /** Connections that are being opened. */
  #dialling = 0
  #closing: 'open' | 'retired' | 'draining' = 'open'
  #lastFault: SessionFault = { obstacle: 'connect', text: 'the route has no host' }

  constructor(options: PoolOptions) {
    this.#options = options
    this.#hosts = options.hosts
  }

  get stats(): { open: number; idle: number; opening: number; waiting: number } {
    return {
      open: this.#live.size,
      idle: this.#idle.length,
      opening: this.#dialling,
      waiting: this.#waiting.length,
    }
  }

  /** Nothing is open, nothing under way: no ticks are needed. */
  get asleep(): boolean {
    // A TCP connect cannot be called off; a process that shuts down does not wait for it.
    const dialling = this.#closing !== 'draining' && this.#dialling > 0
    return this.#connections.size === 0 && !dialling && this.#waiting.length === 0
  }

  /** An idle connection to the best host that has one, at once. */
  takeIdle(): Connection | undefined {
    const connection = this.#popIdle()
    if (connection && this.#hosts.tiered) this.#tryBetter(connection.host.preference)
    return connection
  }

  /** A connection as soon as one can be had, or why none can. */
  wait(options: WaitOptions): Promise<Connection | SessionFault> {
    if (this.#closing === 'draining') return Promise.resolve(SHUTTING_DOWN)
    if (this.#waiting.length >= this.#options.limits.waitingMax) return Promise.resolve(TOO_MANY)
    return new Promise((resolve) => {
      const waiter = { ...options, resolve }
      if (options.first) this.#waiting.unshift(waiter)
      else this.#waiting.push(waiter)
      this.#options.woke()
      this.#serve()
    })
  }

  /** A connection to this host was found dead while idle: the other idle ones are as old, do not trust them. */
  distrust(host: Host): void {
    for (const connection of [...this.#idle]) if (connection.host === host) this.#dismiss(connection)
  }

  /** The route is gone or has changed: who waits is still served, nothing is kept. */
  retire(): void {
    if (this.#closing === 'open') this.#closing = 'retired'
    for (const connection of [...this.#idle]) this.#dismiss(connection)
  }

  /** We shut down: jobs under way end as they end, nobody else is served. */
  drain(): void {
    this.#closing = 'draining'
    this.retire()
    this.#refuse(SHUTTING_DOWN)
    for (const connection of [...this.#connections]) if (!this.#live.has(connection)) connection.fail(SHUTTING_DOWN)
  }

  tick(nowMs: number): void {
    for (const connection of this.#connections) connection.tick(nowMs)
    for (const connection of [...this.#idle]) {
      if (nowMs - connection.idleSinceMs >= this.#options.limits.idleMsMax) this.#dismiss(connection)
    }
    if (this.#waiting.some((waiter) => nowMs >= waiter.untilMs)) this.#expire(nowMs)
    this.#serve()
  }

  opened(connection: Connection): void {
    this.#connections.add(connection)
    if (this.#closing === 'draining') connection.fail(SHUTTING_DOWN)
  }

  ready(connection: Connection): void {
    const { jobsMax } = this.#options
    const spent = connection.jobs >= jobsMax || this.#closing === 'draining' || this.#isOutdone(connection)
    if (spent || (this.#closing === 'retired' && this.#waiting.length === 0)) connection.quit()
    else {
      const waiter = this.#waiting.shift()
      if (waiter) waiter.resolve(connection)
      else {
        connection.fresh = false
        connection.idleSinceMs = this.#options.monotonic()
        this.#idle.push(connection)
      }
    }
  }

  over(connection: Connection, fault: SessionFault): void {
    this.#lastFault = { ...fault, text: `${connection.relay}: ${fault.text}` }
    this.#forgetIdle(connection)
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection)
    this.#live.delete(connection)
    this.#forgetIdle(connection)
    this.#serve()
  }

  #popIdle(): Connection | undefined {
    if (!this.#hosts.tiered) return this.#idle.pop()
    let best: Connection | undefined
    for (const connection of this.#idle) {
      if (best === undefined || connection.host.preference <= best.host.preference) best = connection
    }
    if (best) this.#forgetIdle(best)
    return best
  }

  #forgetIdle(connection: Connection): void {
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  #dismiss(connection: Connection): void {
    this.#forgetIdle(connection)
    connection.quit()
  }

  // A fallback connection is given up once a better host is connected again.
  #isOutdone(connection: Connection): boolean {
    if (!this.#hosts.tiered) return false
    for (const other of this.#live) if (other.host.preference < connection.host.preference) return true
    return false
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const connection = this.takeIdle()
      if (connection === undefined) break
      this.#waiting.shift()!.resolve(connection)
    }
    const nowMs = this.#options.monotonic()
    while (this.#dialling < this.#waiting.length && this.#hasRoom && this.#hosts.anyUsable(nowMs)) this.#dial()
    if (this.#waiting.length > 0 && this.#dialling === 0 && this.#live.size === 0) this.#refuse(this.#inBackOff)
  }

  get #hasRoom(): boolean {
    return this.#live.size + this.#dialling < this.#options.connectionsMax
  }

  get #inBackOff(): SessionFault {
    return this.#hosts.unfit ?? { obstacle: 'connect', text: `not tried again yet: ${this.#lastFault.text}` }
  }

  // One host that may yet do is a reason to wait.
  get #whyNone(): SessionFault {
    const { status: _, ...fault } = this.#lastFault
    return this.#hosts.unfit ?? fault
  }

  // While a fallback serves, find out beside it whether a better host is back.
  #tryBetter(preference: number): void {
    if (this.#dialling > 0 || !this.#hasRoom) return
    if (this.#hosts.anyUsable(this.#options.monotonic(), preference)) this.#dial(preference)
  }

  // Tries hosts in order until one connects. Never rejects.
  async #dial(betterThan?: number): Promise<void> {
    this.#dialling++
    this.#options.woke()
    const tried = new Set<Host>()
    const { monotonic, dialler } = this.#options
    while (this.#closing !== 'draining') {
      const host = this.#hosts.next(monotonic(), tried, betterThan)
      if (host === undefined) break
      tried.add(host)
      const dialled = await dialHost(host, { ...dialler, events: this })
      if (dialled.ok) {
        this.#hosts.succeeded(host)
        this.#dialling--
        this.#admit(dialled.connection)
        return
      }
      this.#lastFault = dialled.fault
      this.#hosts.failed(host, monotonic(), dialled.fault)
    }
    this.#dialling--
    if (this.#dialling === 0 && this.#live.size === 0) this.#refuse(this.#whyNone)
    this.#serve()
  }

  #admit(connection: Connection): void {
    this.#live.add(connection)
    for (const other of [...this.#idle]) if (this.#isOutdone(other)) this.#dismiss(other)
    this.ready(connection)
    this.#serve()
  }

  #refuse(fault: SessionFault): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) waiter.resolve(fault)
  }

  #expire(nowMs: number): void {
    const waiting = this.#waiting
    this.#waiting = waiting.filter((waiter) => nowMs < waiter.untilMs)
    for (const waiter of waiting) if (nowMs >= waiter.untilMs) waiter.resolve(this.#live.size > 0 ? BUSY : NOT_YET)
  }
}

const SHUTTING_DOWN: SessionFault = { obstacle: 'aborted', text: 'the relay is shutting down' }
const TOO_MANY: SessionFault = { obstacle: 'busy', text: 'too many messages wait for this route' }
const BUSY: SessionFault = { obstacle: 'busy', text: 'no connection of this route became free in time' }
const NOT_YET: SessionFault = { obstacle: 'busy', text: 'no connection of this route could be opened in time' }
