/**
 * The hash of a body in relaxed canonicalisation (RFC 6376 §3.4.4), taken over the chunks that the content lies in:
 * white space within a line becomes one space, at the end of a line nothing, and empty lines at the end are left out.
 *
 * What is hashed goes through one small buffer, so that the cost is that of the octets, however often they must be
 * changed. A CR or LF alone, which only BINARYMIME lets in, is an octet like any other to some verifiers and a line end to
 * others: `isLineEndAlone` says that there was one.
 */
import { createHash, type Hash } from 'node:crypto'

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20

/** Large enough that the calls to the hash do not count, small enough for the cache of a core. */
const WINDOW_OCTETS = 16 * 1024
/** What one octet of the body can add to the window: a line end, a space, a CR that was none, itself. */
const STEP_OCTETS_MAX = 5
// What is put into it is hashed before anybody else runs, so all messages can share it.
const window = Buffer.allocUnsafe(WINDOW_OCTETS)

export class RelaxedBodyHash {
  readonly #hash: Hash = createHash('sha256')
  #filled = 0
  /** White space that counts only if the line goes on. */
  #space = false
  /** A CR that may be the beginning of a line end. */
  #cr = false
  /** Line ends that count only if a line with text follows. */
  #lineEnds = 0
  #isEmpty = true
  #lineEndAlone = false
  #octets = 0

  /** Of the canonical body, when all of it has been given and the digest taken: what l= counts. */
  get octets(): number {
    return this.#octets
  }

  get isLineEndAlone(): boolean {
    return this.#lineEndAlone || this.#cr
  }

  update(chunk: Buffer): void {
    this.#filled = 0
    let i = 0
    while (i < chunk.length) {
      if (this.#filled > WINDOW_OCTETS - STEP_OCTETS_MAX) this.#flush()
      const octet = chunk[i]!
      if (octet === CR && chunk[i + 1] === LF && !this.#cr) {
        this.#lineEnds++
        this.#space = false
        i += 2
      } else if (octet <= SPACE || this.#cr) {
        this.#rare(octet)
        i++
      } else {
        if (this.#space || this.#lineEnds > 0) this.#waiting()
        i = this.#word(chunk, i)
      }
    }
    this.#flush()
  }

  /** Base64, for bh=. */
  digest(): string {
    if (this.#cr) this.#text(CR)
    this.#flush()
    // A body that has text ends in one CRLF, one that has none is empty.
    if (!this.#isEmpty) {
      this.#hash.update('\r\n')
      this.#octets += 2
    }
    return this.#hash.digest('base64')
  }

  // Nearly all octets go this way: text, and single spaces between words.
  #word(chunk: Buffer, from: number): number {
    let filled = this.#filled
    const end = Math.min(chunk.length, from + WINDOW_OCTETS - filled)
    let i = from
    for (; i < end; i++) {
      const octet = chunk[i]!
      if (octet <= SPACE && (octet !== SPACE || !(chunk[i + 1]! > SPACE))) break
      window[filled++] = octet
    }
    this.#filled = filled
    this.#isEmpty = false
    return i
  }

  #rare(octet: number): void {
    if (this.#cr) {
      this.#cr = false
      if (octet === LF) {
        this.#lineEnds++
        this.#space = false
        return
      }
      this.#text(CR)
      this.#lineEndAlone = true
    }
    if (octet === SPACE || octet === TAB) this.#space = true
    else if (octet === CR) this.#cr = true
    else {
      if (octet === LF) this.#lineEndAlone = true
      this.#text(octet)
    }
  }

  #text(octet: number): void {
    this.#waiting()
    window[this.#filled++] = octet
    this.#isEmpty = false
  }

  // Text has come, so what was waiting before it counts.
  #waiting(): void {
    for (; this.#lineEnds > 0; this.#lineEnds--) {
      if (this.#filled > WINDOW_OCTETS - STEP_OCTETS_MAX) this.#flush()
      window[this.#filled++] = CR
      window[this.#filled++] = LF
    }
    if (this.#space) window[this.#filled++] = SPACE
    this.#space = false
  }

  #flush(): void {
    if (this.#filled > 0) this.#hash.update(window.subarray(0, this.#filled))
    this.#octets += this.#filled
    this.#filled = 0
  }
}
