/** What one worker keeps: the queue of its spool, what is known of outages, what is held, and the operator's hands. */

import type { OutgoingMessage } from '#deliver/delivery.ts'
import { providerBy } from '#deliver/provider.ts'
import type { QueueEntry, StoredMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { Holds } from '#queue/holds.ts'
import { Operations } from '#queue/operations.ts'
import { Outages } from '#queue/outages.ts'
import { type Keep, Queue } from '#queue/queue.ts'
import { envelopeToSend } from '#queue/redirect.ts'
import type { Spool } from '#spool/contract.ts'
import type { Directory, Route } from '#tenant/directory.ts'
import { plainPath } from '../relay/bounces.ts'
import { LockedMail, type LockedMailParts } from '../relay/locked-mail.ts'
import type { SignOwn } from '../relay/own-signing.ts'
import { keepOf } from '../relay/spool-faults.ts'
import { StatusReports, type StatusReportsParts } from '../relay/status-reports.ts'
import type { Outside, Sending } from './assemble.ts'
import { loginStatesOf } from './credentials-desk.ts'
import type { Current } from './current.ts'
import { nobody, outboundDesk } from './outbound-desk.ts'

export interface Keeping {
  readonly queue: Queue
  readonly outages: Outages
  readonly operations: Operations
  readonly holds: Holds
  readonly keep: Keep
  readonly lockedMail: LockedMail
  /** Replay found it. */
  readonly found: (entry: QueueEntry) => void
}

export function assembleKeeping(
  current: Current,
  spool: Spool,
  sending: Sending,
  newTraceId: () => TraceId,
  sign: SignOwn | undefined,
  outside: Outside,
): Keeping {
  const { delivery, tell } = sending
  const { clock, random } = outside
  const { route } = current
  const keep: Keep = keepOf(spool, (id) => holds.saw(id))
  const queue: Queue = new Queue({
    clock,
    random,
    keep,
    route,
    report: tell,
    soon: setImmediate,
    ...(outside.dns && { provider: providerBy(outside.dns) }),
    lifetimeMs: (to, message) => lifetimeMs(current, outages, to, message),
    lifetimeMsMin: (to) => shortestLifetimeMs(current.directory, to),
    withheld: (message) => lockedMail.withheld(message),
    tell: (message, tried) => reports.tell(message, tried),
    tenantRate: (tenant) => current.directory.tenant(tenant)?.messagesPerSecondMax,
    attempt: (to, message, recipients) => delivery.attempt(to, outgoing(message, recipients), { onMixed: 'send' }),
  })
  const reports = assembleReports(current, { newTraceId, spool, queue, report: tell, ...(sign && { sign }) }, outside)
  const wake = (woken: string) => delivery.wake(woken)
  const outages: Outages = assembleOutages(queue, sending, wake)
  sending.knowing(outages)
  const holds: Holds = new Holds({
    clock,
    nowMs: () => queue.nowMs(),
    keep,
    keepMs: (tenant) => current.holdKeepMs(tenant),
    report: tell,
  })
  const operations = new Operations({
    queue,
    keep,
    entries: () => spool.entries(),
    route,
    domain: (ascii) => current.directory.domain(ascii),
    keptUntilMs: (entry) => holds.keptUntilMs(entry),
    wake,
    report: tell,
  })
  const lockedMail: LockedMail = assembleLockedMail({ keep, spool, queue, report: tell }, outside)
  const found = (entry: QueueEntry) => {
    queue.add(entry)
    holds.found(entry)
    lockedMail.found(entry)
  }
  return { queue, operations, outages, holds, keep, lockedMail, found }
}

type LockedMailOf = Pick<LockedMailParts, 'keep' | 'queue' | 'report'> & { readonly spool: Spool }

const assembleLockedMail = ({ spool, ...parts }: LockedMailOf, { shared }: Outside): LockedMail =>
  new LockedMail({
    ...parts,
    entries: () => spool.entries(),
    login: shared ? loginStatesOf(shared.store) : () => 'gone',
  })

function outgoing(message: StoredMessage, recipients: readonly number[]): OutgoingMessage {
  const { id, content, notice } = message
  const { receivedMs } = message.reception
  return { id, content, recipients, envelope: envelopeToSend(message), receivedMs, ...(notice && { notice }) }
}

function assembleOutages(queue: Queue, { recipients }: Sending, wake: (routeId: string) => void): Outages {
  return new Outages({
    nowMs: () => queue.nowMs(),
    lost: (id) => queue.lost(id),
    hold: (id, untilMs) => queue.hold(id, untilMs),
    reached(id) {
      wake(id)
      recipients.knowledge.reached(id)
      queue.reached(id)
    },
  })
}

type ReportsOf = Pick<StatusReportsParts, 'newTraceId' | 'spool' | 'queue' | 'report' | 'sign'>

function assembleReports(current: Current, parts: ReportsOf, { shared }: Outside): StatusReports {
  const { limits } = outboundDesk(shared?.desk ?? nobody)
  return new StatusReports({
    ...parts,
    hostname: current.config.hostname,
    settings: () => current.config.dsn,
    directory: () => current.directory,
    limits,
    plain: plainPath,
  })
}

/** How long a message is tried: as its domain says, else its route, and longer by what maintenance held it back. */
function lifetimeMs(current: Current, outages: Outages, route: Route, { envelope, reception }: StoredMessage): number {
  const path = envelope.recipients[0]?.forwardPath
  const domain = path?.kind === 'mailbox' && path.mailbox.domain.kind === 'name' ? path.mailbox.domain.ascii : undefined
  const own = domain === undefined ? undefined : current.directory.domain(domain)?.lifetimeMs
  return (own ?? route.lifetimeMs) + outages.heldBackMs(route.id, reception.receivedMs)
}

const shortest = new WeakMap<Directory, Map<string, number>>()

/** Of all domains of the route; made once for each configuration. */
function shortestLifetimeMs(directory: Directory, { id, lifetimeMs: routesMs }: Route): number {
  let found = shortest.get(directory)
  if (found === undefined) {
    found = new Map()
    for (const { route, lifetimeMs: ownMs = route.lifetimeMs } of directory.domains())
      found.set(route.id, Math.min(found.get(route.id) ?? route.lifetimeMs, ownMs))
    shortest.set(directory, found)
  }
  return Math.min(found.get(id) ?? routesMs, routesMs)
}
