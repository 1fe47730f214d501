/**
 * DMARC (RFC 9989): has the domain in the From field vouched for the message, by SPF or DKIM, and what does it want done if it
 * has not? What DNS did not answer is neither pass nor fail (§5.3.6).
 */
import type { DkimSignature, Dmarc, DmarcPolicy, Spf } from '#mail/authentication.ts'
import type { Dns } from '#sys/dns/answer.ts'
import type { AuthorDomain } from './author.ts'
import type { DmarcRecord } from './record.ts'
import { TreeWalks } from './tree-walk.ts'

export interface Identifiers {
  readonly spf: Spf
  readonly dkim: readonly DkimSignature[]
}

interface Applied {
  readonly record: DmarcRecord
  readonly policyDomain: string
  readonly policy: DmarcPolicy
}
type Unknown = { readonly unknown: string }

export async function checkDmarc(author: AuthorDomain, { spf, dkim }: Identifiers, dns: Dns): Promise<Dmarc> {
  if (!author.ok) return { result: 'permerror', domain: undefined, alignedBy: [], reason: author.reason }
  const { domain } = author
  const nothing = { domain, alignedBy: [] }
  const walks = new TreeWalks(dns)
  const applied = await applies(domain, walks, dns)
  if (applied === undefined) return { ...nothing, result: 'none' }
  if ('unknown' in applied) return { ...nothing, result: 'temperror', reason: applied.unknown }
  const { record, policyDomain, policy } = applied
  const said = { domain, policy, ...(policyDomain !== domain && { policyDomain }) }
  const alignment = new Alignment(domain, walks)
  const alignedBy: ('spf' | 'dkim')[] = []
  if (spf.result === 'pass' && (await alignment.of(spf.domain, record.strictSpf))) alignedBy.push('spf')
  for (const one of dkim) {
    if (one.result !== 'pass' || alignedBy.includes('dkim')) continue
    if (await alignment.of(one.domain, record.strictDkim)) alignedBy.push('dkim')
  }
  if (alignedBy.length > 0) return { ...said, result: 'pass', alignedBy }
  const unknown = alignment.unknown ?? unknownOf({ spf, dkim }, record, alignment)
  if (unknown !== undefined) return { ...nothing, result: 'temperror', reason: unknown }
  return { ...said, result: 'fail', alignedBy }
}

// §4.10.1: the author's own record, else the organization's, else that of the suffix above it.
async function applies(domain: string, walks: TreeWalks, dns: Dns): Promise<Applied | Unknown | undefined> {
  const own = await walks.at(domain)
  if (!own.ok) return { unknown: own.reason }
  if (own.record === undefined) return inherited(domain, walks, dns)
  const { record } = own
  return record.policy && { record, policyDomain: domain, policy: tested(record, record.policy) }
}

async function inherited(domain: string, walks: TreeWalks, dns: Dns): Promise<Applied | Unknown | undefined> {
  const walk = await walks.from(domain)
  if (!walk.ok) return { unknown: walk.reason }
  const { records, organization } = walk
  const found = records.find((one) => one.domain === organization) ?? records.find(({ record }) => record.psd === 'y')
  if (found?.record.policy === undefined) return undefined
  const { record, domain: policyDomain } = found
  let wanted = record.subdomains
  if (record.nonexistent !== undefined) {
    // RFC 8020: NXDOMAIN for any type, and only that, says that there is no such name.
    const answer = await dns.lookup(domain, 'A')
    if (answer.kind === 'unknown') return { unknown: answer.text }
    if (answer.kind === 'none' && answer.why === 'no-name') wanted = record.nonexistent
  }
  return { record, policyDomain, policy: tested(record, wanted ?? record.policy!) }
}

// §4.7: in test mode one level lower.
function tested({ isTest }: DmarcRecord, policy: DmarcPolicy): DmarcPolicy {
  if (!isTest) return policy
  return policy === 'reject' ? 'quarantine' : 'none'
}

class Alignment {
  readonly #author: string
  readonly #walks: TreeWalks
  /** What DNS did not say of a domain that may be aligned. */
  unknown: string | undefined

  constructor(author: string, walks: TreeWalks) {
    this.#author = author
    this.#walks = walks
  }

  async of(domain: string | undefined, strict: boolean): Promise<boolean> {
    if (domain === undefined || !this.could(domain, strict)) return false
    if (domain === this.#author) return true
    const [one, other] = await Promise.all([this.#walks.from(this.#author), this.#walks.from(domain)])
    if (one.ok && other.ok) return one.organization === other.organization
    this.unknown ??= one.ok ? (other as Exclude<typeof other, { ok: true }>).reason : one.reason
    return false
  }

  /** Domains of one organization have its name in common, which is no top level: others need not be asked for. */
  could(domain: string | undefined, strict: boolean): boolean {
    if (domain === undefined) return false
    return domain === this.#author || (!strict && endOf(domain) === endOf(this.#author))
  }
}

const endOf = (domain: string): string => domain.split('.').slice(-2).join('.')

/** Only what might have been in alignment: else a sender could make its failures unknown with a dead name server of its own. */
function unknownOf({ spf, dkim }: Identifiers, record: DmarcRecord, alignment: Alignment): string | undefined {
  if (spf.result === 'temperror' && alignment.could(spf.domain, record.strictSpf))
    return spf.reason ?? 'SPF could not be asked'
  const unknown = dkim.find(
    ({ result, domain }) => result === 'temperror' && alignment.could(domain, record.strictDkim),
  )
  return unknown && (unknown.reason ?? 'a key could not be asked for')
}
