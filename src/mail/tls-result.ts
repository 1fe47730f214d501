/**
 * What a session with a server of a domain showed of TLS, in the words of TLS reporting (RFC 8460 §4.3). Who dials says it,
 * the store counts it, a report tells it to the domain.
 */

/** RFC 8460 §4.3.1: `tlsa` is DANE, `sts` MTA-STS. */
export type TlsPolicyType = 'tlsa' | 'sts' | 'no-policy-found'

/** RFC 8460 §4.3.2. */
export const TLS_FAILURES = [
  'starttls-not-supported',
  'certificate-host-mismatch',
  'certificate-not-trusted',
  'certificate-expired',
  /** Any other failure of the handshake, and a host that the policy does not name. */
  'validation-failure',
  /** TLSA records, none of which can be used. */
  'tlsa-invalid',
  /** What DNSSEC should have verified: nobody could say it. */
  'dnssec-invalid',
  /** We want DANE of this domain, and it has none. */
  'dane-required',
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
] as const
export type TlsFailureType = (typeof TLS_FAILURES)[number]
/** RFC 8460 §4.3.2.2: there should be a policy of MTA-STS, and none can be had. */
export type StsFailureType = Extract<TlsFailureType, `sts-${string}`>

/** Which policy was applied. Equal ones are counted together. */
export interface AppliedPolicy {
  readonly type: TlsPolicyType
  /** Where it stands: the TLSA base domain (RFC 7672 §2.2.3), or the domain of the mail. */
  readonly domain: string
  /** As published: lines of the MTA-STS policy, or TLSA records. Empty: there is none. */
  readonly strings: readonly string[]
  /** Of MTA-STS: the patterns of its hosts. */
  readonly mxHosts?: readonly string[]
}

export interface TlsFailure {
  readonly type: TlsFailureType
  /** Host name. */
  readonly mxHost: string
  /** Addresses; absent: there was no connection. */
  readonly sendingIp?: string
  readonly receivingIp?: string
  /** One line, for people. */
  readonly reason?: string
}

export interface TlsSessionResult {
  /** Whose mail it was: A-labels, lower case. Never an address literal. */
  readonly domain: string
  readonly policy: AppliedPolicy
  /** Absent: TLS was up, as the policy wants it. */
  readonly failure?: TlsFailure
}

/** The same thing, seen so often. */
export interface CountedTlsResult extends TlsSessionResult {
  readonly count: number
}
