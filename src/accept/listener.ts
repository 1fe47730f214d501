/**
 * One listening address. It hands out sockets; from the networks of named proxies only after their PROXY header, with
 * the client that the header names.
 */
import net from 'node:net'
import type { Endpoint } from '#mail/session.ts'
import type { Clock } from '#sys/clock.ts'
import type { Networks } from './networks.ts'
import { parseProxyHeader } from './proxy-header.ts'

/** Connections that the kernel finishes and keeps for us while the event loop is busy. */
const BACKLOG = 1024
/** Proxies send their header at once; the specification asks for at least 3 s. */
const PROXY_HEADER_MS_MAX = 5_000

/** What a proxy said about the client. */
export interface Proxied {
  readonly client: Endpoint
  readonly local: Endpoint
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** Each worker has a socket of its own on the port, and the kernel spreads the connections. */
  readonly reusePort: boolean
  readonly onSocket: (socket: net.Socket) => void
  /** Errors after the start, such as no file handle left. Accepting goes on. */
  readonly onError: (error: Error) => void
}

export interface Listening {
  readonly endpoint: Endpoint
  /** No more connections; those accepted live on. */
  close(): void
}

/** Rejects with Node's error: EADDRINUSE, EACCES, EADDRNOTAVAIL; `address` and `port` are in it. */
export function listen({ host, port, reusePort, onSocket, onError }: ListenOptions): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, onSocket)
    server.once('error', reject)
    server.listen({ host, port, backlog: BACKLOG, reusePort }, () => {
      server.removeListener('error', reject)
      server.on('error', onError)
      const { address, port: bound } = server.address() as net.AddressInfo
      resolve({ endpoint: { address, port: bound }, close: () => void server.close() })
    })
  })
}

/**
 * Reads the PROXY header that must come first. `done` gets what the header says, `undefined` where the connection's own
 * addresses count; `failed` means that the connection is not to be used. What follows the header stays in the socket.
 */
export function readProxyHeader(
  socket: net.Socket,
  clock: Clock,
  done: (proxied: Proxied | undefined) => void,
  failed: (fault: string) => void,
): void {
  let received: Buffer = Buffer.alloc(0)
  const finish = (): void => {
    cancelTimer()
    socket.pause()
    socket.removeListener('data', onData).removeListener('error', onGone).removeListener('end', onGone)
  }
  const onGone = (): void => {
    finish()
    failed('closed before the end of the header')
  }
  const onData = (bytes: Buffer): void => {
    // Bounded: beyond 4096 octets the parser has always decided.
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes])
    const header = parseProxyHeader(received)
    if (header.kind === 'incomplete') return
    finish()
    if (header.kind === 'invalid') {
      failed(header.fault)
      return
    }
    if (header.octets < received.length) socket.unshift(received.subarray(header.octets))
    done(header.kind === 'proxied' ? { client: header.client, local: header.local } : undefined)
  }
  const cancelTimer = clock.after(PROXY_HEADER_MS_MAX, () => {
    finish()
    failed('no header in time')
  })
  socket.on('data', onData).on('error', onGone).on('end', onGone)
}

export const comesFromProxy = (socket: net.Socket, networks: Networks): boolean =>
  !networks.empty && networks.has(socket.remoteAddress ?? '')
