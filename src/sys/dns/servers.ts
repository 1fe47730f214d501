/**
 * Which name servers are asked: those of the configuration, or those of /etc/resolv.conf (resolv.conf(5)), which is read
 * again now and then, since machines move. Without any, the one on this machine.
 */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Endpoint } from '#mail/session.ts'
import type { Clock } from '../clock.ts'

export const DNS_PORT = 53
/** As the C library. */
const SERVERS_MAX = 3
const REREAD_MS = 30_000
const FILE = '/etc/resolv.conf'

/** In the file's order. Zone indices are left out: an address of this kind needs an interface. */
export function nameServersIn(text: string): Endpoint[] {
  const found: Endpoint[] = []
  for (const line of text.split('\n')) {
    const [keyword, address = ''] = line.trim().split(/\s+/)
    if (keyword === 'nameserver' && isIP(address) > 0 && !address.includes('%')) {
      found.push({ address, port: DNS_PORT })
    }
  }
  return found.length === 0 ? [{ address: '127.0.0.1', port: DNS_PORT }] : found.slice(0, SERVERS_MAX)
}

export function systemServers(
  clock: Pick<Clock, 'monotonic'>,
  read: () => Promise<string> = () => readFile(FILE, 'utf8'),
): () => Promise<readonly Endpoint[]> {
  let known: Promise<readonly Endpoint[]> | undefined
  let untilMs = Number.NEGATIVE_INFINITY
  return () => {
    if (known === undefined || clock.monotonic() >= untilMs) {
      untilMs = clock.monotonic() + REREAD_MS
      known = read().then(nameServersIn, () => nameServersIn(''))
    }
    return known
  }
}

/** RFC 7672 §2.1.1: the AD bit of a server is worth something only if nobody can change it on the way. */
export const isOnThisMachine = ({ address }: Endpoint): boolean => address === '::1' || address.startsWith('127.')
