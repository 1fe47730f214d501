/**
 * A customer's mail server, with the moods that such servers have. It takes mail for its users, refuses others, and on a
 * schedule it greylists, is slow, is away, hangs up at the worst moment, or is mistaken about its own users.
 */
import type { Arrival, Ledger } from './ledger.ts'
import type { SimWire } from './network.ts'
import type { Random } from './random.ts'
import { Talk } from './talk.ts'
import type { Timeline } from './timeline.ts'

export const MOODS = ['up', 'down', 'mute', 'tarpit', 'greylist', 'busy', 'flaky', 'mistaken'] as const
export type Mood = (typeof MOODS)[number]

const SECOND = 1000
const MINUTE = 60 * SECOND
/** A server that waits longer for its client than RFC 5321 §4.5.3.2.7 asks. */
const PATIENCE_MS = 10 * MINUTE
const GREYLIST_MS = 10 * MINUTE
/** A content with this in its header is refused at the dot. */
export const REFUSABLE = 'Subject: refuse this'

export interface CustomerFacts {
  readonly name: string
  readonly domain: string
  readonly address: string
  readonly port: number
  readonly users: readonly string[]
  readonly protocol: 'smtp' | 'lmtp'
  readonly recipients: 'live' | 'listed' | 'accept-all'
  readonly commit: 'cut-through' | 'spool'
  readonly lifetime: string
  readonly keywords: readonly string[]
}

export class Customer {
  readonly facts: CustomerFacts
  mood: Mood = 'up'
  /** Users that it refused by mistake. */
  readonly mistaken = new Set<string>()
  readonly firstSeenMs = new Map<string, number>()
  readonly ledger: Ledger
  readonly timeline: Timeline
  readonly random: Random

  constructor(facts: CustomerFacts, ledger: Ledger, timeline: Timeline, random: Random) {
    this.facts = facts
    this.ledger = ledger
    this.timeline = timeline
    this.random = random
  }

  knows(user: string): boolean {
    return user === 'postmaster' || this.facts.users.includes(user)
  }

  serve(wire: SimWire): void {
    void new CustomerSession(this, new Talk(wire, this.timeline)).run()
  }
}

class CustomerSession {
  readonly #customer: Customer
  readonly #talk: Talk
  #from: string | undefined
  #to: string[] = []

  constructor(customer: Customer, talk: Talk) {
    this.#customer = customer
    this.#talk = talk
  }

  async run(): Promise<void> {
    const { random } = this.#customer
    if (this.#customer.mood === 'busy' && random.chance(0.4)) {
      this.#talk.say('421 4.3.2 too busy\r\n')
      return this.#talk.wire.end()
    }
    this.#talk.say('220 mx.customer.test ESMTP\r\n')
    for (let line = await this.#next(); line !== undefined; line = await this.#next()) {
      if (this.#customer.mood === 'flaky' && random.chance(0.02)) this.#talk.wire.cut(random.pick(['reset', 'silence']))
      await this.#command(line)
    }
    this.#talk.wire.end()
  }

  async #next(): Promise<string | undefined> {
    const line = await this.#talk.line(PATIENCE_MS)
    if (this.#customer.mood === 'tarpit') await this.#talk.pass(this.#customer.random.between(1, 40) * SECOND)
    return this.#talk.over ? undefined : line
  }

  async #command(line: string): Promise<void> {
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'EHLO' || verb === 'LHLO') this.#talk.say(this.#hello())
    else if (verb === 'MAIL') this.#talk.say(this.#mail(line))
    else if (verb === 'RCPT') this.#talk.say(this.#rcpt(line))
    else if (verb === 'DATA') await this.#data()
    else if (verb === 'BDAT') await this.#bdat(line)
    else if (verb === 'QUIT') {
      this.#talk.say('221 2.0.0 bye\r\n')
      this.#talk.wire.end()
    } else this.#talk.say(verb === 'RSET' ? this.#reset() : '500 5.5.1 what?\r\n')
  }

  #hello(): string {
    this.#reset()
    return ['250-mx.customer.test', ...this.#customer.facts.keywords.map((word) => `250-${word}`), '250 HELP', ''].join(
      '\r\n',
    )
  }

  #reset(): string {
    this.#from = undefined
    this.#to = []
    return '250 2.0.0 ok\r\n'
  }

  #mail(line: string): string {
    const { mood, random } = this.#customer
    if (mood === 'busy' && random.chance(0.4)) return '451 4.3.2 not now\r\n'
    this.#from = /<(.*?)>/.exec(line)?.[1] ?? ''
    this.#to = []
    return '250 2.1.0 ok\r\n'
  }

  #rcpt(line: string): string {
    const { facts, mood, random, mistaken } = this.#customer
    const user = /<([^@>]*)/.exec(line)?.[1]?.toLowerCase() ?? ''
    if (this.#from === undefined) return '503 5.5.1 MAIL first\r\n'
    if (mood === 'mistaken' && user !== 'postmaster' && random.chance(0.5)) {
      mistaken.add(user)
      return '550 5.1.1 no such user, I believe\r\n'
    }
    if (!this.#customer.knows(user) && facts.recipients !== 'accept-all') return '550 5.1.1 no such user\r\n'
    if (mood === 'greylist' && this.#isNew(`${this.#from} ${user}`)) return '450 4.2.0 greylisted\r\n'
    this.#to.push(user)
    return '250 2.1.5 ok\r\n'
  }

  #isNew(key: string): boolean {
    const { firstSeenMs, timeline } = this.#customer
    const first = firstSeenMs.get(key) ?? timeline.nowMs
    firstSeenMs.set(key, first)
    return timeline.nowMs - first < GREYLIST_MS
  }

  async #data(): Promise<void> {
    if (this.#to.length === 0) return this.#talk.say('554 5.5.1 no valid recipients\r\n')
    this.#talk.say('354 go on\r\n')
    const content = await this.#talk.content(PATIENCE_MS)
    if (content === undefined) return this.#talk.wire.destroy()
    await this.#take(content)
  }

  async #bdat(line: string): Promise<void> {
    const content = await this.#talk.octets(Number(line.split(' ')[1]), PATIENCE_MS)
    if (content === undefined) return this.#talk.wire.destroy()
    if (this.#to.length === 0) return this.#talk.say('503 5.5.1 no valid recipients\r\n')
    await this.#take(content)
  }

  // The server has the content; now its answer, if it gives one.
  async #take(content: string): Promise<void> {
    const { mood, random, timeline } = this.#customer
    const givenMs = timeline.nowMs
    if (mood === 'tarpit') await this.#talk.pass(random.chance(0.2) ? 12 * MINUTE : random.between(0, 90) * SECOND)
    const refusal = this.#refusal(content)
    if (refusal !== undefined) this.#answerAll(() => this.#talk.say(refusal))
    else if (mood === 'flaky' && random.chance(0.2)) this.#talk.wire.cut(random.pick(['reset', 'silence']))
    else this.#accept(content, givenMs, mood === 'flaky' && random.chance(0.3))
    this.#reset()
  }

  #refusal(content: string): string | undefined {
    const { mood, random } = this.#customer
    if (content.includes(REFUSABLE)) return '554 5.7.1 we do not like this content\r\n'
    if (mood === 'busy' && random.chance(0.4)) return '452 4.3.1 no room now\r\n'
    if (this.#to.some((user) => !this.#customer.knows(user))) return '550 5.1.1 no such user after all\r\n'
    return undefined
  }

  // RFC 2033 §4.2: in LMTP each recipient has its reply.
  #answerAll(say: () => void): void {
    const answers = this.#customer.facts.protocol === 'lmtp' ? this.#to.length : 1
    for (let i = 0; i < answers; i++) say()
  }

  #accept(content: string, givenMs: number, hangsUp: boolean): void {
    const { ledger, random } = this.#customer
    const arrivals = this.#to.map((user) => ledger.arrived(this.#from!, user, content, givenMs))
    if (hangsUp) this.#talk.wire.cut(random.pick(['reset', 'silence']))
    else if (this.#customer.facts.protocol === 'lmtp') for (const arrival of arrivals) this.#promise([arrival])
    else this.#promise(arrivals)
  }

  #promise(arrivals: readonly Arrival[]): void {
    this.#talk.say('250 2.0.0 taken\r\n', () => {
      for (const arrival of arrivals) arrival.takenMs = this.#customer.timeline.nowMs
    })
  }
}
