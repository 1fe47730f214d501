/** MX: does the mail of the domain come to us, and to nobody who cannot take it (RFC 5321 §5.1, RFC 7505). */
import { isIP } from 'node:net'
import type { Dns, MailExchanger } from '#sys/dns/answer.ts'
import { type DeskFacts, NOT_RECEIVED, type Row } from './row.ts'
import { line } from './zone-lines.ts'

/** Exchangers whose addresses are looked up. */
const LOOKED_UP_MAX = 20
const OWN_PREFERENCE = 10
const FALLBACK_STEP = 10
const PREFERENCE_MAX = 65_535

export async function checkMx(facts: DeskFacts, dns: Dns): Promise<Row[]> {
  const { domain } = facts
  const row = (state: Row['state'], text: string, paste?: readonly string[]): Row => ({
    ...{ kind: 'MX' as const, name: domain, state, text },
    ...(paste && { paste }),
  })
  if (!facts.receives) return [row('not-needed', NOT_RECEIVED)]
  const answer = await dns.lookup(domain, 'MX')
  if (answer.kind === 'unknown') return [row('unknown', answer.text)]
  const records = answer.kind === 'found' ? answer.records : []
  const standing = judgeMx(facts, records)
  const paste = standing.state === 'there' ? undefined : [ownLine(facts, records)]
  const hosts = await Promise.all(
    records.slice(0, LOOKED_UP_MAX).map(({ exchange }) => hostFault(exchange, facts, dns)),
  )
  return [row(standing.state, standing.text, paste), ...hosts.flatMap((one) => (one ? [row(one.state, one.text)] : []))]
}

interface Standing {
  readonly state: 'there' | 'missing' | 'wrong'
  readonly text: string
}

export function judgeMx(facts: DeskFacts, records: readonly MailExchanger[]): Standing {
  const { ownNames, hostname } = facts
  const named = records.filter(({ exchange }) => exchange !== '')
  // RFC 7505 §3.
  if (records.length > 0 && named.length === 0)
    return { state: 'wrong', text: 'a null MX: the domain says that it takes no mail' }
  if (named.length < records.length)
    return { state: 'wrong', text: 'a null MX beside others: it must stand alone, or go' }
  const own = named.filter(({ exchange }) => ownNames.includes(exchange))
  const others = named.filter(({ exchange }) => !ownNames.includes(exchange))
  if (own.length === 0) {
    const seen =
      others.length === 0 ? 'there is none' : `mail goes to ${others.map(({ exchange }) => exchange).join(', ')}`
    return { state: 'missing', text: `${seen}, not to ${hostname}` }
  }
  const text = `${own.map(({ preference, exchange }) => `${preference} ${exchange}`).join(', ')}`
  if (others.length === 0) {
    if (!facts.fallback) return { state: 'there', text }
    return { state: 'wrong', text: `${text}: we are a fallback MX, and the primary has no record` }
  }
  const best = Math.min(...others.map(({ preference }) => preference))
  if (facts.fallback && own.some(({ preference }) => preference <= best)) {
    return { state: 'wrong', text: `${text}: we are a fallback MX, and stand before the primary (${best})` }
  }
  const beside = facts.fallback ? 'behind' : 'beside us mail goes past this relay to'
  return { state: 'there', text: `${text}; ${beside} ${others.map(({ exchange }) => exchange).join(', ')}` }
}

function ownLine({ domain, hostname, fallback }: DeskFacts, records: readonly MailExchanger[]): string {
  const last = Math.max(0, ...records.filter(({ exchange }) => exchange !== '').map(({ preference }) => preference))
  const preference = fallback ? Math.min(last + FALLBACK_STEP, PREFERENCE_MAX) : OWN_PREFERENCE
  return line(domain, 'MX', `${preference} ${hostname}.`)
}

async function hostFault(
  exchange: string,
  { hostname }: DeskFacts,
  dns: Dns,
): Promise<Pick<Row, 'state' | 'text'> | undefined> {
  // Our own name has a row of its own.
  if (exchange === '' || exchange === hostname) return undefined
  if (isIP(exchange) > 0) return { state: 'wrong', text: `${exchange} is an address; an MX record names a host` }
  const [four, six] = await Promise.all([dns.lookup(exchange, 'A'), dns.lookup(exchange, 'AAAA')])
  const found = [four, six].find((answer) => answer.kind === 'found')
  if (found?.kind === 'found') {
    // RFC 2181 §10.3.
    return found.name === exchange
      ? undefined
      : { state: 'wrong', text: `${exchange} is an alias (CNAME) of ${found.name}` }
  }
  const unknown = [four, six].find((answer) => answer.kind === 'unknown')
  if (unknown?.kind === 'unknown') return { state: 'unknown', text: `${exchange}: ${unknown.text}` }
  return { state: 'wrong', text: `${exchange} has no address` }
}
