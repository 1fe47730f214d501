/**
 * Law 2: backscatter does not type-check. A DSN takes a `VerifiedReturnPath`, and this file is the only place that
 * makes one. There are two ways: a submission authenticated by the tenant that owns the address, or a reverse-path that
 * SPF or an aligned DKIM signature verified, if the tenant opted in. The null path can never become one
 * (RFC 5321 §4.5.5, RFC 3461 §6.1).
 */
import type { Mailbox, ReversePath } from './address.ts'

export type Proof =
  | { readonly kind: 'submission'; readonly tenant: string; readonly credential: string }
  | { readonly kind: 'spf-pass'; readonly tenant: string; readonly domain: string }
  | { readonly kind: 'aligned-dkim'; readonly tenant: string; readonly domain: string }

export class VerifiedReturnPath {
  readonly mailbox: Mailbox
  readonly proof: Proof
  readonly #sealed = true

  private constructor(mailbox: Mailbox, proof: Proof) {
    this.mailbox = mailbox
    this.proof = proof
  }

  /** Undefined for `<>`, and for a proof that speaks of another domain than the path's. */
  static from(path: ReversePath, proof: Proof): VerifiedReturnPath | undefined {
    if (path.kind === 'null') return undefined
    const domain = path.mailbox.domain
    if (proof.kind !== 'submission' && !(domain.kind === 'name' && domain.ascii === proof.domain)) return undefined
    return new VerifiedReturnPath(path.mailbox, proof)
  }

  static is(value: object): value is VerifiedReturnPath {
    return #sealed in value
  }
}
