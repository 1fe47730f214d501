/**
 * Is anybody there? One connection to a route's hosts, best first: greeting, EHLO, QUIT. A server that refuses the
 * connection, keeps silent, or greets with 4yz or 5yz (421, 554, 521) is not up: nobody could bring it mail now.
 *
 * In clear, where the port does not begin with TLS: whether TLS works between us and the server says nothing about others who would send to it.
 */
import { randomInt } from 'node:crypto'
import type { Clock } from '#sys/clock.ts'
import type { Connect } from '#sys/wire.ts'
import type { Route } from '#tenant/directory.ts'
import type { Connection } from './connection.ts'
import { type Dialler, dialHost, type Resolve } from './dial.ts'
import { Hosts } from './hosts.ts'
import { DELIVER_LIMITS } from './limits.ts'
import { TlsSessions } from './tls-sessions.ts'

/** For one host, all its addresses together. RFC 5321 §4.5.3.2.1 allows a greeting five minutes; mail flows before that. */
export const KNOCK_MS_MAX = 20_000
const TICK_MS = 1_000

export interface Knock {
  readonly up: boolean
  /** For people: what the server said, or what stood in the way. */
  readonly text: string
}

export interface KnockParts {
  readonly connect: Connect
  readonly clock: Clock
  readonly resolve: Resolve
  /** For EHLO, where a route names no other. */
  readonly hostname: string
}

/** Never rejects. */
export async function knock(route: Route, parts: KnockParts): Promise<Knock> {
  const hosts = new Hosts(route.hosts, () => randomInt(1_000_000) / 1_000_000, DELIVER_LIMITS)
  const tried = new Set<(typeof hosts.all)[number]>()
  let last: Knock = { up: false, text: 'the route has no host' }
  for (let host = hosts.next(0, tried); host !== undefined; host = hosts.next(0, tried)) {
    tried.add(host)
    last = await knockAt(host, route, parts)
    if (last.up) break
  }
  return last
}

function knockAt(host: Hosts['all'][number], route: Route, parts: KnockParts): Promise<Knock> {
  const { clock, connect, resolve, hostname } = parts
  const open = new Set<Connection>()
  const endMs = clock.monotonic() + KNOCK_MS_MAX
  const dialler: Dialler = {
    connect: (to) => connect({ ...to, timeoutMs: Math.min(to.timeoutMs, KNOCK_MS_MAX) }),
    resolve,
    limits: DELIVER_LIMITS,
    settings: {
      protocol: route.protocol,
      greetingName: route.greetingName ?? hostname,
      ...(route.implicitTls ? { tls: 'required', implicitTls: true } : { tls: 'never' }),
      preferChunking: false,
      limits: DELIVER_LIMITS.client,
    },
    tlsSessions: new TlsSessions(1).forRoute(route.id, 'never'),
    events: {
      opened: (connection) => void open.add(connection),
      closed: (connection) => void open.delete(connection),
      ready: () => {},
      over: () => {},
    },
  }
  let done = false
  // Until the reply to QUIT has come, too.
  const tick = (): void => {
    if (done && open.size === 0) return
    const nowMs = clock.monotonic()
    for (const connection of open) {
      if (nowMs >= endMs) connection.fail({ obstacle: 'timeout', text: `no greeting within ${KNOCK_MS_MAX / 1000} s` })
      else connection.tick(nowMs)
    }
    cancel = clock.after(TICK_MS, tick)
  }
  let cancel = clock.after(TICK_MS, tick)
  return dialHost(host, dialler)
    .then((dialled) => {
      if (!dialled.ok) return { up: false, text: dialled.fault.text }
      dialled.connection.quit()
      return { up: true, text: `${dialled.connection.relay} answers` }
    })
    .finally(() => {
      done = true
      if (open.size === 0) cancel()
    })
}
