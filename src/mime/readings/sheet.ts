/**
 * One text that parts stand in: the message, or what a transfer encoding hid. It finds where parts begin and may end.
 */
import { BOUNDARIES_MAX, type DoubtSymbol, PARTS_MAX } from './contract.ts'
import { boundaryLines, type DelimiterLine, guessedBoundaries } from './delimiters.ts'
import { readHeader } from './header.ts'
import { isMultipart, type Meaning, meanings } from './meaning.ts'

export interface Fault {
  readonly symbol: DoubtSymbol
  readonly text: string
}

export class Sheet {
  readonly octets: Buffer
  /** One character per octet. */
  readonly text: string
  readonly prefix: string
  /** Sheets around this one. */
  readonly nesting: number
  /** Where a part begins; those that some delimiter opened, with the lines that did. */
  readonly #openings = new Map<number, DelimiterLine[]>()
  readonly #boundaries = new Map<string, readonly DelimiterLine[]>()
  #delimiters: readonly number[] = []
  #waiting: number[] = [0]
  /** Parts that only some readers come to: what opened them, or opened what is around them, can be read in another way. */
  readonly #doubted = new Set<number>()
  #fault: Fault | undefined

  constructor(octets: Buffer, prefix: string, nesting: number) {
    // RFC 2046 §5.2.1: a message in a message has no encoding. ClamAV, for one, does not look into one that has.
    if (nesting > 0) this.#doubted.add(0)
    this.octets = octets
    this.text = octets.toString('latin1')
    this.prefix = prefix
    this.nesting = nesting
  }

  /** Boundaries that were named outside of it. */
  name(boundaries: readonly string[]): void {
    for (const boundary of boundaries) this.#open(boundary, false)
  }

  /** New boundaries open new parts, and those may name new boundaries: until nothing is new. */
  openParts(): Fault | undefined {
    const done = new Set<number>()
    for (let start = this.#waiting.pop(); start !== undefined; start = this.#waiting.pop()) {
      if (done.has(start)) continue
      if (done.size >= PARTS_MAX) {
        this.#fault ??= { symbol: 'too-many-parts', text: `more than ${PARTS_MAX} places open a part` }
        break
      }
      done.add(start)
      if (!this.#openings.has(start)) this.#openings.set(start, [])
      const { readings } = readHeader(this.text, start, this.#headerStop(start))
      const all = readings.flatMap(({ bodyStart, fields }) =>
        meanings(fields).map((meaning) => ({ meaning, bodyStart })),
      )
      const isPlain = all.length === 1 && this.#isPlain(start)
      for (const { meaning, bodyStart } of all) this.#look(meaning, bodyStart, isPlain)
    }
    const starts = [...this.#boundaries.values()].flatMap((lines) => lines.map((line) => line.start))
    this.#delimiters = [...new Set(starts)].toSorted((a, b) => a - b)
    return this.#fault
  }

  /** In the order they stand, with what they are called. */
  parts(): { readonly start: number; readonly where: string; readonly isPlain: boolean }[] {
    const sorted = [...this.#openings].toSorted(([a], [b]) => a - b).slice(0, PARTS_MAX)
    let number = 0
    return sorted.map(([start, lines]) => {
      const isClosing = lines.length > 0 && lines.every((line) => line.isClosing)
      const isPlain = this.#isPlain(start)
      if (start === 0) return { start, where: `${this.prefix}body`, isPlain }
      return {
        start,
        where: isClosing ? `${this.prefix}behind part ${number}` : `${this.prefix}part ${++number}`,
        isPlain,
      }
    })
  }

  #isPlain(start: number): boolean {
    const lines = this.#openings.get(start) ?? []
    return lines.length <= 1 && !this.#doubted.has(start) && lines.every((line) => line.isStrict && !line.isClosing)
  }

  /** Where the part that begins here may end, the nearest first: at any delimiter, or only at one of its own boundary. */
  endsFrom(start: number): number[] {
    const ends = [this.#endAt(start, this.#delimiters[firstAtLeast(this.#delimiters, start)])]
    for (const line of this.#openings.get(start) ?? []) {
      const end = this.#endAt(start, line.nextStart)
      if (!line.isClosing && !ends.includes(end)) ends.push(end)
    }
    return ends
  }

  // RFC 2046 §5.1.1: the line end before a delimiter belongs to the delimiter.
  #endAt(start: number, delimiter: number | undefined): number {
    if (delimiter === undefined) return this.text.length
    let end = delimiter
    if (end > start && this.text[end - 1] === '\n') end--
    if (end > start && this.text[end - 1] === '\r') end--
    return end
  }

  // No header goes over a delimiter of the part's own boundary; others may not be known yet.
  #headerStop(start: number): number {
    const next = (this.#openings.get(start) ?? []).map((line) => line.nextStart ?? this.text.length)
    return Math.max(start, Math.min(this.text.length, ...next))
  }

  #look(meaning: Meaning, bodyStart: number, isPlain: boolean): void {
    // RFC 2046 §5.1.5: in a digest a part without a type is a message; only what looks like a header is tried as one.
    const isBare =
      meaning.type === undefined && /^[\x21-\x39\x3b-\x7e]{1,80}:/.test(this.text.slice(bodyStart, bodyStart + 82))
    if ((meaning.isMessage || isBare) && meaning.encoding === 'identity') {
      if (!isPlain && !this.#openings.has(bodyStart)) this.#doubted.add(bodyStart)
      this.#waiting.push(bodyStart)
    }
    if (!isMultipart(meaning)) return
    const isOne = isPlain && meaning.boundaries.length === 1
    const found = meaning.boundaries.reduce((count, boundary) => count + this.#open(boundary, isOne), 0)
    if (found > 0) return
    for (const boundary of guessedBoundaries(this.text, bodyStart)) this.#open(boundary, false)
  }

  /** How many delimiters this boundary has. */
  #open(boundary: string, isPlain: boolean): number {
    const known = this.#boundaries.get(boundary)
    if (known !== undefined) return known.length
    if (this.#boundaries.size >= BOUNDARIES_MAX) {
      this.#fault ??= { symbol: 'too-many-boundaries', text: `more than ${BOUNDARIES_MAX} boundaries are named` }
      return 0
    }
    const { lines, isCut } = boundaryLines(this.text, boundary, PARTS_MAX)
    if (isCut) this.#fault ??= { symbol: 'too-many-parts', text: `more than ${PARTS_MAX} delimiters` }
    this.#boundaries.set(boundary, lines)
    for (const line of lines) {
      const openers = this.#openings.get(line.end)
      if (openers === undefined) this.#openings.set(line.end, [line])
      else openers.push(line)
      if (!isPlain) this.#doubted.add(line.end)
      this.#waiting.push(line.end)
    }
    return lines.length
  }
}

function firstAtLeast(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
