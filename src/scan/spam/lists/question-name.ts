/**
 * Names that are asked of DNS about an address or a domain. RFC 5782 §2.1, §2.4: the octets of an IPv4 address or the nibbles
 * of an IPv6 address, last one first, then the zone. RFC 5782 §3: a domain as it is, then the zone.
 */
import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** In characters, without the dot at the end (RFC 1035 §2.3.4). */
const NAME_LENGTH_MAX = 253

export type Family = 4 | 6

/** What stands in front of the zone. */
export interface Subject {
  readonly labels: string
  /** Absent: a domain. */
  readonly family?: Family
}

/** IPv4 in IPv6 is the IPv4 address. Undefined for what is no address. */
export function addressSubject(address: string): Subject | undefined {
  if (isIPv4(address)) return { labels: address.split('.').reverse().join('.'), family: 4 }
  if (!isIPv6(address) || address.includes('%')) return undefined
  const parsed = ipaddr.IPv6.parse(address)
  if (parsed.isIPv4MappedAddress()) return addressSubject(parsed.toIPv4Address().toString())
  return { labels: nibbles(address), family: 6 }
}

/** 32 of them. */
export const nibbles = (address: string): string =>
  Buffer.from(ipaddr.IPv6.parse(address).toByteArray()).toString('hex').split('').reverse().join('.')

/** Where the name of an address stands (RFC 1035 §3.5, RFC 3596 §2.5). */
export const reverseZoneName = ({ labels, family }: Subject): string =>
  `${labels}.${family === 6 ? 'ip6' : 'in-addr'}.arpa`

/** Undefined: too long for DNS, so nobody can have listed it. */
export function questionName(labels: string, zone: string, accessKey?: string): string | undefined {
  const name = [labels, ...(accessKey === undefined ? [] : [accessKey]), zone].join('.')
  return name.length > NAME_LENGTH_MAX ? undefined : name
}

/** Nobody outside knows them, so no list does. */
const NOT_ASKED: readonly string[] = [
  ...(['unspecified', 'private', 'loopback', 'linkLocal', 'uniqueLocal', 'carrierGradeNat'] as const),
  ...(['multicast', 'broadcast'] as const),
]

/** `address`: of either family. */
export const isOnlyOurs = (address: string): boolean => NOT_ASKED.includes(ipaddr.process(address).range())
