/** Lines for a zone file (RFC 1035 §5.1), and the names of reverse lookups (§3.5; RFC 3596 §2.5 for IPv6). */
import ipaddr from 'ipaddr.js'

export const line = (name: string, type: string, data: string): string => `${name}. IN ${type} ${data}`

/** `address`: valid. */
export function reverseName(address: string): string {
  const parsed = ipaddr.parse(address)
  const octets = parsed.toByteArray()
  if (parsed.kind() === 'ipv4') return `${octets.reverse().join('.')}.in-addr.arpa`
  const nibbles = [...Buffer.from(octets).toString('hex')].reverse()
  return `${nibbles.join('.')}.ip6.arpa`
}

/** Equal addresses in one spelling. */
export const sameAddress = (one: string, other: string): boolean =>
  ipaddr.isValid(one) &&
  ipaddr.isValid(other) &&
  ipaddr.parse(one).toNormalizedString() === ipaddr.parse(other).toNormalizedString()
