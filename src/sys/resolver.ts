/**
 * Names of configured next hops to addresses (RFC 5321 §5.1, A and AAAA).
 *
 * Address literals and `localhost` need no server. Other names are asked of DNS; what DNS does not know may be in
 * /etc/hosts. That file is read here and not by getaddrinfo(3): while name servers are silent, that call would hold the
 * threads that the spool's syncs need. The answer has IPv4 addresses first. Rejects with
 * a `ResolveError`: `unknown` when the name has no address for certain, `temporary` for everything else (law 4).
 */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Endpoint } from '#mail/session.ts'
import type { Clock } from './clock.ts'
import type { Answer, Dns } from './dns/answer.ts'
import { createDns } from './dns/dns.ts'
import { systemServers } from './dns/servers.ts'

/** The hosts file is looked at again after this, at the next question for which it matters. */
const HOSTS_MS = 30_000
const HOSTS_FILE = '/etc/hosts'

export class ResolveError extends Error {
  readonly kind: 'unknown' | 'temporary'

  constructor(kind: 'unknown' | 'temporary', message: string) {
    super(message)
    this.kind = kind
  }
}

/** `servers`: the configured ones; undefined: those of this machine. */
export function systemDns(clock: Clock, servers: () => readonly Endpoint[] | undefined): Dns {
  const own = systemServers(clock)
  return createDns({ clock, servers: async () => servers() ?? own() })
}

export function createResolver(
  clock: Pick<Clock, 'monotonic'>,
  dns: Dns,
  hostsFile: () => Promise<string> = () => readFile(HOSTS_FILE, 'utf8'),
): (name: string) => Promise<string[]> {
  let hosts: Promise<string> | undefined
  let hostsUntilMs = Number.NEGATIVE_INFINITY

  function localNames(): Promise<string> {
    if (hosts === undefined || clock.monotonic() >= hostsUntilMs) {
      hostsUntilMs = clock.monotonic() + HOSTS_MS
      hosts = hostsFile().catch(() => '')
    }
    return hosts
  }

  return async (given) => {
    const name = given.toLowerCase()
    if (isIP(name) > 0) return [name]
    if (name === 'localhost') return ['127.0.0.1', '::1']
    const [four, six] = await Promise.all([dns.lookup(name, 'A'), dns.lookup(name, 'AAAA')])
    const found = [...addressesOf(four), ...addressesOf(six)]
    if (found.length > 0) return found
    const local = addressesIn(await localNames(), name)
    if (local.length > 0) return local
    for (const answer of [four, six]) {
      if (answer.kind === 'unknown') {
        throw new ResolveError('temporary', `the name servers did not answer for ${name}: ${answer.text}`)
      }
    }
    throw new ResolveError('unknown', `${name} has no address`)
  }
}

const addressesOf = (answer: Answer<'A' | 'AAAA'>): readonly string[] => (answer.kind === 'found' ? answer.records : [])

// hosts(5): an address and its names in each line, comments from "#" on.
function addressesIn(hostsFile: string, name: string): string[] {
  const found: string[] = []
  for (const line of hostsFile.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/)
    if (names.includes(name) && isIP(address) > 0) found.push(address)
  }
  return found.sort((one, two) => isIP(one) - isIP(two))
}
