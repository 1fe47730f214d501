/**
 * Bounces that come in for a protected tenant: those of mail that the tenant sent get through, the others are refused in
 * the session, so that a joe-job ends here.
 *
 * | protection  | refused |
 * |---|---|
 * | batv        | at RCPT: null reversePath, and a recipient without a valid signature |
 * | sent-record | at the dot: a DSN whose message and whose recipients are not on record |
 *
 * During the warm-up nothing is refused, only counted. What cannot be judged gets through: an address that is too long to
 * be signed, postmaster (RFC 5321 §4.5.1), a DSN that says nothing of its message, a record that does not answer.
 * A signed recipient is the plain one for everything behind this; ORCPT stays as it was received (RFC 3461 §4.2).
 */
import { type ForwardPath, type Mailbox, pathText } from '#mail/address.ts'
import type { Report } from '#mail/event.ts'
import type { Transaction } from '#mail/session.ts'
import { ACCEPT, type Gate } from '#mail/verdict.ts'
import { classify } from '#mime/automatic/classify.ts'
import { checkTag, isTaggable, readTag } from '#policy/prvs.ts'
import type { Clock } from '#sys/clock.ts'
import type { BounceProtection, ServedDomain, Way } from '#tenant/directory.ts'
import { claimedFacts } from './message-facts.ts'
import { type Judged, type MessageRecords, type ToJudge, withEnvelope } from './outbound.ts'
import * as refusals from './refusals.ts'

export interface BouncesParts {
  readonly clock: Clock
  readonly records: Pick<MessageRecords, 'known'>
  /** Reports of feedback loops come here, from `<>` too, though we never sent from it. */
  readonly takesReports?: (path: ForwardPath) => boolean
  readonly report: Report
}

export class Bounces {
  readonly #parts: BouncesParts

  constructor(parts: BouncesParts) {
    this.#parts = parts
  }

  /** Whom the path means: without the signature, where there may be one. */
  plain(path: ForwardPath, domain: ServedDomain): ForwardPath {
    return plainPath(path, domain)
  }

  /** Of mail that comes in; in mail that leaves a signature is another domain's, and must stay. */
  withPlainRecipients(transaction: Transaction, way: ServedDomain): Transaction {
    if (way.tenant.bounceProtection?.kind !== 'batv') return transaction
    const recipients = transaction.envelope.recipients.map((recipient) => ({
      ...recipient,
      forwardPath: this.plain(recipient.forwardPath, way),
    }))
    return withEnvelope(transaction, { recipients })
  }

  rcpt({ envelope: { reversePath } }: Transaction, path: ForwardPath, domain: ServedDomain): Gate {
    const protection = domain.tenant.bounceProtection
    if (protection?.kind !== 'batv' || reversePath.kind !== 'null' || path.kind !== 'mailbox') return ACCEPT
    if (this.#parts.takesReports?.(path) === true) return ACCEPT
    const { localPart } = path.mailbox
    const check = checkTag(path.mailbox, protection.keys, this.#parts.clock.wall())
    if (check.ok) return this.#passed(domain, 'signed')
    if (localPart.toLowerCase() === 'postmaster') return this.#passed(domain, 'postmaster')
    if (check.fault === 'untagged' && !isTaggable(path.mailbox)) return this.#passed(domain, 'too-long-to-sign')
    if (this.#isWarmingUp(protection)) return this.#passed(domain, 'warm-up')
    this.#count(domain, 'refused')
    return refusals.bounceUnsigned(`${check.fault}: ${pathText(path)}`)
  }

  async content(message: ToJudge<ServedDomain>): Promise<Judged> {
    const { transaction, way, header, content } = message
    const { envelope } = transaction
    const passed: Judged = { kind: 'pass', transaction }
    const protection = way.tenant.bounceProtection
    if (protection?.kind !== 'sent-record' || envelope.reversePath.kind !== 'null') return passed
    const found = classify({ reversePath: envelope.reversePath, header, content })
    if (found.kind !== 'dsn') return passed
    const mailboxes = envelope.recipients.flatMap(({ forwardPath }): Mailbox[] =>
      forwardPath.kind === 'mailbox' ? [forwardPath.mailbox] : [],
    )
    const decision = await this.#onRecord(way, claimedFacts(found.dsn, mailboxes))
    if (decision !== 'refused' || this.#isWarmingUp(protection)) {
      this.#passed(way, decision === 'refused' ? 'warm-up' : decision)
      return passed
    }
    this.#count(way, 'refused')
    const about = found.dsn.originalMessageId ?? 'a message without id'
    return refusals.bounceUnknown(`bounce of ${about}, which is not on record`)
  }

  async #onRecord(
    { tenant }: Way,
    facts: readonly string[],
  ): Promise<'on-record' | 'refused' | 'says-nothing' | 'no-record'> {
    if (facts.length === 0) return 'says-nothing'
    try {
      const known = await this.#parts.records.known(tenant.name, 'sent', facts)
      if (known.includes(true)) return 'on-record'
      return known.includes(undefined) ? 'no-record' : 'refused'
    } catch {
      return 'no-record'
    }
  }

  #isWarmingUp({ sinceMs, warmUpMs }: BounceProtection): boolean {
    return this.#parts.clock.wall() < sinceMs + warmUpMs
  }

  #passed(way: Way, decision: string): Gate {
    this.#count(way, decision)
    return ACCEPT
  }

  #count({ tenant }: Way, decision: string): void {
    this.#parts.report({ kind: 'governed', tenant: tenant.name, subject: 'bounce', decision })
  }
}

/** A mailbox as its server knows it: without our signature, if the tenant's mail is signed. */
export function plainPath(path: ForwardPath, { tenant }: ServedDomain): ForwardPath {
  if (tenant.bounceProtection?.kind !== 'batv' || path.kind !== 'mailbox') return path
  const tag = readTag(path.mailbox)
  return tag === undefined ? path : { kind: 'mailbox', mailbox: tag.mailbox }
}
