/** TLSA of our own host: whether what DANE says of our key is true (RFC 7672 §3.1). Wrong records stop mail; none does not. */
import type { Dns, TlsaRecord } from '#sys/dns/answer.ts'
import { type DeskFacts, NOT_RECEIVED, type Row } from './row.ts'
import { line } from './zone-lines.ts'

/** DANE-EE, SubjectPublicKeyInfo, SHA-256 (RFC 7672 §3.1.1). */
const [USAGE, SELECTOR, SHA256] = [3, 1, 1]

export async function checkTlsa({ hostname, publicKeyDigests, receives }: DeskFacts, dns: Dns): Promise<Row[]> {
  const name = `_25._tcp.${hostname}`
  const about = { kind: 'TLSA' as const, name }
  if (!receives) return [{ ...about, state: 'not-needed', text: NOT_RECEIVED }]
  const answer = await dns.lookup(name, 'TLSA')
  if (answer.kind === 'unknown') return [{ ...about, state: 'unknown', text: answer.text }]
  const paste = publicKeyDigests.map((digest) => line(name, 'TLSA', `${USAGE} ${SELECTOR} ${SHA256} ${digest}`))
  if (answer.kind === 'none') {
    const text = 'optional, and of use only where the zone is signed (DNSSEC)'
    const offer = publicKeyDigests.length > 0 ? { paste } : {}
    return [{ ...about, state: answer.secure ? 'advised' : 'not-needed', text, ...offer }]
  }
  const others = answer.records.filter((one) => !isComparable(one))
  const known = answer.records.filter(isComparable).map(({ data }) => Buffer.from(data).toString('hex'))
  const absent = publicKeyDigests.filter((digest) => !known.includes(digest))
  const unsigned = answer.secure ? '' : '; not verified with DNSSEC here, so perhaps nobody uses them'
  if (absent.length === 0 && publicKeyDigests.length > 0)
    return [{ ...about, state: 'there', text: `for each of our keys${unsigned}` }]
  if (others.length > 0 || publicKeyDigests.length === 0) {
    const text = `there are records, which are not compared here (${answer.records.map(shape).join(', ')})${unsigned}`
    return [{ ...about, state: 'there', text }]
  }
  return [
    {
      ...about,
      state: 'wrong',
      text: `they name another key than this relay shows: senders that check do not deliver`,
      paste,
    },
  ]
}

const isComparable = ({ usage, selector, matchingType }: TlsaRecord): boolean =>
  usage === USAGE && selector === SELECTOR && matchingType === SHA256
const shape = ({ usage, selector, matchingType }: TlsaRecord): string => `${usage} ${selector} ${matchingType}`
