/**
 * Content while it arrives: slices of the bytes it came in, not copies. The bytes given must not be changed afterwards.
 *
 * A slice is an object of about a hundred octets, so a client that sends single octets, or a stuffed dot in each line,
 * could make little content cost much memory. After `SMALL_SLICES_MAX` small slices the small ones are therefore copied
 * together into blocks. Ordinary messages never get there.
 */
import type { Content } from '#mail/content.ts'

/** Below this a slice costs too much beside what it holds. */
const SMALL_OCTETS = 1024
/** Small slices that are kept as they are: the ends of a message, and a few stuffed dots. */
const SMALL_SLICES_MAX = 16
const BLOCK_OCTETS = 16 * 1024

export class KeptContent {
  /** All octets given, also those that came after `drop`. */
  octets = 0
  #chunks: Buffer[] = []
  #dropped = false
  #smallSlices = 0
  #block: Buffer | undefined
  #filled = 0
  /** The slice at hand: it may still grow. */
  #bytes: Buffer | undefined
  #from = 0
  #end = 0

  keep(bytes: Buffer, from: number, end: number): void {
    if (end <= from) return
    this.octets += end - from
    if (this.#dropped) return
    if (bytes !== this.#bytes || from !== this.#end) {
      this.#settle()
      this.#bytes = bytes
      this.#from = from
    }
    this.#end = end
  }

  /** Forgets what is kept, and keeps nothing from here on; octets are still counted. */
  drop(): void {
    this.#chunks = []
    this.#block = undefined
    this.#bytes = undefined
    this.#dropped = true
  }

  get content(): Content {
    this.#settle()
    this.#sealBlock()
    return { chunks: this.#chunks, octets: this.octets }
  }

  #settle(): void {
    const bytes = this.#bytes
    if (bytes === undefined) return
    this.#bytes = undefined
    if (this.#end - this.#from < SMALL_OCTETS && ++this.#smallSlices > SMALL_SLICES_MAX) {
      this.#copy(bytes, this.#from, this.#end)
    } else {
      this.#sealBlock()
      this.#chunks.push(bytes.subarray(this.#from, this.#end))
    }
  }

  #copy(bytes: Buffer, from: number, end: number): void {
    if (this.#block === undefined || this.#filled + end - from > this.#block.length) {
      this.#sealBlock()
      this.#block = Buffer.allocUnsafeSlow(BLOCK_OCTETS)
      this.#filled = 0
    }
    this.#filled += bytes.copy(this.#block, this.#filled, from, end)
  }

  #sealBlock(): void {
    if (this.#block === undefined) return
    this.#chunks.push(this.#block.subarray(0, this.#filled))
    this.#block = undefined
  }
}
