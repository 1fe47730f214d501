/**
 * The other side of the client fuzzer: a server that reads by the book and answers by chance. It knows what it was sent
 * and what it took, so that the client's account can be held against it. It throws when what it reads is not clean:
 * bare CR or LF, unknown commands, commands behind a broken content.
 */
export type Chance = (n: number) => number

/** One transaction as the server saw it. */
export interface Seen {
  /** Recipients that were accepted, in order. */
  readonly accepted: string[]
  /** Every code that was said. */
  readonly codes: Set<number>
  /** Absent until the content has ended. */
  content?: string
  /** Recipients for whom a 2yz was said to the content. */
  readonly taken: Set<string>
}

export interface ServerTraits {
  readonly lmtp: boolean
  readonly keywords: readonly string[]
  /** One reply in so many is not the good one; 0: all are good. */
  readonly badOneIn: number
}

const COMMAND =
  /^(?:(?:EHLO|LHLO|HELO) \S+|MAIL FROM:<[^<>]*>( [^ ]+)*|RCPT TO:<[^<>]+>( [^ ]+)*|DATA|BDAT \d+ LAST|RSET|QUIT)$/
const GARBAGE = [
  'nonsense\r\n',
  '250-a\r\n550 b\r\n',
  '250 a\n',
  '199 a\r\n',
  '220 a\r\n',
  '221 a\r\n',
  `250 ${'x'.repeat(3000)}`,
  '\0\xff\r\n',
]

export class ChanceServer {
  /** What is to be sent to the client, in order. */
  outbox = ''
  seen: Seen = nothing()
  /** It said 421, or something that a client cannot go on after. */
  closed = false
  readonly #traits: ServerTraits
  readonly #chance: Chance
  #inbox = ''
  #mode: 'commands' | 'data' | number = 'commands'
  #inTransaction = false

  constructor(traits: ServerTraits, chance: Chance) {
    this.#traits = traits
    this.#chance = chance
    this.#say(220, 'ready')
  }

  hear(octets: string): void {
    this.#inbox += octets
    while (!this.closed && this.#step()) {}
  }

  #step(): boolean {
    if (this.#mode === 'data') return this.#readData()
    if (typeof this.#mode === 'number') return this.#readBdat(this.#mode)
    const end = this.#inbox.indexOf('\n')
    if (end < 0) return false
    const line = this.#inbox.slice(0, end + 1)
    this.#inbox = this.#inbox.slice(end + 1)
    if (!line.endsWith('\r\n') || line.indexOf('\r') < line.length - 2)
      throw new Error(`a bare CR or LF: ${show(line)}`)
    const command = line.slice(0, -2)
    if (!COMMAND.test(command)) throw new Error(`not a command: ${show(command)}`)
    this.#execute(command)
    return true
  }

  #execute(command: string): void {
    const verb = command.slice(0, 4)
    if (verb === 'EHLO' || verb === 'LHLO') this.#hello()
    else if (verb === 'MAIL') this.#mail()
    else if (verb === 'RCPT') this.#rcpt(command.slice(9, command.indexOf('>')))
    else if (verb === 'DATA') this.#data()
    else if (verb === 'BDAT') this.#mode = Number(command.split(' ')[1])
    else if (verb === 'QUIT') this.#say(221, 'bye')
    else {
      this.#inTransaction = false
      this.#say(250, 'ok')
    }
  }

  #hello(): void {
    if (this.#isBad()) {
      this.#sayBad()
      return
    }
    const lines = ['mx.example', ...this.#traits.keywords]
    this.outbox += lines.map((line, i) => `250${i < lines.length - 1 ? '-' : ' '}${line}\r\n`).join('')
  }

  #mail(): void {
    this.seen = nothing()
    this.#inTransaction = this.#answer(250)
  }

  #rcpt(path: string): void {
    if (!this.#inTransaction) this.#say(503, 'MAIL first')
    else if (this.#answer(250)) this.seen.accepted.push(path)
  }

  #data(): void {
    const nobody = this.seen.accepted.length === 0
    // Some servers ask for content that nobody will get.
    if (!this.#inTransaction || (nobody && (this.#traits.lmtp || this.#chance(2) === 0))) this.#say(503, 'RCPT first')
    else if (this.#answer(354)) this.#mode = 'data'
  }

  #readData(): boolean {
    const whole = `\r\n${this.#inbox}`
    const end = whole.indexOf('\r\n.\r\n')
    if (end < 0) return false
    const stuffed = whole.slice(2, end + 2)
    this.#inbox = whole.slice(end + 5)
    this.#end(stuffed.replace(/(^|\r\n)\./g, '$1'))
    return true
  }

  #readBdat(octets: number): boolean {
    if (this.#inbox.length < octets) return false
    const text = this.#inbox.slice(0, octets)
    this.#inbox = this.#inbox.slice(octets)
    if (this.#inTransaction && this.seen.accepted.length > 0) this.#end(text)
    else {
      this.#mode = 'commands'
      this.#say(503, 'RCPT first')
    }
    return true
  }

  #end(content: string): void {
    this.#mode = 'commands'
    this.#inTransaction = false
    if (/\r(?!\n)|(?<!\r)\n/.test(content)) throw new Error(`a bare CR or LF in content: ${show(content)}`)
    this.seen.content = content
    const groups = this.#traits.lmtp ? this.seen.accepted.map((path) => [path]) : [this.seen.accepted]
    for (const group of groups) {
      if (this.closed) return
      if (this.#answer(250)) for (const path of group) this.seen.taken.add(path)
    }
  }

  #isBad(): boolean {
    return this.#traits.badOneIn > 0 && this.#chance(this.#traits.badOneIn) === 0
  }

  /** True: it was the good answer. */
  #answer(good: number): boolean {
    const bad = this.#isBad()
    if (bad) this.#sayBad()
    else this.#say(good, 'ok')
    return !bad
  }

  #sayBad(): void {
    const kind = this.#chance(12)
    if (kind === 0) {
      this.outbox += GARBAGE[this.#chance(GARBAGE.length)]
      this.closed = true
    } else if (kind === 1) {
      this.#say(421, 'closing')
      this.closed = true
    } else this.#say([450, 451, 452, 550, 552, 554][this.#chance(6)]!, 'no')
  }

  #say(code: number, text: string): void {
    this.seen.codes.add(code)
    for (let more = this.#chance(4) === 0 ? this.#chance(3) : 0; more > 0; more--) this.outbox += `${code}-${text}\r\n`
    this.outbox += `${code} ${text}\r\n`
  }
}

const nothing = (): Seen => ({ accepted: [], codes: new Set(), taken: new Set() })
export const show = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
