/**
 * DMARC (RFC 9989): has the domain in the From field vouched for the message, by SPF or DKIM, and what does it want done if it
 * has not? What DNS did not answer is neither pass nor fail (§5.3.6).
 */
import type { DkimSignature, Dmarc, DmarcPolicy, Spf } from '#mail/authentication.ts'
import type { Dns } from '#sys/dns/answer.ts'
import type { AuthorDomain } from './author.ts'
import type { DmarcRecord } from './record.ts'
import { type FoundRecord, TreeWalks, type Walk } from './tree-walk.ts'

export interface Identifiers {
  readonly spf: Spf
  readonly dkim: readonly DkimSignature[]
}

interface Applied {
  readonly record: DmarcRecord
  readonly policyDomain: string
  readonly policy: DmarcPolicy
  readonly organization: string
}

export async function checkDmarc(author: AuthorDomain, { spf, dkim }: Identifiers, dns: Dns): Promise<Dmarc> {
  if (!author.ok) return { result: 'permerror', domain: undefined, alignedBy: [], reason: author.reason }
  const { domain } = author
  const nothing = { domain, alignedBy: [] }
  const walks = new TreeWalks(dns)
  const walk = await walks.from(domain)
  if (!walk.ok) return { ...nothing, result: 'temperror', reason: walk.reason }
  const applied = await applies(domain, walk, dns)
  if (applied === undefined) return { ...nothing, result: 'none' }
  if ('unknown' in applied) return { ...nothing, result: 'temperror', reason: applied.unknown }
  const { record, policyDomain, policy } = applied
  const said = { domain, policy, ...(policyDomain !== domain && { policyDomain }) }
  const alignment = new Alignment(domain, applied.organization, walks)
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
async function applies(
  domain: string,
  { records, organization }: Extract<Walk, { ok: true }>,
  dns: Dns,
): Promise<Applied | { readonly unknown: string } | undefined> {
  const at = (name: string): FoundRecord | undefined => records.find((one) => one.domain === name)
  const found = at(domain) ?? at(organization) ?? records.find(({ record }) => record.psd === 'y')
  if (found?.record.policy === undefined) return undefined
  const { record, domain: policyDomain } = found
  if (policyDomain === domain) return { record, policyDomain, policy: tested(record, record.policy!), organization }
  let wanted = record.subdomains
  if (record.nonexistent !== undefined) {
    // RFC 8020: NXDOMAIN for any type, and only that, says that there is no such name.
    const answer = await dns.lookup(domain, 'A')
    if (answer.kind === 'unknown') return { unknown: answer.text }
    if (answer.kind === 'none' && answer.why === 'no-name') wanted = record.nonexistent
  }
  return { record, policyDomain, policy: tested(record, wanted ?? record.policy!), organization }
}

// §4.7: in test mode one level lower.
function tested({ isTest }: DmarcRecord, policy: DmarcPolicy): DmarcPolicy {
  if (!isTest) return policy
  return policy === 'reject' ? 'quarantine' : 'none'
}

class Alignment {
  readonly #author: string
  readonly #organization: string
  readonly #walks: TreeWalks
  /** What DNS did not say of a domain that may be aligned. */
  unknown: string | undefined

  constructor(author: string, organization: string, walks: TreeWalks) {
    this.#author = author
    this.#organization = organization
    this.#walks = walks
  }

  async of(domain: string | undefined, strict: boolean): Promise<boolean> {
    if (domain === undefined) return false
    if (domain === this.#author) return true
    if (!this.could(domain, strict)) return false
    const walk = await this.#walks.from(domain)
    if (!walk.ok) this.unknown ??= walk.reason
    return walk.ok && walk.organization === this.#organization
  }

  /** Domains of one organization end in it: others need not be asked for. */
  could(domain: string | undefined, strict: boolean): boolean {
    if (domain === undefined) return false
    return domain === this.#author || (!strict && isWithin(domain, this.#organization))
  }
}

const isWithin = (domain: string, above: string): boolean => domain === above || domain.endsWith(`.${above}`)

/** Only what might have been in alignment: else a sender could make its failures unknown with a dead name server of its own. */
function unknownOf({ spf, dkim }: Identifiers, record: DmarcRecord, alignment: Alignment): string | undefined {
  if (spf.result === 'temperror' && alignment.could(spf.domain, record.strictSpf))
    return spf.reason ?? 'SPF could not be asked'
  const unknown = dkim.find(
    ({ result, domain }) => result === 'temperror' && alignment.could(domain, record.strictDkim),
  )
  return unknown && (unknown.reason ?? 'a key could not be asked for')
}
