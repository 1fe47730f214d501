/**
 * The hash of a body in simple canonicalisation (RFC 6376 §3.4.3), taken over the chunks that the content lies in: as it is,
 * without empty lines at its end. An empty body is one line end.
 */
import { createHash, type Hash } from 'node:crypto'

const LF = 0x0a
const CR = 0x0d
const LINE_END = Buffer.from('\r\n')
/** Line ends that are hashed with one call. */
const LINE_ENDS_AT_ONCE = 4096
const LINE_ENDS = Buffer.alloc(LINE_ENDS_AT_ONCE * 2, LINE_END)

export class SimpleBodyHash {
  readonly #hash: Hash = createHash('sha256')
  /** Line ends that count only if something follows. */
  #lineEnds = 0
  /** A CR at the end of a chunk: half a line end, perhaps. */
  #cr = false
  #octets = 0

  /** Of the canonical body, when the digest has been taken: what l= counts. */
  get octets(): number {
    return this.#octets
  }

  update(chunk: Buffer): void {
    let from = 0
    if (this.#cr && chunk.length > 0) {
      this.#cr = false
      if (chunk[0] === LF) {
        this.#lineEnds++
        from = 1
      } else {
        this.#waiting()
        this.#take(LINE_END.subarray(0, 1))
      }
    }
    let to = chunk.length
    if (to > from && chunk[to - 1] === CR) {
      this.#cr = true
      to--
    }
    const end = to
    while (to - 2 >= from && chunk[to - 1] === LF && chunk[to - 2] === CR) to -= 2
    if (to > from) {
      this.#waiting()
      this.#take(chunk.subarray(from, to))
    }
    this.#lineEnds += (end - to) / 2
  }

  /** Base64, for bh=. */
  digest(): string {
    if (this.#cr) {
      this.#waiting()
      this.#take(LINE_END.subarray(0, 1))
    }
    this.#take(LINE_END)
    return this.#hash.digest('base64')
  }

  #waiting(): void {
    for (; this.#lineEnds > 0; this.#lineEnds -= Math.min(this.#lineEnds, LINE_ENDS_AT_ONCE)) {
      this.#take(LINE_ENDS.subarray(0, Math.min(this.#lineEnds, LINE_ENDS_AT_ONCE) * 2))
    }
  }

  #take(octets: Buffer): void {
    this.#hash.update(octets)
    this.#octets += octets.length
  }
}
