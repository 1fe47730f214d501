/**
 * Content out of octets: after DATA up to CRLF.CRLF, with stuffed dots removed (RFC 5321 §4.1.1.4, §4.5.2), or in the
 * counted chunks of BDAT (RFC 3030 §2). Only CRLF ends a line and only CRLF.CRLF ends data: a dot after a bare LF or a
 * bare CR is an octet like any other (CVE-2023-51764). The same octets give the same result however they are cut.
 *
 * Faults, the gravest first, are found while reading goes on to the real end; content with a fault is not kept:
 * - `bare-line-end`: CR without LF or LF without CR. Some server on the way would take it for a line end, and then a
 *   dot behind it for the end of data. Where the rules say `normalise`, it becomes CRLF in the content instead, but
 *   it still ends nothing, and a dot behind it is not unstuffed: on the wire no line began there.
 * - `nul`: RFC 5321 §4.5.2 lets it pass, but programs in C end a string there, and a server that strips it sees a
 *   CRLF.CRLF that was not one. RFC 5322 §4 calls it obsolete; no mail needs it.
 * - `line-too-long`: a text line of more than `textLineOctetsMax` with its CRLF (RFC 5321 §4.5.3.1.6).
 * - `too-large`: more than `octetsMax` (RFC 1870).
 * BINARYMIME content (RFC 3030 §3) has no lines: only its size is checked.
 */
import type { Content } from '#mail/content.ts'
import { KeptContent } from './kept-content.ts'

const CR = 0x0d
const LF = 0x0a
const DOT = 0x2e
const NUL = 0
const CRLF = Buffer.from('\r\n')
/** Searched at a time: as much as the processor's nearest cache holds, and little for many short contents in one buffer. */
const WINDOW_OCTETS = 4096

export interface ContentRules {
  /** Ended by a dot on a line of its own, or by whoever counts the octets. */
  readonly framing: 'dot' | 'count'
  readonly binary: boolean
  readonly lineEnds: 'refuse' | 'normalise'
  readonly octetsMax: number
  readonly textLineOctetsMax: number
}

const GRAVEST_FIRST = ['bare-line-end', 'nul', 'line-too-long', 'too-large'] as const
export type ContentFault = (typeof GRAVEST_FIRST)[number]

/** Where reading stands. What follows `after-` is held back until the next octet tells what it is. */
type Place = 'line-start' | 'in-line' | 'after-cr' | 'after-dot' | 'after-dot-cr'

export class DataReader {
  /** CRLF.CRLF was read. */
  ended = false
  fault: ContentFault | undefined = undefined
  /** Octets taken from the wire, stuffed dots and the end included. */
  wireOctets = 0

  readonly #rules: ContentRules
  readonly #kept = new KeptContent()
  // RFC 5321 §4.1.1.4: the CRLF of the DATA line is also the one before a dot that ends empty content.
  #place: Place = 'line-start'
  /** Octets of the line at hand, without what is held back. */
  #lineOctets = 0

  constructor(rules: ContentRules) {
    this.#rules = rules
  }

  /** Octets of content so far. */
  get octets(): number {
    return this.#kept.octets
  }

  get content(): Content {
    return this.#kept.content
  }

  /** Reads `bytes` from `from` to `end` or to the end of data; the answer is the index behind what was taken. */
  read(bytes: Buffer, from: number, end: number): number {
    let at = from
    if (this.#rules.binary) {
      this.#kept.keep(bytes, from, end)
      at = end
    } else {
      while (!this.ended && at < end) {
        const isHeldBack = this.#place !== 'line-start' && this.#place !== 'in-line'
        if (isHeldBack) at = this.#readHeldBack(bytes, at, end)
        else at = this.#readLines(bytes, at, Math.min(end, at + WINDOW_OCTETS))
      }
      if (bytes.indexOf(NUL, from, at) >= 0) this.#found('nul')
    }
    this.wireOctets += at - from
    if (this.#kept.octets > this.#rules.octetsMax) this.#found('too-large')
    return at
  }

  /** For counted content: there is no more of it. A CR that waited for its LF is a bare one. */
  finish(): void {
    if (this.#place === 'after-cr') this.#bareLineEnd(this.#lineOctets)
  }

  // The rare case that bytes were cut between a CR and its LF, or within a dot line: octet by octet until that is over.
  #readHeldBack(bytes: Buffer, from: number, end: number): number {
    for (let at = from; at < end; at++) {
      const octet = bytes[at]
      if (this.#place === 'after-dot') {
        if (octet === CR) {
          this.#place = 'after-dot-cr'
          continue
        }
        this.#place = 'in-line'
        return at
      }
      if (octet !== LF) {
        this.#bareLineEnd(this.#lineOctets)
        this.#place = 'in-line'
        return at
      }
      if (this.#place === 'after-dot-cr') this.ended = true
      else this.#kept.keep(CRLF, 0, 2)
      this.#lineLength(this.#lineOctets + 2)
      this.#lineOctets = 0
      this.#place = 'line-start'
      return at + 1
    }
    return end
  }

  // The loop that all content goes through: two searches per line, slices between stuffed dots. It searches a Latin-1
  // string of the same octets, in which a search takes a third of the time that it takes in a buffer.
  #readLines(bytes: Buffer, from: number, end: number): number {
    const text = bytes.toString('latin1', from, end)
    const unstuff = this.#rules.framing === 'dot'
    let lineStart = this.#place === 'line-start'
    // Indices into `text`; a line may have begun before it.
    let line = -this.#lineOctets
    let kept = 0
    let at = 0
    let cr = -1
    while (at < text.length) {
      if (lineStart && unstuff && text.charCodeAt(at) === DOT) {
        this.#kept.keep(bytes, from + kept, from + at)
        const behind = this.#readDot(text, at)
        if (this.ended || behind === text.length) return from + behind
        at = kept = line = behind
      }
      if (cr < at) cr = find(text, '\r', at)
      const lf = find(text, '\n', at)
      if (lf === text.length && cr >= lf - 1) {
        this.#kept.keep(bytes, from + kept, from + cr)
        this.#leave(cr === lf ? 'in-line' : 'after-cr', cr - line)
        return end
      }
      lineStart = lf === cr + 1
      const behind = lineStart ? lf + 1 : Math.min(cr, lf) + 1
      if (lineStart) this.#lineLength(behind - line)
      else {
        this.#kept.keep(bytes, from + kept, from + behind - 1)
        this.#bareLineEnd(behind - 1 - line)
        kept = behind
      }
      at = line = behind
    }
    this.#kept.keep(bytes, from + kept, end)
    this.#leave(lineStart ? 'line-start' : 'in-line', text.length - line)
    return end
  }

  // A dot at the start of a line: alone on it, it ends the data; otherwise it was stuffed and goes.
  #readDot(text: string, at: number): number {
    if (at + 1 === text.length) this.#leave('after-dot', 0)
    else if (text.charCodeAt(at + 1) === CR) {
      if (at + 2 === text.length) {
        this.#leave('after-dot-cr', 0)
        return at + 2
      }
      if (text.charCodeAt(at + 2) === LF) {
        this.ended = true
        return at + 3
      }
    }
    return at + 1
  }

  #leave(place: Place, lineOctets: number): void {
    this.#place = place
    this.#lineOctets = lineOctets
    // A line that is too long already need not come to its end for that.
    this.#lineLength(lineOctets)
  }

  #lineLength(octets: number): void {
    if (octets > this.#rules.textLineOctetsMax) this.#found('line-too-long')
  }

  // After a line of so many octets; the octet that is no line end is already left out.
  #bareLineEnd(lineOctets: number): void {
    if (this.#rules.lineEnds === 'refuse') this.#found('bare-line-end')
    this.#kept.keep(CRLF, 0, 2)
    this.#lineLength(lineOctets + 2)
    this.#lineOctets = 0
  }

  // The gravest fault wins, not the first: which is first may depend on how the octets were cut.
  #found(fault: ContentFault): void {
    if (this.fault === undefined || GRAVEST_FIRST.indexOf(fault) < GRAVEST_FIRST.indexOf(this.fault)) this.fault = fault
    this.#kept.drop()
  }
}

// Index of a character, or the length of the text if it is not there.
function find(text: string, character: string, from: number): number {
  const at = text.indexOf(character, from)
  return at < 0 ? text.length : at
}
