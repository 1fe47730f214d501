/**
 * Signatures of mail that leaves (DKIM). By the domain of the author (RFC5322.From) if it, or a domain above it, is the
 * tenant's and has keys, so that the signature counts for DMARC (RFC 9989); else by the domain of the reversePath; else
 * none. All active keys of that one domain sign. The tenant's are the domains that it has with us and its sender domains, as
 * long as their owners say so in DNS (sender-rights.ts); a sender domain signs for names below it only if these are the tenant's too.
 *
 * | it cannot be signed since | then |
 * |---|---|
 * | no domain of the tenant's in it has a key | it leaves as it is: `no-key` |
 * | receivers would read it differently | the same: `malformed`, `no-author` |
 * | its domain has keys that cannot be used now | 451 (`deferred`), or as it is if the tenant says so (`unavailable`) |
 *
 * A delay is better than the silent loss of signatures: where the domain's policy is `reject`, receivers throw away what
 * comes without one, and nobody hears of it.
 */
import { authorDomains } from '#auth/dkim/author.ts'
import { prepare, type SigningKey, signatureField } from '#auth/dkim/signature.ts'
import { type Content, withTrace } from '#mail/content.ts'
import { domainText } from '#mail/domain.ts'
import type { Report, Signature } from '#mail/event.ts'
import type { Transaction } from '#mail/session.ts'
import type { Defer } from '#mail/verdict.ts'
import type { Clock } from '#sys/clock.ts'
import type { Directory, OutboundWay } from '#tenant/directory.ts'
import type { ToJudge } from './outbound.ts'
import * as refusals from './refusals.ts'
import { SenderRights, type Verified } from './sender-rights.ts'

export type KeysAnswer =
  | { readonly kind: 'keys'; readonly keys: readonly SigningKey[] }
  | { readonly kind: 'none' }
  /** There are keys, and they cannot be used. */
  | { readonly kind: 'unavailable'; readonly text: string }

/** The active keys of a tenant's domain. */
export type KeysOf = (tenant: string, domain: string) => KeysAnswer

/** What a signature is made of. */
export type ToSign = Pick<ToJudge<OutboundWay>, 'way' | 'content' | 'header'> & {
  readonly transaction: Pick<Transaction, 'envelope'>
}

export interface SigningParts {
  readonly clock: Clock
  readonly directory: () => Directory
  readonly keysOf: KeysOf
  /** Absent: no sender domain is ever verified. */
  readonly verified?: Verified
  readonly report: Report
}

export interface Signed {
  readonly kind: 'signed'
  readonly content: Content
  /** Empty: it leaves as it is. */
  readonly signatures: readonly Signature[]
}

export class Signing {
  readonly #parts: SigningParts
  readonly #rights: SenderRights

  constructor(parts: SigningParts) {
    this.#parts = parts
    this.#rights = new SenderRights(parts)
  }

  /** `toSend`: the content with its trace fields, before which the signatures go. */
  async sign(message: ToSign, toSend: Content): Promise<Signed | Defer> {
    const { way } = message
    const found = this.#keys(message)
    const asItIs = (result: string): Signed => {
      this.#count(way, result)
      return { kind: 'signed', content: toSend, signatures: [] }
    }
    if (found.kind === 'none') return asItIs('no-key')
    if (found.kind === 'unavailable') return this.#unavailable(way, found.text) ?? asItIs('unavailable')
    const prepared = prepare(message.content, message.header)
    if (!prepared.ok) return asItIs(prepared.fault)
    try {
      const fields = await Promise.all(found.keys.map((key) => signatureField(prepared, key, this.#times(way))))
      this.#count(way, 'signed')
      const signatures = found.keys.map(({ domain, selector }) => ({ domain, selector }))
      return { kind: 'signed', content: withTrace(Buffer.from(fields.join(''), 'latin1'), toSend), signatures }
    } catch (error) {
      return this.#unavailable(way, (error as Error).message) ?? asItIs('unavailable')
    }
  }

  #keys({ transaction, way, header }: ToSign): KeysAnswer {
    const { reversePath } = transaction.envelope
    const from = header.fields.find(({ name }) => name === 'from')
    const candidates = (from === undefined ? [] : authorDomains(from)).flatMap((domain) =>
      this.#alignedWith(domain, way),
    )
    if (reversePath.kind === 'mailbox') candidates.push(domainText(reversePath.mailbox.domain))
    for (const domain of new Set(candidates)) {
      const owning = this.#rights.owningDomain(domain, way)
      if (owning.kind === 'unknown') return { kind: 'unavailable', text: owning.text }
      const answer = owning.kind === 'own' ? this.#parts.keysOf(way.tenant.name, domain) : NONE
      if (answer.kind !== 'none') return answer
    }
    return NONE
  }

  // What is another tenant's is not signed by the domain above it either. Below a sender domain others may have zones, and
  // its owner's word was not for them.
  #alignedWith(author: string, way: OutboundWay): string[] {
    const domains: string[] = []
    const isOwn = this.#rights.owningDomain(author, way).kind === 'own'
    for (let domain = author; domain.includes('.'); domain = domain.slice(domain.indexOf('.') + 1)) {
      const owner = this.#parts.directory().domain(domain)?.tenant.name
      if (owner !== undefined && owner !== way.tenant.name) break
      if (owner !== undefined || isOwn || domain === author) domains.push(domain)
    }
    return domains
  }

  #times({ outbound: { dkim } }: OutboundWay) {
    const signedSeconds = Math.floor(this.#parts.clock.wall() / 1000)
    if (dkim.expiryMs === undefined) return { signedSeconds }
    return { signedSeconds, expiresSeconds: signedSeconds + Math.ceil(dkim.expiryMs / 1000) }
  }

  #unavailable(way: OutboundWay, why: string): Defer | undefined {
    if (way.outbound.dkim.ifUnavailable === 'send-unsigned') return undefined
    this.#count(way, 'deferred')
    return refusals.cannotSign(why)
  }

  #count({ tenant }: OutboundWay, decision: string): void {
    this.#parts.report({ kind: 'governed', tenant: tenant.name, subject: 'dkim', decision })
  }
}

const NONE: KeysAnswer = { kind: 'none' }
