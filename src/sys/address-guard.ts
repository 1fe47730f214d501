/**
 * Which addresses a name from outside may lead us to. Whoever owns a domain writes its MX records, and would like us to talk
 * to the services beside us (SSRF): so only public addresses are taken, unless the operator allows a network. An address
 * that carries another one inside (mapped, NAT64, 6to4) is judged by that. Connect to the very address that was judged.
 *
 * Networks of special purpose: RFC 6890 and the registries that it started.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = [Address, number]

const SPECIAL: readonly (readonly [network: string, what: string])[] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared by a provider’s customers'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'for documentation'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'for benchmarks'],
  ['198.51.100.0/24', 'for documentation'],
  ['203.0.113.0/24', 'for documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['2001::/23', 'reserved'],
  ['2001:db8::/32', 'for documentation'],
  ['3fff::/20', 'for documentation'],
]
// Outside 2000::/3 nothing is public (RFC 4291 §2.4): loopback, fc00::/7, fe80::/10, ff00::/8 and all the rest.
const GLOBAL_UNICAST = '2000::/3'

/** Where in an address another one may be hidden, in octets. RFC 4291 §2.5.5, RFC 6052 §2.1, RFC 3056 §2. */
const CARRIERS: readonly (readonly [network: string, at: number])[] = [
  ['::ffff:0:0/96', 12],
  ['::/96', 12],
  ['64:ff9b::/96', 12],
  ['2002::/16', 2],
]

const network = (text: string): Network => ipaddr.parseCIDR(text.includes('/') ? text : `${text}/${bitsOf(text)}`)
const bitsOf = (address: string): number => (isIP(address) === 4 ? 32 : 128)
const inside = (address: Address, [base, bits]: Network): boolean =>
  address.kind() === base.kind() && address.match([base, bits] as [ipaddr.IPv4, number])

const special = SPECIAL.map(([text, what]) => ({ network: network(text), what }))
const globalUnicast = network(GLOBAL_UNICAST)
const carriers = CARRIERS.map(([text, at]) => ({ network: network(text), at }))

/** Why we must not connect there; undefined: we may. */
export type AddressGuard = (address: string) => string | undefined

/** `allowed`: networks or addresses that are taken although they are not public. Throws for what is neither. */
export function addressGuard(allowed: readonly string[] = []): AddressGuard {
  const exceptions = allowed.map(network)
  return (text) => {
    if (isIP(text) === 0 || text.includes('%')) return 'no address'
    const address = innermost(ipaddr.parse(text))
    if (exceptions.some((exception) => inside(address, exception))) return undefined
    return notPublic(address)
  }
}

function innermost(address: Address): Address {
  if (address.kind() === 'ipv4') return address
  const carrier = carriers.find((one) => inside(address, one.network))
  if (carrier === undefined || isUnspecifiedOrLoopback(address)) return address
  return ipaddr.fromByteArray(address.toByteArray().slice(carrier.at, carrier.at + 4))
}

// `::` and `::1` lie in ::/96 and carry nothing.
const isUnspecifiedOrLoopback = (address: Address): boolean =>
  address.toByteArray().every((octet, i) => octet === 0 || (i === 15 && octet === 1))

function notPublic(address: Address): string | undefined {
  for (const { network: range, what } of special) if (inside(address, range)) return what
  return address.kind() === 'ipv6' && !inside(address, globalUnicast) ? 'not public' : undefined
}
