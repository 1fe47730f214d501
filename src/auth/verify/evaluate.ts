/**
 * Is the reverse-path the sender's? SPF (RFC 7208) for its domain, and if that is no pass, the DKIM signatures (RFC 6376) of
 * exactly its domain; a parent's or a subdomain's prove nothing here. Both by mailauth, strictly by their RFCs.
 *
 * What DNS does not answer now gives no pass. A defect of the library rejects.
 */
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { spf } from 'mailauth/lib/spf/index.js'
import type { Answer, MailExchanger, RecordType } from '#sys/dns/answer.ts'
import type { Evidence, Verified } from './questions.ts'

export type Lookup = (name: string, type: RecordType) => Promise<Answer<RecordType>>

/** RFC 7208 §4.6.4. */
const SPF_TERMS_MAX = 10
const SPF_VOID_MAX = 2

export async function evaluate(evidence: Evidence, octets: Uint8Array, lookup: Lookup): Promise<Verified> {
  const resolver = resolverOf(lookup)
  const { status } = await spf({
    sender: evidence.reversePath,
    ip: evidence.clientAddress,
    helo: evidence.greetingName,
    maxResolveCount: SPF_TERMS_MAX,
    maxVoidCount: SPF_VOID_MAX,
    strict: true,
    resolver,
  } as unknown as Parameters<typeof spf>[0])
  if (status.result === 'pass') return 'spf-pass'
  const { results } = await dkimVerify(Buffer.from(octets.buffer, octets.byteOffset, octets.length), {
    strict: true,
    resolver,
  } as unknown as Parameters<typeof dkimVerify>[1])
  const isAligned = results.some(
    (one) => one.status.result === 'pass' && one.signingDomain?.toLowerCase() === evidence.domain,
  )
  return isAligned ? 'aligned-dkim' : 'none'
}

type Resolver = (name: string, type: string) => Promise<unknown[]>

const TYPES: readonly string[] = ['A', 'AAAA', 'MX', 'TXT', 'PTR'] satisfies RecordType[]

/** As node:dns would answer. */
function resolverOf(lookup: Lookup): Resolver {
  return async (name, type) => {
    if (!TYPES.includes(type)) throw fault('ENOTIMP', `no question for ${type}`)
    const answer = await lookup(name, type as RecordType)
    if (answer.kind === 'unknown') throw fault('ETIMEOUT', answer.text)
    if (answer.kind === 'none') throw fault(answer.why === 'no-name' ? 'ENOTFOUND' : 'ENODATA', `no ${type} of ${name}`)
    if (type === 'TXT') return answer.records.map((text) => [text])
    if (type !== 'MX') return [...answer.records]
    return (answer.records as readonly MailExchanger[]).map(({ preference, exchange }) => ({
      priority: preference,
      exchange,
    }))
  }
}

const fault = (code: string, message: string): Error => Object.assign(new Error(message), { code })
