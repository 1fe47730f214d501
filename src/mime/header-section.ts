/**
 * The header section, read where it lies: names and offsets of its fields, nothing decoded (RFC 5322 §2.2).
 *
 * The path needs few facts of it: where it ends, how many hops it has seen, its Message-ID. A folded field is one field.
 * Limits: octets and fields, named below; what is beyond them is a fact too (`tooLarge`), never an exception.
 */
import { type Content, head } from '#mail/content.ts'

/** More than any mail client or list writes; a header section beyond it is an attack on those who parse it. */
export const HEADER_OCTETS_MAX = 1024 * 1024
/** As above: 100,000 fields in 1 MiB would keep later parsers busy. */
export const HEADER_FIELDS_MAX = 2000

export interface Field {
  /** Lower case. */
  readonly name: string
  /** From the first octet of the name to behind the CRLF of its last line. */
  readonly start: number
  readonly end: number
  /** What stands behind the colon, still folded, one character per octet. */
  readonly value: string
}

export interface HeaderSection {
  readonly fields: readonly Field[]
  /** Offset behind the last field: of the empty line, or of the first line that is no field. */
  readonly end: number
  readonly tooLarge: boolean
}

/** Reads the header section of a content. The lines must end in CRLF, as the server session makes sure. */
export function readHeaderSection(content: Content): HeaderSection {
  const text = head(content, HEADER_OCTETS_MAX + 2).toString('latin1')
  const fields: Field[] = []
  let at = 0
  while (at < text.length && fields.length <= HEADER_FIELDS_MAX) {
    const field = readField(text, at)
    if (field === undefined) break
    fields.push(field)
    at = field.end
  }
  // Where the text was cut within a line, that line may have been a field.
  const isCut = text.length > HEADER_OCTETS_MAX && text.indexOf('\r\n', at) < 0
  return { fields, end: at, tooLarge: fields.length > HEADER_FIELDS_MAX || at > HEADER_OCTETS_MAX || isCut }
}

function readField(text: string, start: number): Field | undefined {
  const colon = fieldNameEnd(text, start)
  if (colon < 0) return undefined
  let end = lineEnd(text, colon)
  while (text.charCodeAt(end) === 0x20 || text.charCodeAt(end) === 0x09) end = lineEnd(text, end)
  return {
    name: text.slice(start, colon).trimEnd().toLowerCase(),
    start,
    end,
    value: text.slice(colon + 1, end),
  }
}

// field-name = 1*ftext, printable US-ASCII without colon (RFC 5322 §3.6.8); obsolete white space before the colon (§4.5).
function fieldNameEnd(text: string, start: number): number {
  let i = start
  while (isFtext(text.charCodeAt(i))) i++
  if (i === start) return -1
  while (text.charCodeAt(i) === 0x20 || text.charCodeAt(i) === 0x09) i++
  return text.charCodeAt(i) === 0x3a ? i : -1
}

const isFtext = (c: number): boolean => c > 0x20 && c < 0x7f && c !== 0x3a

function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\r\n', from)
  return at < 0 ? text.length : at + 2
}

/** A field's value unfolded and trimmed (RFC 5322 §2.2.3). */
export const unfolded = (field: Field): string => field.value.replace(/\r\n(?=[ \t])/g, '').trim()

/** The content without the given fields, which must be in ascending order. Copies nothing. */
export function withoutFields(content: Content, fields: readonly Field[]): Content {
  if (fields.length === 0) return content
  let octets = content.octets
  const chunks: Buffer[] = []
  let next = 0
  let base = 0
  for (const chunk of content.chunks) {
    let from = 0
    while (next < fields.length && fields[next]!.start < base + chunk.length) {
      const { start, end } = fields[next]!
      const cutStart = Math.max(start - base, from)
      const cutEnd = Math.min(end - base, chunk.length)
      if (cutStart > from) chunks.push(chunk.subarray(from, cutStart))
      octets -= Math.max(0, cutEnd - cutStart)
      from = Math.max(from, cutEnd)
      if (end - base > chunk.length) break
      next++
    }
    if (from < chunk.length) chunks.push(from === 0 ? chunk : chunk.subarray(from))
    base += chunk.length
  }
  return { chunks, octets }
}
