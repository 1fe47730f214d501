/**
 * One connection to a sink. It reads as a plain, strict server does: only CRLF ends a command, only CRLF.CRLF ends data.
 * It keeps what arrived octet for octet, so that a test can see bare line ends and stuffing.
 */
import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import type { KeyAndCertificate } from '#sys/self-signed.ts'
import { type Act, actAt, type Behaviour, type Stage, type Step } from './sink-behaviour.ts'

export interface SinkRecipient {
  readonly mailbox: string
  /** What stood behind the path in RCPT. */
  readonly parameters: string
}

export interface SinkMessage {
  readonly session: number
  readonly reversePath: string
  /** What stood behind the path in MAIL. */
  readonly parameters: string
  readonly recipients: readonly SinkRecipient[]
  /** Unstuffed, without the final dot. */
  readonly content: Buffer
  /** As it came: stuffed, with the final dot; by BDAT the chunks alone. */
  readonly wire: Buffer
  readonly by: 'data' | 'bdat'
  readonly tls: boolean
  /** The replies to the dot, LMTP has one per recipient; empty if there was none. */
  readonly replies: readonly string[]
  /** At least one of them was positive. */
  readonly accepted: boolean
}

export interface SessionSettings {
  readonly number: number
  readonly protocol: 'smtp' | 'lmtp'
  readonly extensions: readonly string[]
  readonly tls?: KeyAndCertificate
  behaviour(): Behaviour
  command(line: string): void
  message(message: SinkMessage): void
}

type Mode =
  | { readonly kind: 'command' }
  | { readonly kind: 'data' }
  | { readonly kind: 'chunk'; readonly octets: number; readonly last: boolean }

const SIMPLE: { readonly [verb: string]: readonly [Stage, Act] } = {
  HELO: ['helo', '250 sink.test'],
  RSET: ['rset', '250 2.0.0 Ok'],
  NOOP: ['noop', '250 2.0.0 Ok'],
  QUIT: ['quit', { reply: '221 2.0.0 Bye', afterwards: 'close' }],
}
const CRLF = Buffer.from('\r\n')
const END_OF_DATA = Buffer.from('\r\n.\r\n')

export class SinkSession {
  #socket: Socket
  readonly #tcp: Socket
  #input: Buffer = Buffer.alloc(0)
  #mode: Mode = { kind: 'command' }
  #busy = false
  #tls = false
  #reversePath: string | undefined
  #parameters = ''
  #recipients: SinkRecipient[] = []
  #chunks: Buffer[] = []
  readonly #settings: SessionSettings

  constructor(socket: Socket, settings: SessionSettings) {
    this.#socket = socket
    this.#tcp = socket
    this.#settings = settings
    this.#listen(socket)
  }

  /** Begins with the greeting. */
  run(): void {
    void this.#run(() => this.#act('connect', '', '220 sink.test'))
  }

  #listen(socket: Socket): void {
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('data', (octets: Buffer) => {
      this.#input = Buffer.concat([this.#input, octets])
      void this.#run()
    })
  }

  // One step after the other, also when one of them waits.
  async #run(first?: () => Promise<unknown>): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    await first?.()
    while (!this.#socket.destroyed && (await this.#step())) {}
    this.#busy = false
  }

  /** Takes one unit of input; false if there is none yet. */
  async #step(): Promise<boolean> {
    const mode = this.#mode
    if (mode.kind === 'data') return this.#takeData()
    if (mode.kind === 'chunk') return this.#takeChunk(mode.octets, mode.last)
    const end = this.#input.indexOf(CRLF)
    if (end < 0) return false
    await this.#command(this.#take(end + 2).toString('latin1', 0, end))
    return true
  }

  #take(octets: number): Buffer {
    const taken = this.#input.subarray(0, octets)
    this.#input = this.#input.subarray(octets)
    return taken
  }

  async #command(line: string): Promise<void> {
    this.#settings.command(line)
    const verb = line.split(' ', 1)[0]?.toUpperCase() ?? ''
    switch (verb) {
      case 'EHLO':
      case 'LHLO':
        return this.#hello(line, verb)
      case 'MAIL':
        return this.#mail(line)
      case 'RCPT':
        return this.#rcpt(line)
      case 'DATA':
        return this.#data(line)
      case 'BDAT':
        return this.#bdat(line)
      case 'STARTTLS':
        return this.#startTls(line)
    }
    if (verb === 'HELO' || verb === 'RSET') this.#reset()
    const [stage, usual] = SIMPLE[verb] ?? (['other', '500 5.5.2 unknown command'] as const)
    await this.#act(stage, line, usual)
  }

  #reset(): void {
    this.#reversePath = undefined
    this.#parameters = ''
    this.#recipients = []
    this.#chunks = []
  }

  async #hello(line: string, verb: 'EHLO' | 'LHLO'): Promise<void> {
    if ((verb === 'LHLO') !== (this.#settings.protocol === 'lmtp')) return this.#say('500 5.5.1 the other protocol')
    this.#reset()
    const offered = this.#settings.tls && !this.#tls ? ['STARTTLS'] : []
    const lines = ['sink.test', ...this.#settings.extensions, ...offered]
    const reply = lines.map((text, i) => `250${i < lines.length - 1 ? '-' : ' '}${text}`).join('\r\n')
    await this.#act('ehlo', line, reply)
  }

  async #mail(line: string): Promise<void> {
    const { path, parameters } = pathOf(line)
    if (this.#reversePath !== undefined) return this.#say('503 5.5.1 nested MAIL')
    this.#reversePath = path
    this.#parameters = parameters
    const reply = await this.#act('mail', line, '250 2.1.0 Ok')
    if (!isPositive(reply)) this.#reset()
  }

  async #rcpt(line: string): Promise<void> {
    if (this.#reversePath === undefined) return this.#say('503 5.5.1 need MAIL')
    const { path, parameters } = pathOf(line)
    const reply = await this.#act('rcpt', line, '250 2.1.5 Ok', path)
    if (isPositive(reply)) this.#recipients.push({ mailbox: path, parameters })
  }

  async #data(line: string): Promise<void> {
    if (this.#recipients.length === 0) return this.#say('503 5.5.1 need RCPT')
    const reply = await this.#act('data', line, '354 go ahead')
    if (reply?.startsWith('3')) this.#mode = { kind: 'data' }
  }

  #bdat(line: string): void {
    const [, size, last] = line.split(' ')
    this.#mode = { kind: 'chunk', octets: Number(size), last: last?.toUpperCase() === 'LAST' }
  }

  async #takeData(): Promise<boolean> {
    // The CRLF of the line before the dot may be that of DATA itself: then the content is empty.
    const empty = this.#input.subarray(0, 3).toString('latin1') === '.\r\n'
    const end = empty ? -2 : this.#input.indexOf(END_OF_DATA)
    if (end < 0 && !empty) return false
    const wire = this.#take(end + END_OF_DATA.length)
    this.#mode = { kind: 'command' }
    await this.#content('data', wire, unstuffed(wire.subarray(0, Math.max(end + 2, 0))))
    return true
  }

  async #takeChunk(octets: number, last: boolean): Promise<boolean> {
    if (this.#input.length < octets) return false
    const chunk = this.#take(octets)
    this.#mode = { kind: 'command' }
    if (this.#recipients.length === 0) {
      // RFC 3030 §4.1: the octets are swallowed all the same.
      this.#say('503 5.5.1 need RCPT')
      return true
    }
    this.#chunks.push(chunk)
    if (last) {
      const wire = Buffer.concat(this.#chunks)
      await this.#content('bdat', wire, wire)
    } else await this.#act('bdat', '', '250 2.0.0 Ok')
    return true
  }

  async #content(by: 'data' | 'bdat', wire: Buffer, content: Buffer): Promise<void> {
    const { number: session, protocol } = this.#settings
    const replies: string[] = []
    const facts = { session, reversePath: this.#reversePath ?? '', parameters: this.#parameters, by, tls: this.#tls }
    const recipients = this.#recipients
    const each: (string | undefined)[] = protocol === 'lmtp' ? recipients.map((r) => r.mailbox) : [undefined]
    // Told before it is answered: whoever has read the reply must find the message here.
    const message = { ...facts, recipients, content, wire, replies, accepted: false }
    this.#settings.message(message)
    for (const recipient of each) {
      const reply = await this.#act('dot', '', '250 2.0.0 Ok', recipient, (said) => {
        replies.push(said)
        message.accepted ||= isPositive(said)
      })
      if (reply === undefined) break
    }
    this.#reset()
  }

  async #startTls(line: string): Promise<void> {
    const { tls } = this.#settings
    if (!tls || this.#tls) return this.#say('502 5.5.1 not offered')
    const reply = await this.#act('starttls', line, '220 2.0.0 go ahead')
    if (!isPositive(reply)) return
    this.#reset()
    const plain = this.#socket
    plain.removeAllListeners('data')
    plain.removeAllListeners('end')
    const secureContext = createSecureContext({ key: tls.keyPem, cert: tls.certificatePem })
    const secured = new TLSSocket(plain, { isServer: true, secureContext })
    this.#socket = secured
    this.#tls = true
    this.#input = Buffer.alloc(0)
    this.#listen(secured)
  }

  /** Does what the test wants at this stage, or else the default; the answer is the reply that was given. */
  async #act(
    stage: Stage,
    line: string,
    usual: Act,
    recipient?: string,
    before?: (reply: string) => void,
  ): Promise<string | undefined> {
    const step: Step = {
      line,
      session: this.#settings.number,
      reversePath: this.#reversePath ?? '',
      ...(recipient === undefined ? {} : { recipient }),
    }
    const act = actAt(this.#settings.behaviour(), stage, step) ?? usual
    const { reply, raw, afterMs, afterwards } = typeof act === 'string' ? { reply: act } : act
    if (afterMs) await new Promise((resolve) => setTimeout(resolve, afterMs).unref())
    if (reply !== undefined) before?.(reply)
    if (raw !== undefined) this.#socket.write(raw, 'latin1')
    if (reply !== undefined) this.#say(reply)
    if (afterwards === 'close') this.#socket.end()
    if (afterwards === 'reset') this.#tcp.resetAndDestroy()
    return reply
  }

  #say(reply: string): void {
    this.#socket.write(`${reply}\r\n`, 'latin1')
  }
}
const isPositive = (reply: string | undefined): boolean => reply?.startsWith('2') === true

/** `<path>` and what stands behind it; tolerant, since the sink judges nobody. */
function pathOf(line: string): { path: string; parameters: string } {
  const open = line.indexOf('<')
  const close = line.lastIndexOf('>')
  return { path: line.slice(open + 1, close), parameters: line.slice(close + 1).trim() }
}

function unstuffed(data: Buffer): Buffer {
  // Latin-1 keeps octets as they are.
  return Buffer.from(data.toString('latin1').replace(/(^|\r\n)\./g, '$1'), 'latin1')
}
