/**
 * The path of a message, on one screen.
 *
 *     connect ──► session ──► MAIL ──► RCPT ─────────► DATA ─► inspect ─► scan ─► commit ─────────► 250
 *     accept/                  │      recipients/       │     loop, size  virus,    deliver/ cut-through
 *                              │      one group         │     who         spam      or spool/, synced
 *                              ▼                        ▼     vouches      │             │
 *                     5yz no, 4yz not now          452 no space       quarantine/  queue/ ─► deliver/ ─► delivered,
 *                                                                                            deferred, held
 *
 * Mail that leaves enters by the same door of another listener: from the tenants' servers, or from users who say who they are
 * (relay/authentication.ts). relay/outbound.ts says who may, as whom, and what becomes of automatic mail. relay/bounces.ts keeps bounces of mail that a tenant never sent away from it.
 *
 * Each step answers with a value: accept, reject (5yz) or defer (4yz), with its reasons. `report/` hears of each one.
 * Stages do not know each other; they meet here.
 */
import { type ForwardPath, mailboxText } from '#mail/address.ts'
import type { Content } from '#mail/content.ts'
import type { AuthAnswer, AuthStep, ContentAnswer, Decisions, EtrnAnswer, Soon } from '#mail/decisions.ts'
import type { Recipient } from '#mail/envelope.ts'
import type { RefusedAt, Report } from '#mail/event.ts'
import type { Session, Transaction } from '#mail/session.ts'
import { ACCEPT, type Gate } from '#mail/verdict.ts'
import type { RecipientAnswer } from '#recipients/knowledge.ts'
import type { Clock } from '#sys/clock.ts'
import type { Directory, OutboundWay, ServedDomain, Way } from '#tenant/directory.ts'
import { domainFor } from '#tenant/recipient-policies.ts'
import type { Authenticating } from './relay/authenticating.ts'
import type { Authentication } from './relay/authentication.ts'
import type { Bounces } from './relay/bounces.ts'
import type { CalloutSender } from './relay/callout-sender.ts'
import type { Commit } from './relay/commit.ts'
import { type EtrnParts, etrn } from './relay/etrn.ts'
import type { Feedback } from './relay/feedback.ts'
import { type Inspected, inspect } from './relay/inspect.ts'
import type { Judged, Outbound, Passed, ToJudge } from './relay/outbound.ts'
import { DESTINATIONS_MAX, Spread } from './relay/parts.ts'
import * as refusals from './relay/refusals.ts'
import type { ReturnPaths } from './relay/return-paths.ts'
import type { Signing } from './relay/signing.ts'
import { withTlsRequired } from './relay/tls-required.ts'
import { look, type WallParts } from './relay/walls.ts'

/** After so many unknown recipients in one session, known and unknown hear the same (directory harvest). */
export const UNKNOWN_RECIPIENTS_MAX = 20

export interface RelayParts extends WallParts {
  readonly hostname: string
  readonly clock: Clock
  readonly directory: () => Directory
  readonly hopsMax: () => number
  /** Of domains that we are a fallback MX for: does their own MX answer? Unknown is not up. */
  readonly primaries?: { isUp(routeId: string): boolean; inMaintenance(routeId: string): boolean }
  /** For ETRN; absent: nobody may ask. */
  readonly flush?: EtrnParts['flush']
  readonly recipients: { verify(domain: ServedDomain, path: ForwardPath): Soon<RecipientAnswer> }
  /** May content come now? The spool's health and the memory that contents take. */
  readonly room: (declaredOctets: number, copies: number) => Gate
  readonly outbound: Pick<Outbound, 'way' | 'mail' | 'rcpt' | 'content'>
  readonly calloutSender: Pick<CalloutSender, 'way' | 'isWay' | 'discard'>
  readonly bounces: Pick<Bounces, 'plain' | 'withPlainRecipients' | 'rcpt' | 'content'>
  /** Absent: no password is right. */
  readonly authentication?: Pick<Authentication, 'step'>
  /** Absent: nobody asks who has vouched for a message. */
  readonly authenticating?: Pick<Authenticating, 'stamp'>
  /** Absent: no return path is ever on record. */
  readonly returnPaths?: Pick<ReturnPaths, 'accepted'>
  /** Absent: what leaves has no token, and nothing is learned of what comes back. */
  readonly feedback?: Pick<Feedback, 'stamp' | 'accepted'>
  /** Absent: nothing is signed. */
  readonly signing?: Pick<Signing, 'sign'>
  readonly commit: Pick<Commit, 'take'>
  readonly report: Report
}

export class Relay implements Decisions {
  readonly #parts: RelayParts
  /** The way that stands for all recipients of a transaction: they share next hop and policy class. */
  readonly #group = new WeakMap<Transaction, ServedDomain | OutboundWay>()
  readonly #spread = new Spread()

  constructor(parts: RelayParts) {
    this.#parts = parts
  }

  connect(_session: Session): Gate {
    return ACCEPT
  }

  mail(transaction: Transaction): Gate {
    if (transaction.session.service === 'inbound') return ACCEPT
    const gate = this.#parts.outbound.mail(transaction)
    if (gate.kind === 'accept') return gate
    return this.#refuse('mail', transaction, gate, undefined, this.#parts.outbound.way(transaction.session))
  }

  rcpt(transaction: Transaction, recipient: Recipient): Soon<Gate> {
    const way = this.#wayTo(recipient.forwardPath, transaction.session)
    if (way === undefined)
      return this.#refuse('rcpt', transaction, refusals.relayDenied(domainName(recipient)), recipient)
    const { bounces } = this.#parts
    if (isServed(way) && this.#hasBetter(transaction, way))
      return this.#refuse('rcpt', transaction, refusals.primaryUp(way.route.id), recipient, way)
    const bounce = isServed(way) ? bounces.rcpt(transaction, recipient.forwardPath, way) : ACCEPT
    const gate = bounce.kind === 'accept' ? this.#mayJoin(transaction, way) : bounce
    if (gate.kind !== 'accept') return this.#refuse('rcpt', transaction, gate, recipient, way)
    if (!isServed(way)) return this.#leaves(transaction, recipient, way)
    if (this.#parts.calloutSender.isWay(way)) return this.#joined(transaction, way)
    const answer = this.#parts.recipients.verify(way, bounces.plain(recipient.forwardPath, way))
    return answer instanceof Promise
      ? answer.then((later) => this.#verified(transaction, recipient, way, later))
      : this.#verified(transaction, recipient, way, answer)
  }

  data(transaction: Transaction): Gate {
    const gate = this.#parts.room(transaction.envelope.declaredOctets ?? 0, this.#spread.copies(transaction))
    return gate.kind === 'accept' ? gate : this.#refuse('data', transaction, gate)
  }

  async content(received: Transaction, content: Content): Promise<ContentAnswer> {
    const way = this.#group.get(received)!
    const { hostname, clock, hopsMax, bounces, calloutSender } = this.#parts
    if (calloutSender.isWay(way)) return calloutSender.discard(received, way, content)
    const transaction = isServed(way) ? bounces.withPlainRecipients(received, way) : received
    const inspected = inspect(transaction, content, way, { hostname, hopsMax: hopsMax(), wallMs: clock.wall() })
    if (inspected.kind === 'reject') return this.#refuse('content', transaction, inspected, undefined, way)
    const { header, messageId } = inspected
    const message = { transaction: withTlsRequired(transaction, header), way, content, header, messageId }
    const judged = await this.#judge(message)
    const vouched = judged.kind === 'pass' ? await this.#vouched(received, way, content, inspected) : inspected
    const scanned = judged.kind === 'pass' ? await look(this.#parts, judged, way, vouched) : judged
    const answer = scanned.kind === 'pass' ? await this.#take(message, scanned, scanned.content) : scanned
    if (answer.kind === 'reject' || answer.kind === 'defer') {
      return this.#refuse('content', transaction, answer, undefined, way)
    }
    if (answer.kind === 'accept' && isServed(way) && scanned.kind === 'pass' && !scanned.tagged) {
      const { authentication } = vouched
      void this.#parts.returnPaths?.accepted({ transaction: received, way, messageId, authentication })
      void this.#parts.feedback?.accepted({ transaction: received, way, content, authentication })
    }
    return answer
  }

  async etrn(session: Session, argument: string): Promise<EtrnAnswer> {
    const { directory, primaries, flush, report } = this.#parts
    if (flush === undefined) return refusals.noEtrn()
    const inMaintenance = (route: string) => primaries?.inMaintenance(route) === true
    const answer = await etrn(session, argument, { directory, inMaintenance, flush })
    if (answer.kind !== 'accept') {
      report({ kind: 'refused', id: session.id, at: 'command', session, reply: answer.reply, reasons: answer.reasons })
    }
    return answer
  }

  auth(session: Session, step: AuthStep): Soon<AuthAnswer> {
    return this.#parts.authentication?.step(session, step) ?? refusals.authWrong()
  }

  abandoned(transaction: Transaction): void {
    this.#group.delete(transaction)
  }

  closed(session: Session, why: string): void {
    this.#parts.report({ kind: 'session-closed', session, why })
  }

  #judge(message: ToJudge<ServedDomain | OutboundWay>): Promise<Judged> {
    const { way } = message
    const { bounces, outbound } = this.#parts
    return isServed(way) ? bounces.content({ ...message, way }) : outbound.content({ ...message, way })
  }

  async #vouched(received: Transaction, way: Way, content: Content, inspected: Inspected): Promise<Inspected> {
    const { authenticating } = this.#parts
    if (authenticating === undefined || received.session.service !== 'inbound') return inspected
    return authenticating.stamp(received, way, content, inspected)
  }

  async #take(
    { transaction, way, messageId, ...read }: ToJudge<ServedDomain | OutboundWay>,
    passed: Passed,
    content: Content,
  ): Promise<ContentAnswer> {
    const { signing, commit, feedback } = this.#parts
    const ready = { ...passed, domain: way, content, messageId }
    if (isServed(way)) return commit.take(ready)
    const stamped = feedback?.stamp(passed.transaction, way, content) ?? content
    if (signing === undefined) return commit.take({ ...ready, content: stamped })
    const signed = await signing.sign({ transaction, way, ...read }, stamped)
    return signed.kind === 'signed' ? commit.take({ ...ready, ...signed }) : signed
  }

  #wayTo(path: ForwardPath, session: Session): ServedDomain | OutboundWay | undefined {
    const directory = this.#parts.directory()
    if (session.service !== 'inbound' && path.kind === 'mailbox') return this.#parts.outbound.way(session)
    const served = domainOf(path, directory, this.#parts.hostname)
    if (served === undefined) return undefined
    return this.#parts.calloutSender.way(path, session) ?? domainFor(served, this.#parts.bounces.plain(path, served))
  }

  // What began while the primary was down goes on: half a transaction here and half there helps nobody.
  #hasBetter(transaction: Transaction, { fallback, route }: ServedDomain): boolean {
    if (fallback?.refuseWhilePrimaryUp !== true || this.#group.has(transaction)) return false
    return this.#parts.primaries?.isUp(route.id) === true
  }

  #cannotAsk({ fallback, route }: ServedDomain): boolean {
    return fallback !== undefined && this.#parts.primaries?.isUp(route.id) !== true
  }

  #mayJoin(transaction: Transaction, domain: ServedDomain | OutboundWay): Gate {
    const { envelope, session, group } = transaction
    if (session.tally.recipientsRefused >= UNKNOWN_RECIPIENTS_MAX) return refusals.tooManyUnknown()
    // RFC 8689 §5: bounces go on all the same.
    if (envelope.requireTls && envelope.reversePath.kind !== 'null' && isServed(domain) && domain.commit === 'spool')
      return refusals.requireTlsStored(domain.name)
    if ((envelope.declaredOctets ?? 0) > domain.contentOctetsMax) return refusals.tooLarge(domain.contentOctetsMax)
    return group === undefined || group === groupOf(domain) ? ACCEPT : refusals.anotherGroup()
  }

  #joined(transaction: Transaction, way: ServedDomain | OutboundWay): Gate {
    transaction.group ??= groupOf(way)
    if (!this.#group.has(transaction)) {
      this.#group.set(transaction, way)
      this.#parts.filtering?.begin(transaction, way)
    }
    return ACCEPT
  }

  // The count comes last: who hears 452 comes again, and should not be counted twice.
  #leaves(transaction: Transaction, recipient: Recipient, way: OutboundWay): Soon<Gate> {
    const routeOf = (id: string) => this.#parts.directory().route(id)
    if (!this.#spread.takes(transaction, way, recipient.forwardPath, routeOf))
      return this.#refuse('rcpt', transaction, refusals.tooManyDestinations(DESTINATIONS_MAX), recipient, way)
    const gate = this.#parts.outbound.rcpt(transaction.session, way, recipient.forwardPath)
    return gate instanceof Promise
      ? gate.then((later) => this.#counted(transaction, recipient, way, later))
      : this.#counted(transaction, recipient, way, gate)
  }

  #counted(transaction: Transaction, recipient: Recipient, way: OutboundWay, gate: Gate): Gate {
    if (gate.kind === 'accept') return this.#joined(transaction, way)
    return this.#refuse('rcpt', transaction, gate, recipient, way)
  }

  #verified(transaction: Transaction, recipient: Recipient, domain: ServedDomain, answer: RecipientAnswer): Gate {
    switch (answer.kind) {
      case 'known':
        return this.#joined(transaction, domain)
      case 'unknown':
        // What we once learned from a primary may be true no more, and it cannot be asked; only a list says no for good.
        if (this.#cannotAsk(domain) && answer.source !== 'listed')
          return this.#refuse('rcpt', transaction, refusals.cannotVerify(ONLY_LEARNED), recipient, domain)
        return this.#refuse(
          'rcpt',
          transaction,
          refusals.unknownRecipient(answer.source, answer.ageMs),
          recipient,
          domain,
        )
      case 'unreachable':
        return this.#refuse('rcpt', transaction, refusals.cannotVerify(answer.text), recipient, domain)
    }
  }

  #refuse<G extends Exclude<Gate, { kind: 'accept' }>>(
    at: RefusedAt,
    transaction: Transaction,
    refusal: G,
    recipient?: Recipient,
    way?: Way,
  ): G {
    this.#parts.report({
      kind: 'refused',
      id: transaction.id,
      at,
      session: transaction.session,
      envelope: transaction.envelope,
      ...(recipient && { recipient }),
      ...(way && { tenant: way.tenant.name }),
      reply: refusal.reply,
      reasons: refusal.reasons,
    })
    return refusal
  }
}

const ONLY_LEARNED = 'the primary once refused this recipient; it is down now, and no list says that it is right'

/** Recipients with equal next hop, policy class and lifetime may share a transaction. */
export const groupOf = ({ route, policyClass, commit, lifetimeMs, fallback, virus, spam }: Way): string =>
  `${route.id} ${policyClass} ${fallback ? 'fallback' : commit} ${lifetimeMs ?? ''} ${virus?.id ?? ''} ${spam?.id ?? ''}`

function domainOf(path: ForwardPath, directory: Directory, hostname: string): ServedDomain | undefined {
  if (path.kind === 'postmaster') return directory.domain(hostname)
  return path.mailbox.domain.kind === 'name' ? directory.domain(path.mailbox.domain.ascii) : undefined
}

const isServed = (way: ServedDomain | OutboundWay): way is ServedDomain => 'recipients' in way

function domainName({ forwardPath }: Recipient): string {
  return forwardPath.kind === 'postmaster' ? 'postmaster of this relay' : mailboxText(forwardPath.mailbox)
}
