/**
 * A sending mail server: honest, with a queue and a back-off, and with the weaknesses that such servers have. It tries
 * again after 4yz and silence, believes 2yz and 5yz, and gives up after some days.
 */
import type { Customer } from './customer.ts'
import type { Ledger, Letter, Try } from './ledger.ts'
import type { SimWire } from './network.ts'
import type { Random } from './random.ts'
import { Talk } from './talk.ts'
import type { Timeline } from './timeline.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
/** RFC 5321 §4.5.3.2. */
const REPLY_MS_MAX = 5 * MINUTE
const DOT_MS_MAX = 10 * MINUTE
const RETRY_FIRST_MS = 5 * MINUTE
const RETRY_MAX_MS = 90 * MINUTE

export interface Habits {
  readonly pipelining: boolean
  readonly chunking: boolean
  /** Of a try: that the connection breaks at some point. */
  readonly vanishes: number
  readonly slow: boolean
  readonly givesUpMs: number
}

export interface SenderParts {
  readonly timeline: Timeline
  readonly random: Random
  readonly ledger: Ledger
  readonly customers: ReadonlyMap<string, Customer>
  readonly log: (text: string) => void
  /** Connections of those who vanish do break. */
  readonly isStormy: () => boolean
  /** A connection to the relay; undefined: refused. */
  readonly dial: () => SimWire | undefined
}

export type Fate = 'waiting' | 'accepted' | 'refused' | 'given up'

/** One message in the outbox, and what became of it for each recipient. */
export class Sending {
  readonly letter: Letter
  readonly fates: Map<string, Fate>
  readonly #parts: SenderParts
  readonly #habits: Habits
  readonly #bornMs: number
  #tries = 0

  constructor(letter: Letter, habits: Habits, parts: SenderParts) {
    this.letter = letter
    this.fates = new Map(letter.recipients.map((recipient) => [recipient, 'waiting']))
    this.#habits = habits
    this.#parts = parts
    this.#bornMs = parts.timeline.nowMs
  }

  get waiting(): string[] {
    return [...this.fates].filter(([, fate]) => fate === 'waiting').map(([recipient]) => recipient)
  }

  begin(): void {
    void this.#try()
  }

  async #try(): Promise<void> {
    const { timeline, random, ledger } = this.#parts
    const made = ledger.began(this.letter, ++this.#tries)
    const wire = this.#parts.dial()
    if (wire !== undefined)
      await new SenderSession(this, made, new Talk(wire, timeline), this.#habits, this.#parts).run()
    if (this.waiting.length === 0) return
    if (timeline.nowMs - this.#bornMs > this.#habits.givesUpMs) {
      for (const recipient of this.waiting) this.fates.set(recipient, 'given up')
      return
    }
    const delayMs = Math.min(RETRY_FIRST_MS * 2 ** (this.#tries - 1), RETRY_MAX_MS) * random.between(0.8, 1.2)
    timeline.after(delayMs, () => void this.#try())
  }
}

class SenderSession {
  readonly #sending: Sending
  readonly #try: Try
  readonly #talk: Talk
  readonly #habits: Habits
  readonly #parts: SenderParts
  /** Where this connection breaks, if it does. */
  readonly #breaks: 'mail' | 'content' | 'dot' | undefined

  constructor(sending: Sending, made: Try, talk: Talk, habits: Habits, parts: SenderParts) {
    this.#sending = sending
    this.#try = made
    this.#talk = talk
    this.#habits = habits
    this.#parts = parts
    const { random } = parts
    this.#breaks =
      random.chance(habits.vanishes) && parts.isStormy() ? random.pick(['mail', 'content', 'dot'] as const) : undefined
  }

  async run(): Promise<void> {
    if (await this.#opened()) {
      if (await this.#envelope()) await this.#content()
      await this.#quit()
    }
    this.#talk.wire.destroy()
  }

  async #opened(): Promise<boolean> {
    if ((await this.#talk.reply(REPLY_MS_MAX))?.code !== 220) return false
    return (await this.#ask('EHLO sender.test'))?.code === 250
  }

  #ask(line: string) {
    this.#talk.say(`${line}\r\n`)
    return this.#talk.reply(REPLY_MS_MAX)
  }

  /** True: content may follow. */
  async #envelope(): Promise<boolean> {
    const { letter, waiting } = this.#sending
    const rcpts = waiting.map((user) => `RCPT TO:<${user}@${letter.domain}>`)
    const lines = [`MAIL FROM:<${letter.from}>`, ...rcpts, ...(this.#habits.chunking ? [] : ['DATA'])]
    if (this.#breaks === 'mail') {
      this.#talk.say(`${lines[0]}\r\n`)
      this.#vanish()
      return false
    }
    if (this.#habits.pipelining) this.#talk.say(`${lines.join('\r\n')}\r\n`)
    let goesOn = this.#habits.chunking
    for (const [i, line] of lines.entries()) {
      if (!this.#habits.pipelining && line === 'DATA' && this.#try.accepted.length === 0) return false
      const reply = this.#habits.pipelining ? await this.#talk.reply(REPLY_MS_MAX) : await this.#ask(line)
      if (reply === undefined || reply.code === 421) return false
      if (i > 0 && i <= rcpts.length) this.#onRcpt(waiting[i - 1]!, reply.code, reply.text)
      if (line === 'DATA') goesOn = reply.code === 354
    }
    return goesOn && this.#try.accepted.length > 0
  }

  #onRcpt(user: string, code: number, text: string): void {
    if (code < 300) this.#try.accepted.push(user)
    else if (code >= 500) this.#refused(user, `RCPT ${code} ${text}`)
  }

  #refused(user: string, why: string): void {
    const customer = this.#parts.customers.get(this.#sending.letter.domain)!
    this.#sending.fates.set(user, 'refused')
    const wrong = customer.knows(user) && !customer.mistaken.has(user) && !this.#sending.letter.refusable
    if (wrong) this.#parts.ledger.violation(`${this.#try.id}: a known recipient was refused, ${user}: ${why}`)
  }

  async #content(): Promise<void> {
    const { random } = this.#parts
    const { content } = this.#try
    const sent = this.#habits.chunking ? content : `${content.replace(/^\./gm, '..')}.\r\n`
    if (this.#habits.chunking) this.#talk.say(`BDAT ${content.length} LAST\r\n`)
    if (this.#breaks === 'content') {
      this.#talk.say(sent.slice(0, random.whole(0, sent.length - 6)))
      return this.#vanish()
    }
    const pieces = this.#habits.slow ? 4 : 1
    for (let i = 0; i < pieces; i++) {
      if (i > 0) await this.#talk.pass(random.between(5, 100) * SECOND)
      if (i === pieces - 1) this.#try.dotSent = true
      this.#talk.say(sent.slice(Math.floor((sent.length * i) / pieces), Math.floor((sent.length * (i + 1)) / pieces)))
    }
    if (this.#breaks === 'dot') return this.#vanish()
    await this.#afterDot()
  }

  async #afterDot(): Promise<void> {
    const { log, random } = this.#parts
    const reply = await this.#talk.reply(random.chance(0.1) ? 30 * SECOND : DOT_MS_MAX)
    log(`heard ${this.#try.id}: ${reply ? `${reply.code} ${reply.text}` : 'nothing'}`)
    if (reply === undefined) return
    this.#try.heard = reply.code
    for (const user of this.#try.accepted) {
      if (reply.code < 300) this.#sending.fates.set(user, 'accepted')
      else if (reply.code >= 500) this.#refusedAtDot(user, `${reply.code} ${reply.text}`)
    }
  }

  // One recipient that the customer was mistaken about costs all of the transaction their 5yz.
  #refusedAtDot(user: string, why: string): void {
    const customer = this.#parts.customers.get(this.#sending.letter.domain)!
    const excused = this.#try.accepted.some((other) => customer.mistaken.has(other) || !customer.knows(other))
    if (excused) this.#sending.fates.set(user, 'refused')
    else this.#refused(user, `dot ${why}`)
  }

  #vanish(): void {
    this.#talk.wire.cut(this.#parts.random.pick(['reset', 'silence']))
  }

  async #quit(): Promise<void> {
    if (this.#talk.over || this.#breaks !== undefined) return
    await this.#ask('QUIT')
  }
}
