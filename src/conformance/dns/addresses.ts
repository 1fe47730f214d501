/** A and AAAA of the relay's host name: without them nobody finds the host that the MX record names. */
import type { Dns } from '#sys/dns/answer.ts'
import type { DeskFacts, Row } from './row.ts'
import { line } from './zone-lines.ts'

export async function checkAddresses(facts: DeskFacts, dns: Dns): Promise<Row[]> {
  const { hostname } = facts
  const row = (state: Row['state'], text: string, paste?: readonly string[]): Row[] => [
    { kind: 'address', name: hostname, state, text, ...(paste && { paste }) },
  ]
  const answers = await Promise.all([dns.lookup(hostname, 'A'), dns.lookup(hostname, 'AAAA')])
  const alias = answers.find((answer) => answer.kind === 'found' && answer.name !== hostname)
  // RFC 5321 §5.1, RFC 2181 §10.3: the host of an MX record is no alias.
  if (alias?.kind === 'found')
    return row('wrong', `is an alias of ${alias.name}; the host of an MX record must not be one`)
  const found = answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []))
  const hidden = found.filter((address) => facts.notPublic(address) !== undefined)
  if (hidden.length > 0)
    return row('wrong', `${hidden[0]} cannot be reached from outside: ${facts.notPublic(hidden[0]!)}`)
  if (found.length > 0) return row('there', found.join(', '))
  const unknown = answers.find((answer) => answer.kind === 'unknown')
  if (unknown?.kind === 'unknown') return row('unknown', unknown.text)
  const own = facts.sources.filter(({ greetingName }) => greetingName === hostname)
  const lines = own.map(({ address }) => line(hostname, address.includes(':') ? 'AAAA' : 'A', address))
  return row('missing', 'the host name of this relay has no address', lines)
}
