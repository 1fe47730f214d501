/**
 * Command lines out of octets (RFC 5321 §2.3.8, §4.1.1): only CRLF ends a line. A lone CR or LF, or a NUL, makes the
 * whole line up to the next CRLF one faulty line, so that nothing behind a false line end is ever read as a command.
 *
 * Limit: `octetsMax` with CRLF. What is longer is read on to its CRLF without being kept; memory stays flat.
 * A line is Latin-1 while it is ASCII; anything else must be valid UTF-8 (RFC 6531 §3.1) and is decoded as such.
 */
import { isUtf8 } from 'node:buffer'

const CR = 0x0d
const LF = 0x0a

export type LineFault = 'too-long' | 'control' | 'not-utf8'

export class LineReader {
  /** The line without its CRLF, if `complete` and without `fault`. */
  text = ''
  fault: LineFault | undefined = undefined
  complete = false

  readonly #octetsMax: number
  /** The beginning of a line that came in several pieces; it exists only as long as the line is not complete. */
  #carry: Buffer | undefined
  /** Octets of this line so far, kept or not. */
  #octets = 0
  #lastOctet = 0

  constructor(octetsMax: number) {
    this.#octetsMax = octetsMax
  }

  /** Reads up to the end of a line or of the bytes; the answer is the index behind what was taken. */
  read(bytes: Buffer, from: number): number {
    this.complete = false
    const end = this.#lineEnd(bytes, from)
    if (end < 0) {
      this.#carryOn(bytes, from, bytes.length)
      this.#lastOctet = bytes[bytes.length - 1] as number
      return bytes.length
    }
    this.#finish(bytes, from, end)
    return end
  }

  // The index behind the first CRLF, or -1. An LF without a CR before it is passed over: it ends nothing.
  #lineEnd(bytes: Buffer, from: number): number {
    for (let at = from; ; ) {
      const lf = bytes.indexOf(LF, at)
      if (lf < 0) return -1
      if ((lf > from ? bytes[lf - 1] : this.#lastOctet) === CR) return lf + 1
      at = lf + 1
    }
  }

  #carryOn(bytes: Buffer, from: number, end: number): void {
    const octets = this.#octets + end - from
    if (octets <= this.#octetsMax) {
      this.#carry ??= Buffer.allocUnsafe(this.#octetsMax)
      bytes.copy(this.#carry, this.#octets, from, end)
    }
    this.#octets = octets
  }

  #finish(bytes: Buffer, from: number, end: number): void {
    const octets = this.#octets + end - from
    this.fault = undefined
    this.text = ''
    if (octets > this.#octetsMax) this.fault = 'too-long'
    else if (this.#octets === 0) this.#decode(bytes.toString('latin1', from, end - 2))
    else {
      this.#carryOn(bytes, from, end)
      this.#decode((this.#carry as Buffer).toString('latin1', 0, octets - 2))
    }
    this.#carry = undefined
    this.#octets = 0
    this.#lastOctet = 0
    this.complete = true
  }

  #decode(line: string): void {
    let ascii = true
    for (let i = 0; i < line.length; i++) {
      const octet = line.charCodeAt(i)
      if (octet > 0x7f) ascii = false
      else if (octet === 0 || octet === CR || octet === LF) this.fault = 'control'
    }
    if (this.fault !== undefined) return
    if (ascii) this.text = line
    else this.#decodeUtf8(Buffer.from(line, 'latin1'))
  }

  #decodeUtf8(line: Buffer): void {
    if (isUtf8(line)) this.text = line.toString('utf8')
    else this.fault = 'not-utf8'
  }
}
