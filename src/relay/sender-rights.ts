/**
 * As whom a tenant may send. Its own are the domains that it has with us, and those sender domains whose owners say so in DNS
 * (docs/sender-domains.md); a login may be bound to some addresses of these. Where nobody can say now, the answer is 451.
 */
import { type Mailbox, mailboxText } from '#mail/address.ts'
import { domainText } from '#mail/domain.ts'
import type { Session } from '#mail/session.ts'
import type { Defer, Reject } from '#mail/verdict.ts'
import type { Directory, OutboundWay } from '#tenant/directory.ts'
import * as refusals from './refusals.ts'
import { mayUse } from './submission.ts'

/** Is the token of this tenant in the DNS of this domain, as far as is known? Throws when nobody can say now. */
export type Verified = (tenant: string, domain: string) => boolean

export type Owning =
  | { readonly kind: 'own' }
  | { readonly kind: 'foreign' }
  /** A sender domain without its token. */
  | { readonly kind: 'unverified' }
  | { readonly kind: 'unknown'; readonly text: string }

export interface SenderRightsParts {
  readonly directory: () => Directory
  /** Absent: no sender domain is ever verified. */
  readonly verified?: Verified
}

export class SenderRights {
  readonly #parts: SenderRightsParts

  constructor(parts: SenderRightsParts) {
    this.#parts = parts
  }

  /** The domain is served here, for this tenant. */
  serves({ domain }: Mailbox, way: OutboundWay): boolean {
    return this.#servesDomain(domainText(domain), way)
  }

  owning({ domain }: Mailbox, way: OutboundWay): Owning {
    return this.owningDomain(domainText(domain), way)
  }

  /** Of a name that stands in no list no store is asked. */
  owningDomain(domain: string, way: OutboundWay): Owning {
    if (this.#servesDomain(domain, way)) return OWN
    const { outbound, tenant } = way
    if (outbound.senderDomains?.has(domain) !== true) return { kind: 'foreign' }
    try {
      return this.#parts.verified?.(tenant.name, domain) === true ? OWN : { kind: 'unverified' }
    } catch (error) {
      return { kind: 'unknown', text: (error as Error).message }
    }
  }

  /** Undefined: he may send as this mailbox. */
  reversePath(mailbox: Mailbox, session: Session, way: OutboundWay): Reject | Defer | undefined {
    const { authenticated } = session
    return this.#refusal(mailbox, session, way, () =>
      authenticated === undefined
        ? refusals.foreignSender(mailboxText(mailbox), domainText(mailbox.domain))
        : refusals.foreignSubmitter(mailboxText(mailbox), authenticated.login),
    )
  }

  /** Undefined: he may write as this author. */
  author(mailbox: Mailbox, session: Session, way: OutboundWay): Reject | Defer | undefined {
    return this.#refusal(mailbox, session, way, () => refusals.foreignAuthor(mailboxText(mailbox)))
  }

  #servesDomain(domain: string, { tenant }: OutboundWay): boolean {
    return this.#parts.directory().domain(domain)?.tenant.name === tenant.name
  }

  #refusal(mailbox: Mailbox, session: Session, way: OutboundWay, foreign: () => Reject): Reject | Defer | undefined {
    const isBound = (session.authenticated?.senders.length ?? 0) > 0
    if (way.outbound.senders === 'any' && session.service === 'outbound' && !isBound) return undefined
    const owning = this.owning(mailbox, way)
    const domain = domainText(mailbox.domain)
    if (owning.kind === 'unverified') return refusals.unverifiedDomain(mailboxText(mailbox), domain, way.tenant.name)
    if (owning.kind === 'unknown') return refusals.cannotSayWhose(domain, owning.text)
    return mayUse(mailbox, session, () => owning.kind === 'own') ? undefined : foreign()
  }
}

const OWN: Owning = { kind: 'own' }
