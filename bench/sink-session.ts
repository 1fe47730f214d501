/**
 * One session of the sink, without I/O: octets in, replies out (`takeReplies`). It reads only as much of a command as it
 * needs, since it must outrun the relay that talks to it; it is no model of strictness. What it does care about: content
 * ends with CRLF.CRLF only (RFC 5321 §4.1.1.4), wherever the octets are split, and BDAT counts octets (RFC 3030 §2).
 *
 * Limits: a command line 8 KiB, content 64 MiB; beyond either the session ends.
 */
import { isIntact, readNumber } from './numbered-content.ts'

export type ContentReply = 'accept' | 'reject' | 'defer'

export interface SinkManners {
  /** EHLO keywords, such as `PIPELINING`. */
  readonly extensions: readonly string[]
  readonly content: ContentReply
  /** Recipients whose local part begins with `reject-` or `defer-` get that reply, `once-` a 451 the first time. */
  readonly byLocalPart: boolean
  /** Check that the content is what the driver wrote. */
  readonly verify: boolean
}

/** A message that reached the sink, and what the sink answered. */
export interface Arrival {
  /** 0: no number in it. */
  readonly number: number
  readonly reply: ContentReply
  /** As RCPT gave them; only where `byLocalPart` is on. */
  readonly recipients: readonly string[]
  /** True where nothing was checked. */
  readonly intact: boolean
}

export interface SinkEvents {
  arrived(arrival: Arrival): void
  /** For `once-`: has this number been deferred before? */
  seen(number: number): boolean
}

const LF = 0x0a
const END = Buffer.from('\r\n.\r\n')
const COMMAND_OCTETS_MAX = 8192
const CONTENT_OCTETS_MAX = 64 * 1024 * 1024
const NO_RECIPIENTS: readonly string[] = []
const REPLY_TEXT: Record<ContentReply, string> = {
  accept: '250 2.0.0 Ok\r\n',
  reject: '550 5.7.1 Content refused\r\n',
  defer: '451 4.3.0 Not now\r\n',
}
// The first letter of a verb, in either case.
const verb = (text: string): number => text.charCodeAt(0)
const [D, E, L, M, N, Q, R, B] = [...'DELMNQRB'].map(verb) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]
const upper = (octet: number | undefined): number => (octet ?? 0) & 0xdf

export class SinkSession {
  closing = false
  /** Replies to a dot are among those that wait in `takeReplies`. */
  answeredContent = false
  readonly #manners: SinkManners
  readonly #events: SinkEvents
  #replies = ''
  #state: 'command' | 'content' | 'block' = 'command'
  #carry: Buffer | undefined
  #pieces: Buffer[] = []
  #octets = 0
  /** Octets of `END` that the pieces end with. */
  #matched = 0
  #blockLeft = 0
  #blockLast = false
  #inBlocks = false
  #recipients: string[] = []

  constructor(manners: SinkManners, events: SinkEvents) {
    this.#manners = manners
    this.#events = events
    this.#replies = '220 sink.test ESMTP\r\n'
  }

  receive(chunk: Buffer): void {
    const octets = this.#carry === undefined ? chunk : Buffer.concat([this.#carry, chunk])
    this.#carry = undefined
    let at = 0
    while (at < octets.length && !this.closing) {
      if (this.#state === 'command') at = this.#command(octets, at)
      else at = this.#state === 'content' ? this.#content(octets, at) : this.#block(octets, at)
    }
  }

  takeReplies(): string {
    const replies = this.#replies
    this.#replies = ''
    this.answeredContent = false
    return replies
  }

  #command(octets: Buffer, at: number): number {
    const lf = octets.indexOf(LF, at)
    if (lf < 0) {
      this.#carry = octets.subarray(at)
      if (this.#carry.length > COMMAND_OCTETS_MAX) this.#close('500 5.5.2 Line too long\r\n')
      return octets.length
    }
    const second = upper(octets[at + 1])
    switch (upper(octets[at])) {
      case M:
        this.#reset()
        this.#replies += '250 2.1.0 Ok\r\n'
        break
      case R:
        this.#rcptOrRset(octets, at, lf, second)
        break
      case D:
        this.#state = 'content'
        this.#matched = 2
        this.#replies += '354 Go on\r\n'
        break
      case B:
        this.#startBlock(octets.toString('latin1', at, lf))
        break
      case E:
      case L:
        this.#replies += ['sink.test', ...this.#manners.extensions].map(ehloLine).join('')
        break
      case 'H'.charCodeAt(0):
      case N:
        this.#replies += '250 2.0.0 Ok\r\n'
        break
      case Q:
        this.#close('221 2.0.0 Bye\r\n')
        break
      default:
        this.#replies += '502 5.5.1 Unknown\r\n'
    }
    return lf + 1
  }

  #rcptOrRset(octets: Buffer, at: number, lf: number, second: number): void {
    if (second !== 'C'.charCodeAt(0)) this.#reset()
    else if (this.#manners.byLocalPart) {
      const open = octets.indexOf('<', at)
      const close = octets.indexOf('>', at)
      this.#recipients.push(open < 0 || close > lf ? '' : octets.toString('latin1', open + 1, close))
    }
    this.#replies += '250 2.1.5 Ok\r\n'
  }

  #reset(): void {
    this.#pieces = []
    this.#octets = 0
    this.#inBlocks = false
    if (this.#recipients.length > 0) this.#recipients = []
  }

  #content(octets: Buffer, at: number): number {
    const pending = this.#matched
    if (pending > 0) {
      const length = Math.min(END.length - pending, octets.length - at)
      if (octets.compare(END, pending, pending + length, at, at + length) === 0) {
        this.#matched += length
        this.#keep(octets.subarray(at, at + length))
        if (this.#matched === END.length) this.#contentEnds()
        return at + length
      }
    }
    const end = octets.indexOf(END, at)
    if (end >= 0) {
      this.#keep(octets.subarray(at, end + END.length))
      this.#contentEnds()
      return end + END.length
    }
    this.#matched = endMatch(octets, at)
    this.#keep(octets.subarray(at))
    return octets.length
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#octets += piece.length
    if (this.#octets > CONTENT_OCTETS_MAX) this.#close('552 5.3.4 Too much\r\n')
  }

  #startBlock(line: string): void {
    const [, size, last] = line.trimEnd().split(' ')
    this.#blockLeft = Number(size)
    this.#blockLast = last?.toUpperCase() === 'LAST'
    this.#inBlocks = true
    this.#state = 'block'
    if (!(this.#blockLeft >= 0 && this.#blockLeft <= CONTENT_OCTETS_MAX)) this.#close('501 5.5.4 Size\r\n')
    else if (this.#blockLeft === 0) this.#blockEnds()
  }

  #block(octets: Buffer, at: number): number {
    const end = Math.min(at + this.#blockLeft, octets.length)
    this.#keep(octets.subarray(at, end))
    this.#blockLeft -= end - at
    if (this.#blockLeft === 0) this.#blockEnds()
    return end
  }

  #blockEnds(): void {
    this.#state = 'command'
    if (this.#blockLast) this.#contentEnds()
    else this.#replies += '250 2.0.0 Ok\r\n'
  }

  #contentEnds(): void {
    this.#state = 'command'
    const { byLocalPart, verify, content } = this.#manners
    const first = this.#pieces[0] ?? Buffer.alloc(0)
    let number = readNumber(first, 0, first.length)
    let intact = true
    if (number === 0 || verify) {
      const all = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces)
      number = readNumber(all, 0, all.length)
      if (verify) intact = isIntact(this.#inBlocks ? all : all.subarray(0, all.length - 3), !this.#inBlocks)
    }
    const recipients = byLocalPart ? this.#recipients : NO_RECIPIENTS
    const reply = content === 'accept' && byLocalPart ? this.#replyFor(recipients, number) : content
    this.#replies += REPLY_TEXT[reply]
    this.answeredContent = true
    this.#events.arrived({ number, reply, recipients, intact })
    this.#pieces = []
    this.#octets = 0
  }

  #replyFor(recipients: readonly string[], number: number): ContentReply {
    if (recipients.some((recipient) => recipient.startsWith('reject-'))) return 'reject'
    if (recipients.some((recipient) => recipient.startsWith('defer-'))) return 'defer'
    const once = recipients.some((recipient) => recipient.startsWith('once-'))
    return once && !this.#events.seen(number) ? 'defer' : 'accept'
  }

  #close(reply: string): void {
    this.#replies += reply
    this.closing = true
  }
}

const ehloLine = (text: string, at: number, all: readonly string[]): string =>
  `250${at === all.length - 1 ? ' ' : '-'}${text}\r\n`

/** How many octets of `END` do the octets from `at` end with? */
function endMatch(octets: Buffer, at: number): number {
  for (let length = Math.min(END.length - 1, octets.length - at); length > 0; length--) {
    if (octets.compare(END, 0, length, octets.length - length) === 0) return length
  }
  return 0
}
