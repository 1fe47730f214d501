/**
 * Composes the messages that the relay itself writes: text in two forms, reports (RFC 6522), and what they carry of the
 * message that they speak of (RFC 3464, RFC 6533). Why ours: docs/adr/0009-composing-mail.md.
 *
 * Text is UTF-8 in quoted-printable; lines end in CRLF, have 78 octets where that is possible and 998 at most.
 * A returned message goes in as it is, since message/rfc822 may not be encoded (RFC 2046 §5.2.1): ask `canCarry` first.
 */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { type Content, content, head } from '#mail/content.ts'
import { fieldText, type OutgoingField, structured } from './header-writing.ts'

const LINE_OCTETS_MAX = 998
const QP_LINE_CHARS_MAX = 76

export type Part =
  | { readonly kind: 'text'; readonly subtype: 'plain' | 'html'; readonly text: string; readonly language?: string }
  | {
      readonly kind: 'multipart'
      readonly subtype: 'alternative' | 'mixed' | { readonly report: string }
      readonly parts: readonly Part[]
    }
  /** Groups of fields with an empty line between them (RFC 3464 §2.1); `global` in UTF-8 messages (RFC 6533). */
  | { readonly kind: 'delivery-status'; readonly groups: readonly (readonly OutgoingField[])[] }
  | { readonly kind: 'message'; readonly content: Content }
  /** `name`: printable ASCII without quotes. */
  | { readonly kind: 'file'; readonly type: string; readonly name: string; readonly octets: Buffer }
  /** A header section: its octets, CRLF between fields. */
  | { readonly kind: 'headers'; readonly octets: Buffer }

export interface Composed {
  readonly content: Content
  readonly body: '7bit' | '8bitmime'
  readonly smtputf8: boolean
}

interface Rendered {
  readonly fields: readonly OutgoingField[]
  readonly chunks: readonly Buffer[]
  readonly eightBit: boolean
}

/** `utf8`: the message may be internationalized and needs SMTPUTF8 on its way (RFC 6531). */
export function compose(fields: readonly OutgoingField[], part: Part, utf8 = false): Composed {
  const rendered = render(part, utf8)
  const all = [...fields, structured('MIME-Version', '1.0'), ...rendered.fields]
  const header = Buffer.from(`${all.map((field) => fieldText(field, utf8)).join('')}\r\n`)
  const eightBit = rendered.eightBit || hasEightBit(header)
  const body = eightBit ? '8bitmime' : '7bit'
  return { content: content([header, ...rendered.chunks]), body, smtputf8: utf8 }
}

/** Can the content stand inside another message without encoding? CRLF only, no NUL, lines that fit. */
export function canCarry({ chunks }: Content): boolean {
  let column = 0
  let before = 0
  for (const chunk of chunks) {
    for (const octet of chunk) {
      if (octet === 0 || (before === 0x0d) !== (octet === 0x0a)) return false
      column = octet === 0x0a ? 0 : column + 1
      // The CR counts here and not in RFC 5322 §2.1.1.
      if (column > LINE_OCTETS_MAX + 1) return false
      before = octet
    }
  }
  return before !== 0x0d
}

function render(part: Part, utf8: boolean): Rendered {
  switch (part.kind) {
    case 'text':
      return encodedText(`text/${part.subtype}; charset=utf-8`, Buffer.from(part.text.toWellFormed()), part.language)
    case 'headers':
      return headerSection(part.octets, utf8)
    case 'delivery-status':
      return deliveryStatus(part.groups, utf8)
    case 'message':
      return carried(part.content, utf8)
    case 'file':
      return attached(part)
    case 'multipart':
      return multipart(part, utf8)
  }
}

function encodedText(type: string, octets: Buffer, language?: string): Rendered {
  const fields = [structured('Content-Type', type), structured('Content-Transfer-Encoding', 'quoted-printable')]
  if (language !== undefined) fields.push(structured('Content-Language', language))
  return { fields, chunks: [Buffer.from(quotedPrintable(octets), 'latin1')], eightBit: false }
}

// As it is where that is allowed: few readers of reports decode this part. Octets outside ASCII need UTF-8 (RFC 6533 §4).
function headerSection(octets: Buffer, utf8: boolean): Rendered {
  const type = utf8 ? 'message/global-headers' : 'text/rfc822-headers'
  const eightBit = hasEightBit(octets)
  const isPlain = canCarry(content([octets])) && (!eightBit || (utf8 && isUtf8(octets)))
  return isPlain ? { fields: typed(type, eightBit), chunks: [octets], eightBit } : encodedText(type, octets)
}

/** RFC 2045 §6.7. Every kind of line end becomes CRLF. The last line has one too. */
export function quotedPrintable(octets: Buffer): string {
  const lines = octets.toString('latin1').split(/\r\n|\r|\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line) => `${quotedLine(line)}\r\n`).join('')
}

function quotedLine(line: string): string {
  let out = ''
  let column = 0
  for (let i = 0; i < line.length; i++) {
    const last = i === line.length - 1
    const atom = quotedOctet(line, i, last)
    // A soft break takes a column of its own.
    if (column + atom.length > QP_LINE_CHARS_MAX - (last ? 0 : 1)) {
      out += '=\r\n'
      column = 0
    }
    out += atom
    column += atom.length
  }
  return out
}

function quotedOctet(line: string, i: number, last: boolean): string {
  const code = line.charCodeAt(i)
  const isSpace = code === 0x20 || code === 0x09
  const isPlain = code > 0x20 && code < 0x7f && code !== 0x3d
  // "From " at the start of a line is changed by some mail stores, a lone dot by careless hops.
  const isTrap = i === 0 && (code === 0x2e || line.startsWith('From '))
  if (!isTrap && (isPlain || (isSpace && !last))) return line[i]!
  return `=${code.toString(16).toUpperCase().padStart(2, '0')}`
}

function deliveryStatus(groups: readonly (readonly OutgoingField[])[], utf8: boolean): Rendered {
  const octets = Buffer.from(groups.map((group) => group.map((field) => fieldText(field, utf8)).join('')).join('\r\n'))
  const eightBit = hasEightBit(octets)
  const type = utf8 ? 'message/global-delivery-status' : 'message/delivery-status'
  return { fields: typed(type, eightBit), chunks: [octets], eightBit }
}

function carried(message: Content, utf8: boolean): Rendered {
  if (!canCarry(message)) throw new Error('a message that cannot stand inside another: ask canCarry first')
  const eightBit = message.chunks.some(hasEightBit)
  return { fields: typed(utf8 ? 'message/global' : 'message/rfc822', eightBit), chunks: message.chunks, eightBit }
}

function attached({ type, name, octets }: Extract<Part, { kind: 'file' }>): Rendered {
  if (!/^[ !#-[\]-~]+$/.test(name)) throw new Error(`not a file name: ${name}`)
  const fields = [
    structured('Content-Type', type),
    structured('Content-Transfer-Encoding', 'base64'),
    structured('Content-Disposition', `attachment; filename="${name}"`),
  ]
  // RFC 2045 §6.8.
  const lines = octets.toString('base64').replace(/.{1,76}/g, '$&\r\n')
  return { fields, chunks: [Buffer.from(lines, 'latin1')], eightBit: false }
}

const typed = (type: string, eightBit: boolean): OutgoingField[] => [
  structured('Content-Type', type),
  structured('Content-Transfer-Encoding', eightBit ? '8bit' : '7bit'),
]

function multipart({ subtype, parts }: Extract<Part, { kind: 'multipart' }>, utf8: boolean): Rendered {
  const children = parts.map((part) => render(part, utf8))
  const inside = children.map(({ fields, chunks }) => [
    Buffer.from(`${fields.map((field) => fieldText(field, utf8)).join('')}\r\n`),
    ...chunks,
  ])
  const boundary = boundaryFor(inside.flat())
  const chunks = inside.flatMap((child) => [Buffer.from(`--${boundary}\r\n`), ...child, Buffer.from('\r\n')])
  const name = typeof subtype === 'string' ? subtype : `report; report-type=${subtype.report}`
  const eightBit = children.some((child) => child.eightBit)
  return {
    fields: typed(`multipart/${name}; boundary="${boundary}"`, eightBit),
    chunks: [...chunks, Buffer.from(`--${boundary}--\r\n`)],
    eightBit,
  }
}

// A digest of the parts: nobody can put it into a part without changing it. `=_` cannot come from quoted-printable.
function boundaryFor(chunks: readonly Buffer[]): string {
  const all = Buffer.concat(chunks)
  for (let i = 0; ; i++) {
    const boundary = `=_${createHash('sha256').update(`${i}`).update(all).digest('hex').slice(0, 32)}`
    if (!all.includes(boundary)) return boundary
  }
}

const hasEightBit = (octets: Buffer): boolean => octets.some((octet) => octet > 0x7f)

/** For tests and callers that want one buffer. */
export const composedBytes = ({ content: of }: Composed): Buffer => head(of, of.octets)
