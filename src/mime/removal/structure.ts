/**
 * The structure of a message about which all readers agree, as a tree of offsets; or what they would not agree about. Only
 * there can a part be taken out: in a message that one reader takes apart in one way and the next in another, what is
 * left would be anybody's guess.
 *
 * Agreed means: one reading of each header, one type, one boundary; each delimiter line is one for everybody, stands within the
 * multipart that names it, and the last one closes it; nothing behind it looks like a part. Octets inside a part may
 * still be decoded in several ways: a part goes as a whole or stays as it is.
 *
 * Text is one character per octet; lines end in CRLF. Limits: those of mime/readings.
 */
import { BOUNDARIES_MAX, NESTING_MAX, PARTS_MAX } from '../readings/contract.ts'
import { boundaryLines, type DelimiterLine } from '../readings/delimiters.ts'
import { type FieldName, readHeader } from '../readings/header.ts'
import { isMultipart, type Meaning, meanings } from '../readings/meaning.ts'

/** A message or a part: offsets of its header, of its body, and behind the body. The CRLF before a delimiter is the delimiter's. */
export interface Entity {
  readonly start: number
  readonly bodyStart: number
  readonly end: number
  /** Lower case. */
  readonly type: string | undefined
  readonly names: readonly string[]
  readonly fields: ReadonlyMap<FieldName, readonly string[]>
  readonly isMultipart: boolean
  /** Of a multipart its parts, of a message in a message that message. */
  readonly children: readonly Entity[]
}

export type Agreed =
  | { readonly kind: 'agreed'; readonly root: Entity }
  | { readonly kind: 'disputed'; readonly text: string }

export function agreedStructure(text: string): Agreed {
  const tree = new Tree(text)
  const root = tree.entity(0, text.length, 0, false)
  return root === undefined ? { kind: 'disputed', text: tree.dispute } : { kind: 'agreed', root }
}

/** Every method answers with nothing once there is a dispute. */
class Tree {
  /** The first one. */
  dispute = ''
  readonly #text: string
  #entities = 0
  #boundaries = 0

  constructor(text: string) {
    this.#text = text
  }

  entity(start: number, end: number, depth: number, isInDigest: boolean): Entity | undefined {
    if (++this.#entities > PARTS_MAX) return this.#disputed(`it has more than ${PARTS_MAX} parts`)
    if (depth > NESTING_MAX) return this.#disputed(`its parts are nested more than ${NESTING_MAX} deep`)
    const { readings, isTooLarge } = readHeader(this.#text, start, end)
    const [header, ...others] = readings
    if (header === undefined || others.length > 0 || isTooLarge) return this.#disputed('a header is read in two ways')
    const [meaning, ...more] = meanings(header.fields)
    if (meaning === undefined || more.length > 0) return this.#disputed('a type or an encoding is read in two ways')
    const { bodyStart, fields } = header
    const children = this.#children(meaning, { start: bodyStart, end, depth, isInDigest })
    const { type, names } = meaning
    return children && { start, bodyStart, end, type, names, fields, isMultipart: isMultipart(meaning), children }
  }

  #children(meaning: Meaning, body: Body): readonly Entity[] | undefined {
    if (isMultipart(meaning)) return this.#parts(meaning, body)
    // RFC 2046 §5.1.5: in a digest a part without a type is a message.
    const isMessage = meaning.isMessage || (meaning.type === undefined && body.isInDigest)
    if (!isMessage || meaning.encoding !== 'identity') return []
    const message = this.entity(body.start, body.end, body.depth + 1, false)
    return message && [message]
  }

  #parts(meaning: Meaning, { start, end, depth }: Body): readonly Entity[] | undefined {
    const [boundary, ...others] = meaning.boundaries
    if (boundary === undefined || others.length > 0) return this.#disputed('a boundary is read in two ways, or in none')
    if (meaning.encoding !== 'identity') return this.#disputed('parts stand in what is encoded as a whole')
    if (++this.#boundaries > BOUNDARIES_MAX) return this.#disputed(`it has more than ${BOUNDARIES_MAX} boundaries`)
    const { lines, isCut } = boundaryLines(this.#text, boundary, PARTS_MAX)
    const last = lines.at(-1)
    if (isCut || last === undefined || !this.#areAgreed(lines, start, end))
      return this.#disputed('the delimiters of its parts are read in two ways')
    if (readHeader(this.#text, last.end, end).readings.some(({ fields }) => fields.size > 0))
      return this.#disputed('what follows its last part looks like one more')
    const parts: Entity[] = []
    for (const [i, next] of lines.slice(1).entries()) {
      const from = lines[i]!.end
      // RFC 2046 §5.1.1: the line end before a delimiter belongs to it.
      const to = next.start - 2
      const part = to < from ? undefined : this.entity(from, to, depth + 1, meaning.type === 'multipart/digest')
      if (part === undefined) return this.#disputed('a part is not even empty')
      parts.push(part)
    }
    return parts
  }

  /** All within the multipart, and one end. */
  #areAgreed(lines: readonly DelimiterLine[], start: number, end: number): boolean {
    return lines.every((line, i) => {
      const isLast = i === lines.length - 1
      const isInside = line.start >= start && line.end <= end
      const isWhole = this.#isLineStart(line.start, start) && (isLast || this.#text.endsWith('\r\n', line.end))
      return line.isStrict && line.isClosing === isLast && isInside && isWhole
    })
  }

  #isLineStart(at: number, bodyStart: number): boolean {
    return at === bodyStart || this.#text.endsWith('\r\n', at)
  }

  #disputed(text: string): undefined {
    this.dispute ||= text
  }
}

interface Body {
  readonly start: number
  readonly end: number
  readonly depth: number
  readonly isInDigest: boolean
}
