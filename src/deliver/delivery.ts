/**
 * Delivery: one attempt to bring a message to a route's hosts, and callouts to them.
 *
 * Each route has its own connections, hosts and back-off; attempts of one route never wait for another. Nothing here
 * remembers messages: an attempt ends with one outcome for each recipient that was asked for, whatever happens, and
 * never rejects. This is the only place that makes a `NextHopReceipt` (law 1).
 */
import { type ForwardPath, NULL_PATH, type ReversePath } from '#mail/address.ts'
import type { Content } from '#mail/content.ts'
import { NextHopReceipt } from '#mail/custody.ts'
import type { Envelope } from '#mail/envelope.ts'
import type { Attempt, Outcome } from '#mail/outcome.ts'
import type { ProbeAnswer } from '#mail/probe.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { RecipientResult, SessionFault } from '#smtp/client/contract.ts'
import type { Clock } from '#sys/clock.ts'
import type { Connect } from '#sys/wire.ts'
import { declaredRouteId } from '#tenant/destination.ts'
import type { Route } from '#tenant/directory.ts'
import { Connection } from './connection.ts'
import type { Destinations } from './destinations.ts'
import type { Dialler, Resolve } from './dial.ts'
import { attemptEach } from './each-destination.ts'
import { DELIVER_LIMITS, type DeliverLimits } from './limits.ts'
import type { Pool, WaitOptions } from './pool.ts'
import { RouteConnections, type RouteStats } from './route-connections.ts'
import type { TlsPolicy } from './tls-policy.ts'
import type { TellTls } from './tls-results.ts'
import { TlsSessions } from './tls-sessions.ts'

export interface DeliveryParts {
  readonly connect: Connect
  readonly clock: Clock
  readonly resolve: Resolve
  /** For routes that find their hosts by MX. */
  readonly destinations?: Destinations
  /** For EHLO, where a route names no other. */
  readonly hostname: string
  /** In [0, 1). */
  readonly random: () => number
  readonly limits?: DeliverLimits
  /** Hears what sessions with hosts found by MX say of TLS. */
  readonly tellTls?: TellTls
  /** Use BDAT where it is offered. */
  readonly preferChunking?: boolean
  /** The reverse-path of probes to servers that refuse `<>`. */
  readonly calloutSender?: () => ReversePath | undefined
  readonly tlsPolicyMet?: Dialler['tlsPolicyMet']
}

export interface OutgoingMessage {
  readonly id: TraceId
  readonly envelope: Envelope
  readonly content: Content
  /** Indices into `envelope.recipients`: who is to be tried. Not empty. */
  readonly recipients: readonly number[]
  /** Wall clock, ms. */
  readonly receivedMs: number
  /** We wrote it ourselves. */
  readonly notice?: true
}

export interface AttemptOptions {
  readonly onMixed: 'send' | 'abort'
  /** For the whole attempt; looked at with every tick (`tickMs`). Without it only the protocol's timers end it. */
  readonly totalMsMax?: number
  /** For a free connection; then `busy`. */
  readonly waitMsMax?: number
}

export interface Delivery {
  /** Outcomes align with `message.recipients`. Never rejects. */
  attempt(route: Route, message: OutgoingMessage, options: AttemptOptions): Promise<Attempt>
  /**
   * Asks the route's hosts for a recipient. Without a reverse-path it is `<>`, and where that is refused
   * `calloutSender`. Never rejects.
   */
  probe(route: Route, forwardPath: ForwardPath, reversePath?: ReversePath): Promise<ProbeAnswer>
  /** Finishes what is under way and refuses the rest; resolves when every connection is closed. */
  drain(): Promise<void>
  stats(): readonly RouteStats[]
  /** An operator wants it tried now: new connections know of no back-off. */
  wake(routeId: string): void
  /** After a reload: connections of all other declared routes are given up. */
  retire(valid: ReadonlySet<string>): void
}

export function createDelivery(parts: DeliveryParts): Delivery {
  return new RoutedDelivery(parts)
}

class RoutedDelivery implements Delivery {
  readonly #parts: DeliveryParts
  readonly #limits: DeliverLimits
  readonly #tlsSessions: TlsSessions
  readonly #routes = new Map<string, RouteConnections>()
  /** Replaced by a reload, still with connections. */
  readonly #retired = new Set<RouteConnections>()
  #ticking = false
  #draining = false
  #drained: (() => void)[] = []

  constructor(parts: DeliveryParts) {
    this.#parts = parts
    this.#limits = parts.limits ?? DELIVER_LIMITS
    this.#tlsSessions = new TlsSessions(this.#limits.tlsSessionsMax)
  }

  async attempt(route: Route, message: OutgoingMessage, options: AttemptOptions): Promise<Attempt> {
    if (route.byMx !== undefined && route.destination === undefined) {
      return attemptEach(route, message, (to, part) => this.attempt(to, part, options))
    }
    const { clock } = this.#parts
    const startMs = clock.monotonic()
    const queuedMs = Math.max(0, clock.wall() - message.receivedMs)
    const reached = route.destination === undefined ? route : await this.#withHosts(route, route.destination)
    if ('kind' in reached) {
      return notConnected(message, reached, { queuedMs, connectMs: clock.monotonic() - startMs })
    }
    const deadlineMs = startMs + (options.totalMsMax ?? Number.POSITIVE_INFINITY)
    const untilMs = Math.min(deadlineMs, startMs + (options.waitMsMax ?? Number.POSITIVE_INFINITY))
    for (let again = false; ; again = true) {
      const { lease, pool, envelope } = await leaseFor(message, this.#of(reached), { untilMs, first: again })
      const readyMs = clock.monotonic()
      if (!(lease instanceof Connection))
        return notConnected(message, notReached(lease), { queuedMs, connectMs: readyMs - startMs })
      const { fresh } = lease
      const { onMixed } = options
      const { results, untouched } = await lease.deliver({ ...message, envelope, onMixed }, deadlineMs)
      if (untouched && !fresh && !again) {
        pool.distrust(lease.host)
        continue
      }
      return {
        outcomes: outcomesOf(message.id, lease.relay, results),
        relay: lease.relay,
        tls: lease.tls,
        ...verifiedBy(lease),
        ...(lease.dsn && { dsn: true }),
        delays: { queuedMs, connectMs: readyMs - startMs, transferMs: clock.monotonic() - readyMs },
      }
    }
  }

  async probe(route: Route, forwardPath: ForwardPath, reversePath?: ReversePath): Promise<ProbeAnswer> {
    const { nullRefused } = this.#of(route)
    const other = this.#parts.calloutSender?.()
    const nowMs = this.#parts.clock.monotonic()
    const first = reversePath ?? (other !== undefined && nullRefused.untilMs > nowMs ? other : NULL_PATH)
    const answer = await this.#probeFrom(route, forwardPath, first)
    if (first.kind !== 'null' || other === undefined || !refusesSender(answer)) return answer
    // RFC 5321 §4.5.5 wants `<>` taken, but some servers refuse it. That says nothing about the recipient.
    nullRefused.untilMs = nowMs + this.#limits.nullRefusedMs
    return this.#probeFrom(route, forwardPath, other)
  }

  // Asked at each attempt: DNS keeps the answer as long as it may be kept, and no longer.
  async #withHosts(route: Route, destination: string): Promise<Route | NotReached> {
    const { destinations } = this.#parts
    if (destinations === undefined || route.byMx === undefined) return route
    const found = await destinations.find(destination, route.byMx.port)
    if (found.kind === 'hosts') return { ...route, hosts: found.hosts }
    if (found.kind === 'deferred') return { kind: 'deferred', obstacle: 'dns', text: found.text }
    const { status } = found
    return { kind: 'failed', status, text: `${status} ${found.text}`, stage: 'connect' }
  }

  async #probeFrom(route: Route, forwardPath: ForwardPath, reversePath: ReversePath): Promise<ProbeAnswer> {
    const { deliveries, probes } = this.#of(route)
    for (let again = false; ; again = true) {
      const untilMs = Number.POSITIVE_INFINITY
      const lease = probes.takeIdle() ?? deliveries.takeIdle() ?? (await probes.wait({ untilMs, first: again }))
      if (!(lease instanceof Connection)) return { kind: 'unreachable', obstacle: lease.obstacle, text: lease.text }
      const { fresh } = lease
      const { answer, untouched } = await lease.probe({ reversePath, forwardPath }, untilMs)
      if (!untouched || fresh || again) return answer
      for (const pool of [deliveries, probes]) pool.distrust(lease.host)
    }
  }

  drain(): Promise<void> {
    this.#draining = true
    for (const route of this.#all) route.drain()
    return new Promise((resolve) => {
      this.#drained.push(resolve)
      this.#settle()
    })
  }

  stats(): readonly RouteStats[] {
    const nowMs = this.#parts.clock.monotonic()
    return [...this.#routes.values()].map((route) => route.stats(nowMs))
  }

  wake(routeId: string): void {
    const connections = this.#routes.get(routeId)
    if (connections) this.#retire(connections)
  }

  retire(valid: ReadonlySet<string>): void {
    for (const [id, connections] of this.#routes) if (!valid.has(declaredRouteId(id))) this.#retire(connections)
  }

  get #all(): RouteConnections[] {
    return [...this.#routes.values(), ...this.#retired]
  }

  #of(route: Route): RouteConnections {
    const known = this.#routes.get(route.id)
    if (known?.serves(route)) return known
    if (known) this.#retire(known)
    const made: RouteConnections = new RouteConnections(route, {
      ...this.#parts,
      preferChunking: this.#parts.preferChunking ?? false,
      limits: this.#limits,
      tlsSessions: this.#tlsSessions,
      woke: () => {
        // Forgotten a moment ago: it lives on until it sleeps again.
        if (this.#routes.get(route.id) !== made) this.#retired.add(made)
        this.#tickLater()
      },
    })
    this.#routes.set(route.id, made)
    if (this.#draining) made.drain()
    return made
  }

  #retire(connections: RouteConnections): void {
    this.#routes.delete(connections.routeId)
    this.#retired.add(connections)
    connections.retire()
    this.#tickLater()
  }

  // One timer for everything, and none while nothing is open.
  #tickLater(): void {
    if (this.#ticking) return
    this.#ticking = true
    this.#parts.clock.after(this.#limits.tickMs, () => this.#tick())
  }

  #tick(): void {
    this.#ticking = false
    const nowMs = this.#parts.clock.monotonic()
    let awake = false
    for (const route of this.#all) {
      route.tick(nowMs)
      if (!route.asleep) awake = true
      else this.#retired.delete(route)
      if (route.isForgettable(nowMs)) this.#forget(route)
      else if (route.isDestination) awake = true
    }
    if (awake) this.#tickLater()
    this.#settle()
  }

  // There is no end to the domains that mail may go to.
  #forget(connections: RouteConnections): void {
    if (this.#routes.get(connections.routeId) === connections) this.#routes.delete(connections.routeId)
  }

  #settle(): void {
    if (!this.#draining || this.#all.some((route) => !route.asleep)) return
    for (const resolve of this.#drained.splice(0)) resolve()
  }
}

const VERIFIERS: { readonly [kind in TlsPolicy['kind']]?: 'DANE' | 'MTA-STS' } = { dane: 'DANE', sts: 'MTA-STS' }
function verifiedBy({ policy }: Connection): Pick<Attempt, 'verifiedBy'> {
  const by = VERIFIERS[policy.kind]
  return by === undefined ? {} : { verifiedBy: by }
}

const refusesSender = (answer: ProbeAnswer): boolean =>
  answer.kind === 'unreachable' && answer.senderRefused !== undefined

interface Leased {
  readonly lease: Connection | SessionFault
  readonly pool: Pool
  /** What is asked of the next hop. */
  readonly envelope: Envelope
}

async function leaseFor(
  { envelope, notice }: OutgoingMessage,
  connections: RouteConnections,
  wait: WaitOptions,
): Promise<Leased> {
  if (envelope.requireTls) {
    const first = await leaseOf(connections.proven, envelope, wait)
    const isUnfit = !(first.lease instanceof Connection) && first.lease.status !== undefined
    // RFC 8689 §5: a report to the sender goes out all the same.
    if (!isUnfit || envelope.reversePath.kind !== 'null') return first
    return leaseOf(connections.deliveries, { ...envelope, requireTls: false }, wait)
  }
  // RFC 8460 §3: a report tells nothing of the session that brings it.
  const pool = notice && envelope.tlsOptional ? connections.untold : connections.deliveries
  const first = await leaseOf(pool, envelope, wait)
  const lenient = envelope.tlsOptional ? connections.lenient : undefined
  if (lenient === undefined || first.lease instanceof Connection || !mayBeTls(first.lease)) return first
  // RFC 8689 §4.2.2: the domain's policy was followed as far as it could be.
  return leaseOf(lenient, envelope, wait)
}

async function leaseOf(pool: Pool, envelope: Envelope, wait: WaitOptions): Promise<Leased> {
  return { pool, envelope, lease: pool.takeIdle() ?? (await pool.wait(wait)) }
}

// After a failure of TLS the host rests, and then that is all that one hears.
const mayBeTls = ({ obstacle }: SessionFault): boolean => obstacle === 'tls' || obstacle === 'connect'

const notReached = ({ status, ...fault }: SessionFault): NotReached =>
  status === undefined
    ? { kind: 'deferred', ...fault }
    : { kind: 'failed', status, text: `${status} ${fault.text}`, stage: 'connect' }

type NotReached = Exclude<Outcome, { kind: 'delivered' }>

function notConnected(
  message: OutgoingMessage,
  outcome: NotReached,
  delays: { queuedMs: number; connectMs: number },
): Attempt {
  return {
    outcomes: message.recipients.map(() => outcome),
    relay: 'none',
    tls: false,
    delays: { ...delays, transferMs: 0 },
  }
}

// Recipients that one reply answers share its receipt.
function outcomesOf(id: TraceId, relay: string, results: readonly RecipientResult[]): Outcome[] {
  let receipt: NextHopReceipt | undefined
  return results.map((result) => {
    if (result.kind !== 'delivered') return result
    if (receipt?.reply !== result.reply) receipt = NextHopReceipt.afterPositiveReply(id, relay, result.reply)
    return { kind: 'delivered', receipt }
  })
}
