/**
 * What one session says of TLS, for reports (RFC 8460 §4.3). A session that ends before TLS says nothing, and neither does one
 * with a host of the configuration: reports are for domains that are found by MX.
 */
import type { AppliedPolicy, TlsFailure, TlsFailureType, TlsSessionResult } from '#mail/tls-result.ts'
import type { SessionFault } from '#smtp/client/contract.ts'
import type { TlsaRecord } from '#sys/dns/answer.ts'
import { policyLines, type StsPolicy } from './mta-sts/policy.ts'
import type { TlsPolicy } from './tls-policy.ts'

/** Hears each result. */
export type TellTls = (result: TlsSessionResult) => void

export interface SessionSeen {
  /** Whose mail it is. */
  readonly domain: string
  readonly mxHost: string
  readonly policy: TlsPolicy
  /** Absent: there was no connection. */
  readonly wire?: { readonly local: { readonly address: string }; readonly remote: { readonly address: string } }
  /** Absent: the session took jobs. */
  readonly fault?: SessionFault
  /** The session is encrypted. */
  readonly tls: boolean
  /** Its certificate is one of a trusted authority for the host. */
  readonly certified?: boolean
  /** The handshake failed; Node's or OpenSSL's word for it, if it has one. */
  readonly handshake?: { readonly code: string | undefined }
}

/** Undefined: it says nothing of TLS. */
export function tlsResult(seen: SessionSeen): TlsSessionResult | undefined {
  const { domain, policy, fault } = seen
  if (fault !== undefined && fault.obstacle !== 'tls') return undefined
  const type = failureType(seen)
  const applied = appliedPolicy(policy, domain)
  return { domain, policy: applied, ...(type && { failure: failureOf(type, seen) }) }
}

function failureType({ policy, tls, certified, fault, handshake }: SessionSeen): TlsFailureType | undefined {
  if (policy.kind === 'unknown') return policy.by === 'sts' ? 'sts-policy-fetch-error' : 'dnssec-invalid'
  if (policy.kind === 'none' && policy.failure) return policy.failure.type
  if (policy.kind === 'refused') return 'validation-failure'
  if (handshake !== undefined) return BY_CODE[handshake.code ?? ''] ?? 'validation-failure'
  if (fault !== undefined || !tls) return 'starttls-not-supported'
  // RFC 8461 §5.1: what enforce would have refused is reported.
  if (policy.kind === 'sts-testing') return policy.named && certified ? undefined : 'validation-failure'
  return policy.kind === 'encrypt' ? 'tlsa-invalid' : undefined
}

const BY_CODE: { readonly [code: string]: TlsFailureType } = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-host-mismatch',
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'certificate-expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate-not-trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate-not-trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate-not-trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate-not-trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate-not-trusted',
  CERT_UNTRUSTED: 'certificate-not-trusted',
}

function failureOf(type: TlsFailureType, { mxHost, policy, wire, fault, handshake }: SessionSeen): TlsFailure {
  const ofPolicy = policy.kind === 'none' ? policy.failure?.text : undefined
  const reason = ofPolicy ?? handshake?.code ?? fault?.text
  return {
    type,
    mxHost,
    ...(wire && { sendingIp: wire.local.address, receivingIp: wire.remote.address }),
    ...(reason !== undefined && { reason }),
  }
}

function appliedPolicy(policy: TlsPolicy, domain: string): AppliedPolicy {
  switch (policy.kind) {
    case 'none':
      return { type: policy.failure ? 'sts' : 'no-policy-found', domain, strings: [] }
    case 'dane':
      return { type: 'tlsa', domain: policy.serverName, strings: cut(policy.reference.records.map(recordText)) }
    case 'sts':
    case 'sts-testing':
    case 'refused':
      return stsPolicy(policy.policy, domain)
    case 'unknown':
      return { type: policy.by === 'sts' ? 'sts' : 'tlsa', domain, strings: [] }
    case 'encrypt':
      return { type: 'tlsa', domain, strings: [] }
  }
}

/** A policy is kept with each kind of result that it had. Most have some hundred characters. */
export const POLICY_CHARACTERS_MAX = 2048

/** RFC 8460 §4.4: the patterns stand beside the policy as well. */
const stsPolicy = (policy: StsPolicy, domain: string): AppliedPolicy => ({
  type: 'sts',
  domain,
  strings: cut(policyLines(policy)),
  mxHosts: cut(policy.mx),
})

function cut(strings: readonly string[]): string[] {
  let characters = 0
  return strings.filter((one) => (characters += one.length) <= POLICY_CHARACTERS_MAX)
}

/** RFC 6698 §2.2. */
const recordText = ({ usage, selector, matchingType, data }: TlsaRecord): string =>
  `${usage} ${selector} ${matchingType} ${Buffer.from(data).toString('hex')}`
