/**
 * TLSA records against a server's certificates (RFC 6698, RFC 7671) as mail servers use them (RFC 7672 §3.1). Pure.
 *
 * DANE-EE(3) pins the server's own certificate: neither its names nor its dates matter. DANE-TA(2) pins an authority that
 * the server sends along: chain, dates and name are checked. PKIX-TA(0) and PKIX-EE(1) are unusable (RFC 7672 §3.1.3).
 */
import { createHash, createPublicKey, timingSafeEqual, X509Certificate } from 'node:crypto'
import type { TlsaRecord } from './dns/answer.ts'

/** The server's own certificate and those above it. */
export const CHAIN_MAX = 10
/** RFC 5280 §4.2.1.12: id-kp-serverAuth, anyExtendedKeyUsage. */
const FOR_SERVERS: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0']

const [TRUST_ANCHOR, END_ENTITY] = [2, 3]
const [WHOLE_CERTIFICATE, PUBLIC_KEY] = [0, 1]
const [EXACT, SHA_256, SHA_512] = [0, 1, 2]

export interface DaneReference {
  /** Usable ones, at least one. */
  readonly records: readonly TlsaRecord[]
  /** One of them must be in the certificate where an authority is pinned (RFC 7672 §3.2.2). */
  readonly names: readonly string[]
}

/** RFC 7671 §9: of several digests of the same thing the strongest counts. */
export function usableRecords(records: readonly TlsaRecord[]): TlsaRecord[] {
  const usable = records.filter(isUsable)
  const same = (one: TlsaRecord, two: TlsaRecord) => one.usage === two.usage && one.selector === two.selector
  return usable.filter(
    (record) =>
      record.matchingType !== SHA_256 || !usable.some((other) => other.matchingType === SHA_512 && same(record, other)),
  )
}

function isUsable({ usage, selector, matchingType, data }: TlsaRecord): boolean {
  if (usage !== TRUST_ANCHOR && usage !== END_ENTITY) return false
  if (selector !== WHOLE_CERTIFICATE && selector !== PUBLIC_KEY) return false
  if (matchingType === SHA_256) return data.length === 32
  if (matchingType === SHA_512) return data.length === 64
  if (matchingType !== EXACT) return false
  try {
    if (selector === WHOLE_CERTIFICATE) new X509Certificate(data)
    else createPublicKey({ key: Buffer.from(data), format: 'der', type: 'spki' })
    return true
  } catch {
    return false
  }
}

/** Undefined: one of the records matches. Otherwise why none does. `chain`: as the server sent it, its own first. */
export function daneMismatch(
  chain: readonly X509Certificate[],
  { records, names }: DaneReference,
  nowMs: number,
): string | undefined {
  const [own] = chain
  if (own === undefined) return 'the server showed no certificate'
  if (records.some((record) => record.usage === END_ENTITY && matches(own, record))) return undefined
  const anchors = records.filter(({ usage }) => usage === TRUST_ANCHOR)
  if (anchors.length === 0) return NO_MATCH
  return anchorMismatch(chain.slice(0, CHAIN_MAX), anchors, nowMs) ?? nameMismatch(own, names)
}

const NO_MATCH = 'no TLSA record matches the certificate of the server'

// RFC 7671 §5.2: from the server's certificate upwards, each signed by the next one, until one is pinned.
function anchorMismatch(
  chain: readonly X509Certificate[],
  anchors: readonly TlsaRecord[],
  nowMs: number,
): string | undefined {
  const own = chain[0]!
  // Undefined: it does not say for what it is.
  const uses = own.keyUsage as readonly string[] | undefined
  if (uses !== undefined && !uses.some((use) => FOR_SERVERS.includes(use))) return 'its certificate is not for servers'
  for (const [depth, certificate] of chain.entries()) {
    if (!isCurrent(certificate, nowMs)) return 'a certificate of its chain has expired, or is not valid yet'
    if (depth > 0 && anchors.some((record) => matches(certificate, record))) return undefined
    const next = chain[depth + 1]
    if (next === undefined || next === certificate) return NO_MATCH
    if (!next.ca || !certificate.checkIssued(next) || !certificate.verify(next.publicKey)) {
      return 'its certificates are no chain'
    }
  }
  return NO_MATCH
}

const isCurrent = ({ validFrom, validTo }: X509Certificate, nowMs: number): boolean =>
  Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo)

function nameMismatch(own: X509Certificate, names: readonly string[]): string | undefined {
  const named = names.some((name) => own.checkHost(name, { partialWildcards: false }) !== undefined)
  return named ? undefined : `its certificate does not name ${names.join(' or ')}`
}

function matches(certificate: X509Certificate, { selector, matchingType, data }: TlsaRecord): boolean {
  const chosen =
    selector === WHOLE_CERTIFICATE ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' })
  const found =
    matchingType === EXACT
      ? chosen
      : createHash(matchingType === SHA_256 ? 'sha256' : 'sha512')
          .update(chosen)
          .digest()
  return found.length === data.length && timingSafeEqual(found, data)
}
