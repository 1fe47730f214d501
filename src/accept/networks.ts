/**
 * Addresses and the networks that they belong to: lists as an operator writes them (`192.0.2.0/24`, `2001:db8::/32`, or
 * one address), and the keys under which clients are counted.
 *
 * IPv4 in IPv6 clothes (`::ffff:192.0.2.1`) is IPv4 here. Zone indices name an interface of one host and are refused.
 */
import { isIP, isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number]

/** The one spelling of an address (RFC 5952 for IPv6); undefined if it is none. */
export function canonicalAddress(text: string): string | undefined {
  // ipaddr.js alone would also take 0x7f.1 and 010.0.0.1.
  if (isIP(text) === 0 || text.includes('%')) return undefined
  return ipaddr.process(text).toString()
}

function parseNetwork(text: string): Network | undefined {
  const [address = '', bits, ...rest] = text.split('/')
  const canonical = canonicalAddress(address)
  if (canonical === undefined || rest.length > 0) return undefined
  const parsed = ipaddr.parse(canonical)
  const bitsMax = parsed.kind() === 'ipv4' ? 32 : 128
  if (bits === undefined) return [parsed, bitsMax]
  return /^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax ? [parsed, Number(bits)] : undefined
}

export const isNetwork = (text: string): boolean => parseNetwork(text) !== undefined

/** A list of networks to ask. Throws a TypeError that names the first entry which is no network. */
export class Networks {
  readonly #networks: Network[]

  constructor(texts: readonly string[]) {
    this.#networks = texts.map((text) => {
      const network = parseNetwork(text)
      if (network === undefined) throw new TypeError(`not an address or network: ${JSON.stringify(text)}`)
      return network
    })
  }

  get empty(): boolean {
    return this.#networks.length === 0
  }

  has(address: string): boolean {
    if (this.empty || isIP(address) === 0) return false
    const parsed = ipaddr.process(address)
    return this.#networks.some((network) => network[0].kind() === parsed.kind() && parsed.match(network))
  }
}

/**
 * The network by which strangers are counted together: /24 for IPv4, /64 for IPv6, which is what one customer of an
 * access provider has at least (RFC 6177). Anything else counts as itself.
 */
export function networkKey(address: string): string {
  if (isIPv4(address)) return address.slice(0, address.lastIndexOf('.'))
  if (isIP(address) === 0) return address
  const parsed = ipaddr.parse(address)
  return parsed.kind() === 'ipv6' ? (parsed as ipaddr.IPv6).parts.slice(0, 4).join(':') : address
}
