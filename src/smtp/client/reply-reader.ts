/**
 * Reads replies (RFC 5321 §4.2) out of whatever a server sends, in pieces of any size.
 *
 * Strict where two readers could differ: only CRLF ends a line, all lines of a reply have one code, and the code is
 * 200 to 599 (1yz is unknown to SMTP). Cleaned where text goes further: reply text is printable ASCII, and what is not
 * becomes `?`, because it ends up in logs and in replies to clients that did not ask for UTF-8 (RFC 6531 §3.7.4.2).
 * Limits: `REPLY_LINE_OCTETS_MAX`, `REPLY_TEXT_OCTETS_MAX`, `REPLY_LINES_MAX`. After a fault the reader is of no use.
 */
import { type RemoteReply, remoteReply } from '#mail/reply.ts'
import { REPLY_LINE_OCTETS_MAX, REPLY_LINES_MAX, REPLY_TEXT_OCTETS_MAX } from './limits.ts'

export type ReplyFault =
  | 'not a reply'
  | 'a reply with two codes'
  | 'a reply line that is too long'
  | 'a reply with too many lines'
  | 'a reply line that ends without CRLF'

export class ReplyReader {
  #text = ''
  #at = 0
  #code = 0
  #lines: string[] = []

  receive(bytes: Buffer): void {
    const text = bytes.toString('latin1')
    this.#text = this.#at < this.#text.length ? this.#text.slice(this.#at) + text : text
    this.#at = 0
  }

  /** Octets have come that belong to no reply read so far. */
  get pending(): boolean {
    return this.#at < this.#text.length || this.#lines.length > 0
  }

  /** The next whole reply; undefined until more octets come. */
  next(): RemoteReply | ReplyFault | undefined {
    for (;;) {
      const lineFeed = this.#text.indexOf('\n', this.#at)
      const octets = (lineFeed < 0 ? this.#text.length : lineFeed + 1) - this.#at
      if (octets > REPLY_LINE_OCTETS_MAX) return 'a reply line that is too long'
      if (lineFeed < 0) return undefined
      if (octets < 2 || this.#text.charCodeAt(lineFeed - 1) !== 0x0d) return 'a reply line that ends without CRLF'
      const line = this.#text.slice(this.#at, lineFeed - 1)
      this.#at = lineFeed + 1
      const reply = this.#add(line)
      if (reply !== undefined) return reply
    }
  }

  #add(line: string): RemoteReply | ReplyFault | undefined {
    const code = replyCode(line)
    const separator = line.charCodeAt(3)
    // "250" alone is what some servers end a reply with; RFC 5321 §4.2 tells clients to take it.
    const last = line.length === 3 || separator === 0x20
    if (code === 0 || (!last && separator !== 0x2d)) return 'not a reply'
    if (this.#lines.length === 0) this.#code = code
    else if (this.#code !== code) return 'a reply with two codes'
    this.#lines.push(printable(line.slice(4, 4 + REPLY_TEXT_OCTETS_MAX)))
    if (!last) return this.#lines.length < REPLY_LINES_MAX ? undefined : 'a reply with too many lines'
    const lines = this.#lines
    this.#lines = []
    return remoteReply(code, lines)
  }
}

// 0: not a code.
function replyCode(line: string): number {
  const first = line.charCodeAt(0) - 0x30
  const second = line.charCodeAt(1) - 0x30
  const third = line.charCodeAt(2) - 0x30
  if (!(first >= 2 && first <= 5 && second >= 0 && second <= 9 && third >= 0 && third <= 9)) return 0
  return first * 100 + second * 10 + third
}

const printable = (text: string): string =>
  /[^\x20-\x7e]/.test(text) ? text.replaceAll('\t', ' ').replace(/[^\x20-\x7e]/g, '?') : text
