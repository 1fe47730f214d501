/**
 * All that one route has open: a pool for deliveries, a small one for probes, and the hosts with their back-off, which
 * both share.
 */
import type { ClientSettings } from '#smtp/client/contract.ts'
import type { Clock } from '#sys/clock.ts'
import type { Connect } from '#sys/wire.ts'
import type { Route } from '#tenant/directory.ts'
import type { Destinations } from './destinations.ts'
import type { Dialler, Resolve } from './dial.ts'
import { Hosts } from './hosts.ts'
import type { DeliverLimits } from './limits.ts'
import { Pool } from './pool.ts'
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
}

export class RouteConnections {
  readonly routeId: string
  readonly deliveries: Pool
  /** Monotonic ms: until then probes do not try `<>`. */
  readonly nullRefused = { untilMs: 0 }
  readonly #hosts: Hosts
  readonly #probePool: () => Pool
  #probes: Pool | undefined
  #route: Route

  constructor(route: Route, parts: RouteParts) {
    const { limits, clock, random, woke } = parts
    this.routeId = route.id
    this.#route = route
    this.#hosts = new Hosts(route.hosts, random, limits)
    const common = {
      hosts: this.#hosts,
      limits,
      monotonic: () => clock.monotonic(),
      dialler: diallerFor(route, parts),
      woke,
    }
    const { connectionsMax, deliveriesPerConnectionMax } = route
    this.deliveries = new Pool({ ...common, connectionsMax, jobsMax: deliveriesPerConnectionMax })
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

  get asleep(): boolean {
    return this.deliveries.asleep && this.#probes?.asleep !== false
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
    return (this.#probes ??= this.#probePool())
  }

  stats(nowMs: number): RouteStats {
    const hosts = this.#hosts.all.map(({ name, port, failures, backOffUntilMs }) => ({
      name,
      port,
      backOffMs: failures > 0 ? Math.max(0, backOffUntilMs - nowMs) : 0,
    }))
    const [one, two] = [this.deliveries.stats, this.#probes?.stats ?? NO_STATS]
    return {
      route: this.routeId,
      open: one.open + two.open,
      idle: one.idle + two.idle,
      opening: one.opening + two.opening,
      waiting: one.waiting + two.waiting,
      hosts,
    }
  }

  tick(nowMs: number): void {
    this.deliveries.tick(nowMs)
    this.#probes?.tick(nowMs)
  }

  retire(): void {
    this.deliveries.retire()
    this.probes.retire()
  }

  drain(): void {
    this.deliveries.drain()
    this.probes.drain()
  }
}

const NO_STATS = { open: 0, idle: 0, opening: 0, waiting: 0 }

/** What a connection depends on; retry times and lifetimes are not part of it. */
const sameConnections = ({
  protocol,
  hosts,
  tls,
  connectionsMax,
  deliveriesPerConnectionMax,
  greetingName,
  sources,
  tlsByOperator,
}: Route): string =>
  JSON.stringify([
    protocol,
    hosts,
    tls,
    tlsByOperator,
    connectionsMax,
    deliveriesPerConnectionMax,
    greetingName,
    sources,
  ])

function diallerFor(route: Route, parts: RouteParts): Omit<Dialler, 'events'> {
  const { connect, clock, resolve, destinations, limits, hostname, preferChunking, tlsSessions } = parts
  const { destination } = route
  const byMx = destination !== undefined && destinations !== undefined
  const settings: ClientSettings = {
    protocol: route.protocol,
    greetingName: route.greetingName ?? hostname,
    tls: route.tls,
    preferChunking,
    limits: limits.client,
  }
  return {
    connect,
    limits,
    settings,
    ...(route.sources && { sources: { addresses: route.sources, random: parts.random } }),
    tlsSessions: tlsSessions.forRoute(route.id, route.tls),
    // `never`, `verified` and what is said of one domain are an operator's own word; a policy only adds to the other two.
    ...(byMx &&
      route.tlsByOperator !== true &&
      (route.tls === 'opportunistic' || route.tls === 'required') && {
        tlsPolicy: (host) => destinations.tlsPolicy(host, destination),
        ...(parts.tlsPolicyMet && { tlsPolicyMet: parts.tlsPolicyMet }),
      }),
    ...(byMx ? { resolve: (name) => destinations.addresses(name), race: clock } : { resolve }),
  }
}
