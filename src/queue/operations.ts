/**
 * What an operator does with the queue of one worker: list, show, flush, hold, release, requeue, reroute, delete.
 * Each takes a selection, so that a thousand messages are one command, and a dry run, so that nobody must find out
 * afterwards which thousand it was. A message that is being attempted right now is left alone and said to be busy.
 */
import { type ForwardPath, mailboxText, pathText } from '#mail/address.ts'
import { head } from '#mail/content.ts'
import type { Report } from '#mail/event.ts'
import type { QueueEntry, StoredMessage } from '#mail/stored.ts'
import { parseTraceId, type TraceId } from '#mail/trace-id.ts'
import { declaredRouteId } from '#tenant/destination.ts'
import type { Directory, Route } from '#tenant/directory.ts'
import type { Keep, Queue } from './queue.ts'
import { planRedirect, type RedirectOrder } from './redirect.ts'

export interface Selection {
  readonly ids?: readonly string[] | undefined
  readonly tenant?: string | undefined
  readonly route?: string | undefined
  readonly state?: 'active' | 'held' | undefined
  /** Part of the reverse-path, case ignored; `<>` is the null path. */
  readonly sender?: string | undefined
  /** Part of a forward-path, case ignored. */
  readonly recipient?: string | undefined
  readonly olderThanMs?: number | undefined
}

export type Action =
  | { readonly kind: 'flush' }
  | { readonly kind: 'hold' }
  /** With an order, to another address. */
  | { readonly kind: 'release'; readonly redirect?: RedirectOrder | undefined }
  | { readonly kind: 'requeue'; readonly route?: string }
  | { readonly kind: 'delete' }

export interface QueueRow {
  readonly id: string
  readonly tenant: string
  readonly route: string
  readonly state: 'active' | 'held' | 'under way'
  readonly octets: number
  readonly ageMs: number
  readonly attempts: number
  /** Negative: overdue, waiting for room. */
  readonly nextAttemptInMs: number
  readonly from: string
  readonly to: readonly RecipientRow[]
  readonly lastText?: string
  /** Wall clock, ms; while it is held. */
  readonly heldSinceMs?: number
  /** Wall clock, ms: when it will be dropped. Absent while the relay is down. */
  readonly keptUntilMs?: number
  /** We wrote it ourselves, to a tenant's postmaster. */
  readonly notice?: true
}

export interface RecipientRow {
  readonly address: string
  readonly state: string
  readonly text?: string
  /** The recipient at reception, if an operator redirected it. */
  readonly original?: string
}

export interface ActionResult {
  readonly id: string
  readonly done: boolean
  readonly text: string
}

/** Rows of one answer; more would not fit an answer over the control socket, and nobody reads them. */
export const ROWS_MAX = 10_000
/** After so many entries the loop gives way, so that a long listing does not delay mail. */
const ENTRIES_PER_TURN = 500

export interface OperationsParts {
  readonly queue: Pick<Queue, 'nowMs' | 'isUnderWay' | 'flush'> & Partial<Pick<Queue, 'due' | 'reached'>>
  readonly keep: Keep
  readonly entries: () => Iterable<QueueEntry>
  readonly route: (id: string) => Route | undefined
  readonly domain: Directory['domain']
  readonly keptUntilMs: (entry: QueueEntry) => number | undefined
  /** An operator says "now": forget that the hosts of this route could not be reached. */
  readonly wake: (routeId: string) => void
  readonly report: Report
}

export class Operations {
  readonly #parts: OperationsParts

  constructor(parts: OperationsParts) {
    this.#parts = parts
  }

  async list(selection: Selection, rowsMax = ROWS_MAX): Promise<{ rows: QueueRow[]; more: boolean }> {
    const rows: QueueRow[] = []
    for await (const { entry, message } of this.#selected(selection)) {
      if (rows.length >= Math.min(rowsMax, ROWS_MAX)) return { rows, more: true }
      rows.push(this.#row(entry, message ?? (await this.#parts.keep.load(entry.id))))
    }
    return { rows, more: false }
  }

  async show(id: string): Promise<{ row: QueueRow; header: string } | undefined> {
    const traceId = parseTraceId(id)
    const entry = traceId && this.#parts.keep.get(traceId)
    const message = entry && (await this.#parts.keep.load(entry.id))
    if (!entry || !message) return undefined
    return { row: this.#row(entry, message), header: headerOf(message) }
  }

  async act(selection: Selection, action: Action, dryRun: boolean): Promise<ActionResult[]> {
    const results: ActionResult[] = []
    const woken = new Set<string>()
    for await (const { entry, message } of this.#selected(selection)) {
      if (action.kind === 'release' && action.redirect) {
        results.push(await this.#redirect(entry, message, action.redirect, dryRun))
        continue
      }
      const routeId = (action.kind === 'requeue' && action.route) || entry.route
      if (!dryRun && TRIES_NOW.has(action.kind) && !woken.has(routeId)) {
        woken.add(routeId)
        this.#parts.wake(routeId)
      }
      results.push(this.#actOn(entry, action, dryRun))
    }
    return results
  }

  /**
   * The servers of these routes ask for their mail (RFC 1985): all of it is due, and goes out as after an outage. How
   * many messages that are.
   */
  async flushRoutes(routeIds: readonly string[]): Promise<number> {
    const { queue, wake } = this.#parts
    const routes = new Set(routeIds)
    let found = 0
    let seen = 0
    for (const entry of this.#parts.entries()) {
      if (++seen % ENTRIES_PER_TURN === 0) await new Promise(setImmediate)
      if (!routes.has(entry.route) || entry.state !== 'active') continue
      queue.due?.(entry.id)
      found++
    }
    for (const id of routes) {
      wake(id)
      queue.reached?.(id)
    }
    return found
  }

  async #redirect(
    entry: QueueEntry,
    loaded: StoredMessage | undefined,
    order: RedirectOrder,
    dryRun: boolean,
  ): Promise<ActionResult> {
    const { keep, queue, report, domain, wake } = this.#parts
    const { id } = entry
    const message = loaded ?? (await keep.load(id))
    if (message === undefined) return { id, done: false, text: 'it cannot be read now; see the log, then try again' }
    if (queue.isUnderWay(id)) return { id, done: false, text: BUSY }
    // The states are those of a moment ago; the change touches no recipient that has got its end since.
    const plan = planRedirect(entry, message, order, domain, queue.nowMs())
    if (plan.kind === 'refused') return { id, done: false, text: plan.text }
    if (dryRun) return { id, done: false, text: `would release: ${plan.text}` }
    wake(plan.change.route)
    keep.change(id, plan.change)
    report({ kind: 'operator', entry, action: 'redirected', text: plan.text })
    this.#again(id)
    return { id, done: true, text: `released, ${plan.text}, due now` }
  }

  #actOn(entry: QueueEntry, action: Action, dryRun: boolean): ActionResult {
    const { id } = entry
    // A flush is what started it, or came too late to matter.
    if (action.kind === 'flush' && this.#parts.queue.isUnderWay(id)) return { id, done: true, text: 'under way' }
    if (this.#parts.queue.isUnderWay(id)) return { id, done: false, text: BUSY }
    const refusal = refusalOf(entry, action, this.#parts.route)
    if (refusal !== undefined) return { id, done: false, text: refusal }
    if (dryRun) return { id, done: false, text: `would ${action.kind}` }
    return { id, done: true, text: this.#carryOut(entry, action) }
  }

  #carryOut(entry: QueueEntry, action: Action): string {
    const { keep, queue, report } = this.#parts
    const { id } = entry
    const atMs = queue.nowMs()
    switch (action.kind) {
      case 'flush':
        queue.flush(id)
        return 'due now'
      case 'hold':
        keep.change(id, { kind: 'hold', atMs, reason: 'operator', text: 'held by operator' })
        report({ kind: 'operator', entry, action: 'held', text: 'queue hold' })
        return 'held'
      case 'delete':
        report({ kind: 'operator', entry, action: 'deleted', text: 'queue delete' })
        keep.change(id, { kind: 'drop', atMs, text: 'deleted by operator' })
        report({ kind: 'settled', id, tenant: entry.tenant })
        return 'deleted'
      case 'release':
        keep.change(id, { kind: 'release', atMs, nextAttemptMs: atMs })
        report({ kind: 'operator', entry, action: 'released', text: 'queue release' })
        this.#again(id)
        return 'released, due now'
      case 'requeue':
        if (action.route !== undefined) {
          keep.change(id, { kind: 'reroute', atMs, route: action.route, nextAttemptMs: atMs })
          report({ kind: 'operator', entry, action: 'rerouted', text: `to ${action.route}` })
        }
        if (entry.state === 'held') keep.change(id, { kind: 'release', atMs, nextAttemptMs: atMs })
        report({ kind: 'operator', entry, action: 'requeued', text: 'queue requeue' })
        this.#again(id)
        return 'requeued, due now'
    }
  }

  #again(id: TraceId): void {
    this.#parts.queue.flush(id)
  }

  async *#selected(selection: Selection): AsyncGenerator<{ entry: QueueEntry; message?: StoredMessage }> {
    let seen = 0
    for (const entry of this.#candidates(selection)) {
      if (++seen % ENTRIES_PER_TURN === 0) await new Promise(setImmediate)
      if (!matchesEntry(entry, selection, this.#parts.queue.nowMs())) continue
      if (selection.sender === undefined && selection.recipient === undefined) {
        yield { entry }
        continue
      }
      const message = await this.#parts.keep.load(entry.id)
      if (message && matchesEnvelope(message, selection)) yield { entry, message }
    }
  }

  *#candidates({ ids }: Selection): Iterable<QueueEntry> {
    if (ids === undefined) return yield* this.#parts.entries()
    for (const id of ids) {
      const traceId = parseTraceId(id)
      const entry = traceId && this.#parts.keep.get(traceId)
      if (entry) yield entry
    }
  }

  #row(entry: QueueEntry, message: StoredMessage | undefined): QueueRow {
    const nowMs = this.#parts.queue.nowMs()
    return {
      id: entry.id,
      tenant: entry.tenant,
      route: entry.route,
      state: this.#parts.queue.isUnderWay(entry.id) ? 'under way' : entry.state,
      octets: entry.octets,
      ageMs: Math.round(nowMs - entry.receivedMs),
      attempts: entry.attempts,
      nextAttemptInMs: Math.round(entry.nextAttemptMs - nowMs),
      from: message ? pathText(message.envelope.reversePath) : '(unreadable)',
      to: message ? recipientRows(message) : [],
      ...(message?.lastText !== undefined && { lastText: message.lastText }),
      ...this.#retention(entry),
      ...(message?.notice && { notice: true }),
    }
  }

  #retention(entry: QueueEntry): Pick<QueueRow, 'heldSinceMs' | 'keptUntilMs'> {
    const { heldSinceMs } = entry
    if (heldSinceMs === undefined) return {}
    const keptUntilMs = this.#parts.keptUntilMs(entry)
    return { heldSinceMs, ...(keptUntilMs !== undefined && { keptUntilMs }) }
  }
}

const BUSY = 'busy: an attempt is under way, try again'

/** What means an attempt at once. */
const TRIES_NOW: ReadonlySet<Action['kind']> = new Set(['flush', 'release', 'requeue'])

function refusalOf(entry: QueueEntry, action: Action, route: (id: string) => Route | undefined): string | undefined {
  if (action.kind === 'release' && entry.state !== 'held') return 'not held'
  if (action.kind === 'hold' && entry.state === 'held') return 'already held'
  if (action.kind === 'flush' && entry.state === 'held') return 'held: release it first'
  if (action.kind === 'requeue' && action.route !== undefined && route(action.route) === undefined) {
    return `no route ${action.route} in the configuration`
  }
  if (action.kind === 'requeue' && action.route !== undefined && isManyPlaces(route(action.route))) {
    return `${action.route} leads to every domain: name one, such as ${action.route}/example.org`
  }
  return undefined
}

const isManyPlaces = (route: Route | undefined): boolean => route?.byMx !== undefined && route.destination === undefined

function matchesEntry(entry: QueueEntry, selection: Selection, nowMs: number): boolean {
  const { tenant, route, state, olderThanMs } = selection
  return (
    (tenant === undefined || entry.tenant === tenant) &&
    (route === undefined || entry.route === route || declaredRouteId(entry.route) === route) &&
    (state === undefined || entry.state === state) &&
    (olderThanMs === undefined || nowMs - entry.receivedMs > olderThanMs)
  )
}

function matchesEnvelope({ envelope, redirected = [] }: StoredMessage, { sender, recipient }: Selection): boolean {
  const has = (text: string, part: string) => text.toLowerCase().includes(part.toLowerCase())
  if (sender !== undefined && !has(pathText(envelope.reversePath), sender)) return false
  if (recipient === undefined) return true
  const paths = [...envelope.recipients.map((r) => r.forwardPath), ...redirected.map(({ original }) => original)]
  return paths.some((path) => has(pathText(path), recipient))
}

function recipientRows(message: StoredMessage): QueueRow['to'] {
  return message.envelope.recipients.map(({ forwardPath }, i) => {
    const state = message.recipients[i]!
    const original = message.redirected?.find(({ recipient }) => recipient === i)?.original
    return {
      address: addressText(forwardPath),
      state: state.kind,
      ...('text' in state && { text: state.text }),
      ...(original && { original: addressText(original) }),
    }
  })
}

const addressText = (path: ForwardPath): string =>
  path.kind === 'postmaster' ? 'Postmaster' : mailboxText(path.mailbox)

/** Enough of the header section to recognise a message by. */
const HEADER_OCTETS_SHOWN_MAX = 16 * 1024

function headerOf(message: StoredMessage): string {
  const text = head(message.content, HEADER_OCTETS_SHOWN_MAX).toString('utf8')
  const end = text.indexOf('\r\n\r\n')
  return end < 0 ? text : text.slice(0, end + 2)
}
