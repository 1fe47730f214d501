/**
 * PTR of each sending address, confirmed by the address of the name (RFC 1912 §2.1): large receivers refuse mail without.
 * The record stands in the zone of whoever gave us the address.
 */
import type { Dns } from '#sys/dns/answer.ts'
import type { DeskFacts, Row, SendingAddress } from './row.ts'
import { line, reverseName, sameAddress } from './zone-lines.ts'

/** Names of one address that are looked up. */
const NAMES_MAX = 10

export async function checkReverse({ sends, sources, notPublic }: DeskFacts, dns: Dns): Promise<Row[]> {
  if (!sends) return []
  return Promise.all(
    sources.map(async (source): Promise<Row> => {
      const about = { kind: 'PTR' as const, name: reverseName(source.address) }
      const why = notPublic(source.address)
      if (why !== undefined)
        return { ...about, state: 'wrong', text: `${source.address} cannot send to the Internet: ${why}` }
      return { ...about, ...(await judge(source, dns)) }
    }),
  )
}

async function judge({ address, greetingName }: SendingAddress, dns: Dns): Promise<Omit<Row, 'kind' | 'name'>> {
  const paste = [line(reverseName(address), 'PTR', `${greetingName}.`)]
  const type = address.includes(':') ? 'AAAA' : 'A'
  const answer = await dns.lookup(reverseName(address), 'PTR')
  if (answer.kind === 'unknown') return { state: 'unknown', text: answer.text }
  if (answer.kind === 'none') return { state: 'missing', text: `${address} has no name; its provider enters it`, paste }
  const names = answer.records.slice(0, NAMES_MAX)
  const back = await Promise.all(names.map((name) => dns.lookup(name, type)))
  const confirmed = names.filter((_, i) => {
    const one = back[i]!
    return one.kind === 'found' && one.records.some((record) => sameAddress(record, address))
  })
  if (confirmed.length > 0) {
    const other = confirmed.includes(greetingName) ? '' : `; EHLO says ${greetingName}`
    return { state: 'there', text: `${address} is ${confirmed.join(', ')}, and back${other}` }
  }
  const unknown = back.find(({ kind }) => kind === 'unknown')
  if (unknown?.kind === 'unknown') return { state: 'unknown', text: unknown.text }
  const forward = names.includes(greetingName) ? [line(greetingName, type, address)] : paste
  return { state: 'wrong', text: `${address} is ${names.join(', ')}, which has another address`, paste: forward }
}
