/**
 * One connection to a next hop: a client session (`smtp/client`) with a wire, one job at a time.
 */
import type { ProbeAnswer } from '#mail/probe.ts'
import type {
  ClientEffect,
  ClientMachine,
  ClientSettings,
  DeliverJob,
  ProbeJob,
  RecipientResult,
  SessionFault,
} from '#smtp/client/contract.ts'
import { createClientSession } from '#smtp/client/session.ts'
import type { Wire, WireEvents } from '#sys/wire.ts'
import type { Host } from './hosts.ts'
import type { TlsPolicy } from './tls-policy.ts'
import type { TlsSessions } from './tls-sessions.ts'

export interface ConnectionEvents {
  /** A job may be given: first after opening, then after each job. */
  ready(connection: Connection): void
  /** No more jobs; the wire may still be open for QUIT. */
  over(connection: Connection, fault: SessionFault): void
  /** The wire is given up. The last event. */
  closed(connection: Connection): void
}

export interface Delivered {
  readonly results: readonly RecipientResult[]
  /** The server never took up the transaction: another connection may be tried at once. */
  readonly untouched: boolean
}
export interface Probed {
  readonly answer: ProbeAnswer
  readonly untouched: boolean
}

type Done = (result: Extract<ClientEffect, { kind: 'delivered' | 'probed' }>) => void

export interface ConnectionTls {
  readonly tlsSessions: TlsSessions
  readonly policy: TlsPolicy
  /** PEM; absent: those of the system. */
  readonly authorities?: string
}

export class Connection implements WireEvents {
  readonly host: Host
  /** `name[address]:port` */
  readonly relay: string
  /** Jobs that were begun. */
  jobs = 0
  /** Never used, never idle: if the server hangs up now, that is not because it grew tired of us. */
  fresh = true
  /** Monotonic ms; set by the pool. */
  idleSinceMs = 0
  /** The session ended in the TLS handshake. */
  tlsFailed = false
  /** The server has shown, or shown before, a certificate that a trusted authority issued for its name. */
  certified = false
  /** What Node calls the reason, such as `CERT_HAS_EXPIRED`. */
  tlsErrorCode: string | undefined
  readonly #machine: ClientMachine
  readonly #settings: ClientSettings
  readonly #wire: Wire
  readonly #events: ConnectionEvents
  readonly #tlsSessions: TlsSessions
  readonly #authorities: string | undefined
  /** What the domain wants of TLS with this host. */
  readonly policy: TlsPolicy
  #securing = false
  #running = false
  #blocked = false
  #deadlineMs = Number.POSITIVE_INFINITY
  #done: Done | undefined

  constructor(
    host: Host,
    wire: Wire,
    settings: ClientSettings,
    events: ConnectionEvents,
    { tlsSessions, policy, authorities }: ConnectionTls,
  ) {
    this.host = host
    this.relay = `${host.name}[${wire.remote.address}]:${wire.remote.port}`
    this.#wire = wire
    this.#settings = settings
    this.#events = events
    this.#tlsSessions = tlsSessions
    this.policy = policy
    this.#authorities = authorities
    this.#machine = createClientSession(settings)
  }

  /** Must be called once, before the first turn of the event loop ends. */
  start(): void {
    this.#wire.listen(this)
    this.#run()
  }

  get tls(): boolean {
    return this.#machine.tls
  }

  get dsn(): boolean {
    return this.#machine.dsn
  }

  get requireTls(): boolean {
    return this.#machine.requireTls
  }

  get ready(): boolean {
    return this.#machine.ready
  }

  /** `deadlineMs`: monotonic; after it the session is ended. */
  deliver(job: DeliverJob, deadlineMs: number): Promise<Delivered> {
    if (!this.ready) {
      const results = job.recipients.map((): RecipientResult => ({ kind: 'deferred', ...GONE }))
      return Promise.resolve({ results, untouched: true })
    }
    return new Promise((resolve) => {
      this.#begin((result) => resolve(result as Delivered), deadlineMs)
      this.#machine.deliver(job)
      this.#run()
    })
  }

  probe(job: ProbeJob, deadlineMs: number): Promise<Probed> {
    if (!this.ready) return Promise.resolve({ answer: { kind: 'unreachable', ...GONE }, untouched: true })
    return new Promise((resolve) => {
      this.#begin((result) => resolve(result as Probed), deadlineMs)
      this.#machine.probe(job)
      this.#run()
    })
  }

  quit(): void {
    this.#machine.quit()
    this.#run()
  }

  /** Ends the session now; a job under way gets this as its result. */
  fail(fault: SessionFault): void {
    this.#machine.fail(fault)
    this.#run()
  }

  tick(nowMs: number): void {
    if (nowMs >= this.#deadlineMs) {
      this.#machine.fail({ obstacle: 'timeout', text: 'the time for the whole delivery was over' })
    }
    this.#machine.tick(nowMs)
    this.#run()
  }

  data(bytes: Buffer): void {
    this.#machine.receive(bytes)
    this.#run()
  }

  drained(): void {
    if (!this.#blocked) return
    this.#blocked = false
    this.#machine.flowing()
    this.#run()
  }

  ended(): void {
    this.#lost(GONE.text)
  }

  closed(error?: NodeJS.ErrnoException): void {
    // A real wire tells it here before the promise of `secure` is rejected.
    if (this.#securing) this.tlsErrorCode ??= error?.code
    this.#lost(error ? `the connection broke: ${error.message}${this.#hint(error)}` : GONE.text)
  }

  #begin(done: Done, deadlineMs: number): void {
    this.jobs++
    this.fresh = false
    this.#done = done
    this.#deadlineMs = deadlineMs
  }

  #lost(text: string): void {
    this.#machine.fail({ obstacle: this.#securing ? 'tls' : 'closed', text })
    this.#run()
  }

  // A wire in memory may answer from within a write; then the outer call carries on.
  #run(): void {
    if (this.#running) return
    this.#running = true
    for (let effects = this.#machine.take(); effects.length > 0; effects = this.#machine.take()) {
      for (const effect of effects) this.#carryOut(effect)
    }
    this.#running = false
  }

  #carryOut(effect: ClientEffect): void {
    switch (effect.kind) {
      case 'write':
        this.#write(effect.parts, effect.more)
        break
      case 'delivered':
      case 'probed':
        this.#deadlineMs = Number.POSITIVE_INFINITY
        this.#done?.(effect)
        break
      case 'ready':
        this.#events.ready(this)
        break
      case 'start-tls':
        this.#secure()
        break
      case 'prove':
        this.#prove(effect)
        break
      case 'over':
        this.tlsFailed = this.#securing
        this.#events.over(this, effect.fault)
        break
      case 'close':
        if (effect.now) this.#wire.destroy()
        else this.#wire.end()
        this.#events.closed(this)
    }
  }

  #write(parts: readonly (Buffer | string)[], more: boolean): void {
    const flowing = parts.length === 1 ? this.#wire.write(parts[0]!) : this.#wire.writeAll(parts)
    if (!more) return
    this.#blocked = !flowing
    if (flowing) this.#machine.flowing()
  }

  #prove({ exchange, challenge }: Extract<ClientEffect, { kind: 'prove' }>): void {
    const respond = (answer: Buffer | string): void => {
      this.#machine.respond(answer)
      this.#run()
    }
    exchange.answer(challenge).then(respond, (error: Error) => respond(error.message))
  }

  #secure(): void {
    this.#securing = true
    const key = `${this.host.name}:${this.host.port}`
    const resume = this.#tlsSessions.get(key)
    const secured = this.#wire.secure({
      side: 'client',
      serverName: this.policy.kind === 'dane' ? this.policy.serverName : this.host.name,
      ...(this.policy.kind === 'dane' && { dane: this.policy.reference }),
      verify: this.#settings.tls === 'verified',
      ...(this.#authorities !== undefined && { authorities: this.#authorities }),
      ...(resume ? { resume } : {}),
      onSession: (session) => this.#tlsSessions.set(key, session),
    })
    secured.then(
      ({ verifiedPeer, channelBinding }) => {
        this.#securing = false
        this.certified = verifiedPeer !== undefined
        this.#machine.secured({ verified: this.certified, ...(channelBinding && { channelBinding }) })
        this.#run()
      },
      (error: NodeJS.ErrnoException) => {
        this.tlsErrorCode = error.code
        this.#lost(`TLS handshake: ${error.message}${this.#hint(error)}`)
      },
    )
  }

  // OpenSSL's word for octets that are no TLS.
  #hint({ code }: NodeJS.ErrnoException): string {
    return this.#securing && this.#settings.implicitTls && code?.startsWith('ERR_SSL_') ? SPEAKS_CLEAR : ''
  }
}

const SPEAKS_CLEAR = ' (does the server greet in clear there? Then it wants STARTTLS, on this port or on 587)'
const GONE = { obstacle: 'closed', text: 'the server closed the connection' } as const satisfies SessionFault
