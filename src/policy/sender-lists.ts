/**
 * Whom a policy lets through, and whom it refuses: addresses (of the reverse-path), domains (of the reverse-path or of the
 * author) and networks of clients.
 *
 * Everybody can write everybody's address. So who is let through must have proved that he is it: the client is in the network,
 * or the domain has vouched for the message by SPF, DKIM or DMARC. A mere claim counts nothing, and is told. To be refused
 * a claim is enough.
 *
 * A list has some entries, not thousands: it is walked through.
 */
import { mailboxKey } from '#mail/address.ts'
import { type Authentication, vouchedBy } from '#mail/authentication.ts'
import { domainText } from '#mail/domain.ts'
import type { Transaction } from '#mail/session.ts'
import { NetworkMap } from '#tenant/network-map.ts'

export interface Listed {
  /** `unproven`: on the list of those who are let through, as it claims. */
  readonly kind: 'allowed' | 'blocked' | 'unproven'
  readonly entry: string
}

interface Claims {
  readonly client: string
  /** Empty for the null path. */
  readonly address: string
  readonly domains: readonly string[]
}

interface Lists {
  readonly allow: readonly string[]
  readonly block: readonly string[]
}

/** Who is let through, with proof, is not refused: a list can refuse a domain and let one of its addresses through. */
export function listed(
  { allow, block }: Lists,
  { session, envelope }: Pick<Transaction, 'session' | 'envelope'>,
  authentication: Authentication | undefined,
): Listed | undefined {
  if (allow.length === 0 && block.length === 0) return undefined
  const mailbox = envelope.reversePath.kind === 'mailbox' ? envelope.reversePath.mailbox : undefined
  const author = authentication?.dmarc.domain
  const domains = [...(mailbox ? [domainText(mailbox.domain)] : []), ...(author === undefined ? [] : [author])]
  const claims = { client: session.client.address, address: mailbox ? mailboxKey(mailbox) : '', domains }
  let unproven: Listed | undefined
  for (const entry of allow) {
    const claimed = claimOf(entry, claims)
    if (claimed === undefined) continue
    if (claimed === 'network' || isProven(claimed, authentication)) return { kind: 'allowed', entry }
    unproven ??= { kind: 'unproven', entry }
  }
  const refusing = block.find((entry) => claimOf(entry, claims) !== undefined)
  return refusing === undefined ? unproven : { kind: 'blocked', entry: refusing }
}

/** The domains that would have to vouch for it; undefined: the entry does not speak of it. */
function claimOf(entry: string, { client, address, domains }: Claims): readonly string[] | 'network' | undefined {
  if (entry.includes('@')) return entry === address ? domains.slice(0, 1) : undefined
  if (isNetwork(entry)) return hasAddress(entry, client) ? 'network' : undefined
  const matching = domains.filter((domain) =>
    entry.startsWith('*.') ? domain.endsWith(entry.slice(1)) : domain === entry,
  )
  return matching.length > 0 ? matching : undefined
}

function isProven(domains: readonly string[], authentication: Authentication | undefined): boolean {
  if (authentication === undefined) return false
  const { dmarc } = authentication
  return domains.some(
    (domain) => vouchedBy(authentication, domain) !== 'none' || (dmarc.result === 'pass' && dmarc.domain === domain),
  )
}

const isNetwork = (entry: string): boolean => entry.includes(':') || /^[\d.]+(?:\/\d+)?$/.test(entry)

function hasAddress(network: string, address: string): boolean {
  const map = new NetworkMap<true>()
  map.set(network, true)
  return map.find(address) === true
}
