/**
 * The MIME structure of a content as offsets into it (RFC 2045, RFC 2046): a flat list of parts in the order they stand,
 * found in one pass over the lines. Nothing is decoded, repaired or copied, so that what a scanner sees is what is there.
 *
 * It goes into multiparts, not into message/rfc822: what is inside there belongs to another message. Lines may end in CRLF
 * or in LF alone, since returned messages are often mangled. Limits: parts, nesting, octets of a part's header; beyond them
 * the rest belongs to the part at hand (`cut` says so), never an exception.
 */

/** A report has three parts; more than this is an attack on those who parse it. */
export const PARTS_MAX = 100
/** multipart/mixed around report around alternative is three. */
export const NESTING_MAX = 8
/** Of the header of one part, in octets. A part's header is a few hundred. */
export const PART_HEADER_OCTETS_MAX = 16 * 1024
/** RFC 2046 §5.1.1 allows 70; some software writes longer ones. */
export const BOUNDARY_OCTETS_MAX = 250
/** Fields of one header that are looked at. */
export const PART_FIELDS_MAX = 200

export interface TextField {
  /** Lower case. */
  readonly name: string
  /** Behind the colon, unfolded and trimmed, one character per octet. */
  readonly value: string
}

export interface Part {
  /** Lower case, for example `text/plain`; what is missing or nonsense is `text/plain` (RFC 2045 §5.2). */
  readonly type: string
  /** Of Content-Type; names in lower case. */
  readonly parameters: ReadonlyMap<string, string>
  readonly fields: readonly TextField[]
  /** Offsets into the text: of the part's header, its body, and behind its body. */
  readonly start: number
  readonly bodyStart: number
  readonly end: number
  /** 0 is the content itself. */
  readonly depth: number
}

export interface Structure {
  readonly parts: readonly Part[]
  /** A limit was reached. */
  readonly cut: boolean
}

type Open = { -readonly [K in keyof Part]: Part[K] }

/** Reads the structure of `text`, one character per octet, whose header section was read before. */
export function readStructure(text: string, fields: readonly TextField[], bodyStart: number): Structure {
  const parts: Open[] = [openPart(fields, 0, bodyStart, 0)]
  const boundaries: string[] = []
  const enter = (part: Open): void => {
    const boundary = part.type.startsWith('multipart/') ? part.parameters.get('boundary') : undefined
    if (!boundary) return
    if (boundaries.length < NESTING_MAX && boundary.length <= BOUNDARY_OCTETS_MAX) boundaries.push(`--${boundary}`)
    else cut = true
  }
  let cut = false
  enter(parts[0]!)
  let at = bodyStart
  while (at < text.length && boundaries.length > 0) {
    const next = lineEnd(text, at)
    const found = delimiterAt(text, at, next, boundaries)
    if (found === undefined) {
      at = next
      continue
    }
    for (const part of parts) if (part.end < 0 && part.depth > found.level) part.end = at
    boundaries.length = found.level + (found.isLast ? 0 : 1)
    at = next
    if (found.isLast) continue
    if (parts.length >= PARTS_MAX) return { parts: closed(parts, text.length), cut: true }
    const header = readFields(text, at, Math.min(text.length, at + PART_HEADER_OCTETS_MAX))
    const part = openPart(header.fields, at, header.bodyStart, found.level + 1)
    parts.push(part)
    enter(part)
    at = header.bodyStart
  }
  return { parts: closed(parts, text.length), cut }
}

const openPart = (fields: readonly TextField[], start: number, bodyStart: number, depth: number): Open => ({
  ...contentType(fieldValue(fields, 'content-type') ?? ''),
  fields,
  start,
  bodyStart,
  end: -1,
  depth,
})

function closed(parts: Open[], end: number): Part[] {
  for (const part of parts) {
    if (part.end < 0) part.end = end
    part.end = Math.max(part.end, part.bodyStart)
  }
  return parts
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at < 0 ? text.length : at + 1
}

// A delimiter is the boundary and then nothing but white space (RFC 2046 §5.1.1); the innermost one is meant.
function delimiterAt(
  text: string,
  at: number,
  next: number,
  boundaries: readonly string[],
): { level: number; isLast: boolean } | undefined {
  if (text.charCodeAt(at) !== 0x2d || text.charCodeAt(at + 1) !== 0x2d) return undefined
  if (next - at > BOUNDARY_OCTETS_MAX + 10) return undefined
  const line = text.slice(at, next).trimEnd()
  for (let level = boundaries.length - 1; level >= 0; level--) {
    const boundary = boundaries[level]!.trimEnd()
    if (line === boundary) return { level, isLast: false }
    if (line.length === boundary.length + 2 && line.startsWith(boundary) && line.endsWith('--')) {
      return { level, isLast: true }
    }
  }
  return undefined
}

/** Reads header fields from `start` to the first line that is none; `bodyStart` is behind the empty line, if there is one. */
export function readFields(text: string, start: number, end: number): { fields: TextField[]; bodyStart: number } {
  const fields: TextField[] = []
  let at = start
  while (at < end) {
    const next = Math.min(lineEnd(text, at), end)
    const first = text.charCodeAt(at)
    if (first === 0x0a || (first === 0x0d && next - at === 2)) return { fields, bodyStart: next }
    let behind = next
    while (behind < end && isBlank(text.charCodeAt(behind))) behind = Math.min(lineEnd(text, behind), end)
    const field = fieldOf(text, at, behind)
    if (field === undefined) break
    if (fields.length < PART_FIELDS_MAX) fields.push(field)
    at = behind
  }
  return { fields, bodyStart: at }
}

const isBlank = (c: number): boolean => c === 0x20 || c === 0x09

function fieldOf(text: string, start: number, end: number): TextField | undefined {
  let colon = start
  while (colon < end && isFieldNameCharacter(text.charCodeAt(colon))) colon++
  const nameEnd = colon
  while (isBlank(text.charCodeAt(colon))) colon++
  if (nameEnd === start || colon >= end || text.charCodeAt(colon) !== 0x3a) return undefined
  const value = text.slice(colon + 1, end).replace(/\r?\n(?=[ \t])/g, '')
  return { name: text.slice(start, nameEnd).toLowerCase(), value: value.trim() }
}

const isFieldNameCharacter = (c: number): boolean => c > 0x20 && c < 0x7f && c !== 0x3a

/** The first field of that name. */
export const fieldValue = (fields: readonly TextField[], name: string): string | undefined =>
  fields.find((field) => field.name === name)?.value

/** Of a Content-Type or Content-Disposition that is looked at, in octets. */
const VALUE_OCTETS_MAX = 2000

/** Reads a Content-Type and its parameters (RFC 2045 §5.1), lenient: comments and continuations are not read. */
export function contentType(value: string): { type: string; parameters: Map<string, string> } {
  const text = value.slice(0, VALUE_OCTETS_MAX)
  const type = /^\s*([\w.+-]+\/[\w.+-]+)/.exec(text)?.[1]?.toLowerCase()
  return { type: type ?? 'text/plain', parameters: parameters(text) }
}

function parameters(text: string): Map<string, string> {
  const found = new Map<string, string>()
  let at = text.indexOf(';')
  while (at >= 0 && at < text.length && found.size < 20) {
    const pair = /^[;\s]*([\w*.-]{1,60})\s{0,20}=\s{0,20}/.exec(text.slice(at, at + 200))
    if (pair === null) break
    at += pair[0].length
    const [value, end] = text[at] === '"' ? quoted(text, at + 1) : bare(text, at)
    const name = pair[1]!.toLowerCase()
    if (!found.has(name)) found.set(name, value)
    at = text.indexOf(';', end)
  }
  return found
}

function quoted(text: string, start: number): [string, number] {
  let value = ''
  let at = start
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\') at++
    value += text[at] ?? ''
    at++
  }
  return [value, at]
}

function bare(text: string, start: number): [string, number] {
  const semicolon = text.indexOf(';', start)
  const end = semicolon < 0 ? text.length : semicolon
  return [text.slice(start, end).trim(), end]
}
