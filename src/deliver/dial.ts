/**
 * From a host's name to a session that takes jobs: resolve, connect, greeting, EHLO, TLS.
 *
 * Addresses are tried in the resolver's order until one works. Opportunistic TLS whose handshake fails is tried once
 * more in clear on a new connection (RFC 7435 §3: some protection where possible, clear text where not); with
 * `required` and `verified` the message waits.
 */
import type { ClientSettings, SessionFault } from '#smtp/client/contract.ts'
import type { Connect, Wire } from '#sys/wire.ts'
import { Connection, type ConnectionEvents } from './connection.ts'
import type { Host } from './hosts.ts'
import type { DeliverLimits } from './limits.ts'
import type { TlsSessions } from './tls-sessions.ts'

/** Addresses of a name, best first. An empty answer and a rejection are obstacle `dns`. */
export type Resolve = (name: string) => Promise<readonly string[]>

export interface Dialler {
  readonly connect: Connect
  readonly resolve: Resolve
  readonly settings: ClientSettings
  readonly limits: DeliverLimits
  readonly tlsSessions: TlsSessions
  /** Hears of every connection from the moment it has a wire, and for all its life. */
  readonly events: ConnectionEvents & { opened(connection: Connection): void }
}

export type Dialled =
  | { readonly ok: true; readonly connection: Connection }
  | { readonly ok: false; readonly fault: SessionFault }

export async function dialHost(host: Host, dialler: Dialler): Promise<Dialled> {
  let addresses: readonly string[]
  try {
    addresses = await dialler.resolve(host.name)
  } catch (error) {
    return { ok: false, fault: { obstacle: 'dns', text: `${host.name}: ${messageOf(error)}` } }
  }
  let last: Dialled = { ok: false, fault: { obstacle: 'dns', text: `${host.name} has no address` } }
  for (const address of addresses.slice(0, dialler.limits.addressesPerHostMax)) {
    last = await dialAddress(host, address, dialler)
    if (last.ok) break
  }
  return last
}

async function dialAddress(host: Host, address: string, dialler: Dialler): Promise<Dialled> {
  const first = await openSession(host, address, dialler, dialler.settings)
  if (first.ok || !first.tlsFailed || dialler.settings.tls !== 'opportunistic') return first
  return openSession(host, address, dialler, { ...dialler.settings, tls: 'never' })
}

async function openSession(
  host: Host,
  address: string,
  { connect, limits, tlsSessions, events }: Dialler,
  settings: ClientSettings,
): Promise<Dialled & { tlsFailed?: boolean }> {
  let wire: Wire
  try {
    wire = await connect({ address, port: host.port, timeoutMs: limits.connectMsMax })
  } catch (error) {
    return {
      ok: false,
      fault: { obstacle: 'connect', text: `${host.name}[${address}]:${host.port}: ${messageOf(error)}` },
    }
  }
  return new Promise((resolve) => {
    let open = false
    const connection = new Connection(
      host,
      wire,
      settings,
      {
        ready(self) {
          if (open) events.ready(self)
          else resolve({ ok: true, connection: self })
          open = true
        },
        over(self, fault) {
          if (open) events.over(self, fault)
          else
            resolve({ ok: false, fault: { ...fault, text: `${self.relay}: ${fault.text}` }, tlsFailed: self.tlsFailed })
        },
        closed: (self) => events.closed(self),
      },
      tlsSessions,
    )
    events.opened(connection)
    connection.start()
  })
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
