/**
 * From a client's address to whoever its network belongs to: one look-up in a hash table for each prefix length in use,
 * whatever the number of networks. The longest prefix wins; the configuration refuses networks that overlap.
 *
 * Networks are as the configuration reads them (`10.0.0.0/8`, `2001:db8::/32`, one address); IPv4 in IPv6 clothes is IPv4.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Family = 'ipv4' | 'ipv6'

export class NetworkMap<T> {
  readonly #values = new Map<string, T>()
  /** Prefix lengths in use, the longest first. */
  readonly #lengths: Record<Family, number[]> = { ipv4: [], ipv6: [] }

  /** Throws a TypeError for what is no network. */
  set(network: string, value: T): void {
    const [address = '', written] = network.split('/')
    if (isIP(address) === 0 || address.includes('%')) throw new TypeError(`not a network: ${network}`)
    const parsed = ipaddr.process(address)
    const family = parsed.kind()
    const bitsMax = family === 'ipv4' ? 32 : 128
    const bits = written === undefined ? bitsMax : Number(written)
    if (!(Number.isInteger(bits) && bits >= 0 && bits <= bitsMax)) throw new TypeError(`not a network: ${network}`)
    this.#values.set(keyOf(family, parsed.toByteArray(), bits), value)
    const lengths = this.#lengths[family]
    if (!lengths.includes(bits)) lengths.push(bits)
    lengths.sort((a, b) => b - a)
  }

  /** Undefined for an address in none of the networks, and for what is no address. */
  find(address: string): T | undefined {
    if (this.#values.size === 0 || isIP(address) === 0 || address.includes('%')) return undefined
    const parsed = ipaddr.process(address)
    const family = parsed.kind()
    const octets = parsed.toByteArray()
    for (const bits of this.#lengths[family]) {
      const value = this.#values.get(keyOf(family, octets, bits))
      if (value !== undefined) return value
    }
    return undefined
  }
}

function keyOf(family: Family, octets: readonly number[], bits: number): string {
  const whole = octets.slice(0, bits >> 3)
  const rest = bits & 7
  if (rest !== 0) whole.push(octets[bits >> 3]! & (0xff << (8 - rest)))
  return `${family}/${bits}/${whole.join('.')}`
}
