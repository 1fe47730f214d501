/**
 * The next hop that a test plays: a scriptable SMTP or LMTP server that keeps everything it is given.
 *
 *     await using sink = await startSink(knows('user@dest.test'))
 *     ...
 *     sink.behave({ dot: '554 5.6.0 not in my house' })
 *     const [message] = await sink.received(1)
 *
 * It can be stopped and started again on its port, as a customer's server goes away and comes back.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { KeyAndCertificate } from '#sys/self-signed.ts'
import { freePort } from './free-port.ts'
import type { Behaviour } from './sink-behaviour.ts'
import { type SinkMessage, SinkSession } from './sink-session.ts'
import { waitFor } from './wait-for.ts'

export * from './sink-behaviour.ts'
export type { SinkMessage, SinkRecipient } from './sink-session.ts'

export interface SinkOptions {
  readonly protocol?: 'smtp' | 'lmtp'
  /** EHLO keywords; STARTTLS comes by itself where there is a certificate. */
  readonly extensions?: readonly string[]
  readonly tls?: KeyAndCertificate
  readonly port?: number
  /** Where it listens; 127.0.0.1 if absent. */
  readonly address?: string
  /** False: the port is chosen, and nothing listens until `start`. */
  readonly started?: boolean
}

export const SINK_EXTENSIONS: readonly string[] = [
  'PIPELINING',
  'SIZE 104857600',
  '8BITMIME',
  'SMTPUTF8',
  'ENHANCEDSTATUSCODES',
  'DSN',
  'CHUNKING',
]

export interface Sink extends AsyncDisposable {
  readonly port: number
  /** Every content that arrived whole, accepted or not, in order of arrival. */
  readonly messages: readonly SinkMessage[]
  readonly accepted: readonly SinkMessage[]
  /** Every command line of every session, in order. */
  readonly commands: readonly string[]
  /** Connections that it ever took. */
  readonly sessions: number
  readonly connectionsNow: number
  /** From now on; replaces the former behaviour altogether. */
  behave(behaviour: Behaviour): void
  /** Waits until `count` messages at least were accepted. */
  received(count: number, msMax?: number): Promise<readonly SinkMessage[]>
  start(): Promise<void>
  /** Connections are reset, new ones refused. */
  stop(): Promise<void>
}

export async function startSink(behaviour: Behaviour = {}, options: SinkOptions = {}): Promise<Sink> {
  const sink = new ScriptedSink(options.port ?? (await freePort()), behaviour, options)
  if (options.started !== false) await sink.start()
  return sink
}

class ScriptedSink implements Sink {
  readonly port: number
  readonly messages: SinkMessage[] = []
  readonly commands: string[] = []
  sessions = 0
  #behaviour: Behaviour
  #server: Server | undefined
  readonly #sockets = new Set<Socket>()
  readonly #options: SinkOptions

  constructor(port: number, behaviour: Behaviour, options: SinkOptions) {
    this.port = port
    this.#behaviour = behaviour
    this.#options = options
  }

  get accepted(): readonly SinkMessage[] {
    return this.messages.filter((message) => message.accepted)
  }

  get connectionsNow(): number {
    return this.#sockets.size
  }

  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour
  }

  async received(count: number, msMax?: number): Promise<readonly SinkMessage[]> {
    const context = () => `accepted ${this.accepted.length}; last commands:\n${this.commands.slice(-20).join('\n')}`
    const wait = msMax === undefined ? { context } : { context, msMax }
    await waitFor(`${count} messages at the sink`, () => this.accepted.length >= count, wait)
    return this.accepted
  }

  async start(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#connected(socket))
    server.listen(this.port, this.#options.address ?? '127.0.0.1')
    await once(server, 'listening')
    this.#server = server
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (!server) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    const { protocol = 'smtp', extensions = SINK_EXTENSIONS, tls } = this.#options
    new SinkSession(socket, {
      number: ++this.sessions,
      protocol,
      extensions,
      ...(tls ? { tls } : {}),
      behaviour: () => this.#behaviour,
      command: (line) => this.commands.push(line),
      message: (message) => this.messages.push(message),
    }).run()
  }
}
