/**
 * One client session of the load driver (RFC 5321 §3), made to cost little: one buffer for all it sends, one shared
 * buffer for all it reads, no promise and no closure per message. Three paces:
 *
 * - `lock-step`: one command at a time.
 * - `pipelined`: MAIL, RCPT and DATA in one write (RFC 2920 §3.1), then the content.
 * - `behind-dot`: as `pipelined`, and the next MAIL, RCPT and DATA go out behind the dot in the same write.
 *
 * Pipelining is used only where the server offers it. A reply line longer than 4,096 octets ends the session.
 */
import { connect, type Socket } from 'node:net'
import { type Template, writeNumber } from './numbered-content.ts'

export type Pace = 'lock-step' | 'pipelined' | 'behind-dot'

export interface Message {
  readonly template: Template
  readonly recipients: readonly string[]
  /** Close the connection after so many octets of content: such a message was never completed. */
  readonly cutAfterOctets?: number
}

/**
 * What became of a message, as the driver saw it. `acknowledged`: 2yz to the dot. `unknown`: content with its dot was
 * handed to the kernel, and no reply came. `unsent`: the dot was not sent; no relay may deliver it.
 */
export type Fate = 'acknowledged' | 'deferred' | 'rejected' | 'unknown' | 'unsent'

/** What a session asks of its driver. */
export interface Work {
  readonly pace: Pace
  readonly reversePath: string
  readonly messagesPerSession: number
  /** The next message's number; 0: no more; -1: not yet. */
  begin(): number
  /** The session has nothing to do now; `next` is to be called on it later. */
  wait(session: LoadSession): void
  message(number: number): Message
  settle(number: number, fate: Fate, code: number, dotMs: number, transactionMs: number): void
  recipientRefused(number: number, index: number, code: number): void
  closed(session: LoadSession): void
}

const GREETING = 0
const EHLO = 1
const MAIL = 2
const RCPT = 3
const DATA = 4
const DOT = 5
const RSET = 6
const QUIT = 7
const WAITING = 8

const LF = 0x0a
const HYPHEN = 0x2d
const REPLY_LINE_OCTETS_MAX = 4096
/** Envelope lines behind the content; 100 recipients of 80 octets fit. */
const ENVELOPE_OCTETS_MAX = 16 * 1024

// All sessions read into it: the callback is done with the octets before the next read.
const readBuffer = Buffer.allocUnsafe(64 * 1024)

export class LoadSession {
  /** Monotonic ms since when a reply is awaited; Infinity: none. */
  awaitedSinceMs = performance.now()
  /** Lost, refused or ended by the driver, not by our QUIT. */
  failed = false
  #state = GREETING
  #socket: Socket
  readonly #work: Work
  #pipelining = false
  #partial = ''
  #sent = 0
  #number = 0
  #message: Message | undefined
  /** The message whose envelope went out behind the last dot. */
  #aheadNumber = 0
  #ahead: Message | undefined
  #refusal = 0
  #transactionOpen = false
  #recipientAt = 0
  #recipientsAccepted = 0
  #mailAtMs = 0
  #dotAtMs = 0
  #out = Buffer.alloc(0)
  #loaded: Template | undefined

  constructor(work: Work, host: string, port: number, localAddress: string | undefined) {
    this.#work = work
    const onread = {
      buffer: readBuffer,
      callback: (octets: number, buffer: Uint8Array) => this.#receive(octets, buffer),
    }
    this.#socket = connect({ host, port, noDelay: true, onread, ...(localAddress && { localAddress }) })
    this.#socket.on('error', () => (this.failed = true))
    this.#socket.on('end', () => this.#socket.destroy())
    this.#socket.on('close', () => this.#closed())
  }

  /** Starts the next message, if the driver has one; also called by the driver when a waiting session may go on. */
  next(): void {
    const number = this.#sent >= this.#work.messagesPerSession ? 0 : this.#work.begin()
    if (number === 0) {
      this.#state = QUIT
      this.#send('QUIT\r\n')
    } else if (number < 0) {
      this.#state = WAITING
      this.awaitedSinceMs = Number.POSITIVE_INFINITY
      this.#work.wait(this)
    } else {
      this.#open(number, this.#work.message(number))
      this.#send(this.#pipelining ? this.#envelope(this.#message!) : `MAIL FROM:<${this.#work.reversePath}>\r\n`)
    }
  }

  destroy(): void {
    this.failed = true
    this.#socket.destroy()
  }

  #open(number: number, message: Message): void {
    this.#sent++
    this.#number = number
    this.#message = message
    this.#refusal = 0
    this.#recipientAt = 0
    this.#recipientsAccepted = 0
    this.#transactionOpen = false
    this.#mailAtMs = performance.now()
    this.#state = MAIL
  }

  #send(text: string | Buffer): void {
    this.awaitedSinceMs = performance.now()
    this.#socket.write(text as string, 'latin1')
  }

  #envelope(message: Message): string {
    let text = `MAIL FROM:<${this.#work.reversePath}>\r\n`
    for (const recipient of message.recipients) text += `RCPT TO:<${recipient}>\r\n`
    return `${text}DATA\r\n`
  }

  #receive(octets: number, bytes: Uint8Array): boolean {
    const buffer = bytes as Buffer
    let at = 0
    while (at < octets && !this.#socket.destroyed) {
      const lf = buffer.indexOf(LF, at)
      if (lf < 0 || lf >= octets) {
        this.#partial += buffer.toString('latin1', at, octets)
        if (this.#partial.length > REPLY_LINE_OCTETS_MAX) this.destroy()
        break
      }
      if (this.#partial !== '' || this.#state === EHLO) {
        this.#textLine(this.#partial + buffer.toString('latin1', at, lf))
        this.#partial = ''
      } else if (buffer[at + 3] !== HYPHEN) {
        this.#reply((buffer[at]! - 48) * 100 + (buffer[at + 1]! - 48) * 10 + (buffer[at + 2]! - 48))
      }
      at = lf + 1
    }
    return true
  }

  #textLine(line: string): void {
    if (this.#state === EHLO && /^250[- ]PIPELINING\b/i.test(line)) {
      this.#pipelining = this.#work.pace !== 'lock-step'
    }
    if (line[3] !== '-') this.#reply(Number(line.slice(0, 3)))
  }

  #reply(code: number): void {
    switch (this.#state) {
      case GREETING:
        this.#greeted(code)
        break
      case EHLO:
        if (code === 250) this.next()
        else this.destroy()
        break
      case MAIL:
        this.#mailReply(code)
        break
      case RCPT:
        this.#rcptReply(code)
        break
      case DATA:
        this.#dataReply(code)
        break
      case DOT:
        this.#dotReply(code)
        break
      case RSET:
        this.next()
        break
      case QUIT:
        this.#socket.end()
        break
      default:
        // A reply that nobody asked for: 421 to a silent session (RFC 5321 §3.8).
        this.destroy()
    }
  }

  #greeted(code: number): void {
    if (code === 220) {
      this.#state = EHLO
      this.#send('EHLO bench.test\r\n')
    } else this.destroy()
  }

  #mailReply(code: number): void {
    this.#transactionOpen = code === 250
    if (code !== 250) this.#refusal = code
    if (this.#pipelining) this.#state = RCPT
    else if (code !== 250) this.#refused()
    else {
      this.#state = RCPT
      this.#send(`RCPT TO:<${this.#message!.recipients[0]}>\r\n`)
    }
  }

  #rcptReply(code: number): void {
    const { recipients } = this.#message!
    if (code === 250 || code === 251) this.#recipientsAccepted++
    else {
      if (this.#refusal === 0) this.#refusal = code
      this.#work.recipientRefused(this.#number, this.#recipientAt, code)
    }
    this.#recipientAt++
    if (this.#recipientAt < recipients.length) {
      if (!this.#pipelining) this.#send(`RCPT TO:<${recipients[this.#recipientAt]}>\r\n`)
      return
    }
    if (this.#pipelining || this.#recipientsAccepted > 0) {
      this.#state = DATA
      if (!this.#pipelining) this.#send('DATA\r\n')
    } else this.#refused()
  }

  #dataReply(code: number): void {
    if (code !== 354) {
      if (this.#refusal === 0 || this.#recipientsAccepted > 0) this.#refusal = code
      this.#refused()
    } else if (this.#recipientsAccepted > 0) this.#sendContent()
    else {
      // RFC 2920 §3.1: a server may say 354 though no RCPT was valid; then the client sends a dot only.
      this.#state = DOT
      this.#dotAtMs = performance.now()
      this.#send('.\r\n')
    }
  }

  /** The message is over without content. */
  #refused(): void {
    this.#settle(this.#refusal >= 500 ? 'rejected' : 'deferred', this.#refusal, 0)
    if (this.#transactionOpen) {
      this.#state = RSET
      this.#send('RSET\r\n')
    } else this.next()
  }

  #sendContent(): void {
    const { template, cutAfterOctets } = this.#message!
    this.#load(template)
    writeNumber(this.#out, template.numberAt, this.#number)
    if (cutAfterOctets !== undefined) {
      this.#cut(Math.min(cutAfterOctets, template.wire.length - 5))
      return
    }
    const octets = template.wire.length + this.#writeAhead(template.wire.length)
    this.#state = DOT
    this.#dotAtMs = performance.now()
    this.#send(this.#out.subarray(0, octets))
  }

  // The buffer may be used again at once: a reply to the dot says that the last content has left it.
  #load(template: Template): void {
    if (this.#loaded === template) return
    const needed = template.wire.length + ENVELOPE_OCTETS_MAX
    if (this.#out.length < needed) this.#out = Buffer.allocUnsafe(needed)
    template.wire.copy(this.#out)
    this.#loaded = template
  }

  #cut(octets: number): void {
    this.#socket.write(this.#out.subarray(0, octets))
    this.#socket.destroySoon()
  }

  /** Puts the next message's envelope behind the dot; the number of octets. */
  #writeAhead(at: number): number {
    if (!this.#pipelining || this.#work.pace !== 'behind-dot') return 0
    if (this.#sent >= this.#work.messagesPerSession) return 0
    const number = this.#work.begin()
    if (number <= 0) return 0
    this.#aheadNumber = number
    this.#ahead = this.#work.message(number)
    return this.#out.write(this.#envelope(this.#ahead), at, 'latin1')
  }

  #dotReply(code: number): void {
    if (this.#recipientsAccepted === 0) this.#settle(this.#refusal < 500 ? 'deferred' : 'rejected', this.#refusal, 0)
    else {
      const dotMs = performance.now() - this.#dotAtMs
      this.#settle(code < 300 ? 'acknowledged' : code < 500 ? 'deferred' : 'rejected', code, dotMs)
    }
    const number = this.#aheadNumber
    this.#aheadNumber = 0
    if (number > 0) this.#open(number, this.#ahead!)
    else this.next()
  }

  #settle(fate: Fate, code: number, dotMs: number): void {
    const number = this.#number
    this.#number = 0
    this.#work.settle(number, fate, code, dotMs, performance.now() - this.#mailAtMs)
  }

  #closed(): void {
    if (this.#state !== QUIT) this.failed = true
    if (this.#number > 0) this.#settle(this.#state === DOT ? 'unknown' : 'unsent', 0, 0)
    if (this.#aheadNumber > 0) this.#work.settle(this.#aheadNumber, 'unsent', 0, 0, 0)
    this.#aheadNumber = 0
    this.#work.closed(this)
  }
}
