/**
 * What DNS says about TLS with a host that we know by MX: DANE for SMTP (RFC 7672 §2.2). Only what is verified with DNSSEC
 * counts, and only the word of a name server on this machine.
 *
 * | MX | addresses | TLSA | then |
 * |---|---|---|---|
 * | insecure | | | no policy |
 * | secure | insecure | | no policy |
 * | secure | secure | none, or insecure | no policy |
 * | secure | secure | some usable | TLS, and a certificate that matches |
 * | secure | secure | none of them usable | TLS, with whatever certificate |
 * | secure | secure | nobody can say (SERVFAIL, bogus, time-out) | this host is not used now (RFC 7672 §2.1.1) |
 */
import { type DaneReference, usableRecords } from '#sys/dane.ts'
import type { Answer, Dns } from '#sys/dns/answer.ts'
import type { NextHopHost } from '#tenant/directory.ts'

export type TlsPolicy =
  | { readonly kind: 'none' }
  /** `serverName`: the TLSA base domain, which is the SNI too (RFC 7672 §8.1). */
  | { readonly kind: 'dane'; readonly serverName: string; readonly reference: DaneReference }
  /** TLSA records, none of which anybody can use: encrypted, but with whom, nobody knows. */
  | { readonly kind: 'encrypt' }
  | { readonly kind: 'unknown'; readonly text: string }

const NONE: TlsPolicy = { kind: 'none' }

/** Never rejects. */
export async function daneOf(host: NextHopHost, dns: Dns): Promise<TlsPolicy> {
  const { name, port, secureFor } = host
  if (secureFor === undefined) return NONE
  const bases = await baseDomains(name, dns)
  if (!Array.isArray(bases)) return bases
  for (const base of bases) {
    const answer = await dns.lookup(`_${port}._tcp.${base}`, 'TLSA')
    if (answer.kind === 'unknown') return { kind: 'unknown', text: `${name}: TLSA: ${answer.text}` }
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
  if (known.length === 0) return { kind: 'unknown', text: silent.kind === 'unknown' ? silent.text : name }
  if (known.every((answer) => answer.name === name)) return []
  const alias = await dns.lookup(name, 'CNAME')
  if (alias.kind === 'unknown') return { kind: 'unknown', text: `${name}: CNAME: ${alias.text}` }
  return alias.secure ? [name] : []
}

type Said = Exclude<Answer<'A' | 'AAAA'>, { kind: 'unknown' }>
