/**
 * Fetches the MTA-STS policy of a domain: HTTPS from mta-sts.DOMAIN with a certificate that a trusted authority issued for
 * that name (RFC 8461 §3.3). No redirect is followed. Whoever owns the domain says where that host is, so each address is
 * judged first, and the connection goes to the address that was judged.
 *
 * Bounded: `FETCH_MS_MAX` for everything, `ADDRESSES_MAX` addresses, 64 KiB. Never rejects.
 */
import { request } from 'node:https'
import type { AddressGuard } from '#sys/address-guard.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { POLICY_OCTETS_MAX, readPolicy, type StsPolicy } from './policy.ts'

/** RFC 8461 §3.3 suggests a minute; mail waits for it. */
export const FETCH_MS_MAX = 30_000
const ADDRESSES_MAX = 4
const HEADER_OCTETS_MAX = 16 * 1024

export type Fetched =
  | { readonly kind: 'fetched'; readonly body: string; readonly policy: StsPolicy }
  | { readonly kind: 'failed'; readonly text: string }

export interface FetchParts {
  readonly dns: Dns
  readonly guard: AddressGuard
  /** 443, but for tests. */
  readonly port: number
  readonly msMax?: number
}

export const policyHost = (domain: string): string => `mta-sts.${domain}`
export const policyUrl = (domain: string): string => `https://${policyHost(domain)}/.well-known/mta-sts.txt`

export async function fetchPolicy(domain: string, parts: FetchParts): Promise<Fetched> {
  const signal = AbortSignal.timeout(parts.msMax ?? FETCH_MS_MAX)
  const addresses = await addressesOf(policyHost(domain), parts)
  if (!Array.isArray(addresses)) return addresses
  let last: Fetched = failed('no address')
  for (const address of addresses.slice(0, ADDRESSES_MAX)) {
    last = await fetchFrom(address, domain, parts.port, signal)
    if (last.kind === 'fetched' || signal.aborted) break
  }
  return last
}

const failed = (text: string): Extract<Fetched, { kind: 'failed' }> => ({ kind: 'failed', text })

async function addressesOf(host: string, { dns, guard }: FetchParts): Promise<string[] | Fetched> {
  const answers = await Promise.all([dns.lookup(host, 'AAAA'), dns.lookup(host, 'A')])
  const found = answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []))
  const allowed = found.filter((address) => guard(address) === undefined)
  if (allowed.length > 0) return allowed
  const silent = answers.find((answer) => answer.kind === 'unknown')
  if (silent?.kind === 'unknown') return failed(`${host}: ${silent.text}`)
  const [refused] = found
  if (refused === undefined) return failed(`${host} has no address`)
  return failed(`${host} leads to ${refused} (${guard(refused)}), where nothing from outside must lead us`)
}

function fetchFrom(address: string, domain: string, port: number, signal: AbortSignal): Promise<Fetched> {
  const host = policyHost(domain)
  return new Promise((resolve) => {
    const done = (result: Fetched): void => {
      resolve(result)
      asked.destroy()
    }
    const broken = (error: Error): void =>
      done(failed(`${host}[${address}]: ${signal.aborted ? 'too slow' : error.message}`))
    const asked = request({
      host: address,
      port,
      path: '/.well-known/mta-sts.txt',
      // Also the name that the certificate must have.
      servername: host,
      headers: { host, accept: 'text/plain' },
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      agent: false,
      maxHeaderSize: HEADER_OCTETS_MAX,
      signal,
    })
    asked.on('error', broken)
    asked.on('response', (response) => {
      const { statusCode, headers } = response
      // RFC 8461 §3.3: only 200 counts, and a redirect leads nowhere.
      if (statusCode !== 200) return done(failed(`${policyUrl(domain)} answers ${statusCode}`))
      if (!/^text\/plain *(?:;|$)/i.test(headers['content-type'] ?? '')) {
        return done(failed(`${policyUrl(domain)} is not text/plain`))
      }
      const parts: Buffer[] = []
      let octets = 0
      response.on('error', broken)
      response.on('data', (part: Buffer) => {
        parts.push(part)
        octets += part.length
        if (octets > POLICY_OCTETS_MAX) done(failed(`${policyUrl(domain)} is longer than ${POLICY_OCTETS_MAX} octets`))
      })
      response.on('end', () =>
        done(response.complete ? readBody(domain, Buffer.concat(parts)) : failed(`${policyUrl(domain)} ends early`)),
      )
    })
    asked.end()
  })
}

function readBody(domain: string, octets: Buffer): Fetched {
  const body = octets.toString('latin1')
  const read = readPolicy(body)
  return read.kind === 'policy'
    ? { kind: 'fetched', body, policy: read.policy }
    : failed(`${policyUrl(domain)}: ${read.text}`)
}
