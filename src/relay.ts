/**
 * The path of a message, on one screen.
 *
 *     connect ──► session ──► MAIL ──► RCPT ─────────► DATA ─► inspect ─► scan ─► commit ─────────► 250
 *     accept/                  │      recipients/       │     loop, size         deliver/ cut-through
 *                              │      one group         │     trace fields       or spool/, synced
 *                              ▼                        ▼                              │
 *                     5yz no, 4yz not now          452 no space                 queue/ ─► deliver/ ─► delivered,
 *                                                                                          deferred, held
 *
 * Each step answers with a value: accept, reject (5yz) or defer (4yz), with its reasons. `report/` hears of each one.
 * Stages do not know each other; they meet here.
 */
import { type ForwardPath, mailboxText } from '#mail/address.ts'
import type { Content } from '#mail/content.ts'
import type { ContentAnswer, Decisions, EtrnAnswer, Soon } from '#mail/decisions.ts'
import type { Recipient } from '#mail/envelope.ts'
import type { RefusedAt, Report } from '#mail/event.ts'
import type { Session, Transaction } from '#mail/session.ts'
import { ACCEPT, type Gate } from '#mail/verdict.ts'
import type { RecipientAnswer } from '#recipients/knowledge.ts'
import type { Clock } from '#sys/clock.ts'
import type { Directory, ServedDomain } from '#tenant/directory.ts'
import type { Commit } from './relay/commit.ts'
import { type EtrnParts, etrn } from './relay/etrn.ts'
import { inspect } from './relay/inspect.ts'
import * as refusals from './relay/refusals.ts'

/** After so many unknown recipients in one session, known and unknown hear the same (directory harvest). */
export const UNKNOWN_RECIPIENTS_MAX = 20

export interface RelayParts {
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
  readonly room: (declaredOctets: number) => Gate
  readonly commit: Pick<Commit, 'take'>
  readonly report: Report
}

export class Relay implements Decisions {
  readonly #parts: RelayParts
  /** The domain that stands for all recipients of a transaction: they share next hop and policy class. */
  readonly #group = new WeakMap<Transaction, ServedDomain>()

  constructor(parts: RelayParts) {
    this.#parts = parts
  }

  connect(_session: Session): Gate {
    return ACCEPT
  }

  mail(_transaction: Transaction): Gate {
    return ACCEPT
  }

  rcpt(transaction: Transaction, recipient: Recipient): Soon<Gate> {
    const domain = this.#domainOf(recipient.forwardPath)
    if (domain === undefined)
      return this.#refuse('rcpt', transaction, refusals.relayDenied(domainName(recipient)), recipient)
    if (this.#hasBetter(transaction, domain))
      return this.#refuse('rcpt', transaction, refusals.primaryUp(domain.route.id), recipient, domain)
    const limit = this.#mayJoin(transaction, domain)
    if (limit.kind !== 'accept') return this.#refuse('rcpt', transaction, limit, recipient, domain)
    const answer = this.#parts.recipients.verify(domain, recipient.forwardPath)
    return answer instanceof Promise
      ? answer.then((later) => this.#joined(transaction, recipient, domain, later))
      : this.#joined(transaction, recipient, domain, answer)
  }

  data(transaction: Transaction): Gate {
    const gate = this.#parts.room(transaction.envelope.declaredOctets ?? 0)
    return gate.kind === 'accept' ? gate : this.#refuse('data', transaction, gate)
  }

  async content(transaction: Transaction, content: Content): Promise<ContentAnswer> {
    const domain = this.#group.get(transaction)!
    const { hostname, clock, hopsMax, commit } = this.#parts
    const inspected = inspect(transaction, content, domain, { hostname, hopsMax: hopsMax(), wallMs: clock.wall() })
    if (inspected.kind === 'reject') return this.#refuse('content', transaction, inspected, undefined, domain)
    const answer = await commit.take({
      transaction,
      domain,
      content: inspected.content,
      messageId: inspected.messageId,
    })
    if (answer.kind === 'accept' || answer.kind === 'vanish') return answer
    return this.#refuse('content', transaction, answer, undefined, domain)
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

  abandoned(transaction: Transaction): void {
    this.#group.delete(transaction)
  }

  closed(session: Session, why: string): void {
    this.#parts.report({ kind: 'session-closed', session, why })
  }

  #domainOf(path: ForwardPath): ServedDomain | undefined {
    const directory = this.#parts.directory()
    if (path.kind === 'postmaster') return directory.domain(this.#parts.hostname)
    return path.mailbox.domain.kind === 'name' ? directory.domain(path.mailbox.domain.ascii) : undefined
  }

  // What began while the primary was down goes on: half a transaction here and half there helps nobody.
  #hasBetter(transaction: Transaction, { fallback, route }: ServedDomain): boolean {
    if (fallback?.refuseWhilePrimaryUp !== true || this.#group.has(transaction)) return false
    return this.#parts.primaries?.isUp(route.id) === true
  }

  #cannotAsk({ fallback, route }: ServedDomain): boolean {
    return fallback !== undefined && this.#parts.primaries?.isUp(route.id) !== true
  }

  #mayJoin(transaction: Transaction, domain: ServedDomain): Gate {
    const { envelope, session, group } = transaction
    if (session.tally.recipientsRefused >= UNKNOWN_RECIPIENTS_MAX) return refusals.tooManyUnknown()
    if ((envelope.declaredOctets ?? 0) > domain.contentOctetsMax) return refusals.tooLarge(domain.contentOctetsMax)
    return group === undefined || group === groupOf(domain) ? ACCEPT : refusals.anotherGroup()
  }

  #joined(transaction: Transaction, recipient: Recipient, domain: ServedDomain, answer: RecipientAnswer): Gate {
    switch (answer.kind) {
      case 'known':
        transaction.group ??= groupOf(domain)
        if (!this.#group.has(transaction)) this.#group.set(transaction, domain)
        return ACCEPT
      case 'unknown':
        // What we once learned from a primary may be true no more, and it cannot be asked; only a list says no for good.
        if (this.#cannotAsk(domain) && answer.source !== 'listed')
          return this.#refuse('rcpt', transaction, refusals.cannotVerify(ONLY_LEARNED), recipient, domain)
        return this.#refuse('rcpt', transaction, refusals.unknownRecipient(answer.source), recipient, domain)
      case 'unreachable':
        return this.#refuse('rcpt', transaction, refusals.cannotVerify(answer.text), recipient, domain)
    }
  }

  #refuse<G extends Exclude<Gate, { kind: 'accept' }>>(
    at: RefusedAt,
    transaction: Transaction,
    refusal: G,
    recipient?: Recipient,
    domain?: ServedDomain,
  ): G {
    this.#parts.report({
      kind: 'refused',
      id: transaction.id,
      at,
      session: transaction.session,
      envelope: transaction.envelope,
      ...(recipient && { recipient }),
      ...(domain && { tenant: domain.tenant.name }),
      reply: refusal.reply,
      reasons: refusal.reasons,
    })
    return refusal
  }
}

const ONLY_LEARNED = 'the primary once refused this recipient; it is down now, and no list says that it is right'

/** Recipients with equal next hop, policy class and lifetime may share a transaction. */
export const groupOf = ({ route, policyClass, commit, lifetimeMs, fallback }: ServedDomain): string =>
  `${route.id} ${policyClass} ${fallback ? 'fallback' : commit} ${lifetimeMs ?? ''}`

function domainName({ forwardPath }: Recipient): string {
  return forwardPath.kind === 'postmaster' ? 'postmaster of this relay' : mailboxText(forwardPath.mailbox)
}
