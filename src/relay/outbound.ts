/**
 * Mail that leaves: from a tenant's own servers, by the tenant's route, to anyone (R2, R6).
 *
 *     client's network ─► tenant ─► sender's domain ─► automatic? ─► sign or record ─► spool
 *     or login; 550 5.7.1           550 5.7.1           │
 *                                                       ├ auto-reply: within the limit, or discarded; 451 if nobody can count
 *                                                       └ NDR: pass, hold or discard, as the tenant says
 *
 * Everything is judged before custody, so an error costs a counted reply at most, never a message. Custody is always the
 * spool's.
 */

import type { ForwardPath, Mailbox } from '#mail/address.ts'
import type { Content } from '#mail/content.ts'
import { DiscardRecord } from '#mail/custody.ts'
import type { Discarded, Soon } from '#mail/decisions.ts'
import { domainText } from '#mail/domain.ts'
import type { Envelope, Recipient } from '#mail/envelope.ts'
import type { Report } from '#mail/event.ts'
import { FEW_RECIPIENTS_MAX } from '#mail/priority.ts'
import type { Session, Transaction } from '#mail/session.ts'
import type { Submission } from '#mail/stored.ts'
import { ACCEPT, type Defer, type Gate, type Reject } from '#mail/verdict.ts'
import type { AutomaticMail, Dsn } from '#mime/automatic/automatic-mail.ts'
import { classify } from '#mime/automatic/classify.ts'
import { isBulk } from '#mime/bulk.ts'
import type { HeaderSection } from '#mime/header-section.ts'
import { absentMailbox, correspondentKey, overLimitText, replyCounter } from '#policy/automatic-reply.ts'
import { withTag } from '#policy/prvs.ts'
import type { Clock } from '#sys/clock.ts'
import type { Directory, OutboundWay, SendingLimits, Way } from '#tenant/directory.ts'
import { returnPathFact, sentFacts } from './message-facts.ts'
import * as refusals from './refusals.ts'
import { SenderRights, type Verified } from './sender-rights.ts'
import { authorsRefusal } from './submission.ts'

/** Counts across all workers and restarts. Rejects when nobody can count now. */
export interface ReplyLimits {
  /** One answer for each counter, in order: is there room within the limit? What is taken stays taken. */
  take(tenant: string, counters: readonly string[], limit: number, windowMs: number): Promise<readonly boolean[]>
}

/** What was seen of a tenant's mail, across all workers and restarts. Facts are texts; the record keeps their digests. */
export interface MessageRecords {
  /** Resolves when the facts are synced. */
  remember(tenant: string, kind: RecordKind, facts: readonly string[]): Promise<void>
  /** Of each fact: is it on record? Undefined where the record has gaps, so that a no would prove nothing. */
  known(tenant: string, kind: RecordKind, facts: readonly string[]): Promise<readonly (boolean | undefined)[]>
}
export type RecordKind = 'sent' | 'return-path'

/** What an accepted message still needs to know; `transaction` is the one to commit, perhaps with a signed path. */
export interface Passed {
  readonly kind: 'pass'
  readonly transaction: Transaction
  /** Not to be sent until a person says so. */
  readonly hold?: string
  /** Absent: its sender is told nothing. */
  readonly submission?: Submission
}
export type Judged = Passed | Reject | Defer | Discarded

export interface ToJudge<W extends Way> {
  readonly transaction: Transaction
  readonly way: W
  /** As it came. */
  readonly content: Content
  readonly header: HeaderSection
  readonly messageId: string | undefined
}

/** R7: counts recipients across all workers. Rejects when nobody can count now. */
export interface SendingQuota {
  take(recipient: CountedRecipient): Promise<QuotaAnswer>
}
export interface CountedRecipient {
  readonly tenant: string
  /** Absent: one of the tenant's servers sends. */
  readonly login?: string
  readonly limits: SendingLimits
  /** Of the recipient: a name in A-labels, or `[192.0.2.1]`. */
  readonly domain: string
  /** Address of the client. */
  readonly client: string
}
/** `waitMs`: so long nothing more is taken. */
export type QuotaAnswer =
  | { readonly kind: 'taken' }
  | { readonly kind: 'over'; readonly window: 'burst' | 'day'; readonly text: string; readonly waitMs: number }
  | { readonly kind: 'locked'; readonly reason: string }

/** Why a tenant sends nothing to an address for now. */
export interface Suppressed {
  readonly reason: 'bounced' | 'complained' | 'operator'
  /** What a server or the operator said. */
  readonly text: string
  /** Wall clock, ms. */
  readonly sinceMs: number
}

export interface OutboundParts {
  /** Throws when it cannot be read now. Absent: nothing is suppressed. */
  readonly suppressed?: (tenant: string, mailbox: Mailbox) => Suppressed | undefined
  /** Absent: nothing is counted. */
  readonly quota?: SendingQuota
  readonly clock: Clock
  readonly directory: () => Directory
  /** Absent: tenants send as the domains that they have with us, and no others. */
  readonly verified?: Verified
  readonly limits: ReplyLimits
  readonly records: MessageRecords
  readonly report: Report
}

export class Outbound {
  readonly #parts: OutboundParts
  readonly #rights: SenderRights

  constructor(parts: OutboundParts) {
    this.#parts = parts
    this.#rights = new SenderRights(parts)
  }

  /** By who has authenticated; else, where other servers send, by the client's key or network. */
  way({ authenticated, service, client, tls }: Session): OutboundWay | undefined {
    const directory = this.#parts.directory()
    if (authenticated !== undefined) return directory.outboundOf(authenticated.tenant)
    return service === 'outbound' ? directory.outbound(client.address, tls?.clientKey) : undefined
  }

  mail({ session, envelope: { reversePath } }: Transaction): Gate {
    const { authenticated, service, client, tls } = session
    if (authenticated === undefined && service === 'submission') return refusals.authRequired()
    const way = this.way(session)
    if (way === undefined)
      return authenticated
        ? refusals.noOutbound(authenticated.tenant)
        : refusals.notACustomer(client.address, tls?.clientKey)
    if (reversePath.kind === 'null') return ACCEPT
    return this.#rights.reversePath(reversePath.mailbox, session, way) ?? ACCEPT
  }

  /** R7. A recipient that is counted stays counted, also when its message does not come after all. */
  rcpt({ authenticated, client }: Session, way: OutboundWay, path: ForwardPath): Soon<Gate> {
    const suppressed = path.kind === 'mailbox' ? this.#suppressed(way, path.mailbox) : undefined
    if (suppressed !== undefined) return suppressed
    const { limits } = way.outbound
    const { quota } = this.#parts
    const isCounted = authenticated !== undefined || (limits?.servers ?? limits?.tenant ?? limits?.tenantToOneDomain)
    if (quota === undefined || limits === undefined || !isCounted) return ACCEPT
    const domain = path.kind === 'mailbox' ? domainText(path.mailbox.domain) : ''
    const login = authenticated && { login: authenticated.login }
    return quota.take({ tenant: way.tenant.name, ...login, limits, domain, client: client.address }).then(
      (answer) => {
        if (answer.kind === 'taken') return ACCEPT
        if (answer.kind === 'locked') return refusals.sendingLocked(answer.reason)
        const isFinal = answer.window === 'day' && authenticated !== undefined
        return (isFinal ? refusals.sendingTooMuchToday : refusals.sendingTooMuch)(answer.text, answer.waitMs)
      },
      (error: Error) => refusals.cannotCountRecipients(error.message),
    )
  }

  // A list that cannot be read keeps no mail back.
  #suppressed({ tenant: { name }, outbound }: OutboundWay, mailbox: Mailbox): Reject | undefined {
    try {
      const found = this.#parts.suppressed?.(name, mailbox)
      if (found === undefined) return undefined
      if (found.reason === 'bounced' && outbound.sendsToBounced) return undefined
      if (found.reason === 'complained' && outbound.sendsToComplained) return undefined
      return refusals.suppressed(found, name)
    } catch {
      return undefined
    }
  }

  async content(message: ToJudge<OutboundWay>): Promise<Judged> {
    const { transaction, way } = message
    const { session, envelope } = transaction
    const { reversePath } = envelope
    const refusal = (author: Mailbox) => this.#rights.author(author, session, way)
    // Also of a login at a listener for servers: a stolen one must not write there as somebody else.
    const hasAuthors = session.service === 'submission' || session.authenticated !== undefined
    const foreign = hasAuthors ? authorsRefusal(message.header, refusal) : undefined
    if (foreign !== undefined) return foreign
    const found = classify({ reversePath, header: message.header, content: message.content })
    this.#count(way, 'outbound', found.kind)
    const judged = await this.#judge(message, found)
    if (judged.kind !== 'pass' || reversePath.kind === 'null') return judged
    if (this.#rights.owning(reversePath.mailbox, way).kind !== 'own') return judged
    // The domain is the tenant's, and so is whoever says that he sends: his reports may go there.
    const credential = session.authenticated?.login ?? 'network'
    const automatic = found.kind !== 'ordinary' && ({ automatic: true } as const)
    const many = envelope.recipients.length > FEW_RECIPIENTS_MAX || isBulk(message.header)
    return { ...judged, submission: { credential, ...automatic, ...(many && { bulk: true }) } }
  }

  #judge(message: ToJudge<OutboundWay>, found: AutomaticMail): Promise<Judged> {
    switch (found.kind) {
      case 'out-of-office':
      case 'auto-reply':
      case 'challenge':
        return this.#autoReply(message, found)
      case 'dsn':
        return this.#ndr(message, found.dsn)
      default:
        return this.#leaves(message, message.transaction)
    }
  }

  async #autoReply(
    message: ToJudge<OutboundWay>,
    { author }: Extract<AutomaticMail, { author?: string }>,
  ): Promise<Judged> {
    const { transaction, way } = message
    const { envelope } = transaction
    const { autoReplies } = way.outbound
    const absent = absentMailbox(author, envelope.reversePath)
    const counters = envelope.recipients.map((r) => replyCounter(absent, correspondentKey(r.forwardPath), autoReplies))
    let taken: readonly boolean[]
    try {
      taken = await this.#parts.limits.take(way.tenant.name, counters, autoReplies.limit, autoReplies.windowMs)
    } catch (error) {
      this.#count(way, 'auto-reply', 'deferred')
      return refusals.cannotCount((error as Error).message)
    }
    const within = envelope.recipients.filter((_, i) => taken[i])
    for (const [i, recipient] of envelope.recipients.entries()) {
      this.#count(way, 'auto-reply', taken[i] ? 'passed' : 'discarded')
      if (taken[i]) continue
      const text = overLimitText(absent, correspondentKey(recipient.forwardPath), autoReplies)
      this.#discarded(message, [recipient], 'auto-reply-limit', text)
    }
    if (within.length === 0) return { kind: 'discard', record: DiscardRecord.afterReport(transaction.id) }
    return this.#leaves(message, withEnvelope(transaction, { recipients: within }))
  }

  // R6: "as a rule none".
  async #ndr(message: ToJudge<OutboundWay>, dsn: Dsn): Promise<Judged> {
    const { transaction, way } = message
    const { ndrs } = way.outbound
    if (ndrs === 'discard') {
      this.#count(way, 'ndr', 'discarded')
      this.#discarded(message, transaction.envelope.recipients, 'ndr-discarded', 'non-delivery message; ndrs: discard')
      return { kind: 'discard', record: DiscardRecord.afterReport(transaction.id) }
    }
    const isVerified = ndrs === 'verified' && (await this.#answersVerified(message, dsn))
    if (ndrs === 'pass' || isVerified) {
      this.#count(way, 'ndr', isVerified ? 'verified' : 'passed')
      return this.#leaves(message, transaction)
    }
    this.#count(way, 'ndr', 'held')
    const why = ndrs === 'hold' ? 'ndrs: hold' : 'the return path of the original is not verified'
    return { kind: 'pass', transaction, hold: `non-delivery message; ${why}` }
  }

  // A record that cannot be asked verifies nothing.
  async #answersVerified({ transaction, way }: ToJudge<OutboundWay>, dsn: Dsn): Promise<boolean> {
    const { originalMessageId } = dsn
    const { recipients } = transaction.envelope
    const to = recipients.flatMap(({ forwardPath }) => (forwardPath.kind === 'mailbox' ? [forwardPath.mailbox] : []))
    if (originalMessageId === undefined || to.length < recipients.length) return false
    const facts = to.map((mailbox) => returnPathFact(originalMessageId, mailbox))
    try {
      const known = await this.#parts.records.known(way.tenant.name, 'return-path', facts)
      return known.length > 0 && known.every((one) => one === true)
    } catch {
      return false
    }
  }

  async #leaves({ way, messageId }: ToJudge<OutboundWay>, transaction: Transaction): Promise<Judged> {
    const { bounceProtection } = way.tenant
    if (bounceProtection?.kind === 'batv') return { kind: 'pass', transaction: this.#signed(transaction, way) }
    if (bounceProtection?.kind !== 'sent-record') return { kind: 'pass', transaction }
    try {
      await this.#parts.records.remember(way.tenant.name, 'sent', sentFacts(transaction.envelope, messageId))
      return { kind: 'pass', transaction }
    } catch (error) {
      return refusals.cannotRecord((error as Error).message)
    }
  }

  // Only domains whose bounces we check get signed paths: nobody would take the tag off again elsewhere.
  #signed(transaction: Transaction, way: OutboundWay): Transaction {
    const { reversePath } = transaction.envelope
    const protection = way.tenant.bounceProtection
    if (protection?.kind !== 'batv' || reversePath.kind === 'null') return transaction
    const wallMs = this.#parts.clock.wall()
    const key = protection.keys.get(protection.signingKey)
    if (key === undefined || wallMs < protection.sinceMs || !this.#rights.serves(reversePath.mailbox, way))
      return transaction
    const mailbox = withTag(reversePath.mailbox, protection.signingKey, key, wallMs)
    return mailbox === undefined
      ? transaction
      : withEnvelope(transaction, { reversePath: { kind: 'mailbox', mailbox } })
  }

  #discarded(message: ToJudge<OutboundWay>, recipients: readonly Recipient[], symbol: string, text: string): void {
    const { transaction, way, content, messageId } = message
    this.#parts.report({
      kind: 'discarded',
      id: transaction.id,
      session: transaction.session,
      envelope: transaction.envelope,
      recipients,
      tenant: way.tenant.name,
      octets: content.octets,
      ...(messageId !== undefined && { messageId }),
      reasons: [{ symbol, text }],
    })
  }

  #count({ tenant }: Way, subject: 'outbound' | 'auto-reply' | 'ndr', decision: string): void {
    this.#parts.report({ kind: 'governed', tenant: tenant.name, subject, decision })
  }
}

/** The same transaction with another envelope, for all that follows; the session's own stays as the client gave it. */
export const withEnvelope = (transaction: Transaction, envelope: Partial<Envelope>): Transaction => ({
  ...transaction,
  envelope: { ...transaction.envelope, ...envelope } as Transaction['envelope'],
})
