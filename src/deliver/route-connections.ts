/**
 * All that one route has open: a pool for deliveries, a small one for probes, and the hosts with their back-off, which
 * both share. Messages that want more of TLS, or less, have pools and hosts of their own (RFC 8689): what is unfit for them
 * is good for others.
 */
import { randomBytes } from 'node:crypto'
import { clientLogin } from '#auth/sasl/client.ts'
import type { ClientSettings } from '#smtp/client/contract.ts'
import type { Clock } from '#sys/clock.ts'
import type { Connect } from '#sys/wire.ts'
import type { Route } from '#tenant/directory.ts'
import type { Destinations } from './destinations.ts'
import type { Dialler, Resolve } from './dial.ts'
import { Hosts } from './hosts.ts'
import type { DeliverLimits } from './limits.ts'
import { Pool } from './pool.ts'
import type { TellTls } from './tls-results.ts'
import type { TlsSessions } from './tls-sessions.ts'

export interface RouteStats {
  readonly route: string
  readonly open: number
  readonly idle: number
  readonly opening: number
  readonly waiting: number
  readonly hosts: readonly { readonly name: string; readonly port: number; readonly backOffMs: number }[]
}

export interface RouteParts {
  readonly connect: Connect
  readonly clock: Clock
  readonly resolve: Resolve
  /** Absent: no route finds its hosts by MX. */
  readonly destinations?: Pick<Destinations, 'addresses' | 'tlsPolicy'>
  readonly hostname: string
  readonly random: () => number
  readonly limits: DeliverLimits
  readonly preferChunking: boolean
  readonly tlsSessions: TlsSessions
  readonly woke: () => void
  readonly tlsPolicyMet?: Dialler['tlsPolicyMet']
  /** Hears what sessions with hosts found by MX say of TLS. */
  readonly tellTls?: TellTls
}

export class RouteConnections {
  readonly routeId: string
  readonly deliveries: Pool
  /** Monotonic ms: until then probes do not try `<>`. */
  readonly nullRefused = { untilMs: 0 }
  readonly #hosts: Hosts
  readonly #probePool: () => Pool
  readonly #otherPool: (kind: OtherTls) => Pool
  #probes: Pool | undefined
  readonly #others = new Map<OtherTls, Pool>()
  #route: Route
  #closing: 'retire' | 'drain' | undefined

  constructor(route: Route, parts: RouteParts) {
    const { limits, clock, random, woke } = parts
    this.routeId = route.id
    this.#route = route
    this.#hosts = new Hosts(route.hosts, random, limits)
    const dialler = diallerFor(route, parts)
    const common = { hosts: this.#hosts, limits, monotonic: () => clock.monotonic(), dialler, woke }
    const { connectionsMax, deliveriesPerConnectionMax } = route
    const deliveries = { ...common, connectionsMax, jobsMax: deliveriesPerConnectionMax }
    this.deliveries = new Pool(deliveries)
    this.#otherPool = (kind) => {
      const hosts = new Hosts(route.hosts, random, limits)
      return new Pool({ ...deliveries, hosts, dialler: otherwise(kind, route, dialler, parts) })
    }
    const { probeConnectionsMax, probesPerConnectionMax } = limits
    this.#probePool = () =>
      new Pool({ ...common, connectionsMax: probeConnectionsMax, jobsMax: probesPerConnectionMax })
  }

  /** A reload makes new objects; most of them say the same as before. */
  serves(route: Route): boolean {
    if (route === this.#route) return true
    if (sameConnections(route) !== sameConnections(this.#route)) return false
    this.#route = route
    return true
  }

  /** Connections that REQUIRETLS may use. */
  get proven(): Pool {
    return this.#other('proven')
  }

  /** As all others, but the domain's report does not hear of it. */
  get untold(): Pool {
    return this.#route.destination === undefined ? this.deliveries : this.#other('untold')
  }

  /** What DNS wants of TLS does not count; absent where nothing is wanted. */
  get lenient(): Pool | undefined {
    return this.#route.destination !== undefined && this.#route.tls === 'opportunistic'
      ? this.#other('lenient')
      : undefined
  }

  get asleep(): boolean {
    return this.#open.every((pool) => pool.asleep)
  }

  get isDestination(): boolean {
    return this.#route.destination !== undefined
  }

  /** Nothing open, and nothing to remember: that every host is away, the queue knows too. */
  isForgettable(nowMs: number): boolean {
    if (this.#route.destination === undefined || !this.asleep) return false
    const away = this.#hosts.all.filter((host) => host.failures > 0 && nowMs < host.backOffUntilMs).length
    return away === 0 || away === this.#hosts.all.length
  }

  /** Most routes never need it. */
  get probes(): Pool {
    return (this.#probes ??= this.#opened(this.#probePool()))
  }

  stats(nowMs: number): RouteStats {
    const hosts = this.#hosts.all.map(({ name, port, failures, backOffUntilMs }) => ({
      name,
      port,
      backOffMs: failures > 0 ? Math.max(0, backOffUntilMs - nowMs) : 0,
    }))
    const sum = { open: 0, idle: 0, opening: 0, waiting: 0 }
    for (const { stats } of this.#open) {
      sum.open += stats.open
      sum.idle += stats.idle
      sum.opening += stats.opening
      sum.waiting += stats.waiting
    }
    return { route: this.routeId, ...sum, hosts }
  }

  tick(nowMs: number): void {
    for (const pool of this.#open) pool.tick(nowMs)
  }

  retire(): void {
    this.#closing = 'retire'
    for (const pool of this.#open) pool.retire()
  }

  drain(): void {
    this.#closing = 'drain'
    for (const pool of this.#open) pool.drain()
  }

  get #open(): Pool[] {
    return [this.deliveries, ...(this.#probes ? [this.#probes] : []), ...this.#others.values()]
  }

  #other(kind: OtherTls): Pool {
    const known = this.#others.get(kind)
    if (known) return known
    const made = this.#opened(this.#otherPool(kind))
    this.#others.set(kind, made)
    return made
  }

  // Made when all others were told already.
  #opened(pool: Pool): Pool {
    if (this.#closing !== undefined) pool[this.#closing]()
    return pool
  }
}

/** `proven`: for REQUIRETLS. `lenient`: for `TLS-Required: No`. `untold`: for reports of ours about TLS. */
type OtherTls = 'proven' | 'lenient' | 'untold'

function otherwise(
  kind: OtherTls,
  route: Route,
  dialler: Omit<Dialler, 'events'>,
  { tlsSessions }: RouteParts,
): Omit<Dialler, 'events'> {
  // What one message wants is nothing that the domain should hear of.
  const { tlsResults: _, ...untold } = { ...dialler, tlsSessions: tlsSessions.forRoute(route.id, kind) }
  if (kind === 'untold') return untold
  const { tlsPolicy, ...lenient } = untold
  if (kind === 'lenient') return lenient
  return { ...lenient, ...(tlsPolicy && { tlsPolicy }), requireTls: { byMx: route.destination !== undefined } }
}

/** What a connection depends on; retry times and lifetimes are not part of it. */
const sameConnections = ({
  protocol,
  hosts,
  tls,
  implicitTls,
  connectionsMax,
  deliveriesPerConnectionMax,
  greetingName,
  sources,
  authorities,
  login,
  tlsByOperator,
}: Route): string =>
  JSON.stringify([
    protocol,
    hosts,
    tls,
    implicitTls,
    tlsByOperator,
    connectionsMax,
    deliveriesPerConnectionMax,
    greetingName,
    sources,
    authorities,
    login && [login.name, Buffer.from(login.password).toString('base64'), login.mechanisms],
  ])

function diallerFor(route: Route, parts: RouteParts): Omit<Dialler, 'events'> {
  const { connect, clock, resolve, destinations, limits, hostname, preferChunking, tlsSessions } = parts
  const { destination } = route
  const byMx = destination !== undefined && destinations !== undefined
  const { tellTls: tell } = parts
  // An address literal is no domain that could ask for reports.
  const isReported = byMx && tell !== undefined && !destination.startsWith('[')
  const settings: ClientSettings = {
    protocol: route.protocol,
    greetingName: route.greetingName ?? hostname,
    tls: route.tls,
    ...(route.implicitTls && { implicitTls: true }),
    preferChunking,
    limits: limits.client,
    ...(route.login && { login: loginOf(route.login) }),
  }
  return {
    connect,
    limits,
    settings,
    ...(route.sources && { sources: { addresses: route.sources, random: parts.random } }),
    tlsSessions: tlsSessions.forRoute(route.id, route.tls, route.authorities?.pem),
    ...(route.authorities && { authorities: route.authorities.pem }),
    // `never`, `verified` and what is said of one domain are an operator's own word; a policy only adds to the other two.
    ...(byMx &&
      route.tlsByOperator !== true &&
      (route.tls === 'opportunistic' || route.tls === 'required') && {
        tlsPolicy: (host) => destinations.tlsPolicy(host, destination),
        ...(parts.tlsPolicyMet && { tlsPolicyMet: parts.tlsPolicyMet }),
      }),
    ...(isReported && { tlsResults: { domain: destination, tell } }),
    ...(byMx ? { resolve: (name) => destinations.addresses(name), race: clock } : { resolve }),
  }
}

/** RFC 5802 §5.1 leaves the length to us; 18 octets nobody guesses, and they are base64 without padding. */
const NONCE_OCTETS = 18

function loginOf({ name, password, mechanisms }: NonNullable<Route['login']>): ReturnType<typeof clientLogin> {
  return clientLogin({
    name,
    password: Buffer.from(password).toString(),
    ...(mechanisms && { mechanisms }),
    nonce: () => randomBytes(NONCE_OCTETS).toString('base64'),
  })
}
