/**
 * Content on its way to a server: dot-stuffed for DATA (RFC 5321 §4.5.2), as it is for BDAT (RFC 3030 §2).
 *
 * Nothing is copied on the usual way: an added dot is the content's own dot in two overlapping slices. Whatever comes
 * in, what goes out as text holds only CRLF line ends (RFC 5321 §2.3.8): content from the spool has none other, this is
 * the last line of defence. A bare CR gets its LF, a bare LF its CR. Binary content (RFC 3030 §3) goes out untouched.
 */
import type { Content } from '#mail/content.ts'

/** `stuffed`: for DATA. `text`: for BDAT. `binary`: for BDAT with BODY=BINARYMIME. */
export type Form = 'stuffed' | 'text' | 'binary'
export type Parts = (Buffer | string)[]

/** After more additions than this in one piece, its rest is copied: so many slices cost more than the octets. */
const ADDITIONS_MAX = 64

const LF = 0x0a
const CR = 0x0d
const DOT = 0x2e

export class DataWriter {
  /** Octets given out so far. */
  octets = 0
  readonly #chunks: readonly Buffer[]
  readonly #form: Form
  readonly #stuffed: boolean
  #chunk = 0
  #offset = 0
  #parts: Parts = []
  /** The next octet is the first of a line. */
  #lineStart = true
  /** The last octet was a CR, and what follows it is not known yet. */
  #afterCr = false

  constructor(content: Content, form: Form) {
    this.#chunks = content.chunks
    this.#form = form
    this.#stuffed = form === 'stuffed'
  }

  /** Appends a block of about `octetsMax` octets of the content to `parts`. False: that was the last, its end included. */
  next(octetsMax: number, parts: Parts): boolean {
    this.#parts = parts
    for (let left = octetsMax; left > 0 && this.#chunk < this.#chunks.length; ) {
      const chunk = this.#chunks[this.#chunk]!
      const piece = chunk.subarray(this.#offset, this.#offset + left)
      left -= piece.length
      this.#offset += piece.length
      if (this.#offset >= chunk.length) {
        this.#chunk++
        this.#offset = 0
      }
      if (this.#form === 'binary') this.#put(piece)
      else if (piece.length > 0) this.#putText(piece)
    }
    if (this.#chunk < this.#chunks.length) return true
    this.#end()
    return false
  }

  #put(part: Buffer | string): void {
    if (part.length === 0) return
    this.#parts.push(part)
    this.octets += part.length
  }

  #putText(piece: Buffer): void {
    let at = this.#afterCr ? this.#continueAfterCr(piece) : 0
    // What is before `start` has been given out.
    let start = 0
    let cr = -1
    let lf = -1
    for (let additions = 0; ; ) {
      if (this.#lineStart && at < piece.length) {
        this.#lineStart = false
        if (this.#stuffed && piece[at] === DOT) {
          this.#put(piece.subarray(start, at + 1))
          start = at
          additions++
        }
      }
      if (cr < at) cr = indexOrEnd(piece, CR, at)
      if (lf < at) lf = indexOrEnd(piece, LF, at)
      const lineEnd = Math.min(cr, lf)
      this.#afterCr = lineEnd === cr && cr + 1 === piece.length
      if (lineEnd === piece.length || this.#afterCr) break
      this.#lineStart = true
      if (lf === cr + 1) at = lf + 1
      else {
        at = lineEnd + 1
        start = lineEnd === cr ? this.#putBareCr(piece, start, cr) : this.#putBareLf(piece, start, lf)
        additions++
      }
      if (additions > ADDITIONS_MAX) {
        this.#put(piece.subarray(start, at))
        this.#putDense(piece.subarray(at))
        return
      }
    }
    this.#put(piece.subarray(start))
  }

  #continueAfterCr(piece: Buffer): number {
    this.#lineStart = true
    if (piece[0] === LF) return 1
    this.#put('\n')
    return 0
  }

  #putBareCr(piece: Buffer, start: number, cr: number): number {
    this.#put(piece.subarray(start, cr + 1))
    this.#put('\n')
    return cr + 1
  }

  #putBareLf(piece: Buffer, start: number, lf: number): number {
    this.#put(piece.subarray(start, lf))
    this.#put('\r')
    return lf
  }

  // The same as #putText, octet by octet into a copy.
  #putDense(piece: Buffer): void {
    // An octet brings at most one other: LF its CR, CR its LF, a dot its dot.
    const copy = Buffer.allocUnsafe(2 * piece.length + 1)
    let filled = 0
    for (let i = 0; i < piece.length; i++) {
      const octet = piece[i]!
      if (octet === LF) {
        if (!this.#afterCr) copy[filled++] = CR
      } else if (this.#afterCr) {
        copy[filled++] = LF
        this.#lineStart = true
      }
      if (octet === DOT && this.#lineStart && this.#stuffed) copy[filled++] = DOT
      copy[filled++] = octet
      this.#afterCr = octet === CR
      this.#lineStart = octet === LF
    }
    this.#put(copy.subarray(0, filled))
  }

  #end(): void {
    if (this.#afterCr) {
      this.#put('\n')
      this.#lineStart = true
    }
    // RFC 5321 §4.1.1.4: the CRLF before the dot belongs to the content; none is added if it has one.
    if (this.#stuffed) this.#put(this.#lineStart ? '.\r\n' : '\r\n.\r\n')
  }
}

function indexOrEnd(piece: Buffer, octet: number, from: number): number {
  const index = piece.indexOf(octet, from)
  return index < 0 ? piece.length : index
}

/** Octets that a writer of this form will give out; BDAT must say it before (RFC 3030 §2). */
export function octetsToSend(content: Content, form: Form, blockOctets: number): number {
  if (form === 'binary') return content.octets
  const writer = new DataWriter(content, form)
  const parts: Parts = []
  while (writer.next(blockOctets, parts)) parts.length = 0
  return writer.octets
}
