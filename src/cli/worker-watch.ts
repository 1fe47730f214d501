/** What the listeners tell goes into metrics and log; and the gauges that are read when somebody asks. */
import type { Acceptor } from '#accept/acceptor.ts'
import type { AcceptEvents } from '#accept/events.ts'
import type { Delivery, DeliveryParts } from '#deliver/delivery.ts'
import type { Report } from '#mail/event.ts'
import type { Session } from '#mail/session.ts'
import type { Holds } from '#queue/holds.ts'
import type { Queue } from '#queue/queue.ts'
import { type Labels, SERIES_MAX, Tally } from '#report/metrics.ts'
import type { WorkerReport } from '#report/report.ts'
import type { Wall } from '#scan/wall.ts'
import type { OwnRefusal } from '#smtp/server/contract.ts'
import type { Spool } from '#spool/contract.ts'

/** The face of a report that a worker needs. */
export type RunningReport = Pick<WorkerReport, 'report' | 'metrics' | 'notice' | 'end'>

export function acceptEvents(report: RunningReport): AcceptEvents {
  const { metrics } = report
  const opened = metrics.counter('vorposten_sessions_opened_total', 'Sessions that began')
  const refused = metrics.counter('vorposten_connections_refused_total', 'Connections that got no session', 'why')
  const tlsFailed = metrics.counter('vorposten_tls_failed_total', 'TLS handshakes with clients that failed')
  return {
    sessionOpened: () => opened.add(),
    // `Decisions.closed` tells of it, with the session.
    sessionClosed: () => {},
    refused: (_listener, _client, why) => refused.add(why),
    tlsFailed: () => tlsFailed.add(),
    defect: (session, error) =>
      report.report({
        kind: 'alarm',
        symbol: 'session-defect',
        text: `session ${session.id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      }),
    notice: (text) => report.notice(text),
  }
}

/** What the protocol machine refused by itself is refused as much as what the path refused. */
export function ownRefusal(report: Report, session: Session, { reply, transaction, at }: OwnRefusal): void {
  const text = typeof reply.text === 'string' ? reply.text : reply.text.join(' ')
  report({
    kind: 'refused',
    id: transaction?.id ?? session.id,
    at,
    session,
    ...(transaction && { envelope: transaction.envelope }),
    reply,
    reasons: [{ symbol: 'protocol', text }],
  })
}

/** How often a domain's own word on TLS (DANE, MTA-STS) was met; a session is one time. */
export function tlsPolicies({ metrics }: RunningReport): NonNullable<DeliveryParts['tlsPolicyMet']> {
  const met = new Tally()
  metrics.counterOf(
    'vorposten_tls_policy_total',
    'Sessions with servers whose domain has a TLS policy, by policy and whether it was met',
    () => met.samples(),
  )
  return (policy, result) => met.add({ policy, result })
}

interface Watched {
  readonly acceptor: Acceptor
  readonly queue: Queue
  readonly holds: Holds
  readonly spool: Spool
  readonly delivery: Delivery
  readonly scanners: () => Wall | undefined
}

export function watch({ metrics }: RunningReport, { acceptor, queue, holds, spool, scanners }: Watched): void {
  metrics.gauge('vorposten_sessions', 'Sessions now', () => [[{}, acceptor.sessions]])
  metrics.gauge('vorposten_event_loop_lag_seconds', 'Of the slowest worker turn, summed', () => [
    [{}, acceptor.lagMs / 1000],
  ])
  metrics.gauge('vorposten_queue_messages', 'Messages in the queue, by where they are', () => {
    const { waiting, underWay, later } = queue.counts
    return [
      [{ state: 'waiting' }, waiting],
      [{ state: 'under-way' }, underWay],
      [{ state: 'later' }, later],
    ]
  })
  metrics.gauge('vorposten_holds', 'Recipients of held messages, by why they are held', () =>
    Object.entries(holds.counts).map(([reason, recipients]) => [{ reason }, recipients] as const),
  )
  metrics.gauge('vorposten_queue_sites', 'Destinations known to the queue', () => [
    [{ state: 'all' }, queue.counts.sites],
    [{ state: 'down' }, queue.counts.sitesDown],
    [{ state: 'paced' }, queue.counts.sitesPaced],
  ])
  metrics.gauge('vorposten_queue_providers_limited', 'Providers that had enough of us', () => [
    [{}, queue.counts.providersLimited],
  ])
  metrics.gauge('vorposten_backlog_messages', 'Messages in line for destinations that are away or being drained', () =>
    byRoute(queue.drains.filter(({ waiting }) => waiting > 0).map(({ route, waiting }) => [route, waiting])),
  )
  metrics.counterOf('vorposten_drained_messages_total', 'Messages that left after the outage they came before', () =>
    byRoute(queue.drains.filter(({ drained }) => drained > 0).map(({ route, drained }) => [route, drained])),
  )
  metrics.gauge('vorposten_spool_messages', 'Messages in custody', () => [[{}, spool.counts.messages]])
  metrics.gauge('vorposten_spool_octets', 'Their content', () => [[{}, spool.counts.octets]])
  metrics.gauge('vorposten_spool_segments', 'Files of the spool', () => [[{}, spool.counts.segments]])
  metrics.counterOf('vorposten_spool_batches_total', 'Writes since the start', () => [[{}, spool.counts.batches]])
  metrics.counterOf('vorposten_spool_syncs_total', 'Syncs since the start', () => [[{}, spool.counts.syncs]])
  metrics.gauge('vorposten_scan_engine_silent', '1 for each worker at which the engine did not answer', () =>
    (scanners()?.states() ?? []).map(({ name, silent }) => [{ engine: name }, silent === undefined ? 0 : 1] as const),
  )
  metrics.gauge('vorposten_spool_sick', '1 for each worker whose spool takes no mail', () => [
    [{}, spool.health.kind === 'ok' ? 0 : 1],
  ])
}

/** A label for each route, so long as there are few. */
export function byRoute(values: readonly (readonly [route: string, value: number])[]): [Labels, number][] {
  const shown: [Labels, number][] = values.slice(0, SERIES_MAX).map(([route, value]) => [{ route }, value])
  const rest = values.slice(SERIES_MAX).reduce((sum, [, value]) => sum + value, 0)
  return values.length > SERIES_MAX ? [...shown, [{ route: 'other' }, rest]] : shown
}
