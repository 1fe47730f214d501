/**
 * All listeners of one worker and the sessions on them: who may come in, on what certificate, and how it ends.
 *
 * Order for a new connection: PROXY header where configured, load, limits of the client, TLS where it comes first, then
 * the session. Who is turned away before there is a session hears one 421 (RFC 5321 §3.8), or nothing on a listener
 * that begins with TLS: a handshake would cost more than we want to spend then.
 * One ticker serves all sessions; a session that idles costs no timer.
 */
import type { Socket } from 'node:net'
import type { Decisions } from '#mail/decisions.ts'
import { replyBytes, transient } from '#mail/reply.ts'
import type { Endpoint, Session } from '#mail/session.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { ServerMachine, ServerSettings } from '#smtp/server/contract.ts'
import type { Clock } from '#sys/clock.ts'
import { socketWire } from '#sys/socket.ts'
import type { Wire, WireEvents } from '#sys/wire.ts'
import type { AcceptEvents, ConnectionRefused } from './events.ts'
import { comesFromProxy, type Listening, listen, type Proxied, readProxyHeader } from './listener.ts'
import { type ListenerParts, ListenerPartsMaker } from './listener-parts.ts'
import { Load, TICK_MS } from './load.ts'
import { SessionDriver, type SessionHost } from './session-driver.ts'
import type { AcceptSettings, ListenerSettings } from './settings.ts'

export interface AcceptorParts {
  readonly decisions: Decisions
  readonly events: AcceptEvents
  readonly clock: Clock
  readonly newTraceId: () => TraceId
  readonly machine: (settings: ServerSettings, session: Session, nowMs: number) => ServerMachine
  /** False while the contents in memory have reached their budget. */
  readonly hasMemory: () => boolean
  /** For a self-signed certificate, where one is needed. */
  readonly tlsFolder: string
  /** 48 octets; the same for all workers. */
  readonly ticketKeys: Buffer
  /** See `ListenOptions`. */
  readonly reusePort: boolean
}

/** Turned-away connections that may linger until their client closes; more are closed at once. */
const REFUSALS_MAX = 1000

export class Acceptor implements SessionHost {
  readonly decisions: Decisions
  readonly events: AcceptEvents
  readonly clock: Clock
  draining = false
  #settings: AcceptSettings
  readonly #parts: AcceptorParts
  readonly #maker: ListenerPartsMaker
  readonly #load: Load
  /** By listener name. */
  #listeners = new Map<string, ListenerParts>()
  /** By `host port`: an address that stays over a reload keeps its socket. */
  readonly #open = new Map<string, { listening: Listening; name: string }>()
  readonly #sessions = new Map<SessionDriver, ListenerParts>()
  #refusals = 0
  #onEmpty: (() => void) | undefined
  readonly #refusalEvents: WireEvents = {
    data: () => {},
    drained: () => {},
    ended: () => {},
    closed: () => void this.#refusals--,
  }

  constructor(settings: AcceptSettings, parts: AcceptorParts) {
    this.decisions = parts.decisions
    this.events = parts.events
    this.clock = parts.clock
    this.#settings = settings
    this.#parts = parts
    this.#maker = new ListenerPartsMaker(parts)
    this.#load = new Load(settings, parts.hasMemory)
  }

  get sessions(): number {
    return this.#sessions.size
  }
  get lagMs(): number {
    return this.#load.lagMs
  }

  /** Where the listener of this name listens. */
  endpoint(name: string): Endpoint | undefined {
    for (const open of this.#open.values()) if (open.name === name) return open.listening.endpoint
    return undefined
  }

  /** Reads certificates and makes ready; `listen` and `accept` work from then on. Rejects with `CertificateFault`. */
  async prepare(): Promise<void> {
    this.#listeners = await this.#maker.makeAll(this.#settings.listeners, this.#listeners)
    this.#tick()
  }

  /** Opens every address, or rejects with the first error and has opened none. */
  async listen(): Promise<void> {
    try {
      for (const listener of this.#settings.listeners) await this.#openListener(listener)
    } catch (error) {
      this.#closeListeners(() => true)
      throw error
    }
  }

  /**
   * New settings and certificates for sessions to come; those that run keep theirs. Addresses are opened and closed as
   * needed. If a certificate is at fault nothing changes and the promise rejects; an address that cannot be opened is a
   * notice, the rest goes on.
   */
  async reload(settings: AcceptSettings): Promise<void> {
    this.#listeners = await this.#maker.makeAll(settings.listeners, this.#listeners)
    this.#settings = settings
    this.#load.limits = settings
    const wanted = new Set(settings.listeners.map(addressKey))
    this.#closeListeners((key) => !wanted.has(key))
    for (const listener of settings.listeners) {
      await this.#openListener(listener).catch((error: Error) => {
        this.events.notice(`listener ${listener.name} is not open: ${error.message}`)
      })
    }
  }

  /** Takes a connection on a listener's behalf. Also the door for the simulator's wires. */
  accept(wire: Wire, listenerName: string, proxied?: Proxied): void {
    const listener = this.#listeners.get(listenerName)
    if (listener === undefined) {
      wire.destroy()
      return
    }
    const client = proxied?.client ?? wire.remote
    const nowMs = this.clock.monotonic()
    const refused = this.draining
      ? 'draining'
      : (this.#load.overload(this.#sessions.size) ?? listener.limits.open(client.address, nowMs))
    if (refused === undefined) this.#begin(wire, listener, client, proxied, nowMs)
    else this.#refuse(wire, listener, client.address, refused)
  }

  ended(driver: SessionDriver): void {
    this.#sessions.get(driver)?.limits.close(driver.session.client.address)
    this.#sessions.delete(driver)
    if (this.#sessions.size === 0) this.#onEmpty?.()
  }

  /** Stops listening; idle sessions hear 421 at once, transactions may finish, at most `drainMsMax`. */
  drain(): Promise<void> {
    this.draining = true
    this.#closeListeners(() => true)
    for (const driver of [...this.#sessions.keys()]) driver.shutDown()
    if (this.#sessions.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onEmpty = resolve
      this.clock.after(this.#settings.drainMsMax, () => {
        for (const driver of [...this.#sessions.keys()]) driver.destroy('shutdown')
      })
    })
  }

  #begin(wire: Wire, listener: ListenerParts, client: Endpoint, proxied: Proxied | undefined, nowMs: number): void {
    const session: Session = {
      id: this.#parts.newTraceId(),
      client,
      local: proxied?.local ?? wire.local,
      listener: listener.settings.name,
      service: listener.settings.service,
      startedMs: this.clock.wall(),
      extended: false,
      proxied: proxied !== undefined,
      tally: { recipientsRefused: 0, errors: 0, transactions: 0 },
    }
    const driver = new SessionDriver(this, listener, wire, this.#parts.machine(listener.smtp, session, nowMs))
    this.#sessions.set(driver, listener)
    this.events.sessionOpened(session)
    driver.start(listener.earlyTalkerExempt.has(client.address) ? 0 : listener.settings.earlyTalkerDelayMs)
  }

  #refuse(wire: Wire, listener: ListenerParts, clientAddress: string, why: ConnectionRefused): void {
    this.events.refused(listener.settings.name, clientAddress, why)
    if (listener.implicitTls || this.#refusals >= REFUSALS_MAX) {
      wire.destroy()
      return
    }
    this.#refusals++
    wire.listen(this.#refusalEvents)
    wire.write(refusalBytes(listener.settings.smtp.hostname, why))
    wire.end()
  }

  #tick(): void {
    const nowMs = this.clock.monotonic()
    this.#load.tick(nowMs)
    for (const driver of this.#sessions.keys()) driver.tick(nowMs)
    if (!this.draining || this.#sessions.size > 0) this.clock.after(TICK_MS, () => this.#tick())
  }

  async #openListener(settings: ListenerSettings): Promise<void> {
    const key = addressKey(settings)
    const open = this.#open.get(key)
    if (open) {
      open.name = settings.name
      return
    }
    const entry = { name: settings.name, listening: CLOSED }
    entry.listening = await listen({
      host: settings.host,
      port: settings.port,
      reusePort: this.#parts.reusePort,
      onSocket: (socket) => this.#onSocket(socket, entry.name),
      onError: (error) => this.events.notice(`listener ${entry.name}: ${error.message}`),
    })
    this.#open.set(key, entry)
  }

  #closeListeners(which: (key: string) => boolean): void {
    for (const [key, { listening }] of this.#open) {
      if (!which(key)) continue
      listening.close()
      this.#open.delete(key)
    }
  }

  #onSocket(socket: Socket, listenerName: string): void {
    const listener = this.#listeners.get(listenerName)
    if (listener === undefined) {
      socket.destroy()
      return
    }
    if (!comesFromProxy(socket, listener.proxyFrom)) {
      this.accept(socketWire(socket), listenerName)
      return
    }
    const proxyAddress = socket.remoteAddress ?? ''
    readProxyHeader(
      socket,
      this.clock,
      (proxied) => this.accept(socketWire(socket), listenerName, proxied),
      () => {
        this.events.refused(listenerName, proxyAddress, 'proxy-header')
        socket.destroy()
      },
    )
  }
}

const CLOSED: Listening = { endpoint: { address: '', port: 0 }, close: () => {} }

// Several listeners of a test may ask for port 0; they are told apart by name then.
const addressKey = ({ host, port, name }: ListenerSettings): string => `${host} ${port === 0 ? name : port}`

function refusalBytes(hostname: string, why: ConnectionRefused): string {
  if (why === 'sessions-max' || why === 'lag' || why === 'memory') {
    return replyBytes(transient(421, '4.3.2', `${hostname} Too busy, try again later`))
  }
  if (why === 'draining') return replyBytes(transient(421, '4.3.2', `${hostname} Closing for maintenance`))
  return replyBytes(transient(421, '4.7.0', `${hostname} Too many sessions from your address, try again later`))
}
