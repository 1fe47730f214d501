/**
 * Names of next hops to addresses (RFC 5321 §5.1, A and AAAA), with a cache.
 *
 * Address literals and `localhost` need no server. Other names are asked of DNS; what DNS does not know may be in
 * /etc/hosts. That file is read here and not by getaddrinfo(3): while name servers are silent, that call would hold the
 * threads that the spool's syncs need. The answer has IPv4 addresses first. Rejects with
 * a `ResolveError`: `unknown` when the name has no address for certain, `temporary` for everything else (law 4). Only
 * certain answers are cached. Questions for one name at the same time are one question.
 */
import { promises as dns, NODATA, NOTFOUND } from 'node:dns'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Clock } from './clock.ts'

/** One query waits so long, and is sent so often. */
const QUERY_MS_MAX = 5_000
const QUERY_TRIES = 2
/** Shorter lives would ask for every message; longer ones would keep a moved host for too long. */
const TTL_MS_MIN = 5_000
const TTL_MS_MAX = 3_600_000
/** For names that have no address. */
const NEGATIVE_MS = 30_000
/** Names kept; the one stored longest ago goes first. */
const CACHE_ENTRIES_MAX = 10_000
const HOSTS_FILE = '/etc/hosts'

export class ResolveError extends Error {
  readonly kind: 'unknown' | 'temporary'

  constructor(kind: 'unknown' | 'temporary', message: string) {
    super(message)
    this.kind = kind
  }
}

export interface AddressRecord {
  readonly address: string
  readonly ttl: number
}

/** What node:dns offers, as far as it is needed. Rejections have Node's codes. */
export interface Lookups {
  resolve4(name: string): Promise<readonly AddressRecord[]>
  resolve6(name: string): Promise<readonly AddressRecord[]>
  /** The text of /etc/hosts. */
  hostsFile(): Promise<string>
}

export function systemLookups(): Lookups {
  const resolver = new dns.Resolver({ timeout: QUERY_MS_MAX, tries: QUERY_TRIES })
  return {
    resolve4: (name) => resolver.resolve4(name, { ttl: true }),
    resolve6: (name) => resolver.resolve6(name, { ttl: true }),
    hostsFile: () => readFile(HOSTS_FILE, 'utf8'),
  }
}

interface Entry {
  readonly untilMs: number
  /** Empty: the name has none. */
  readonly addresses: readonly string[]
}

export function createResolver(
  clock: Pick<Clock, 'monotonic'>,
  lookups: Lookups = systemLookups(),
): (name: string) => Promise<string[]> {
  const cache = new Map<string, Entry>()
  const asked = new Map<string, Promise<Entry>>()

  async function ask(name: string): Promise<Entry> {
    const found = await find(name, lookups)
    const lifeMs = found.addresses.length === 0 ? NEGATIVE_MS : Math.min(Math.max(found.ttlMs, TTL_MS_MIN), TTL_MS_MAX)
    const entry = { untilMs: clock.monotonic() + lifeMs, addresses: found.addresses }
    cache.delete(name)
    cache.set(name, entry)
    if (cache.size > CACHE_ENTRIES_MAX) cache.delete(cache.keys().next().value!)
    return entry
  }

  function once(name: string): Promise<Entry> {
    let answer = asked.get(name)
    if (answer === undefined) {
      answer = ask(name).finally(() => asked.delete(name))
      asked.set(name, answer)
    }
    return answer
  }

  return async (given) => {
    const name = given.toLowerCase()
    if (isIP(name) > 0) return [name]
    if (name === 'localhost') return ['127.0.0.1', '::1']
    const cached = cache.get(name)
    const entry = cached && clock.monotonic() < cached.untilMs ? cached : await once(name)
    if (entry.addresses.length === 0) throw new ResolveError('unknown', `${name} has no address`)
    return [...entry.addresses]
  }
}

interface Found {
  readonly addresses: readonly string[]
  readonly ttlMs: number
}

const NONE: Found = { addresses: [], ttlMs: 0 }

async function find(name: string, lookups: Lookups): Promise<Found> {
  const [four, six] = await Promise.allSettled([lookups.resolve4(name), lookups.resolve6(name)])
  const records = [...recordsOf(four), ...recordsOf(six)]
  if (records.length > 0) {
    const ttlMs = 1000 * Math.min(...records.map(({ ttl }) => ttl))
    return { addresses: records.map(({ address }) => address), ttlMs }
  }
  const local = addressesIn(await lookups.hostsFile().catch(() => ''), name)
  if (local.length > 0) return { addresses: local, ttlMs: NEGATIVE_MS }
  for (const answer of [four, six]) {
    if (answer.status === 'rejected' && !isCertain(answer.reason)) {
      throw new ResolveError('temporary', `the name servers did not answer for ${name}: ${codeOf(answer.reason)}`)
    }
  }
  return NONE
}

// hosts(5): an address and its names in each line, comments from "#" on.
function addressesIn(hostsFile: string, name: string): string[] {
  const found: string[] = []
  for (const line of hostsFile.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/)
    if (names.includes(name) && isIP(address) > 0) found.push(address)
  }
  return found.sort((one, two) => isIP(one) - isIP(two))
}

const recordsOf = (answer: PromiseSettledResult<readonly AddressRecord[]>): readonly AddressRecord[] =>
  answer.status === 'fulfilled' ? answer.value : []

const codeOf = (reason: unknown): string => (reason as { code?: string } | undefined)?.code ?? String(reason)
const isCertain = (reason: unknown): boolean => codeOf(reason) === NOTFOUND || codeOf(reason) === NODATA
