/**
 * Fetches the MTA-STS policy of a domain: HTTPS from mta-sts.DOMAIN with a certificate that a trusted authority issued for
 * that name (RFC 8461 §3.3). No redirect is followed. Whoever owns the domain says where that host is: see
 * `sys/guarded-https.ts`.
 *
 * Bounded: `FETCH_MS_MAX` for everything, 64 KiB. Never rejects.
 */
import type { StsFailureType } from '#mail/tls-result.ts'
import { askHttps, type HttpsAnswer, type HttpsParts } from '#sys/guarded-https.ts'
import { POLICY_OCTETS_MAX, readPolicy, type StsPolicy } from './policy.ts'

/** RFC 8461 §3.3 suggests a minute; mail waits for it. */
export const FETCH_MS_MAX = 30_000

export type Fetched =
  | { readonly kind: 'fetched'; readonly body: string; readonly policy: StsPolicy }
  /** `fault`: what the domain's report calls it. */
  | { readonly kind: 'failed'; readonly fault: StsFailureType; readonly text: string }

export interface FetchParts extends HttpsParts {
  /** 443, but for tests. */
  readonly port: number
  readonly msMax?: number
}

export const policyHost = (domain: string): string => `mta-sts.${domain}`
export const policyUrl = (domain: string): string => `https://${policyHost(domain)}/.well-known/mta-sts.txt`

export async function fetchPolicy(domain: string, parts: FetchParts): Promise<Fetched> {
  const url = new URL(policyUrl(domain))
  url.port = String(parts.port)
  const answer = await askHttps(
    {
      url,
      method: 'GET',
      headers: { host: policyHost(domain), accept: 'text/plain' },
      octetsMax: POLICY_OCTETS_MAX,
      msMax: parts.msMax ?? FETCH_MS_MAX,
    },
    parts,
  )
  return fetchedFrom(answer, policyUrl(domain))
}

// RFC 8460 §4.3.2.2: what cannot be had, what is no policy, and whose host is not the one.
const failed = (fault: StsFailureType, text: string): Fetched => ({ kind: 'failed', fault, text })

function fetchedFrom(answer: HttpsAnswer, url: string): Fetched {
  if (answer.kind === 'failed' && answer.why === 'certificate') return failed('sts-webpki-invalid', answer.text)
  if (answer.kind !== 'answered') return failed('sts-policy-fetch-error', answer.text)
  const { status, contentType, body, end } = answer
  // RFC 8461 §3.3: only 200 counts, and a redirect leads nowhere.
  if (status !== 200) return failed('sts-policy-fetch-error', `${url} answers ${status}`)
  if (!/^text\/plain *(?:;|$)/i.test(contentType)) return failed('sts-policy-invalid', `${url} is not text/plain`)
  if (end.kind === 'too-long') return failed('sts-policy-invalid', `${url} is longer than ${POLICY_OCTETS_MAX} octets`)
  if (end.kind === 'broken') return failed('sts-policy-fetch-error', `${url}: ${end.text}`)
  const text = body.toString('latin1')
  const read = readPolicy(text)
  return read.kind === 'policy'
    ? { kind: 'fetched', body: text, policy: read.policy }
    : failed('sts-policy-invalid', `${url}: ${read.text}`)
}
