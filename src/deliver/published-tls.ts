/**
 * For people: what a domain publishes about TLS with its hosts by DANE (RFC 7672), what of it is signed, and what follows for
 * mail. The judgement is that of `tls-policy.ts`; records that count for nothing are shown beside it, with the reason.
 */
import type { Answer, Dns, TlsaRecord } from '#sys/dns/answer.ts'
import { EXCHANGERS_MAX, readMx } from './exchangers.ts'
import { tlsPolicyOf } from './tls-policy.ts'

export interface PublishedTls {
  /** No hosts: why not. */
  readonly text?: string
  readonly hosts: readonly HostTls[]
}

export interface HostTls {
  readonly host: string
  /** The MX record that names it is verified with DNSSEC. */
  readonly mxSecure: boolean
  /** `3 1 1 0123…` */
  readonly records: readonly string[]
  readonly recordsSecure: boolean
  /** Where the records were found that count. */
  readonly base?: string
  /**
   * `dane`: TLS, and a certificate that matches. `encrypt`: TLS, with whatever certificate, since nobody can use the records.
   * `unknown`: the host is not used now. `none`: DANE says nothing, and MTA-STS may speak.
   */
  readonly dane: 'dane' | 'encrypt' | 'unknown' | 'none'
  /** Why nobody can say. */
  readonly text?: string
}

/** Digests are shown up to so many hex digits: whole certificates are long. */
const DIGITS_SHOWN = 128
/** Of one host. */
const RECORDS_SHOWN = 20

/** Never rejects. */
export async function publishedTls(domain: string, dns: Dns, port: number): Promise<PublishedTls> {
  const mx = readMx(domain, await dns.lookup(domain, 'MX'))
  if (mx.kind !== 'exchangers') return { text: mx.text, hosts: [] }
  const hosts = mx.list.slice(0, EXCHANGERS_MAX).map((exchanger) => {
    const host = { ...exchanger, port, ...(mx.secure && { secureFor: domain }) }
    return hostTls(host, domain, dns)
  })
  return { hosts: await Promise.all(hosts) }
}

async function hostTls(host: Parameters<typeof tlsPolicyOf>[0], domain: string, dns: Dns): Promise<HostTls> {
  const policy = await tlsPolicyOf(host, domain, { dns })
  const base = policy.kind === 'dane' ? policy.serverName : host.name
  const found = await dns.lookup(`_${host.port}._tcp.${base}`, 'TLSA')
  const common = { host: host.name, mxSecure: host.secureFor !== undefined, ...shown(found) }
  switch (policy.kind) {
    case 'dane':
      return { ...common, dane: 'dane', base }
    case 'encrypt':
      return { ...common, dane: 'encrypt' }
    case 'unknown':
      return { ...common, dane: 'unknown', text: policy.text }
    default:
      return { ...common, dane: 'none' }
  }
}

function shown(answer: Answer<'TLSA'>): Pick<HostTls, 'records' | 'recordsSecure'> {
  if (answer.kind !== 'found') return { records: [], recordsSecure: false }
  return { records: answer.records.slice(0, RECORDS_SHOWN).map(recordText), recordsSecure: answer.secure }
}

function recordText({ usage, selector, matchingType, data }: TlsaRecord): string {
  const digits = Buffer.from(data).toString('hex')
  const more = digits.length > DIGITS_SHOWN ? '…' : ''
  return `${usage} ${selector} ${matchingType} ${digits.slice(0, DIGITS_SHOWN)}${more}`
}
