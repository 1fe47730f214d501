/**
 * Recipient domains as destinations: asks DNS which hosts take the mail of a domain, and where these are. Everything that
 * DNS says of them is written by strangers: names and addresses are bounded, and each address is judged before it is used
 * (`sys/address-guard.ts`). Nothing is kept here; DNS keeps its answers.
 */
import { isIP } from 'node:net'
import type { AddressGuard } from '#sys/address-guard.ts'
import type { Answer, Dns } from '#sys/dns/answer.ts'
import { ResolveError } from '#sys/resolver.ts'
import type { NextHopHost } from '#tenant/directory.ts'
import { chooseHosts, EXCHANGERS_MAX, type Found, readMx, type Standing } from './exchangers.ts'
import { type PolicySources, type TlsPolicy, tlsPolicyOf } from './tls-policy.ts'

/** Of one host. */
export const ADDRESSES_MAX = 20

export interface DestinationParts {
  readonly dns: Dns
  readonly guard: AddressGuard
  /** Names of this relay, lower case. */
  readonly isOwnName: (name: string) => boolean
  /** We listen there ourselves. */
  readonly isOwnAddress: (address: string, port: number) => boolean
  /** Mail for this domain comes in here: then a way that leads back to us is the right one. */
  readonly isServed: (domain: string) => boolean
  /** MTA-STS. */
  readonly sts?: PolicySources['sts']
}

export interface Destinations {
  /** `destination`: A-labels, or an address literal such as `[192.0.2.1]`. Never rejects. */
  find(destination: string, port: number): Promise<Found>
  /** Of a host that `find` named, the families in turn. Rejects with a `ResolveError`. */
  addresses(host: string): Promise<readonly string[]>
  /** Of a host that `find` named for this destination. Never rejects. */
  tlsPolicy(host: NextHopHost, destination: string): Promise<TlsPolicy>
}

export const createDestinations = (parts: DestinationParts): Destinations => new AskedDestinations(parts)

class AskedDestinations implements Destinations {
  readonly #parts: DestinationParts

  constructor(parts: DestinationParts) {
    this.#parts = parts
  }

  async find(destination: string, port: number): Promise<Found> {
    const address = addressOf(destination)
    if (address !== undefined) return this.#literal(destination, address, port)
    const mx = readMx(destination, await this.#parts.dns.lookup(destination, 'MX'))
    if (mx.kind !== 'exchangers') return mx
    const served = this.#parts.isServed(destination)
    const asked = mx.list.slice(0, EXCHANGERS_MAX)
    const standings = await Promise.all(asked.map(({ name }) => this.#standing(name, port, served)))
    return chooseHosts(destination, mx, standings, port)
  }

  async addresses(host: string): Promise<readonly string[]> {
    if (isIP(host) > 0) {
      const why = this.#parts.guard(host)
      if (why !== undefined) throw new ResolveError('unknown', refusedText(host, host, why))
      return [host]
    }
    const { allowed, refused, unknown } = await this.#look(host)
    if (allowed.length > 0) return allowed
    if (unknown !== undefined) throw new ResolveError('temporary', unknown)
    throw new ResolveError('unknown', refused ?? `${host} has no address`)
  }

  tlsPolicy(host: NextHopHost, destination: string): Promise<TlsPolicy> {
    return tlsPolicyOf(host, destination, this.#parts)
  }

  #literal(destination: string, address: string, port: number): Found {
    const standing: Standing = this.#parts.isOwnAddress(address, port)
      ? { kind: 'self' }
      : this.#judged(destination, address)
    const list = [{ name: address, preference: 0 }]
    return chooseHosts(destination, { kind: 'exchangers', list, implicit: true, secure: false }, [standing], port)
  }

  #judged(name: string, address: string): Standing {
    const why = this.#parts.guard(address)
    return why === undefined ? { kind: 'usable' } : { kind: 'useless', text: refusedText(name, address, why) }
  }

  async #standing(name: string, port: number, served: boolean): Promise<Standing> {
    const { isOwnName, isOwnAddress } = this.#parts
    if (!served && isOwnName(name)) return { kind: 'self' }
    const { found, allowed, refused, unknown } = await this.#look(name)
    if (!served && found.some((address) => isOwnAddress(address, port))) return { kind: 'self' }
    if (allowed.length > 0) return { kind: 'usable' }
    if (unknown !== undefined) return { kind: 'unknown', text: unknown }
    return { kind: 'useless', text: refused ?? `${name} has no address` }
  }

  async #look(name: string): Promise<Looked> {
    const { dns, guard } = this.#parts
    const [six, four] = await Promise.all([dns.lookup(name, 'AAAA'), dns.lookup(name, 'A')])
    const found = inTurn(recordsOf(six), recordsOf(four)).slice(0, ADDRESSES_MAX)
    const allowed: string[] = []
    let refused: string | undefined
    for (const address of found) {
      const why = guard(address)
      if (why === undefined) allowed.push(address)
      else refused ??= refusedText(name, address, why)
    }
    const silent = [six, four].find((answer) => answer.kind === 'unknown')
    return { found, allowed, refused, unknown: silent?.kind === 'unknown' ? silent.text : undefined }
  }
}

interface Looked {
  readonly found: readonly string[]
  /** Those of `found` to which we may connect. */
  readonly allowed: readonly string[]
  /** Why one of the others is refused. */
  readonly refused: string | undefined
  /** What nobody could say. */
  readonly unknown: string | undefined
}

const refusedText = (name: string, address: string, why: string): string =>
  `${name} leads to ${address} (${why}), where mail from outside must not go`

const recordsOf = (answer: Answer<'A' | 'AAAA'>): readonly string[] => (answer.kind === 'found' ? answer.records : [])

/** RFC 8305 §4: the families take turns. */
function inTurn(one: readonly string[], two: readonly string[]): string[] {
  const mixed: string[] = []
  for (let i = 0; i < Math.max(one.length, two.length); i++) {
    for (const address of [one[i], two[i]]) if (address !== undefined) mixed.push(address)
  }
  return mixed
}

/** `[192.0.2.1]` and `[IPv6:2001:db8::1]` as `domainText` writes them. */
function addressOf(destination: string): string | undefined {
  const inside = /^\[(?:ipv6:)?([0-9a-f:.]+)\]$/i.exec(destination)?.[1]
  return inside !== undefined && isIP(inside) > 0 ? inside : undefined
}
