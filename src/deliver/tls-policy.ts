/**
 * What a domain wants of TLS with a host that its MX records name: DANE for SMTP (RFC 7672 §2.2), and where that says
 * nothing, MTA-STS (RFC 8461). DANE comes first: no MTA-STS policy makes good what DANE finds wrong (RFC 8461 §2).
 *
 * For DANE only what is verified with DNSSEC counts, and only the word of a name server on this machine.
 *
 * | MX | addresses | TLSA | then |
 * |---|---|---|---|
 * | insecure | | | no policy |
 * | secure | insecure | | no policy |
 * | secure | secure | none, or insecure | no policy |
 * | secure | secure | some usable | TLS, and a certificate that matches |
 * | secure | secure | none of them usable | TLS, with whatever certificate |
 * | secure | secure | nobody can say (SERVFAIL, bogus, time-out) | this host is not used now (RFC 7672 §2.1.1) |
 *
 * | MTA-STS mode | the policy names the host | then |
 * |---|---|---|
 * | enforce | yes | TLS, and a certificate of a trusted authority for the host |
 * | enforce | no | this host is not used |
 * | testing | | as without, but what enforce would have done is counted |
 * | none | | no policy |
 */
import { type DaneReference, usableRecords } from '#sys/dane.ts'
import type { Answer, Dns } from '#sys/dns/answer.ts'
import type { NextHopHost, TlsUse } from '#tenant/directory.ts'
import { policyUrl } from './mta-sts/fetch-policy.ts'
import { namesHost, type StsPolicy } from './mta-sts/policy.ts'
import type { StsFailure, StsFound } from './mta-sts/sts-policies.ts'

export type TlsPolicy =
  /** `failure`: MTA-STS should say something, and its policy cannot be had. */
  | { readonly kind: 'none'; readonly failure?: StsFailure }
  /** `serverName`: the TLSA base domain, which is the SNI too (RFC 7672 §8.1). */
  | { readonly kind: 'dane'; readonly serverName: string; readonly reference: DaneReference }
  /** TLSA records, none of which anybody can use: encrypted, but with whom, nobody knows. */
  | { readonly kind: 'encrypt' }
  /** MTA-STS of this domain, enforced. */
  | { readonly kind: 'sts'; readonly domain: string; readonly policy: StsPolicy }
  /** MTA-STS of this domain, only watched. `named`: the policy names the host. */
  | { readonly kind: 'sts-testing'; readonly domain: string; readonly named: boolean; readonly policy: StsPolicy }
  /** The host must not be used. `by`: whose word that is. */
  | { readonly kind: 'refused'; readonly by: 'sts'; readonly policy: StsPolicy; readonly text: string }
  /** Nobody can say now: the host must not be used now. */
  | { readonly kind: 'unknown'; readonly by: 'dane' | 'sts'; readonly text: string }

const NONE: TlsPolicy = { kind: 'none' }

export interface PolicySources {
  readonly dns: Dns
  /** Absent: no domain has MTA-STS. Never rejects. */
  readonly sts?: ((domain: string) => Promise<StsFound>) | undefined
}

/** `domain`: whose mail it is; an address literal has no policy. Never rejects. */
export async function tlsPolicyOf(host: NextHopHost, domain: string, sources: PolicySources): Promise<TlsPolicy> {
  const dane = await daneOf(host, sources.dns)
  if (dane.kind === 'dane' || dane.kind === 'unknown' || sources.sts === undefined || domain.startsWith('['))
    return dane
  const found = await sources.sts(domain)
  if (found.kind === 'unknown') return { kind: 'unknown', by: 'sts', text: found.text }
  if (found.kind === 'none') return found.failure && dane.kind === 'none' ? { ...dane, failure: found.failure } : dane
  const { policy } = found
  if (policy.mode === 'none') return dane
  const named = namesHost(policy, host.name)
  // Records that nobody can use want TLS, which is more than a policy that is only tried out.
  if (policy.mode === 'testing') return dane.kind === 'none' ? { kind: 'sts-testing', domain, named, policy } : dane
  if (named) return { kind: 'sts', domain, policy }
  const text = `${host.name} is not among the hosts that the MTA-STS policy of ${domain} names: ${listed(policy.mx)}; ${adviceOf(domain)}`
  return { kind: 'refused', by: 'sts', policy, text }
}

const NAMES_SHOWN = 5
const listed = (names: readonly string[]): string =>
  names.length > NAMES_SHOWN ? `${names.slice(0, NAMES_SHOWN).join(', ')}, …` : names.join(', ')

const adviceOf = (domain: string): string =>
  `its postmaster must mend ${policyUrl(domain)} or the servers, or you say tls-by-domain for ${domain}`

/** What a session under this policy may do; `given`: what the route says. */
export function tlsUseUnder({ kind }: TlsPolicy, given: TlsUse): TlsUse {
  if (kind === 'none' || kind === 'sts-testing') return given
  return kind === 'sts' ? 'verified' : 'required'
}

/** What to do about a session that failed for its TLS. */
export function tlsAdvice(policy: TlsPolicy): string {
  if (policy.kind === 'sts')
    return `; MTA-STS of ${policy.domain} wants a valid certificate: ${adviceOf(policy.domain)}`
  if (policy.kind === 'dane')
    return `; DANE wants it: its postmaster must mend the TLSA records of ${policy.serverName} or the server, or you say tls-by-domain`
  return ''
}

async function daneOf(host: NextHopHost, dns: Dns): Promise<TlsPolicy> {
  const { name, port, secureFor } = host
  if (secureFor === undefined) return NONE
  const bases = await baseDomains(name, dns)
  if (!Array.isArray(bases)) return bases
  for (const base of bases) {
    const answer = await dns.lookup(`_${port}._tcp.${base}`, 'TLSA')
    if (answer.kind === 'unknown') return { kind: 'unknown', by: 'dane', text: `${name}: TLSA: ${answer.text}` }
    if (answer.kind === 'none' || !answer.secure) continue
    const records = usableRecords(answer.records)
    if (records.length === 0) return { kind: 'encrypt' }
    const names = [...new Set([base, name, secureFor])]
    return { kind: 'dane', serverName: base, reference: { records, names } }
  }
  return NONE
}

type Unknown = Extract<TlsPolicy, { kind: 'unknown' }>

// RFC 7672 §2.2.2, §2.1.3: where the aliases lead if all of them are secure, then the name itself.
async function baseDomains(name: string, dns: Dns): Promise<string[] | Unknown> {
  const answers = await Promise.all([dns.lookup(name, 'AAAA'), dns.lookup(name, 'A')])
  const known = answers.filter((answer): answer is Said => answer.kind !== 'unknown')
  const secure = known.find((answer) => answer.secure)
  if (secure !== undefined) return [...new Set([secure.name, name])]
  const [silent] = answers
  if (known.length === 0) return { kind: 'unknown', by: 'dane', text: silent.kind === 'unknown' ? silent.text : name }
  if (known.every((answer) => answer.name === name)) return []
  const alias = await dns.lookup(name, 'CNAME')
  if (alias.kind === 'unknown') return { kind: 'unknown', by: 'dane', text: `${name}: CNAME: ${alias.text}` }
  return alias.secure ? [name] : []
}

type Said = Exclude<Answer<'A' | 'AAAA'>, { kind: 'unknown' }>
