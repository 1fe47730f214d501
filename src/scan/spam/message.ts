/**
 * A message as the spam filter reads it: decoded fields, the texts that a person sees, links, and what is attached. Read
 * once; rules and classifier share it.
 *
 * Limits: octets that are read, texts, and those of the readers below. What is beyond them is not looked at.
 */
import { bodyOctets, fieldText, fromCharset, partText, transferEncoding } from '#mime/decoded-text.ts'
import { fieldValue, type Part, readStructure, type TextField } from '#mime/structure.ts'
import { type HeaderView, readHeader, readHeaderFields } from './header.ts'
import { type HtmlView, readHtml } from './html.ts'

/** Of a content. Spam is small; what stands behind this many octets is an attachment. */
export const OCTETS_MAX = 512 * 1024
/** Of the header section, in octets. */
const HEADER_OCTETS_MAX = 64 * 1024
/** Parts that are read as text. */
const TEXTS_MAX = 10

export interface MessageText {
  readonly kind: 'plain' | 'html'
  /** What is shown, decoded. */
  readonly text: string
  readonly html?: HtmlView
  readonly charset: string
}

export interface Attachment {
  readonly type: string
  readonly name: string
  readonly octets: number
  /** The first octets, decoded, one character each. */
  readonly start: string
}

export interface SpamMessage {
  readonly content: Buffer
  readonly fields: readonly TextField[]
  readonly header: HeaderView
  /** The header section as it came, one character per octet; up to the empty line, also where a line before it is no field. */
  readonly headerText: string
  readonly subject: string
  readonly texts: readonly MessageText[]
  readonly attachments: readonly Attachment[]
  readonly parts: readonly Part[]
  readonly octets: number
  /** A part that says 7bit, or nothing, has octets above 127. */
  readonly sevenBitWithHigh: boolean
}

export function readMessage(content: Buffer): SpamMessage {
  const text = content.toString('latin1', 0, OCTETS_MAX)
  const read = readHeaderFields(text, Math.min(text.length, HEADER_OCTETS_MAX))
  const { fields, bodyStart } = read
  const { parts } = readStructure(text, fields, bodyStart)
  const texts: MessageText[] = []
  const attachments: Attachment[] = []
  for (const part of parts) {
    if (part.type.startsWith('multipart/')) continue
    const name = nameOf(part)
    if (isText(part, name) && texts.length < TEXTS_MAX) texts.push(readText(text, part))
    else attachments.push({ type: part.type, name, octets: part.end - part.bodyStart, start: startOf(text, part) })
  }
  const subject = decoded(fields, 'subject')
  const headerText = text.slice(0, Math.max(bodyStart, blankLine(text)))
  return {
    content,
    fields,
    header: readHeader(read),
    headerText,
    subject,
    texts,
    attachments,
    parts,
    octets: content.length,
    sevenBitWithHigh: parts.some((part) => isUntrue(text, part)),
  }
}

/** Offset of the first empty line, where most readers see the end of the header section; 0: there is none near. */
function blankLine(text: string): number {
  const at = text.slice(0, HEADER_OCTETS_MAX).search(/\n\r?\n/)
  return at < 0 ? 0 : at + 1
}

/** The first field of that name as a person reads it; empty if there is none. */
export function decoded(fields: readonly TextField[], name: string): string {
  const value = fieldValue(fields, name)
  return value === undefined ? '' : fieldText(value)
}

const isText = ({ type, fields }: Part, name: string): boolean =>
  (type === 'text/plain' || type === 'text/html' || (type.startsWith('text/') && name === '')) &&
  !/^\s{0,9}attachment/i.test(fieldValue(fields, 'content-disposition') ?? '')

function nameOf({ parameters, fields }: Part): string {
  const disposition = fieldValue(fields, 'content-disposition') ?? ''
  const name = /filename\*?\s{0,9}=\s{0,9}"?([^";]{1,255})/i.exec(disposition.slice(0, 2000))?.[1]
  return fieldText(name ?? parameters.get('name') ?? '').trim()
}

/** Of an attachment, for its kind: before decoding, and after. */
const START_OCTETS = 64

function startOf(text: string, part: Part): string {
  const raw = text.slice(part.bodyStart, Math.min(part.end, part.bodyStart + START_OCTETS))
  return transferEncoding(part) === 'base64' ? Buffer.from(raw, 'base64').toString('latin1') : raw
}

/** Of a text that is searched for octets above 127. */
const SEVEN_BIT_OCTETS_MAX = 8_000

const isUntrue = (text: string, part: Part): boolean =>
  part.type.startsWith('text/') &&
  transferEncoding(part) === '7bit' &&
  fieldValue(part.fields, 'content-transfer-encoding') !== undefined &&
  /[\x80-\xff]/.test(text.slice(part.bodyStart, Math.min(part.end, part.bodyStart + SEVEN_BIT_OCTETS_MAX)))

function readText(text: string, part: Part): MessageText {
  const charset = (part.parameters.get('charset') ?? '').trim().toLowerCase()
  if (part.type !== 'text/html') return { kind: 'plain', text: partText(text, part), charset }
  const html = readHtml(fromCharset(bodyOctets(text, part), charset))
  return { kind: 'html', text: html.text, html, charset }
}
