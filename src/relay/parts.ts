/**
 * A transaction whose recipients are at several destinations is stored as several messages, one for each: each has its own
 * retries and its own end, and a slow domain holds up nobody else. The first keeps the id that the sender hears; the others
 * have ids of their own, and the trace leads from the first to them.
 *
 * The sender's 250 stands for all of them. So none is on its way before every one is synced; and where some could not be
 * stored, the rest is dropped again, and the sender hears nothing at all: the drop may be lost in a crash, and what comes
 * back then must not follow a 4yz.
 */
import type { ForwardPath } from '#mail/address.ts'
import type { Content } from '#mail/content.ts'
import type { SpoolReceipt } from '#mail/custody.ts'
import type { Envelope } from '#mail/envelope.ts'
import type { Transaction } from '#mail/session.ts'
import type { Change, NewMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { SpoolError } from '#spool/contract.ts'
import { routeToLeaveBy } from '#tenant/destination.ts'
import type { OutboundWay, Route, Way } from '#tenant/directory.ts'

/**
 * Of one transaction: each is a copy of the content on disk. RFC 5321 §4.5.3.1.8 wants 100 recipients to be taken; further
 * destinations hear 452, and come in the next transaction.
 */
export const DESTINATIONS_MAX = 100

export interface PartsOptions {
  readonly route: (id: string) => Route | undefined
  readonly newTraceId: () => TraceId
}

const isOutbound = (way: Way): way is OutboundWay => 'outbound' in way

type RouteOf = PartsOptions['route']

function routeFor(path: ForwardPath, way: OutboundWay, { reversePath }: Pick<Envelope, 'reversePath'>, route: RouteOf) {
  if (path.kind !== 'mailbox') return way.route.id
  return routeToLeaveBy(way, reversePath.kind === 'null', path.mailbox.domain, route)
}

/** At least one. The recipients of each are in the order of the transaction. */
export function inParts(message: NewMessage, way: Way, options: PartsOptions): readonly NewMessage[] {
  if (!isOutbound(way)) return [message]
  const { envelope } = message
  const byRoute = Map.groupBy(envelope.recipients, ({ forwardPath }) =>
    routeFor(forwardPath, way, envelope, options.route),
  )
  return [...byRoute].map(([route, recipients], i) => ({
    ...message,
    id: i === 0 ? message.id : options.newTraceId(),
    route,
    envelope: { ...envelope, recipients },
  }))
}

export interface PartsSpool {
  append(message: NewMessage, content: Content, firstAttemptMs: number): Promise<SpoolReceipt>
  change(id: TraceId, change: Change): void
}

/** Rejects as the spool does, where nothing was stored; `torn`: some were, and are dropped again. */
export async function appendAll(
  messages: readonly NewMessage[],
  content: Content,
  spool: PartsSpool,
  times: { readonly firstAttemptMs: number; readonly nowMs: number },
): Promise<SpoolReceipt | 'torn'> {
  // Together, so that they are one batch and one sync.
  const ended = await Promise.allSettled(messages.map((one) => spool.append(one, content, times.firstAttemptMs)))
  const receipts = ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  if (receipts.length === messages.length) return receipts[0]!
  for (const { id } of receipts) {
    spool.change(id, { kind: 'drop', atMs: times.nowMs, text: 'the rest of its transaction could not be stored' })
  }
  if (receipts.length > 0) return 'torn'
  const reasons = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
  throw reasons.find((reason) => reason instanceof SpoolError && reason.kind === 'uncertain') ?? reasons[0]
}

/** Counts the destinations of each open transaction. */
export class Spread {
  readonly #seen = new WeakMap<Transaction, Set<string>>()

  /** How often its content will be stored. */
  copies(transaction: Transaction): number {
    return this.#seen.get(transaction)?.size ?? 1
  }

  /** May this recipient join, too? */
  takes(transaction: Transaction, way: OutboundWay, path: ForwardPath, route: RouteOf): boolean {
    const id = routeFor(path, way, transaction.envelope, route)
    const seen = this.#seen.get(transaction) ?? new Set<string>()
    if (seen.size >= DESTINATIONS_MAX && !seen.has(id)) return false
    this.#seen.set(transaction, seen.add(id))
    return true
  }
}
