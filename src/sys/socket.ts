/**
 * The real wire: one TCP connection by node:net, made secure where wanted by node:tls.
 *
 * Both sides may be half open: a client that sends everything and then FIN still gets its replies. TLS is 1.2 or newer
 * (RFC 8996). Errors come once, with `closed`; a handshake that fails also rejects `secure`.
 * Listeners are shared functions that find their wire on the socket: an idle session then costs no closure.
 */
import { createHash, X509Certificate } from 'node:crypto'
import net from 'node:net'
import tls from 'node:tls'
import type { Endpoint, TlsFacts } from '#mail/session.ts'
import { CHAIN_MAX, daneMismatch } from './dane.ts'
import type { Connect, TlsClientOptions, TlsServerOptions, Wire, WireEvents } from './wire.ts'

/** RFC 8996: TLS 1.0 and 1.1 must not be used. */
export const TLS_VERSION_MIN = 'TLSv1.2'
/** After `end`: for what is pending to leave and for the peer to close. Closing at once could reset the last reply. */
const LINGER_MS_MAX = 10_000

const WIRE = Symbol('wire')
type WiredSocket = net.Socket & { [WIRE]?: SocketWire }

/** A wire on a connected socket. The socket must be made with `allowHalfOpen`. */
export function socketWire(socket: net.Socket): Wire {
  return new SocketWire(socket)
}

export const connectSocket: Connect = ({ address, port, timeoutMs, from }) =>
  new Promise((resolve, reject) => {
    const socket = net.connect({
      host: address,
      port,
      allowHalfOpen: true,
      noDelay: true,
      autoSelectFamily: false,
      ...(from === undefined ? {} : { localAddress: from }),
    })
    const timer = setTimeout(() => {
      const text = `connect to ${address} port ${port} took longer than ${timeoutMs} ms`
      socket.destroy(Object.assign(new Error(text), { code: 'ETIMEDOUT' }))
    }, timeoutMs)
    const failed = (error: Error): void => {
      clearTimeout(timer)
      reject(error)
    }
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeListener('error', failed)
      resolve(new SocketWire(socket))
    })
  })

class SocketWire implements Wire {
  readonly remote: Endpoint
  readonly local: Endpoint
  #socket: WiredSocket
  #events: WireEvents | undefined
  #error: Error | undefined
  #ending = false
  #handshaking = false
  #closed = false
  #linger: NodeJS.Timeout | undefined

  constructor(socket: net.Socket) {
    this.#socket = socket
    this.remote = { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 }
    this.local = { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 }
    this.#watch(socket)
  }

  listen(events: WireEvents): void {
    this.#events = events
    // Closed before anyone listened: 'close' will not come again.
    if (this.#closed) events.closed(this.#error)
    else this.#read()
  }

  write(bytes: Buffer | string): boolean {
    return this.#socket.write(bytes)
  }

  writeAll(parts: readonly (Buffer | string)[]): boolean {
    this.#socket.cork()
    for (const part of parts) this.#socket.write(part)
    this.#socket.uncork()
    return !this.#socket.writableNeedDrain
  }

  get unsentOctets(): number {
    return this.#socket.writableLength
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  secure(options: TlsServerOptions | TlsClientOptions): Promise<TlsFacts> {
    const plain = this.#socket
    // What lies unread in the plain socket stays there, and Node gives it to the handshake: behind a PROXY header it is
    // the beginning of that.
    plain.pause()
    plain.removeListener('data', onData)
    for (const [event, listener] of LISTENERS) plain.removeListener(event, listener)
    const secure = options.side === 'server' ? serverSocket(plain, options) : clientSocket(plain, options)
    this.#socket = secure
    this.#watch(secure)
    this.#handshaking = true
    return new Promise((resolve, reject) => {
      secure.once('close', () => reject(this.#error ?? new Error('closed during the TLS handshake')))
      secure.once(options.side === 'server' ? 'secure' : 'secureConnect', () => {
        this.#handshaking = false
        const mismatch = options.side === 'client' ? mismatchOf(secure, options) : undefined
        if (mismatch !== undefined) {
          secure.destroy(new Error(mismatch))
          return
        }
        resolve(options.side === 'server' ? serverFacts(secure) : clientFacts(secure, options))
        // Reading starts when everyone who waits for the promise has run: what was decrypted must not overtake it.
        setImmediate(() => this.#listenForData())
      })
    })
  }

  end(): void {
    if (this.#ending) return
    this.#ending = true
    this.#socket.end()
    // Unread octets at a close make the kernel reset the connection, and the last reply may be lost: read them away.
    this.#read()
    if (!this.#socket.readableEnded) this.#linger = setTimeout(destroy, LINGER_MS_MAX, this).unref()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  onData(bytes: Buffer): void {
    if (!this.#ending) this.#events?.data(bytes)
  }
  onDrain(): void {
    this.#events?.drained()
  }
  onEnd(): void {
    // Half a handshake cannot be finished by one side.
    if (this.#handshaking) this.#socket.destroy(new Error('the peer closed during the TLS handshake'))
    else if (!this.#ending) this.#events?.ended()
  }
  onError(error: Error): void {
    this.#error ??= error
  }
  onClose(): void {
    if (this.#closed) return
    this.#closed = true
    // Or it would keep the session in memory long after its end.
    clearTimeout(this.#linger)
    this.#events?.closed(this.#error)
  }

  #watch(socket: WiredSocket): void {
    socket[WIRE] = this
    for (const [event, listener] of LISTENERS) socket.on(event, listener)
  }

  #read(): void {
    this.#listenForData()
    this.#socket.resume()
  }

  // Without a 'data' listener the octets wait in the socket, and so does the FIN behind them.
  #listenForData(): void {
    if (this.#socket.listenerCount('data') === 0) this.#socket.on('data', onData)
  }
}

function onData(this: WiredSocket, bytes: Buffer): void {
  this[WIRE]?.onData(bytes)
}
const LISTENERS: readonly [string, (this: WiredSocket, error: Error) => void][] = [
  ['drain', onDrain],
  ['end', onEnd],
  ['error', onError],
  ['close', onClose],
]
function onDrain(this: WiredSocket): void {
  this[WIRE]?.onDrain()
}
function onEnd(this: WiredSocket): void {
  this[WIRE]?.onEnd()
}
function onError(this: WiredSocket, error: Error): void {
  this[WIRE]?.onError(error)
}
function onClose(this: WiredSocket): void {
  this[WIRE]?.onClose()
}
const destroy = (wire: SocketWire): void => wire.destroy()

// An IPv4 client on a socket for both families shows as ::ffff:192.0.2.1.
const plainAddress = (address = ''): string => (address.startsWith('::ffff:') ? address.slice(7) : address)

function serverSocket(plain: net.Socket, { context, byName, asksForCertificate }: TlsServerOptions): tls.TLSSocket {
  return new tls.TLSSocket(plain, {
    isServer: true,
    secureContext: context,
    ...(asksForCertificate ? { requestCert: true, rejectUnauthorized: false } : {}),
    ...(byName ? { SNICallback: (name, done) => done(null, byName(name) ?? context) } : {}),
  })
}

/** By the authorities that are trusted there; '' for those of the system. A context costs milliseconds to make. */
const clientContexts = new Map<string, tls.SecureContext>()
/** More than any configuration has; what reloads leave behind goes then. */
const CLIENT_CONTEXTS_MAX = 256

function clientContext(authorities = ''): tls.SecureContext {
  const known = clientContexts.get(authorities)
  if (known !== undefined) return known
  const made = tls.createSecureContext({
    minVersion: TLS_VERSION_MIN,
    ...(authorities !== '' && { ca: authorities }),
  })
  clientContexts.set(authorities, made)
  if (clientContexts.size > CLIENT_CONTEXTS_MAX) clientContexts.delete(clientContexts.keys().next().value!)
  return made
}

/**
 * For which name, or against which TLSA records, a session's certificate was verified. A resumed handshake shows no
 * certificate, and Node compares no name then: without this, a session from an unverified connection would pass as verified.
 */
const verifiedFor = new WeakMap<Buffer, string>()

const policyKey = ({ serverName, dane, authorities = '' }: TlsClientOptions): string =>
  dane === undefined ? `${serverName} ${authorities}` : `${serverName} ${JSON.stringify(dane)}`

function clientSocket(plain: net.Socket, options: TlsClientOptions): tls.TLSSocket {
  const { serverName, onSession } = options
  const verify = options.verify && options.dane === undefined
  const resume = usableSession(options)
  const socket = tls.connect({
    socket: plain,
    secureContext: clientContext(options.authorities),
    host: serverName,
    // SNI takes names only (RFC 6066 §3); an address is compared with the certificate by `host`.
    ...(net.isIP(serverName) ? {} : { servername: serverName }),
    rejectUnauthorized: verify,
    ...(resume ? { session: resume } : {}),
  })
  if (onSession) socket.on('session', (session: Buffer) => offerSession(socket, session, options, onSession))
  return socket
}

function usableSession(options: TlsClientOptions): Buffer | undefined {
  const { verify, dane, resume } = options
  const anyone = !verify && dane === undefined
  return resume && (anyone || verifiedFor.get(resume) === policyKey(options)) ? resume : undefined
}

function offerSession(
  socket: tls.TLSSocket,
  session: Buffer,
  options: TlsClientOptions,
  onSession: (session: Buffer) => void,
): void {
  if (isVerified(socket, options)) verifiedFor.set(session, policyKey(options))
  onSession(session)
}

function isVerified(socket: tls.TLSSocket, options: TlsClientOptions): boolean {
  const { resume, dane } = options
  if (dane === undefined && !socket.authorized) return false
  if (socket.isSessionReused()) return resume !== undefined && verifiedFor.get(resume) === policyKey(options)
  return dane === undefined || daneMismatch(chainOf(socket), dane, Date.now()) === undefined
}

function mismatchOf(socket: tls.TLSSocket, options: TlsClientOptions): string | undefined {
  if (options.dane === undefined || isVerified(socket, options)) return undefined
  return daneMismatch(chainOf(socket), options.dane, Date.now()) ?? 'a session was resumed that was never verified'
}

/** As the server sent it, its own first; a self-signed one is its own issuer. */
function chainOf(socket: tls.TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let one: tls.DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (one?.raw !== undefined && chain.length < CHAIN_MAX) {
    chain.push(new X509Certificate(one.raw))
    one = one.issuerCertificate === one ? undefined : one.issuerCertificate
  }
  return chain
}

function serverFacts(socket: tls.TLSSocket): TlsFacts {
  const name = (socket as { servername?: string | false }).servername
  const clientKey = keyOf(socket.getPeerX509Certificate())
  return {
    ...commonFacts(socket),
    ...(typeof name === 'string' && { serverName: name }),
    ...(clientKey !== undefined && { clientKey }),
  }
}

/** As in TLSA records `3 1 1` (RFC 6698 §2.1); undefined also for a key of a kind that OpenSSL does not know. */
function keyOf(certificate: X509Certificate | undefined): string | undefined {
  if (certificate === undefined) return undefined
  try {
    return createHash('sha256')
      .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('hex')
  } catch {
    return undefined
  }
}

function clientFacts(socket: tls.TLSSocket, options: TlsClientOptions): TlsFacts {
  const { serverName } = options
  const facts = { ...commonFacts(socket), serverName }
  if (!isVerified(socket, options)) return facts
  const subject = socket.getPeerCertificate().subject?.CN
  return { ...facts, verifiedPeer: (Array.isArray(subject) ? subject[0] : subject) ?? serverName }
}

function commonFacts(socket: tls.TLSSocket): TlsFacts {
  const protocol = socket.getProtocol() ?? 'unknown'
  // RFC 9266 §2, §4: below TLS 1.3 the octets could be shared with somebody in between.
  const channelBinding = () => socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
  return { protocol, cipher: socket.getCipher().name, ...(protocol === 'TLSv1.3' && { channelBinding }) }
}
