/**
 * The networks of a client's address by which guesses are counted and uses are remembered. IPv4 in IPv6 clothes is IPv4;
 * what is no address counts as itself.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export interface ClientNetworks {
  readonly family: 4 | 6
  readonly address: string
  /** IPv4 /24, IPv6 /64. */
  readonly network: string
  /** IPv4 /24, IPv6 /48: what one customer of a provider has at most (RFC 6177). */
  readonly site: string
}

/**
 * IPv4 /16, IPv6 /32: about what one provider has in one country. Of an address, or of a `network` or `site`. A country would
 * need a data base of addresses, which has to be bought or registered for, and to be kept fresh.
 */
export function neighbourhoodOf(text: string): string {
  const address = text.split('/')[0]!
  if (isIP(address) === 0 || address.includes('%')) return text
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return `${parsed.toString().split('.').slice(0, 2).join('.')}.0.0/16`
  const [first, second] = (parsed as ipaddr.IPv6).parts
  return `${new ipaddr.IPv6([first!, second!, 0, 0, 0, 0, 0, 0]).toRFC5952String()}/32`
}

export function clientNetworks(text: string): ClientNetworks {
  if (isIP(text) === 0 || text.includes('%')) return { family: 4, address: text, network: text, site: text }
  const parsed = ipaddr.process(text)
  if (parsed.kind() === 'ipv4') {
    const address = parsed.toString()
    const network = `${address.slice(0, address.lastIndexOf('.'))}.0/24`
    return { family: 4, address, network, site: network }
  }
  const { parts } = parsed as ipaddr.IPv6
  const prefix = (count: number) => new ipaddr.IPv6([...parts.slice(0, count), ...Array(8 - count).fill(0)])
  const network = `${prefix(4).toRFC5952String()}/64`
  return { family: 6, address: parsed.toString(), network, site: `${prefix(3).toRFC5952String()}/48` }
}
