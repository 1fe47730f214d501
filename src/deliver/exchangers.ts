/**
 * Which hosts take the mail of a domain: what its MX records and their addresses come to (RFC 5321 §5.1, RFC 7505). Pure;
 * `destinations.ts` asks.
 *
 * | seen | what becomes of the mail |
 * |---|---|
 * | the domain does not exist | failed, 5.1.2 |
 * | no MX, no address | failed, 5.4.4 |
 * | no MX | its own address is its host |
 * | one MX, the root: a null MX | failed, 5.1.10 |
 * | MX, but no host of them has an address that we may use | failed, 5.4.4; never the address of the domain itself |
 * | we are one of them | only better ones are used; none is better: a loop, failed, 5.4.6 |
 * | anything that nobody could say now, and no host to use without it | deferred |
 */
import type { Status } from '#mail/status.ts'
import type { Answer } from '#sys/dns/answer.ts'
import type { NextHopHost } from '#tenant/directory.ts'

/** The best ones; RFC 5321 §5.1 asks for two at least, and a domain with a thousand would like us to try them all. */
export const EXCHANGERS_MAX = 10

export interface Exchanger {
  readonly name: string
  readonly preference: number
}

export type Failed = { readonly kind: 'failed'; readonly status: Status<5>; readonly text: string }
export type NotNow = { readonly kind: 'deferred'; readonly text: string }

export type MxList = {
  readonly kind: 'exchangers'
  /** Best first, equals by name, so that the same answer is always the same list. Not empty. */
  readonly list: readonly Exchanger[]
  /** There is no MX record; the domain is its own host. */
  readonly implicit: boolean
  /** The answer was verified with DNSSEC; DANE needs to know (RFC 7672 §2.2.1). */
  readonly secure: boolean
}

const failed = (status: Status<5>, text: string): Failed => ({ kind: 'failed', status, text })

export function readMx(domain: string, answer: Answer<'MX'>): MxList | Failed | NotNow {
  if (answer.kind === 'unknown') return { kind: 'deferred', text: `${domain}: ${answer.text}` }
  const { secure } = answer
  if (answer.kind === 'none') {
    if (answer.why === 'no-name') return failed('5.1.2', `the domain ${domain} does not exist`)
    return { kind: 'exchangers', list: [{ name: domain, preference: 0 }], implicit: true, secure }
  }
  // RFC 7505 §3: a null MX stands alone. Beside others it says nothing.
  const named = answer.records.filter(({ exchange }) => exchange !== '')
  if (named.length === 0) return failed('5.1.10', `${domain} takes no mail (null MX)`)
  const best = new Map<string, number>()
  for (const { exchange, preference } of named) {
    best.set(exchange, Math.min(preference, best.get(exchange) ?? preference))
  }
  const list = [...best].map(([name, preference]) => ({ name, preference })).sort(inOrder)
  return { kind: 'exchangers', list, implicit: false, secure }
}

const inOrder = (one: Exchanger, two: Exchanger): number =>
  one.preference - two.preference || (one.name < two.name ? -1 : 1)

/** What is known of one exchanger. */
export type Standing =
  | { readonly kind: 'usable' }
  /** It is this relay. */
  | { readonly kind: 'self' }
  /** For certain: it has no address, or none to which we may connect. */
  | { readonly kind: 'useless'; readonly text: string }
  | { readonly kind: 'unknown'; readonly text: string }

export type Found =
  | { readonly kind: 'hosts'; readonly hosts: readonly NextHopHost[]; readonly secure: boolean }
  | Failed
  | NotNow

/** `standings` align with the list, or with its beginning: what comes behind is not used. */
export function chooseHosts(domain: string, mx: MxList, standings: readonly Standing[], port: number): Found {
  const known = standings.map((standing, i) => ({ ...mx.list[i]!, standing }))
  const own = known.find(({ standing }) => standing.kind === 'self')
  // RFC 5321 §5.1: neither ourselves nor whoever would send it to us.
  const others = own === undefined ? known : known.filter(({ preference }) => preference < own.preference)
  if (own !== undefined && others.length === 0) {
    return failed('5.4.6', `mail for ${domain} would come back: ${own.name}, its best host, is this relay`)
  }
  const hopeful = others.filter(({ standing }) => standing.kind === 'usable' || standing.kind === 'unknown')
  if (hopeful.some(({ standing }) => standing.kind === 'usable')) {
    const hosts = hopeful.map(({ name, preference }) => ({
      name,
      preference,
      port,
      ...(mx.secure && { secureFor: domain }),
    }))
    return { kind: 'hosts', hosts, secure: mx.secure }
  }
  const texts = others.flatMap(({ standing }) => ('text' in standing ? [standing.text] : [])).join('; ')
  if (hopeful.length > 0) return { kind: 'deferred', text: `${domain}: ${texts}` }
  return failed('5.4.4', mx.implicit ? `${domain} has no host for mail: ${texts}` : `no host of ${domain}: ${texts}`)
}
