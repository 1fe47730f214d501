/**
 * For tests: a clock that is set by hand, and a network in memory with mail servers on it.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { content } from '#mail/content.ts'
import type { Attempt } from '#mail/outcome.ts'
import { traceIds } from '#mail/trace-id.ts'
import { envelope } from '#smtp/client/testing.ts'
import type { Clock } from '#sys/clock.ts'
import type { Connect, TlsClientOptions, Wire, WireEvents } from '#sys/wire.ts'
import type { NextHopHost, Route } from '#tenant/directory.ts'
import { createDelivery, type Delivery, type DeliveryParts, type OutgoingMessage } from './delivery.ts'

const id = traceIds(
  0,
  () => 0,
  () => 0,
)
const LETTER = Buffer.from('Subject: hello\r\n\r\nhello\r\n')

export class HandClock implements Clock {
  nowMs = 1_000
  readonly #timers = new Set<{ atMs: number; call: () => void }>()
  wall = (): number => 1_700_000_000_000 + this.nowMs
  monotonic = (): number => this.nowMs
  after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, call }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }
  get timers(): number {
    return this.#timers.size
  }
  /** Lets `ms` pass in steps of a second, and everything happen that then happens. */
  async pass(ms: number): Promise<void> {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs = Math.min(endMs, this.nowMs + 1000)
      for (const timer of [...this.#timers]) {
        if (timer.atMs > this.nowMs || !this.#timers.delete(timer)) continue
        timer.call()
        await quiet()
      }
    }
    await quiet()
  }
}

/** Everything that can happen without time passing has happened. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn()
}

/** How a server answers; an answer is one line without its CRLF, undefined says nothing. */
export type Answers = (line: string, session: ServerSession) => string | undefined

export class ServerSession {
  readonly wire: MemoryWire
  readonly server: MailServer
  commands: string[] = []
  #inContent = false

  constructor(server: MailServer, wire: MemoryWire) {
    this.server = server
    this.wire = wire
  }
  say(line: string | undefined): void {
    if (line !== undefined) this.wire.arrive(`${line}\r\n`)
  }
  hear(octets: string): void {
    for (const line of octets.split('\r\n').slice(0, -1)) this.#line(line)
  }
  #line(line: string): void {
    if (this.#inContent && line !== '.') return
    this.#inContent = false
    this.commands.push(line)
    const answer = this.server.answers(line, this)
    if (line === '.' && answer?.startsWith('2')) this.server.taken++
    if (line === 'DATA' && answer?.startsWith('3')) this.#inContent = true
    this.say(answer)
  }
}

export class MailServer {
  answers: Answers
  taken = 0
  readonly sessions: ServerSession[] = []
  /** An error code instead of a connection; `hang`: neither. */
  refuses: string | undefined
  greeting: string | undefined = '220 mx.example ESMTP'
  /** It greets under TLS only, as on port 465. */
  implicitTls = false
  /** What a handshake does. `breaks`: with a reason, which the wire tells first by closing, as a real one does. */
  tls: 'ok' | 'fails' | 'breaks' = 'ok'
  constructor(answers: Answers = good()) {
    this.answers = answers
  }
  get open(): number {
    return this.sessions.filter(({ wire }) => !wire.over).length
  }
  get last(): ServerSession {
    return this.sessions.at(-1)!
  }
}

/** The answers of a good server, but for some commands. */
export function good(special: Record<string, string | undefined> = {}, keywords = ['PIPELINING']): Answers {
  return (line) => {
    const verb = line.split(/[ :]/)[0]!.toUpperCase()
    if (verb in special) return special[verb]
    if (verb === 'EHLO' || verb === 'LHLO')
      return ['250-mx.example', ...keywords.map((k) => `250-${k}`), '250 HELP'].join('\r\n')
    return { STARTTLS: '220 go', DATA: '354 go', '.': '250 2.0.0 taken', QUIT: '221 bye' }[verb] ?? '250 ok'
  }
}

export class MemoryWire implements Wire {
  readonly remote
  readonly local
  readonly unsentOctets = 0
  over = false
  /** Writes are taken, and more is not wanted until `drain`. */
  clogged = false
  secured: TlsClientOptions | undefined
  #events: WireEvents | undefined
  readonly #session: ServerSession

  constructor(server: MailServer, address: string, port: number, from = '192.0.2.200') {
    this.remote = { address, port }
    this.local = { address: from, port: 40000 }
    this.#session = new ServerSession(server, this)
    server.sessions.push(this.#session)
  }
  listen(events: WireEvents): void {
    this.#events = events
    if (!this.#session.server.implicitTls) this.#session.say(this.#session.server.greeting)
  }
  arrive(octets: string): void {
    queueMicrotask(() => {
      if (!this.over) this.#events?.data(Buffer.from(octets, 'latin1'))
    })
  }
  write(bytes: Buffer | string): boolean {
    if (!this.over) this.#session.hear(bytes.toString('latin1'))
    return !this.clogged
  }
  writeAll(parts: readonly (Buffer | string)[]): boolean {
    return this.write(parts.map((part) => part.toString('latin1')).join(''))
  }
  drain(): void {
    this.clogged = false
    this.#events?.drained()
  }
  pause(): void {}
  resume(): void {}
  secure(options: TlsClientOptions): ReturnType<Wire['secure']> {
    this.secured = options
    if (this.#session.server.tls === 'breaks') {
      const error = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' })
      this.hangUp(error)
      return new Promise((_, reject) => setImmediate(() => reject(error)))
    }
    if (this.#session.server.tls === 'fails') return Promise.reject(new Error('wrong version number'))
    if (this.#session.server.implicitTls) setImmediate(() => this.#session.say(this.#session.server.greeting))
    const { serverName, verify } = options
    return Promise.resolve({
      protocol: 'TLSv1.3',
      cipher: 'X',
      serverName,
      ...(verify && { verifiedPeer: serverName }),
    })
  }
  /** The server closes. */
  hangUp(error?: Error): void {
    if (this.over) return
    this.over = true
    queueMicrotask(() => this.#events?.closed(error))
  }
  end(): void {
    this.hangUp()
  }
  destroy(): void {
    this.hangUp()
  }
}

export class World {
  readonly clock = new HandClock()
  /** By address. */
  readonly servers = new Map<string, MailServer>()
  readonly names = new Map<string, string[] | Error>()
  random = () => 0
  readonly delivery: Delivery
  dialled: string[] = []
  /** Source addresses, one for each of `dialled`. */
  from: (string | undefined)[] = []

  constructor(parts: Partial<DeliveryParts> = {}) {
    this.delivery = createDelivery({
      connect: this.#connect,
      clock: this.clock,
      hostname: 'relay.example',
      random: () => this.random(),
      resolve: async (name) => {
        const found = this.names.get(name) ?? [name]
        if (found instanceof Error) throw found
        return found
      },
      ...parts,
    })
  }

  get connect(): Connect {
    return this.#connect
  }

  /** A server at an address that is also its name. */
  server(address: string, answers?: Answers): MailServer {
    const server = new MailServer(answers)
    this.servers.set(address, server)
    return server
  }

  #connect: Connect = ({ address, port, timeoutMs, from }) => {
    this.dialled.push(address)
    this.from.push(from)
    const server = this.servers.get(address)
    const code = server ? server.refuses : 'ECONNREFUSED'
    const failure = Object.assign(new Error(`connect ${code} ${address}:${port}`), { code })
    if (code === 'hang') return new Promise((_, reject) => void this.clock.after(timeoutMs, () => reject(failure)))
    return code === undefined ? Promise.resolve(new MemoryWire(server!, address, port, from)) : Promise.reject(failure)
  }
}

export const host = (name: string, preference = 10): NextHopHost => ({ name, port: 25, preference })

export function route(hosts: readonly (string | NextHopHost)[], more: Partial<Route> = {}): Route {
  return {
    id: 'customer/main',
    tenant: 'customer',
    protocol: 'smtp',
    hosts: hosts.map((each) => (typeof each === 'string' ? host(each) : each)),
    tls: 'never',
    connectionsMax: 5,
    deliveriesPerConnectionMax: 100,
    retryFirstMs: 1000,
    retryMaxMs: 1000,
    lifetimeMs: 1000,
    ...more,
  }
}

export function message(...to: string[]): OutgoingMessage {
  const all = envelope(to.length > 0 ? to : ['a@customer.example'])
  return {
    id: id(),
    envelope: all,
    content: content([LETTER]),
    recipients: all.recipients.map((_, i) => i),
    receivedMs: 1_700_000_000_900,
  }
}

/** `delivered`, an obstacle, or `failed/stage`, for each recipient. */
export const summary = ({ outcomes }: Attempt): string =>
  outcomes
    .map((each) =>
      each.kind === 'delivered' ? each.kind : each.kind === 'failed' ? `failed/${each.stage}` : each.obstacle,
    )
    .join()
