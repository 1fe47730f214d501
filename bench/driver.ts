/**
 * The load driver: a bounded number of messages from a bounded number of sessions, for a bounded time, each message
 * numbered (see `numbered-content.ts`) and its fate told. It keeps all sessions in one process; as a program it can
 * share the work among several.
 *
 *   node bench/driver.ts --port 2525 --sessions 20 --messages 100000 --size 4096 --pace behind-dot
 *
 * Time is measured from the first connection to the last settled message. Latency is taken at the dot (content written
 * until its reply) and over the whole transaction (MAIL written until the reply to the dot).
 */
import { fork } from 'node:child_process'
import { parseArgs } from 'node:util'
import { LatencyHistogram, type LatencySummary } from './latency.ts'
import { type Fate, LoadSession, type Message, type Pace, type Work } from './load-session.ts'
import { contentTemplate } from './numbered-content.ts'

export interface LoadOptions {
  readonly host: string
  readonly port: number
  readonly sessions: number
  /** Bound in count. Numbers run from `firstNumber` (default 1). */
  readonly messagesMax: number
  readonly firstNumber?: number
  /** Bound in time; sessions then finish the message they are at. */
  readonly durationMsMax: number
  /** 1: one message per connection. */
  readonly messagesPerSession: number
  readonly pace: Pace
  readonly message: (number: number) => Message
  readonly reversePath?: string
  /** Messages begun per second, at most. */
  readonly ratePerSecondMax?: number
  /** A session that was lost is opened again after this; default 100 ms. */
  readonly reconnectMs?: number
  /** A reply that does not come for so long ends the session; default 60 s. */
  readonly replyMsMax?: number
  /** Local addresses to connect from, in turn: one address has some 28,000 ports. */
  readonly sourceAddresses?: readonly string[]
  readonly settled?: (number: number, fate: Fate, code: number) => void
  readonly recipientRefused?: (number: number, index: number, code: number) => void
}

export interface LoadReport {
  readonly fates: Record<Fate, number>
  readonly seconds: number
  /** Acknowledged messages per second. */
  readonly rate: number
  readonly sessionsOpened: number
  readonly sessionsFailed: number
  readonly dotMs: LatencySummary
  readonly transactionMs: LatencySummary
}

const TICK_MS = 10
const RECONNECT_MS = 100
const REPLY_MS_MAX = 60_000

/** One run of load. `run` resolves when every message that was begun has a fate and every session is closed. */
export class Driver implements Work {
  readonly pace: Pace
  readonly reversePath: string
  readonly messagesPerSession: number
  readonly fates: Record<Fate, number> = { acknowledged: 0, deferred: 0, rejected: 0, unknown: 0, unsent: 0 }
  readonly dot = new LatencyHistogram()
  readonly transaction = new LatencyHistogram()
  readonly #options: LoadOptions
  readonly #sessions = new Set<LoadSession>()
  #waiting: LoadSession[] = []
  #nextNumber: number
  readonly #lastNumber: number
  #allowance = 0
  #opened = 0
  #failed = 0
  #slots = 0
  #startMs = 0
  #lastSettledMs = 0
  #stopped = false
  #done: (() => void) | undefined
  #allowedAtMs = 0

  constructor(options: LoadOptions) {
    this.#options = options
    this.pace = options.pace
    this.reversePath = options.reversePath ?? 'bench@src.test'
    this.messagesPerSession = options.messagesPerSession
    this.#nextNumber = options.firstNumber ?? 1
    this.#lastNumber = this.#nextNumber + options.messagesMax - 1
  }

  async run(): Promise<LoadReport> {
    this.#startMs = this.#lastSettledMs = this.#allowedAtMs = performance.now()
    const finished = new Promise<void>((resolve) => (this.#done = resolve))
    const ticker = setInterval(() => this.#tick(), TICK_MS)
    this.#slots = Math.min(this.#options.sessions, this.#options.messagesMax)
    for (let i = 0; i < this.#slots; i++) this.#connect()
    await finished
    clearInterval(ticker)
    return this.report()
  }

  /** No new message; what is under way is finished. */
  stop(): void {
    this.#stopped = true
    this.#wake()
  }

  report(): LoadReport {
    const seconds = (this.#lastSettledMs - this.#startMs) / 1000
    return {
      fates: { ...this.fates },
      seconds,
      rate: seconds > 0 ? this.fates.acknowledged / seconds : 0,
      sessionsOpened: this.#opened,
      sessionsFailed: this.#failed,
      dotMs: this.dot.summary(),
      transactionMs: this.transaction.summary(),
    }
  }

  begin(): number {
    if (this.#over) return 0
    if (this.#options.ratePerSecondMax !== undefined) {
      if (this.#allowance < 1) return -1
      this.#allowance--
    }
    return this.#nextNumber++
  }

  wait(session: LoadSession): void {
    this.#waiting.push(session)
  }

  message(number: number): Message {
    return this.#options.message(number)
  }

  settle(number: number, fate: Fate, code: number, dotMs: number, transactionMs: number): void {
    this.fates[fate]++
    this.#lastSettledMs = performance.now()
    if (fate === 'acknowledged') {
      this.dot.recordMs(dotMs)
      this.transaction.recordMs(transactionMs)
    }
    this.#options.settled?.(number, fate, code)
  }

  recipientRefused(number: number, index: number, code: number): void {
    this.#options.recipientRefused?.(number, index, code)
  }

  closed(session: LoadSession): void {
    this.#sessions.delete(session)
    if (session.failed) this.#failed++
    if (this.#over) this.#giveUpSlot()
    else if (session.failed) setTimeout(() => this.#reconnect(), this.#options.reconnectMs ?? RECONNECT_MS)
    else this.#connect()
  }

  get #over(): boolean {
    return this.#stopped || this.#nextNumber > this.#lastNumber
  }

  #connect(): void {
    const addresses = this.#options.sourceAddresses
    const from = addresses?.[this.#opened % addresses.length]
    this.#opened++
    this.#sessions.add(new LoadSession(this, this.#options.host, this.#options.port, from))
  }

  #reconnect(): void {
    if (this.#over) this.#giveUpSlot()
    else this.#connect()
  }

  #giveUpSlot(): void {
    this.#slots--
    if (this.#slots === 0) this.#done?.()
  }

  #tick(): void {
    const now = performance.now()
    if (now - this.#startMs > this.#options.durationMsMax) this.#stopped = true
    const { ratePerSecondMax, replyMsMax = REPLY_MS_MAX } = this.#options
    if (ratePerSecondMax !== undefined) {
      // At most a tenth of a second's worth is saved up: after a stall no burst beyond that.
      const more = ((now - this.#allowedAtMs) / 1000) * ratePerSecondMax
      this.#allowance = Math.min(this.#allowance + more, Math.max(1, ratePerSecondMax / 10))
      this.#allowedAtMs = now
    }
    for (const session of this.#sessions) if (now - session.awaitedSinceMs > replyMsMax) session.destroy()
    if (this.#over || this.#allowance >= 1) this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const session of waiting) if (this.#sessions.has(session)) session.next()
  }
}

export const drive = (options: LoadOptions): Promise<LoadReport> => new Driver(options).run()

/** Every message alike: one content, recipients at random among `users` at each of the `domains`. */
export function uniformMessages(
  octets: number,
  domains: readonly string[],
  users: number,
): (number: number) => Message {
  const template = contentTemplate(octets)
  if (users <= 1 && domains.length === 1) {
    const message = { template, recipients: [`user@${domains[0]}`] }
    return () => message
  }
  return (number) => {
    // A multiplicative hash of the number: spread like chance, and the same in each run.
    const draw = Math.imul(number, 0x9e3779b1) >>> 0
    const domain = domains[draw % domains.length]
    return { template, recipients: [`user${Math.floor(draw / domains.length) % Math.max(users, 1)}@${domain}`] }
  }
}

const ARGUMENTS = {
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string' },
  sessions: { type: 'string', default: '20' },
  messages: { type: 'string', default: '10000' },
  first: { type: 'string', default: '1' },
  seconds: { type: 'string', default: '60' },
  'per-session': { type: 'string', default: '1000000000' },
  size: { type: 'string', default: '4096' },
  pace: { type: 'string', default: 'pipelined' },
  domains: { type: 'string', default: 'dest.test' },
  users: { type: 'string', default: '1' },
  rate: { type: 'string' },
  processes: { type: 'string', default: '1' },
} as const

type Arguments = ReturnType<typeof readArguments>
const readArguments = () => parseArgs({ options: ARGUMENTS }).values

function optionsOf(given: Arguments): LoadOptions {
  const pace = given.pace
  if (pace !== 'lock-step' && pace !== 'pipelined' && pace !== 'behind-dot') throw new Error(`no such pace: ${pace}`)
  return {
    host: given.host,
    port: Number(given.port),
    sessions: Number(given.sessions),
    messagesMax: Number(given.messages),
    firstNumber: Number(given.first),
    durationMsMax: Number(given.seconds) * 1000,
    messagesPerSession: Number(given['per-session']),
    pace,
    message: uniformMessages(Number(given.size), given.domains.split(','), Number(given.users)),
    ...(given.rate !== undefined && { ratePerSecondMax: Number(given.rate) }),
  }
}

/** Shares sessions and messages among `processes` children and adds up what they did. */
async function driveInProcesses(given: Arguments, processes: number): Promise<Pick<LoadReport, 'fates' | 'rate'>[]> {
  const messages = Math.ceil(Number(given.messages) / processes)
  const sessions = Math.max(1, Math.floor(Number(given.sessions) / processes))
  const shares = Array.from({ length: processes }, (_, i) => {
    const share = { ...given, messages, sessions, processes: 1, first: Number(given.first) + i * messages }
    const flags = Object.entries(share).flatMap(([name, value]) => [`--${name}`, `${value}`])
    return new Promise<LoadReport>((resolve, reject) => {
      const child = fork(import.meta.filename, flags)
      child.once('message', (report) => resolve(report as LoadReport))
      child.once('error', reject)
      child.once('exit', (code) => code !== 0 && reject(new Error(`driver process ended with ${code}`)))
    })
  })
  return Promise.all(shares)
}

async function main(): Promise<void> {
  const given = readArguments()
  if (given.port === undefined) throw new Error('--port is needed')
  const processes = Number(given.processes)
  if (processes > 1) {
    const reports = await driveInProcesses(given, processes)
    const rate = reports.reduce((sum, report) => sum + report.rate, 0)
    console.log(JSON.stringify({ processes, rate, reports }, undefined, 2))
    return
  }
  const report = await drive(optionsOf(given))
  if (process.send) process.send(report, () => process.disconnect?.())
  else console.log(JSON.stringify(report, undefined, 2))
}

if (import.meta.main) await main()
