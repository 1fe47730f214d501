/**
 * Mail to the sender of our callouts: its address must exist, since servers check it, and nobody reads what comes. Where
 * its domain is one that we serve, we take that mail and throw it away, whoever it comes from; each message is reported.
 *
 * It has a group of its own, so that no other recipient of a transaction is thrown away with it.
 */
import { type ForwardPath, type Mailbox, mailboxKey } from '#mail/address.ts'
import type { Content } from '#mail/content.ts'
import { DiscardRecord } from '#mail/custody.ts'
import type { Discarded } from '#mail/decisions.ts'
import type { Report } from '#mail/event.ts'
import type { Session, Transaction } from '#mail/session.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { messageId } from '#mime/trace-fields.ts'
import type { Directory, ServedDomain, Way } from '#tenant/directory.ts'

/** No policy class of a configuration has a space. */
const POLICY_CLASS = 'callout sender'

export interface CalloutSenderParts {
  readonly mailbox: () => Mailbox | undefined
  readonly directory: () => Directory
  readonly report: Report
}

export class CalloutSender {
  readonly #parts: CalloutSenderParts

  constructor(parts: CalloutSenderParts) {
    this.#parts = parts
  }

  /** The way to nowhere, if mail to this path is ours to throw away. */
  way(path: ForwardPath, { service }: Session): ServedDomain | undefined {
    const own = this.#parts.mailbox()
    if (own === undefined || path.kind !== 'mailbox' || service !== 'inbound' || own.domain.kind !== 'name')
      return undefined
    if (mailboxKey(path.mailbox) !== mailboxKey(own)) return undefined
    const domain = this.#parts.directory().domain(own.domain.ascii)
    if (domain === undefined) return undefined
    const { fallback: _, ...plain } = domain
    const { bounceProtection: __, ...tenant } = domain.tenant
    return { ...plain, tenant, policyClass: POLICY_CLASS, recipients: { kind: 'accept-all' } }
  }

  isWay({ policyClass }: Way): boolean {
    return policyClass === POLICY_CLASS
  }

  discard({ id, session, envelope }: Transaction, way: Way, content: Content): Discarded {
    const named = messageId(readHeaderSection(content))
    this.#parts.report({
      kind: 'discarded',
      id,
      session,
      envelope,
      recipients: envelope.recipients,
      tenant: way.tenant.name,
      octets: content.octets,
      ...(named !== undefined && { messageId: named }),
      reasons: [{ symbol: 'callout-sender', text: 'mail to the sender of our callouts' }],
    })
    return { kind: 'discard', record: DiscardRecord.afterReport(id) }
  }
}
