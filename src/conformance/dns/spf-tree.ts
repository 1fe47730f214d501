/**
 * An SPF record with all that it leads to, fetched once; what it says of an address, and what it costs, is then a matter of
 * looking (RFC 7208 §4.6.4, §5). Macros, `ptr` and `exists` depend on the message: they are counted, and not followed; an
 * address that only they could let pass does not pass here.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Answer, Dns, RecordType } from '#sys/dns/answer.ts'
import { isSpf, type Qualifier, readSpf, type SpfTerm } from './spf-record.ts'

/** RFC 7208 §4.6.4. */
export const LOOKUPS_MAX = 10
export const VOID_LOOKUPS_MAX = 2
/** Of one `mx` (RFC 7208 §4.6.4). */
const EXCHANGERS_MAX = 10
/** Records followed: twice what a receiver follows, so that the figure in the complaint is a figure. */
const FOLLOWED_MAX = 2 * LOOKUPS_MAX

type Network = readonly [address: string, bits: number]

interface Branch {
  readonly qualifier: Qualifier
  readonly matches: 'always' | readonly Network[] | SpfTree
}

export interface SpfTree {
  readonly branches: readonly Branch[]
  readonly redirect: SpfTree | undefined
  /** What makes receivers give up on the record (permerror). */
  readonly fault?: string
}

export interface SpfFetched {
  readonly tree: SpfTree
  readonly lookups: number
  readonly voids: number
  /** DNS did not say what a part of it leads to. */
  readonly unknown: readonly string[]
}

export async function fetchSpf(domain: string, record: string, dns: Dns): Promise<SpfFetched> {
  const walk = new Walk(dns)
  const tree = await walk.record(domain, record)
  return { tree, lookups: walk.lookups, voids: walk.voids, unknown: walk.unknown }
}

class Walk {
  lookups = 0
  voids = 0
  readonly unknown: string[] = []
  readonly #dns: Dns

  constructor(dns: Dns) {
    this.#dns = dns
  }

  async record(domain: string, text: string): Promise<SpfTree> {
    const read = readSpf(text)
    if (!read.ok) return faulty(`${domain}: ${read.fault}`)
    const branches: Branch[] = []
    for (const term of read.terms) {
      const matches = await this.#term(term, domain)
      if (matches !== undefined) branches.push({ qualifier: term.qualifier, matches })
    }
    // RFC 7208 §6.1: redirect= is ignored where there is an `all`.
    const follows = read.redirect !== undefined && !read.terms.some(({ kind }) => kind === 'all')
    const redirect = follows ? await this.#other(read.redirect!) : undefined
    return { branches, redirect }
  }

  async #term(term: SpfTerm, domain: string): Promise<Branch['matches'] | undefined> {
    switch (term.kind) {
      case 'all':
        return 'always'
      case 'ip':
        return [[term.address, term.bits]]
      case 'include':
        return this.#other(term.domain)
      case 'a':
        this.lookups += 1
        return this.#hosts([term.domain ?? domain], term)
      case 'mx': {
        this.lookups += 1
        const name = term.domain ?? domain
        const records = isMacro(name) ? [] : await this.#ask(name, 'MX')
        return this.#hosts(
          records.slice(0, EXCHANGERS_MAX).map(({ exchange }) => exchange),
          term,
        )
      }
      default:
        this.lookups += 1
        return undefined
    }
  }

  async #hosts(names: readonly string[], { bits4, bits6 }: { bits4: number; bits6: number }): Promise<Network[]> {
    const networks: Network[] = []
    for (const name of names) {
      if (isMacro(name) || this.lookups > FOLLOWED_MAX) continue
      const four = await this.#ask(name, 'A', false)
      const six = await this.#ask(name, 'AAAA', false)
      if (four.length + six.length === 0) this.voids += 1
      networks.push(
        ...four.map((address): Network => [address, bits4]),
        ...six.map((address): Network => [address, bits6]),
      )
    }
    return networks
  }

  // RFC 7208 §5.2: an include without a record is an error of the whole.
  async #other(name: string): Promise<SpfTree> {
    this.lookups += 1
    if (isMacro(name)) return { branches: [], redirect: undefined }
    if (this.lookups > FOLLOWED_MAX) return faulty(`more than ${FOLLOWED_MAX} look-ups`)
    const before = this.unknown.length
    const records = (await this.#ask(name, 'TXT')).filter(isSpf)
    if (this.unknown.length > before) return { branches: [], redirect: undefined }
    if (records.length === 1) return this.record(name, records[0]!)
    return faulty(records.length === 0 ? `${name} has no SPF record` : `${name} has ${records.length} SPF records`)
  }

  async #ask<T extends RecordType>(name: string, type: T, isCounted = true) {
    const answer: Answer<T> = await this.#dns.lookup(name, type)
    if (answer.kind === 'unknown') this.unknown.push(answer.text)
    if (answer.kind === 'none' && isCounted) this.voids += 1
    return answer.kind === 'found' ? answer.records : []
  }
}

const isMacro = (name: string): boolean => name.includes('%')
const faulty = (fault: string): SpfTree => ({ branches: [], redirect: undefined, fault })

/** What makes the whole record worthless: the first fault in it. */
export function faultIn(tree: SpfTree): string | undefined {
  if (tree.fault !== undefined) return tree.fault
  for (const { matches } of tree.branches) {
    const fault = typeof matches === 'object' && 'branches' in matches ? faultIn(matches) : undefined
    if (fault !== undefined) return fault
  }
  return tree.redirect && faultIn(tree.redirect)
}

/** The qualifier of the first match; undefined: nothing matches. */
export function spfSays(tree: SpfTree, address: string): Qualifier | undefined {
  for (const { qualifier, matches } of tree.branches) if (isMatch(matches, address)) return qualifier
  return tree.redirect && spfSays(tree.redirect, address)
}

function isMatch(matches: Branch['matches'], address: string): boolean {
  if (matches === 'always') return true
  // RFC 7208 §5.2: an include matches where the other record lets pass.
  if ('branches' in matches) return spfSays(matches, address) === '+'
  return matches.some((network) => isInside(address, network))
}

function isInside(address: string, [base, bits]: Network): boolean {
  if (isIP(address) === 0 || isIP(address) !== isIP(base)) return false
  const range: [ipaddr.IPv4 | ipaddr.IPv6, number] = [ipaddr.parse(base), bits]
  return ipaddr.parse(address).match(range as [ipaddr.IPv4, number])
}
