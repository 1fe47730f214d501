/**
 * Who has vouched for a message: the results of SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 9989) and ARC (RFC 8617), in
 * their own words. What DNS did not answer is `temperror`, a value of its own: unknown is not fail (law 4).
 *
 * Domains are A-labels in lower case. Reasons are for logs and fields: ours, with words of strangers only where they are
 * bounded and printable.
 */

export type SpfResult = 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'temperror' | 'permerror'

export interface Spf {
  readonly result: SpfResult
  /** `helo`: the reverse-path is empty, so the greeting name speaks (RFC 7208 §2.4). */
  readonly identity: 'mailfrom' | 'helo'
  /** Undefined: the identity has no domain that SPF could speak of. */
  readonly domain: string | undefined
  readonly reason?: string
}

/**
 * | result | RFC 8601 §2.7.1 |
 * |---|---|
 * | `pass` | it verifies, and covers the whole body |
 * | `fail` | the message was changed, or the signature is not of this key |
 * | `policy` | it verifies or might, and we do not take it: l=, expired, a key of the wrong size |
 * | `neutral` | not looked at: a message has a limit of signatures |
 * | `permerror` | it or its key cannot be used, now or later |
 */
export type DkimResult = 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror'

export interface DkimSignature {
  readonly result: DkimResult
  /** Undefined, like the next three: it could not be read so far. */
  readonly domain: string | undefined
  readonly selector?: string
  readonly algorithm?: string
  /** The beginning of b=, which tells two signatures of one selector apart. */
  readonly begins?: string
  readonly reason?: string
}

export type DmarcResult = 'pass' | 'fail' | 'none' | 'temperror' | 'permerror'
export type DmarcPolicy = 'none' | 'quarantine' | 'reject'

export interface Dmarc {
  /** `none`: no record applies. `permerror`: there is not one author domain that could be asked for. */
  readonly result: DmarcResult
  /** The author's, of the From field; undefined: there is none, or several. */
  readonly domain: string | undefined
  /** What the domain's owner wants done with what fails, with its test mode (t=) taken into account. */
  readonly policy?: DmarcPolicy
  /** Where the record stands, if not at the author's domain. */
  readonly policyDomain?: string
  /** Which have proved a domain in alignment; empty unless it passes. */
  readonly alignedBy: readonly ('spf' | 'dkim')[]
  readonly reason?: string
}

export type ArcResult = 'pass' | 'fail' | 'none' | 'temperror'

export interface Arc {
  readonly result: ArcResult
  /** ARC sets. */
  readonly instances: number
  /** Who has sealed, the last one first; only of a chain that passes. */
  readonly sealers: readonly string[]
  readonly reason?: string
}

export interface Authentication {
  readonly spf: Spf
  /** In the order of the message. Empty: it is not signed. */
  readonly dkim: readonly DkimSignature[]
  readonly dmarc: Dmarc
  readonly arc: Arc
  readonly durationMs: number
}

/** What vouches for the domain of a reverse-path. `none`: nothing does, for certain or not; only a pass is a proof. */
export type VouchedBy = 'spf-pass' | 'aligned-dkim' | 'none'

/** Exactly that domain: a parent's or a subdomain's signature proves nothing here. */
export function vouchedBy({ spf, dkim }: Authentication, domain: string): VouchedBy {
  if (spf.result === 'pass' && spf.identity === 'mailfrom' && spf.domain === domain) return 'spf-pass'
  return dkim.some((one) => one.result === 'pass' && one.domain === domain) ? 'aligned-dkim' : 'none'
}
