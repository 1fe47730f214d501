/**
 * The next hop of every measurement: takes mail on any number of addresses, counts each message by its number, and can
 * be as bad as next hops are. As a program:
 *
 *   node bench/sink.ts --port 2600 [--port 2601] [--black-hole 2602] [--ledger arrivals.txt]
 *
 * The ledger has one line per message, `NUMBER accept|reject|defer`, appended in blocks and never synced: the sink is not
 * what gets killed. Numbers up to 2^24 are counted one by one, to tell duplicates from losses.
 */
import { appendFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { type Arrival, type SinkManners, SinkSession } from './sink-session.ts'

export interface SinkOptions extends Partial<SinkManners> {
  readonly host?: string
  /** 0: any free port. */
  readonly ports: readonly number[]
  /** Ports that take connections and never say a word. */
  readonly blackHoles?: readonly number[]
  /** `refuse`: 421 instead of the greeting. */
  readonly greeting?: 'greet' | 'refuse'
  /** Before each batch of replies: a tarpit. */
  readonly replyDelayMs?: number
  /** Before a batch that answers a dot. */
  readonly dotDelayMs?: number
  readonly ledger?: string
  readonly arrived?: (arrival: Arrival) => void
}

export interface SinkStatus {
  readonly accepted: number
  readonly rejected: number
  readonly deferred: number
  /** Different numbers among the accepted. */
  readonly distinct: number
  readonly sessions: number
  readonly sessionsOpen: number
  /** Wall clock, ms with fractions. */
  readonly lastArrivalMs: number
}

export const ALL_EXTENSIONS = [
  'PIPELINING',
  '8BITMIME',
  'SMTPUTF8',
  'DSN',
  'ENHANCEDSTATUSCODES',
  'CHUNKING',
  'SIZE 67108864',
]
const NUMBER_MAX = 2 ** 24
const LEDGER_OCTETS = 64 * 1024
const BACKLOG = 4096

export class Sink {
  readonly #options: SinkOptions
  readonly #manners: SinkManners
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly #counted = new Uint8Array(NUMBER_MAX)
  readonly #deferredOnce = new Set<number>()
  readonly #tally = { accept: 0, reject: 0, defer: 0 }
  #distinct = 0
  #sessions = 0
  #lastArrivalMs = 0
  #ledgerText = ''

  constructor(options: SinkOptions) {
    this.#options = options
    const { extensions = ALL_EXTENSIONS, content = 'accept', byLocalPart = false, verify = false } = options
    this.#manners = { extensions, content, byLocalPart, verify }
  }

  /** Resolves with the ports, the black holes last. */
  async listen(): Promise<number[]> {
    const ports: number[] = []
    for (const port of this.#options.ports) ports.push(await this.#listen(port, (socket) => this.#greet(socket)))
    for (const port of this.#options.blackHoles ?? []) ports.push(await this.#listen(port, (socket) => socket.pause()))
    return ports
  }

  status(): SinkStatus {
    const { accept, reject, defer } = this.#tally
    return {
      accepted: accept,
      rejected: reject,
      deferred: defer,
      distinct: this.#distinct,
      sessions: this.#sessions,
      sessionsOpen: this.#sockets.size,
      lastArrivalMs: this.#lastArrivalMs,
    }
  }

  /** How often the number was accepted, up to 255. */
  count(number: number): number {
    return this.#counted[number] ?? 0
  }

  flushLedger(): void {
    if (this.#options.ledger !== undefined && this.#ledgerText !== '') {
      appendFileSync(this.#options.ledger, this.#ledgerText)
    }
    this.#ledgerText = ''
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)))
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closed)
    this.flushLedger()
  }

  #listen(port: number, greet: (socket: Socket) => void): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      this.#sessions++
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => this.#sockets.delete(socket))
      greet(socket)
    })
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: this.#options.host ?? '127.0.0.1', port, backlog: BACKLOG }, () =>
        resolve((server.address() as AddressInfo).port),
      )
    })
  }

  #greet(socket: Socket): void {
    if (this.#options.greeting === 'refuse') {
      socket.end('421 4.3.2 Not now\r\n')
      return
    }
    const session = new SinkSession(this.#manners, this)
    const speak = this.#delays ? this.#slowly(socket, session) : () => this.#speak(socket, session)
    speak()
    socket.on('data', (octets: Buffer) => {
      session.receive(octets)
      speak()
    })
  }

  #speak(socket: Socket, session: SinkSession): void {
    const replies = session.takeReplies()
    if (replies !== '') socket.write(replies, 'latin1')
    if (session.closing) socket.end()
  }

  get #delays(): boolean {
    return this.#options.replyDelayMs !== undefined || this.#options.dotDelayMs !== undefined
  }

  // Batches leave in order, each so long after the one before or after its question.
  #slowly(socket: Socket, session: SinkSession): () => void {
    const { replyDelayMs = 0, dotDelayMs = 0 } = this.#options
    let readyAtMs = 0
    return () => {
      const delayMs = replyDelayMs + (session.answeredContent ? dotDelayMs : 0)
      const replies = session.takeReplies()
      if (replies === '') return
      const now = performance.now()
      readyAtMs = Math.max(readyAtMs, now) + delayMs
      const { closing } = session
      setTimeout(() => {
        if (closing) socket.end(replies)
        else socket.write(replies, 'latin1')
      }, readyAtMs - now)
    }
  }

  arrived(arrival: Arrival): void {
    const { number, reply } = arrival
    this.#tally[reply]++
    this.#lastArrivalMs = performance.timeOrigin + performance.now()
    if (reply === 'accept' && number < NUMBER_MAX) {
      if (this.#counted[number] === 0) this.#distinct++
      if (this.#counted[number]! < 255) this.#counted[number]!++
    }
    if (this.#options.ledger !== undefined) {
      this.#ledgerText += `${number} ${reply}\n`
      if (this.#ledgerText.length > LEDGER_OCTETS) this.flushLedger()
    }
    this.#options.arrived?.(arrival)
  }

  seen(number: number): boolean {
    if (this.#deferredOnce.has(number)) return true
    this.#deferredOnce.add(number)
    return false
  }
}

const numbers = (texts: readonly string[] | undefined): number[] => (texts ?? []).map(Number)
const milliseconds = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', multiple: true },
      'black-hole': { type: 'string', multiple: true },
      ledger: { type: 'string' },
      content: { type: 'string', default: 'accept' },
      extensions: { type: 'string', default: ALL_EXTENSIONS.join(',') },
      'by-local-part': { type: 'boolean', default: false },
      refuse: { type: 'boolean', default: false },
      'reply-delay-ms': { type: 'string' },
      'dot-delay-ms': { type: 'string' },
    },
  })
  const { content } = values
  if (content !== 'accept' && content !== 'reject' && content !== 'defer') throw new Error(`no such reply: ${content}`)
  const replyDelayMs = milliseconds(values['reply-delay-ms'])
  const dotDelayMs = milliseconds(values['dot-delay-ms'])
  const sink = new Sink({
    host: values.host,
    ports: numbers(values.port),
    blackHoles: numbers(values['black-hole']),
    content,
    extensions: values.extensions.split(',').filter((keyword) => keyword !== ''),
    byLocalPart: values['by-local-part'],
    greeting: values.refuse ? 'refuse' : 'greet',
    ...(values.ledger !== undefined && { ledger: values.ledger }),
    ...(replyDelayMs !== undefined && { replyDelayMs }),
    ...(dotDelayMs !== undefined && { dotDelayMs }),
  })
  const ports = await sink.listen()
  attend(sink, ports)
}

/** Started by another program: tells it the ports, then its status whenever asked. Alone: until it is ended. */
function attend(sink: Sink, ports: number[]): void {
  const end = () => void sink.close().then(() => process.exit(0))
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  if (process.send) process.send({ ports })
  else console.log(`sink: listening on ${ports.join(', ')}`)
  process.on('message', () => {
    sink.flushLedger()
    process.send?.(sink.status())
  })
  process.on('disconnect', end)
}

if (import.meta.main) await main()
