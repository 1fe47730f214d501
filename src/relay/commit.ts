/**
 * Commit: somebody takes custody before we say 250 (law 1). Cut-through: the customer's server, in the session, so that
 * its refusal reaches the sending server. Or the spool.
 *
 * | the next hop says to all recipients         | the sender hears |
 * |---|---|
 * | 250 at the dot                              | 250, custody is the next hop's |
 * | 5yz (RCPT or dot)                           | that 5yz |
 * | 5yz to some RCPT, others fine: no mailbox   | 451, and at the retry 550 at RCPT for those; nothing was sent |
 * | 5yz to some RCPT, others fine: other reason | 250, custody is the spool's; a refusal is held |
 * | some took it at the dot, some not (LMTP)    | 250, custody is the spool's for the rest; a refusal is held |
 * | a 4yz, with REQUIRETLS from a stranger       | 451: should it fail later, nobody could be told (RFC 8689 §4.2.1) |
 * | 4yz, silence, no connection, a lost reply   | 250, custody is the spool's (recipients are known) |
 * | nothing yet when the patience is over       | the same; the attempt goes on as the queue's first |
 *
 * If the spool refuses what the next hop has or may have, only the next hop can be the answer: 250 if all have it, no
 * reply at all if nobody can say.
 */
import type { Content } from '#mail/content.ts'
import type { SpoolReceipt } from '#mail/custody.ts'
import type { ContentAnswer, Soon } from '#mail/decisions.ts'
import type { Report, Signature } from '#mail/event.ts'
import type { Attempt, Outcome } from '#mail/outcome.ts'
import { passedOn } from '#mail/reply.ts'
import { type Transaction, withProtocol } from '#mail/session.ts'
import type { Change, NewMessage, QueueEntry, Submission } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Defer, Reject } from '#mail/verdict.ts'
import type { Clock } from '#sys/clock.ts'
import type { Route, Way } from '#tenant/directory.ts'
import { saysNoMailbox } from './lessons.ts'
import { appendAll, inParts, type PartsOptions } from './parts.ts'
import * as refusals from './refusals.ts'

/** The sending server waits 10 min at the dot (RFC 5321 §4.5.3.2.6), many wait less; we must have answered by then. */
export const CUT_THROUGH_PATIENCE_MS = 60_000
/** For a free connection to the next hop; a session that waits longer is better off with the spool. */
export const CUT_THROUGH_WAIT_MS = 2_000

export interface CommitParts {
  readonly clock: Clock
  readonly report: Report
  readonly route: PartsOptions['route']
  readonly newTraceId: PartsOptions['newTraceId']
  readonly spool: {
    append(message: NewMessage, content: Content, firstAttemptMs: number): Promise<SpoolReceipt>
    change(id: TraceId, change: Change): void
    get(id: TraceId): QueueEntry | undefined
  }
  /** What an append that was rejected means for the sender. */
  readonly spoolRefusal: (error: unknown) => Defer | { readonly kind: 'vanish' }
  readonly queue: {
    nowMs(): number
    add(entry: QueueEntry): void
    adopt(id: TraceId, route: Route, attempt: Promise<Attempt>): void
    observe(route: Route, attempt: Attempt): void
    isDown(routeId: string): boolean
  }
  readonly attempt: (
    route: Route,
    message: {
      id: TraceId
      envelope: NewMessage['envelope']
      content: Content
      recipients: readonly number[]
      receivedMs: number
    },
    options: { onMixed: 'send' | 'abort'; waitMsMax?: number },
  ) => Promise<Attempt>
}

/** A message that is ready to be taken into custody: checked, with its trace fields. */
export interface Ready {
  readonly transaction: Transaction
  readonly domain: Way
  readonly content: Content
  readonly messageId: string | undefined
  /** Why it is kept for a person and not sent. */
  readonly hold?: string | undefined
  /** Who vouches for its reverse-path. */
  readonly submission?: Submission | undefined
  readonly signatures?: readonly Signature[]
}

export class Commit {
  readonly #parts: CommitParts

  constructor(parts: CommitParts) {
    this.#parts = parts
  }

  take(ready: Ready): Soon<ContentAnswer> {
    const { route, commit } = ready.domain
    if (ready.hold !== undefined) return this.#storeHeld(ready, ready.hold)
    if (commit === 'spool') return this.#store(ready, this.#parts.queue.nowMs())
    if (this.#parts.queue.isDown(route.id)) {
      const why = 'the next hop does not answer'
      return isNowOrNever(ready) ? refusals.requireTlsLater(why) : this.#store(ready, this.#parts.queue.nowMs(), why)
    }
    return this.#cutThrough(ready)
  }

  async #cutThrough(ready: Ready): Promise<ContentAnswer> {
    const { route } = ready.domain
    const { id, envelope, startedMs } = ready.transaction
    const recipients = envelope.recipients.map((_, i) => i)
    const trying = this.#parts.attempt(
      route,
      { id, envelope, content: ready.content, recipients, receivedMs: startedMs },
      { onMixed: 'abort', waitMsMax: CUT_THROUGH_WAIT_MS },
    )
    const attempt = await this.#patiently(trying)
    if (attempt === 'patience-over') {
      return this.#storeUnderWay(ready, trying, 'the next hop is slow; delivery goes on')
    }
    // What a recipient has must not come again, so no 4yz; what a recipient refused must not be lost, so no 5yz.
    if (attempt.outcomes.some(mayBeTaken) && !attempt.outcomes.every(isDelivered)) {
      return this.#storeUnderWay(ready, trying, 'some recipients have it, some not')
    }
    this.#parts.queue.observe(route, attempt)
    this.#reportAttempt(ready, attempt)
    return this.#afterAttempt(ready, attempt)
  }

  #afterAttempt(ready: Ready, { outcomes }: Attempt): Soon<ContentAnswer> {
    const first = outcomes[0]
    if (first?.kind === 'delivered' && outcomes.every(isDelivered)) {
      this.#reportAccepted(ready, 'next-hop')
      return { kind: 'accept', custody: first.receipt }
    }
    const failed = outcomes.filter(isFailed)
    if (failed.length === outcomes.length) return refusalFor(failed[0]!)
    if (failed.length > 0) {
      const why = failed.map((outcome) => outcome.text).join('; ')
      if (failed.every(saysNoMailbox)) return refusals.mixedRecipients(why)
      // It teaches nothing of the recipient (law 4), so a retry would come to the same point again, for days.
      return this.#store(ready, this.#parts.queue.nowMs(), `some recipients were refused: ${why}`)
    }
    const why = outcomes.find(isDeferred)?.text ?? 'not delivered'
    if (isNowOrNever(ready) && !outcomes.some(mayBeTaken)) return refusals.requireTlsLater(why)
    return this.#store(ready, this.#parts.queue.nowMs() + ready.domain.route.retryFirstMs, why)
  }

  #patiently(trying: Promise<Attempt>): Promise<Attempt | 'patience-over'> {
    return new Promise((resolve, reject) => {
      const cancel = this.#parts.clock.after(CUT_THROUGH_PATIENCE_MS, () => resolve('patience-over'))
      // A rejection is a defect; the session tells the sender to come again.
      void trying.then(resolve, reject).finally(cancel)
    })
  }

  async #store(ready: Ready, firstAttemptMs: number, note?: string): Promise<ContentAnswer> {
    const { spool, queue } = this.#parts
    const messages = this.#newMessages(ready)
    try {
      const custody = await appendAll(messages, ready.content, spool, { firstAttemptMs, nowMs: queue.nowMs() })
      if (custody === 'torn') return { kind: 'vanish' }
      this.#reportAccepted(ready, 'spool', note)
      this.#reportSplit(messages)
      for (const { id } of messages) {
        const entry = spool.get(id)
        if (entry) queue.add(entry)
      }
      return { kind: 'accept', custody }
    } catch (error) {
      return this.#parts.spoolRefusal(error)
    }
  }

  // Between the append and the hold a crash may come: then the first attempt is as late as the queue allows.
  async #storeHeld(ready: Ready, why: string): Promise<ContentAnswer> {
    const { spool, queue, report } = this.#parts
    const nowMs = queue.nowMs()
    const messages = this.#newMessages(ready)
    const firstAttemptMs = nowMs + ready.domain.route.retryMaxMs
    try {
      const custody = await appendAll(messages, ready.content, spool, { firstAttemptMs, nowMs })
      if (custody === 'torn') return { kind: 'vanish' }
      for (const { id } of messages) spool.change(id, { kind: 'hold', atMs: nowMs, reason: 'policy', text: why })
      this.#reportAccepted(ready, 'spool', `held: ${why}`)
      this.#reportSplit(messages)
      for (const { id, envelope } of messages) {
        const entry = spool.get(id)
        if (entry) report({ kind: 'held', entry, reason: 'policy', recipients: envelope.recipients, text: why })
      }
      return { kind: 'accept', custody }
    } catch (error) {
      return this.#parts.spoolRefusal(error)
    }
  }

  // The queue hears how the attempt ends: who has the message then does not get it twice.
  async #storeUnderWay(ready: Ready, trying: Promise<Attempt>, note: string): Promise<ContentAnswer> {
    const retryMs = this.#parts.queue.nowMs() + ready.domain.route.retryFirstMs
    let custody: SpoolReceipt
    try {
      custody = await this.#parts.spool.append(this.#newMessage(ready), ready.content, retryMs)
    } catch (error) {
      return this.#withoutSpool(ready, await trying, this.#parts.spoolRefusal(error))
    }
    this.#reportAccepted(ready, 'spool', note)
    this.#parts.queue.adopt(custody.id, ready.domain.route, trying)
    return { kind: 'accept', custody }
  }

  // Nobody has the message but, perhaps, the next hop. A 4yz must not be followed by a delivery.
  #withoutSpool(ready: Ready, attempt: Attempt, refusal: ContentAnswer): ContentAnswer {
    this.#parts.queue.observe(ready.domain.route, attempt)
    this.#reportAttempt(ready, attempt)
    const first = attempt.outcomes[0]
    if (first?.kind === 'delivered' && attempt.outcomes.every(isDelivered)) {
      this.#reportAccepted(ready, 'next-hop')
      return { kind: 'accept', custody: first.receipt }
    }
    return attempt.outcomes.some(mayBeTaken) ? { kind: 'vanish' } : refusal
  }

  #newMessage({ transaction, domain, submission }: Ready): NewMessage {
    const { session, envelope, id, startedMs } = transaction
    const { clock, queue } = this.#parts
    const login = submission === undefined ? session.authenticated?.login : undefined
    return {
      id,
      tenant: domain.tenant.name,
      route: domain.route.id,
      envelope,
      reception: {
        clientAddress: session.client.address,
        greetingName: session.greetingName ?? '',
        protocol: withProtocol(session, envelope.smtputf8),
        // By the queue's clock, which will judge the age: a wall clock set back must not make a new message old.
        receivedMs: queue.nowMs() - Math.max(0, clock.wall() - startedMs),
      },
      ...(submission && { submission }),
      ...(login !== undefined && { login }),
    }
  }

  // One for each destination, if there are several.
  #newMessages(ready: Ready): readonly NewMessage[] {
    return inParts(this.#newMessage(ready), ready.domain, this.#parts)
  }

  #reportSplit([first, ...others]: readonly NewMessage[]): void {
    for (const { id, tenant, route, envelope } of others) {
      this.#parts.report({ kind: 'split', id: first!.id, part: id, tenant, route, recipients: envelope.recipients })
    }
  }

  #reportAccepted(ready: Ready, custody: 'spool' | 'next-hop', note?: string): void {
    const { transaction, domain, content, messageId, submission, signatures = [] } = ready
    this.#parts.report({
      kind: 'accepted',
      id: transaction.id,
      session: transaction.session,
      envelope: transaction.envelope,
      tenant: domain.tenant.name,
      route: domain.route.id,
      octets: content.octets,
      ...(messageId !== undefined && { messageId }),
      custody,
      receptionMs: this.#parts.clock.wall() - transaction.startedMs,
      ...(note !== undefined && { note }),
      ...(signatures.length > 0 && { signatures }),
      ...(submission && { submission }),
    })
  }

  #reportAttempt({ transaction, domain }: Ready, attempt: Attempt): void {
    this.#parts.report({
      kind: 'attempted',
      id: transaction.id,
      tenant: domain.tenant.name,
      route: domain.route.id,
      recipients: transaction.envelope.recipients,
      attempt,
      ageMs: this.#parts.clock.wall() - transaction.startedMs,
      inSession: true,
    })
  }
}

const isDelivered = (outcome: Outcome) => outcome.kind === 'delivered'
const isFailed = (outcome: Outcome) => outcome.kind === 'failed'
const mayBeTaken = (outcome: Outcome) =>
  outcome.kind === 'delivered' || (outcome.kind === 'deferred' && outcome.obstacle === 'lost')
const isDeferred = (outcome: Outcome) => outcome.kind === 'deferred'

const isNowOrNever = ({ transaction: { session, envelope } }: Ready) =>
  envelope.requireTls === true && envelope.reversePath.kind !== 'null' && session.service === 'inbound'

function refusalFor(outcome: Extract<Outcome, { kind: 'failed' }>): Reject {
  if (outcome.reply === undefined && outcome.status?.startsWith('5.7.'))
    return refusals.cannotBeSentSafely(outcome.status, outcome.text)
  if (outcome.reply === undefined) return refusals.cannotBeSent(outcome.text)
  return refusals.refusedByNextHop(passedOn(outcome.reply), outcome.text)
}
