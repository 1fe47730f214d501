/**
 * Name of a client that leads back to it (RFC 8601 §2.7.3, "iprev"): the PTR records of its address, and the addresses of the
 * names that stand there. Who owns the address writes the name; only the owner of the name can confirm it.
 */
import { parseDomainName } from '#mail/domain.ts'
import type { Dns } from '#sys/dns/answer.ts'
import type { SpamAbout } from '../contract.ts'
import { addressSubject, isOnlyOurs, nibbles, reverseZoneName } from './question-name.ts'

/** Of one address that are followed; honest hosts have one. RFC 7208 §4.6.4 allows 10. */
export const NAMES_MAX = 5

export type ClientName = NonNullable<NonNullable<SpamAbout['session']>['clientName']>

/** Never rejects; takes as long as DNS takes. */
export async function clientNameOf(dns: Dns, address: string): Promise<ClientName> {
  const subject = addressSubject(address)
  // Private addresses have names in private zones, and those of root servers would be a "none" that means nothing.
  if (subject === undefined || isOnlyOurs(address)) return { kind: 'unknown' }
  const found = await dns.lookup(reverseZoneName(subject), 'PTR')
  if (found.kind === 'unknown') return { kind: 'unknown' }
  const names = found.kind === 'found' ? found.records.map(parseDomainName).filter((name) => name !== undefined) : []
  const [first] = names
  if (first === undefined) return { kind: 'none' }
  const type = subject.family === 6 ? 'AAAA' : 'A'
  const followed = [...new Set(names)].slice(0, NAMES_MAX)
  const answers = await Promise.all(followed.map((name) => dns.lookup(name, type)))
  const confirmed = followed.find((_, i) => {
    const answer = answers[i]!
    return answer.kind === 'found' && answer.records.some((one) => isSame(one, subject.labels))
  })
  if (confirmed !== undefined) return { kind: 'confirmed', name: confirmed }
  if (answers.some(({ kind }) => kind === 'unknown')) return { kind: 'unknown' }
  return { kind: 'unconfirmed', name: first }
}

// Addresses have many spellings, their labels one.
const isSame = (address: string, labels: string): boolean =>
  labels === (address.includes(':') ? nibbles(address) : addressSubject(address)?.labels)
