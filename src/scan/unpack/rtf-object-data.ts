/**
 * The octets of an object in RTF, from behind `\objdata` to the end of its group: hexadecimal digits, with control words, other
 * groups and any characters between them, or octets as they are behind `\binN`.
 *
 * Two readings: with the digits of inner groups and without. Sizes in octets.
 */

/** Of one object; a larger one is cut. */
const OBJECT_OCTETS_MAX = 64 * 1024 * 1024
const OPEN = 0x7b
const CLOSE = 0x7d
const BACKSLASH = 0x5c
const QUOTE = 0x27
const BLANK = 0x20
/** Letters of a control word, and digits of its number. */
const WORD_CHARACTERS_MAX = 32
const CONTROL_WORD = /([a-z]{1,32})(-?[0-9]{1,10})? ?/iy

export interface ObjectData {
  readonly readings: readonly Buffer[]
  /** Where the group ends. */
  readonly end: number
}

export function objectData(file: Buffer, start: number): ObjectData {
  const own = new Digits()
  const all = new Digits()
  let depth = 0
  let at = start
  while (at < file.length && depth >= 0 && all.length < OBJECT_OCTETS_MAX) {
    const octet = file[at]!
    if (octet === BACKSLASH) {
      const control = controlAt(file, at)
      if (control.binary) {
        all.add(control.binary)
        if (depth === 0) own.add(control.binary)
      }
      at = control.end
      continue
    }
    if (octet === OPEN) depth++
    else if (octet === CLOSE) depth--
    else {
      all.digit(octet)
      if (depth === 0) own.digit(octet)
    }
    at++
  }
  const readings = own.length === all.length ? [all.octets()] : [own.octets(), all.octets()]
  return { readings: readings.filter((one) => one.length > 0), end: at }
}

/** A control word, a character by its number (`\'41`), or a single control. */
function controlAt(file: Buffer, at: number): { readonly end: number; readonly binary?: Buffer } {
  if (file[at + 1] === QUOTE) return { end: at + 4 }
  CONTROL_WORD.lastIndex = 0
  const word = CONTROL_WORD.exec(file.toString('latin1', at + 1, at + 1 + WORD_CHARACTERS_MAX + 12))
  if (!word) return { end: at + 2 }
  const end = at + 1 + word[0].length
  const size = Number(word[2] ?? 0)
  if (word[1] !== 'bin' || size <= 0) return { end }
  const from = file[end] === BLANK ? end + 1 : end
  return { end: from + size, binary: file.subarray(from, from + size) }
}

class Digits {
  readonly #parts: Buffer[] = []
  #chunk = Buffer.alloc(4_096)
  #used = 0
  #high: number | undefined
  length = 0

  digit(octet: number): void {
    const value = digitValue(octet)
    if (value < 0) return
    if (this.#high === undefined) {
      this.#high = value
      return
    }
    if (this.#used === this.#chunk.length) this.#flush()
    this.#chunk[this.#used++] = (this.#high << 4) | value
    this.#high = undefined
    this.length++
  }

  add(octets: Buffer): void {
    this.#flush()
    this.#parts.push(octets)
    this.length += octets.length
  }

  octets(): Buffer {
    this.#flush()
    return this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
  }

  #flush(): void {
    if (this.#used === 0) return
    this.#parts.push(Buffer.from(this.#chunk.subarray(0, this.#used)))
    this.#chunk = Buffer.alloc(Math.min(1024 * 1024, this.#chunk.length * 2))
    this.#used = 0
  }
}

function digitValue(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  const letter = octet | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
