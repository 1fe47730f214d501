/**
 * From a host's name to a session that takes jobs: resolve, connect, greeting, EHLO, TLS.
 *
 * Addresses are tried in the resolver's order until one works; hosts that we know by MX are raced to (`race.ts`). Opportunistic TLS whose handshake fails is tried once
 * more in clear on a new connection (RFC 7435 §3: some protection where possible, clear text where not); with
 * `required` and `verified` the message waits.
 */
import { isIP } from 'node:net'
import type { Status } from '#mail/status.ts'
import type { ClientSettings, SessionFault } from '#smtp/client/contract.ts'
import type { Clock } from '#sys/clock.ts'
import type { Connect, Wire } from '#sys/wire.ts'
import type { SourceAddress } from '#tenant/directory.ts'
import { Connection, type ConnectionEvents } from './connection.ts'
import type { Host } from './hosts.ts'
import type { DeliverLimits } from './limits.ts'
import { raceTo } from './race.ts'
import { type TlsPolicy, tlsAdvice, tlsUseUnder } from './tls-policy.ts'
import { type SessionSeen, type TellTls, tlsResult } from './tls-results.ts'
import type { TlsSessions } from './tls-sessions.ts'

/** Addresses of a name, best first. An empty answer and a rejection are obstacle `dns`. */
export type Resolve = (name: string) => Promise<readonly string[]>

export interface Dialler {
  readonly connect: Connect
  readonly resolve: Resolve
  readonly settings: ClientSettings
  readonly limits: DeliverLimits
  readonly tlsSessions: TlsSessions
  /** PEM; absent: those of the system. */
  readonly authorities?: string
  /** What the domain wants of TLS with a host; absent: nothing. Never rejects. */
  readonly tlsPolicy?: (host: Host) => Promise<TlsPolicy>
  /** Hears what came of it, once for each session that got as far as TLS, or was not begun for it. */
  readonly tlsPolicyMet?: (policy: TlsPolicy['kind'], result: TlsPolicyResult) => void
  /** Only servers that prove who they are and pass the demand on (RFC 8689 §4.2.1): others are unfit, for good. */
  readonly requireTls?: { /** The hosts are known by MX records, which must be verified too. */ readonly byMx: boolean }
  /** Present: the mail is for this domain, and its reports tell of TLS. */
  readonly tlsResults?: { readonly domain: string; readonly tell: TellTls }
  /** Present: several addresses at a time, a little after each other. */
  readonly race?: Pick<Clock, 'after'>
  /** Where connections come from; absent: as the system chooses. */
  readonly sources?: { readonly addresses: readonly SourceAddress[]; readonly random: () => number }
  /** Hears of every connection from the moment it has a wire, and for all its life. */
  readonly events: ConnectionEvents & { opened(connection: Connection): void }
}

/** `would-fail`: only watched, and not what it wants. */
export type TlsPolicyResult = 'met' | 'failed' | 'would-fail' | 'unknown'

export type Dialled =
  | { readonly ok: true; readonly connection: Connection }
  | { readonly ok: false; readonly fault: SessionFault }

/** A dialler that knows what is wanted of one host. */
interface HostDialler extends Dialler {
  readonly policy: TlsPolicy
}

export async function dialHost(host: Host, given: Dialler): Promise<Dialled> {
  const policy = (await given.tlsPolicy?.(host)) ?? NO_POLICY
  // RFC 7672 §2.1.1: what cannot be known now must not become clear text. RFC 8461 §5: nor go to a host that is not named.
  if (policy.kind === 'unknown' || policy.kind === 'refused') {
    const fault: SessionFault = { obstacle: 'tls', text: policy.text }
    given.tlsPolicyMet?.(policy.by, policy.kind === 'unknown' ? 'unknown' : 'failed')
    tellTls(host, { ...given, policy }, { tls: false, fault })
    return { ok: false, fault }
  }
  if (given.requireTls) return dialProven(host, { ...given, policy })
  const tls = tlsUseUnder(policy, given.settings.tls)
  const dialled = await dialKnown(host, { ...given, settings: { ...given.settings, tls }, policy })
  if (dialled.ok || dialled.fault.obstacle !== 'tls') return dialled
  return { ok: false, fault: { ...dialled.fault, text: dialled.fault.text + tlsAdvice(policy) } }
}

async function dialProven(host: Host, dialler: HostDialler): Promise<Dialled> {
  if (dialler.settings.tls === 'never') return unfit('5.7.10', `REQUIRETLS: TLS with ${host.name} is off (tls: never)`)
  // RFC 8689 §4.2.1: the name of the host by DNSSEC or by MTA-STS.
  if (dialler.requireTls?.byMx && host.secureFor === undefined && dialler.policy.kind !== 'sts')
    return unfit('5.7.10', `REQUIRETLS: neither DNSSEC nor MTA-STS shows that ${host.name} is a host of the domain`)
  const dialled = await dialKnown(host, { ...dialler, settings: { ...dialler.settings, tls: 'verified' } })
  if (!dialled.ok) return isRefusedTls(dialled.fault) ? unfit('5.7.10', `REQUIRETLS: ${dialled.fault.text}`) : dialled
  const { connection } = dialled
  if (connection.requireTls) return dialled
  connection.quit()
  return unfit('5.7.30', `REQUIRETLS is needed, and ${connection.relay} does not offer it`)
}

// RFC 3207 §4: 454 to STARTTLS is for now.
const isRefusedTls = ({ obstacle, reply }: SessionFault): boolean => obstacle === 'tls' && (reply?.code ?? 500) >= 500

const unfit = (status: Status<5>, text: string): Dialled => ({ ok: false, fault: { obstacle: 'tls', status, text } })

async function dialKnown(host: Host, dialler: HostDialler): Promise<Dialled> {
  let addresses: readonly string[]
  try {
    addresses = await dialler.resolve(host.name)
  } catch (error) {
    return { ok: false, fault: { obstacle: 'dns', text: `${host.name}: ${messageOf(error)}` } }
  }
  const reachable = addresses.filter((address) => sourcesFor(address, dialler) !== 'none')
  const text = addresses.length === 0 ? 'has no address' : 'has no address of a family that we have one of'
  let last: Dialled = { ok: false, fault: { obstacle: 'dns', text: `${host.name} ${text}` } }
  /** A server spoke: that says more than another address where nobody listens. */
  let spoken = false
  for (let rest = reachable.slice(0, dialler.limits.addressesPerHostMax); rest.length > 0; ) {
    const reached = await connectTo(host, dialler.race ? rest : rest.slice(0, 1), dialler)
    if (reached.ok) {
      last = await dialAddress(host, reached, dialler)
      // The other addresses are the same server: it would count a wrong login once more.
      if (last.ok || last.fault.obstacle === 'login') return last
      spoken = true
      // Those that were slower than it come last.
      const at = rest.indexOf(reached.address)
      rest = [...rest.slice(at + 1), ...rest.slice(0, at)]
    } else {
      if (!spoken) last = reached
      rest = dialler.race ? [] : rest.slice(1)
    }
  }
  return last
}

type Reached = { readonly ok: true; readonly wire: Wire; readonly address: string } | Extract<Dialled, { ok: false }>

/** Ours of the same family; `none`: there are some, but of the other family only. */
function sourcesFor(address: string, { sources }: Dialler): readonly SourceAddress[] | 'none' {
  if (sources === undefined) return []
  const family = isIP(address)
  const found = sources.addresses.filter((source) => isIP(source.address) === family)
  return found.length === 0 ? 'none' : found
}

function sourceOf(address: string, dialler: Dialler): { from?: string } {
  const found = sourcesFor(address, dialler)
  const random = dialler.sources?.random() ?? 0
  const chosen = found === 'none' ? undefined : found[Math.floor(random * found.length)]
  return chosen === undefined ? {} : { from: chosen.address }
}

function nameFrom(local: string, sources: Dialler['sources']): { greetingName?: string } {
  const greetingName = sources?.addresses.find(({ address }) => address === local)?.greetingName
  return greetingName === undefined ? {} : { greetingName }
}

async function connectTo(host: Host, addresses: readonly string[], dialler: Dialler): Promise<Reached> {
  const { connect, limits, race } = dialler
  let last = addresses[0]!
  const one = (address: string): Promise<Wire> => {
    last = address
    return connect({ address, port: host.port, timeoutMs: limits.connectMsMax, ...sourceOf(address, dialler) })
  }
  try {
    if (race) return { ok: true, ...(await raceTo(addresses, one, race)) }
    return { ok: true, wire: await one(last), address: last }
  } catch (error) {
    return {
      ok: false,
      fault: { obstacle: 'connect', text: `${host.name}[${last}]:${host.port}: ${messageOf(error)}` },
    }
  }
}

async function dialAddress(
  host: Host,
  { wire, address }: Extract<Reached, { ok: true }>,
  dialler: HostDialler,
): Promise<Dialled> {
  const first = await openSession(host, wire, dialler, dialler.settings)
  countPolicy(first, dialler)
  tellTls(host, dialler, first.ok ? { wire, ...seenOf(first.connection) } : { wire, tls: false, ...first })
  if (first.ok || first.handshake === undefined || dialler.settings.tls !== 'opportunistic') return first
  const again = await connectTo(host, [address], dialler)
  return again.ok ? openSession(host, again.wire, dialler, { ...dialler.settings, tls: 'never' }) : again
}

// A session that ends before TLS says nothing about it.
function countPolicy(session: Dialled, { policy, tlsPolicyMet }: HostDialler): void {
  if (tlsPolicyMet === undefined || policy.kind === 'none') return
  if (policy.kind === 'sts-testing') {
    if (!session.ok && session.fault.obstacle !== 'tls') return
    const met = policy.named && session.ok && session.connection.certified
    tlsPolicyMet(policy.kind, met ? 'met' : 'would-fail')
  } else if (session.ok) tlsPolicyMet(policy.kind, 'met')
  else if (session.fault.obstacle === 'tls') tlsPolicyMet(policy.kind, 'failed')
}

const seenOf = ({ tls, certified }: Connection): Pick<SessionSeen, 'tls' | 'certified'> => ({ tls, certified })

function tellTls(
  { name }: Host,
  { tlsResults, policy }: HostDialler,
  seen: Omit<SessionSeen, 'domain' | 'mxHost' | 'policy'>,
): void {
  const result = tlsResults && tlsResult({ domain: tlsResults.domain, mxHost: name, policy, ...seen })
  if (result) tlsResults.tell(result)
}

function openSession(
  host: Host,
  wire: Wire,
  { tlsSessions, authorities, policy, events, sources }: HostDialler,
  settings: ClientSettings,
): Promise<Dialled & Pick<SessionSeen, 'handshake'>> {
  return new Promise((resolve) => {
    let open = false
    const connection = new Connection(
      host,
      wire,
      { ...settings, ...nameFrom(wire.local.address, sources) },
      {
        ready(self) {
          if (open) events.ready(self)
          else resolve({ ok: true, connection: self })
          open = true
        },
        over(self, fault) {
          if (open) events.over(self, fault)
          else
            resolve({
              ok: false,
              fault: { ...fault, text: `${self.relay}: ${fault.text}` },
              ...(self.tlsFailed && { handshake: { code: self.tlsErrorCode } }),
            })
        },
        closed: (self) => events.closed(self),
      },
      { tlsSessions, policy, ...(authorities !== undefined && { authorities }) },
    )
    events.opened(connection)
    connection.start()
  })
}

const NO_POLICY: TlsPolicy = { kind: 'none' }
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
