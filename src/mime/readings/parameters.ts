/**
 * A Content-Type or Content-Disposition in every way it is read: with and without its comments (RFC 2045 §5.1 allows them, few
 * readers know them), parameters given twice, continued and percent-encoded ones (RFC 2231), quotes that nobody closes,
 * values with blanks that end there for one reader and go on for another.
 *
 * All values that some reader would take are given, the likeliest first. Limits: octets of a field, values of a parameter.
 */

/** Of a field that is looked at. */
export const VALUE_OCTETS_MAX = 16 * 1024
/** Values of one parameter, over all readings. */
export const VALUES_MAX = 8

export interface ReadField {
  /** What stands before the first semicolon, lower case: `text/plain`, `attachment`. */
  readonly heads: readonly string[]
  /** By lower-case name without `*0` and the like. */
  readonly parameters: ReadonlyMap<string, readonly string[]>
  /** Some reading was left out: a limit was reached. */
  readonly isCut: boolean
}

export function readField(raw: string): ReadField {
  const text = raw.slice(0, VALUE_OCTETS_MAX).replace(/\r?\n/g, '').replaceAll('\0', '')
  const texts = text.includes('(') ? [withoutComments(text), text] : [text]
  const heads: string[] = []
  const parameters = new Map<string, string[]>()
  let isCut = raw.length > VALUE_OCTETS_MAX
  for (const one of texts) {
    const head = /^[\s"']*([^;\s"']+)/.exec(one)?.[1]?.toLowerCase()
    if (head !== undefined && !heads.includes(head)) heads.push(head)
    const read = parametersOf(one)
    isCut ||= read.isCut
    for (const [name, values] of read.found) for (const value of values) put(parameters, name, value)
  }
  isCut ||= [...parameters.values()].some((values) => values.length > VALUES_MAX)
  for (const values of parameters.values()) values.splice(VALUES_MAX)
  return { heads, parameters, isCut }
}

function put(into: Map<string, string[]>, name: string, value: string): void {
  const values = into.get(name)
  if (values === undefined) into.set(name, [value])
  else if (values.length <= VALUES_MAX && !values.includes(value)) values.push(value)
}

// RFC 5322 §3.2.2: comments nest, quotes hide them, a backslash hides one character. One that nobody closes is kept.
function withoutComments(text: string): string {
  let out = ''
  let depth = 0
  let opened = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const c = text[at]!
    if (c === '\\') {
      if (depth === 0) out += c + (text[at + 1] ?? '')
      at++
    } else if (c === '"' && depth === 0) {
      isQuoted = !isQuoted
      out += c
    } else if (c === '(' && !isQuoted) {
      if (depth++ === 0) opened = at
    } else if (c === ')' && depth > 0) depth--
    else if (depth === 0) out += c
  }
  return depth > 0 ? out + text.slice(opened) : out
}

interface Piece {
  readonly name: string
  readonly section: number | undefined
  readonly isEncoded: boolean
  readonly values: readonly string[]
}

function parametersOf(text: string): { found: Map<string, string[]>; isCut: boolean } {
  const found = new Map<string, string[]>()
  const pieces = piecesOf(text)
  for (const { name, section, isEncoded, values } of pieces) {
    if (section !== undefined) continue
    for (const value of values) {
      if (isEncoded) put(found, name, decoded(value))
      put(found, name, value)
    }
  }
  for (const [name, value] of continued(pieces)) put(found, name, value)
  return { found, isCut: pieces.length >= PIECES_MAX }
}

// RFC 2231 §3, §4. Sections are joined by number, and as they stand: readers do either.
function continued(pieces: readonly Piece[]): [string, string][] {
  const byName = new Map<string, Piece[]>()
  for (const piece of pieces) {
    if (piece.section === undefined) continue
    const list = byName.get(piece.name)
    if (list === undefined) byName.set(piece.name, [piece])
    else list.push(piece)
  }
  const joined: [string, string][] = []
  for (const [name, list] of byName) {
    const sorted = list.toSorted((a, b) => a.section! - b.section!)
    for (const order of [sorted, list]) {
      const all = order.map(({ values }) => values[0] ?? '').join('')
      joined.push([name, order.some(({ isEncoded }) => isEncoded) ? decoded(all) : all])
      joined.push([name, all])
    }
  }
  return joined
}

function decoded(value: string): string {
  const quoted = /^[^']{0,60}'[^']{0,60}'/.exec(value)
  const rest = quoted === null ? value : value.slice(quoted[0].length)
  return rest.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

const PIECES_MAX = 200

// A name, an equals sign, a value; whatever stands between is skipped. Semicolons may be missing.
function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  const names = /([^\s;="'()<>,]{1,80})[ \t]{0,40}=[ \t]{0,40}/g
  names.lastIndex = 0
  for (let match = names.exec(text); match !== null && pieces.length < PIECES_MAX; match = names.exec(text)) {
    const [values, end] = valuesAt(text, names.lastIndex)
    const [, base, section, star] = /^([^*]{0,80})(?:\*(\d{1,4}))?(\*)?/.exec(match[1]!.toLowerCase())!
    pieces.push({
      name: base!,
      section: section === undefined ? undefined : Number(section),
      isEncoded: star !== undefined,
      values,
    })
    names.lastIndex = Math.max(end, names.lastIndex)
  }
  return pieces
}

/** The values that stand at `at`, and where the search for the next name goes on: the shortest reading, so that none is lost. */
function valuesAt(text: string, at: number): [string[], number] {
  const semicolon = text.indexOf(';', at)
  const toSemicolon = semicolon < 0 ? text.length : semicolon
  if (text[at] !== '"') {
    const whole = text.slice(at, toSemicolon).trim()
    const word = /^[^\s;]*/.exec(whole)![0]
    const values = word === whole ? [whole] : [whole, word]
    if (whole.startsWith("'") && whole.endsWith("'") && whole.length > 1) values.push(whole.slice(1, -1))
    return [values, at + word.length]
  }
  const quote = closingQuote(text, at + 1)
  if (quote < 0) {
    const rest = text.slice(at + 1)
    return [[text.slice(at + 1, toSemicolon).trim(), rest, text.slice(at, toSemicolon)], at + 1]
  }
  const inside = text.slice(at + 1, quote)
  const plain = inside.replace(/\\(.)/g, '$1')
  const values = plain === inside ? [inside] : [plain, inside]
  // Not every reader knows that quotes hide semicolons, or that text behind the quote is none of it.
  const behind = text.slice(quote + 1, text.indexOf(';', quote) < 0 ? text.length : text.indexOf(';', quote)).trim()
  if (behind !== '') values.push(plain + behind)
  return [values, quote + 1]
}

function closingQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
  return -1
}
