/**
 * A server session without network or path, for tests and fuzzers: bytes go in, what the session said and asked is
 * recorded, and every question is answered by a script, at once or when told to.
 */
import { SpoolReceipt } from '#mail/custody.ts'
import type { Session, TlsFacts, Transaction } from '#mail/session.ts'
import { traceIds } from '#mail/trace-id.ts'
import { ACCEPT } from '#mail/verdict.ts'
import type { Answer, Effect, Question, ServerMachine, ServerSettings } from '#smtp/server/contract.ts'
import { DEFAULT_LIMITS } from '#smtp/server/limits.ts'
import { createServerSession } from '#smtp/server/session.ts'

export const SETTINGS: ServerSettings = {
  hostname: 'mx.example.net',
  limits: DEFAULT_LIMITS,
  startTls: true,
  requireTls: false,
  lineEnds: 'refuse',
  authMechanisms: [],
  etrn: false,
}

export const TLS: TlsFacts = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }

/** The script: what the path answers. */
export type Answers = (question: Question) => Answer

export const acceptAll: Answers = (question) => {
  if (question.kind === 'auth') return { kind: 'authenticated', as: ANNA }
  if (question.kind !== 'content') return ACCEPT
  return { kind: 'accept', custody: SpoolReceipt.afterSync(question.transaction.id) }
}

export const ANNA = { tenant: 'bakery', login: 'anna', mechanism: 'PLAIN', senders: [] } as const

export interface Received {
  readonly transaction: Transaction
  readonly text: string
  readonly chunks: number
}

export interface RehearsalOptions {
  readonly settings?: Partial<ServerSettings>
  readonly answers?: Answers
  /** Questions wait for `answerNow`. */
  readonly later?: boolean
  readonly greet?: boolean
  /** The session is under TLS before its greeting. */
  readonly tls?: TlsFacts
}

export class Rehearsal {
  readonly machine: ServerMachine
  /** Everything written. */
  said = ''
  /** Everything that is not a write, with the writes between: the same for any cutting of the same input. */
  readonly story: string[] = []
  readonly received: Received[] = []
  readonly abandoned: Transaction[] = []
  closed: string | undefined = undefined
  securing = false
  waiting: Question | undefined = undefined
  readonly #answers: Answers
  readonly #later: boolean
  #read = 0

  constructor(options: RehearsalOptions = {}) {
    const settings = { ...SETTINGS, ...options.settings }
    this.machine = createServerSession(
      settings,
      { ...newSession(), ...(options.tls && { tls: options.tls }) },
      traceIds(
        0,
        () => 0,
        () => 0,
      ),
      0,
    )
    this.#answers = options.answers ?? acceptAll
    this.#later = options.later ?? false
    if (options.greet === false) return
    this.machine.greet(ACCEPT)
    this.#pump()
    this.reply()
  }

  send(bytes: string | Buffer): this {
    this.machine.receive(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
    this.#pump()
    return this
  }

  /** Each line with its CRLF. */
  lines(...lines: string[]): this {
    return this.send(lines.map((line) => `${line}\r\n`).join(''))
  }

  /** One call of the machine, and then its effects. */
  do(call: (machine: ServerMachine) => void): this {
    call(this.machine)
    this.#pump()
    return this
  }

  answerNow(): this {
    const question = this.waiting
    if (question === undefined) throw new Error('no question waits')
    this.waiting = undefined
    return this.do((machine) => machine.answer(this.#answers(question)))
  }

  /** The next reply that was not read yet, its lines joined by `|`; undefined if there is none. */
  reply(): string | undefined {
    const match = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3} [^\r\n]*\r\n/.exec(this.said.slice(this.#read))
    if (match === null) return undefined
    this.#read += match[0].length
    return match[0].trimEnd().replaceAll('\r\n', '|')
  }

  replies(): string[] {
    const replies: string[] = []
    for (let reply = this.reply(); reply !== undefined; reply = this.reply()) replies.push(reply)
    return replies
  }

  #pump(): void {
    for (let effects = this.machine.take(); effects.length > 0; effects = this.machine.take()) {
      for (const effect of effects) this.#carryOut(effect)
    }
  }

  #carryOut(effect: Effect): void {
    if (effect.kind === 'write') this.#write(effect.bytes)
    else this.story.push(tell(effect))
    if (effect.kind === 'abandoned') this.abandoned.push(effect.transaction)
    else if (effect.kind === 'close') this.closed = effect.why
    else if (effect.kind === 'start-tls') this.securing = true
    else if (effect.kind === 'ask') this.#ask(effect.question)
  }

  #write(bytes: string): void {
    this.said += bytes
    const last = this.story.length - 1
    if (this.story[last]?.startsWith('write ')) this.story[last] += bytes
    else this.story.push(`write ${bytes}`)
  }

  #ask(question: Question): void {
    if (this.waiting !== undefined) throw new Error('two questions are open')
    if (question.kind === 'content') {
      const { chunks } = question.content
      const text = Buffer.concat(chunks).toString('latin1')
      if (text.length !== question.content.octets) throw new Error('the octets of the content do not agree')
      this.received.push({ transaction: question.transaction, text, chunks: chunks.length })
    }
    if (this.#later) this.waiting = question
    else this.machine.answer(this.#answers(question))
  }
}

function tell(effect: Exclude<Effect, { kind: 'write' }>): string {
  if (effect.kind === 'close') return `close ${effect.why}`
  if (effect.kind === 'start-tls') return 'start-tls'
  if (effect.kind === 'abandoned') return `abandoned ${JSON.stringify(effect.transaction.envelope)}`
  const { question } = effect
  if (question.kind === 'etrn') return `ask etrn ${question.argument}`
  if (question.kind === 'auth') return `ask auth ${JSON.stringify(question.step)}`
  const what = `ask ${question.kind} ${question.transaction.id} ${JSON.stringify(question.transaction.envelope)}`
  if (question.kind === 'rcpt') return `${what} ${JSON.stringify(question.recipient)}`
  if (question.kind !== 'content') return what
  return `${what} ${JSON.stringify(Buffer.concat(question.content.chunks).toString('latin1'))}`
}

function newSession(): Session {
  const id = traceIds(
    1,
    () => 0,
    () => 0,
  )()
  return {
    id,
    client: { address: '192.0.2.1', port: 40000 },
    local: { address: '192.0.2.25', port: 25 },
    listener: 'inbound',
    service: 'inbound',
    startedMs: 1_000_000,
    extended: false,
    proxied: false,
    tally: { recipientsRefused: 0, errors: 0, transactions: 0 },
  }
}

/** The same bytes in pieces; each place is taken modulo their length. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [...at, bytes.length].map((end, i) => bytes.subarray(at[i - 1] ?? 0, end))
}
