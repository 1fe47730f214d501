/**
 * Dynamic data exchange: a field or a cell that has Office start a program and ask it for data. Seen in Word's XML, Word's
 * binary text, RTF, links of Excel's XML and of its binary parts (BIFF12), OpenDocument, and tables of text; those of old
 * workbooks are in their records, which an opener reads. Nobody sends that to be read, so each counts as one that starts
 * by itself, although newer programs ask first. A name that is put together by `QUOTE` fields, of the numbers of its letters, counts
 * like one that is written; so do fields that link to an object on the web (`ole-link`).
 *
 * What it looks at is bounded by TEXT_OCTETS_MAX of each object.
 */
import type { MacroDialect } from '#mail/scan.ts'
import type { Examiner, ScanObject } from '../contract.ts'
import { isMarkup, isOpenDocument, plainMarkup, withoutReferences } from '../markup-text.ts'

const TEXT_OCTETS_MAX = 16 * 1024 * 1024
/** Of what stands behind RTF's `\fldinst`. */
const RTF_FIELD_CHARACTERS = 2_048
const RTF = /^(?:\xef\xbb\xbf)?\s*\{\s*\\rt/
const RTF_FIELDS_MAX = 20_000
/** `\\` is a backslash, and no format. */
const RTF_FORMATS = /\\[a-z]{1,32}-?\d{0,10} ?|[{}\r\n]|\\\*/gi

/** The text of fields in pieces, and where one begins. */
const WORD_FIELDS =
  /<(?:\w{1,20}:)?instrText[^<>]{0,200}>([^<]{0,4000})|fldCharType\s?=\s?["']begin|\binstr\s?=\s?["']([^"']{0,4000})/g
const FIELD_BEGINS = '\x13'
const FIELD = /\x13[\s"]{0,20}DDE(?:AUTO)?\s/i
/** An object that is fetched from a server. */
const LINK = /\x13[\s"]{0,20}LINK\s[^\x13\x14\x15]{0,300}(?:https?:|ftp:|mhtml:|\\\\\\\\)/i
/** Letters by their numbers; `QUOTE "text"` is ordinary. */
const QUOTE = /\bQUOTE((?:\s{1,8}\d{2,3}){3,400})/gi
const QUOTED = /\bdde(?:auto)?\b|cmd\b|powershell|mshta|\.exe|https?:/i
/** [MS-DOC] §2.8.25: 0x13 begins a field; the text has one or two octets for each character. */
const WORD_BINARY = [Buffer.from('DDE', 'latin1'), Buffer.from('DDE', 'utf16le')]
const BEFORE_OCTETS = 24
const AFTER_OCTETS = 16
const EXCEL_LINK = /<(?:\w{1,20}:)?ddeLink\s/
/** A part of BIFF12 that begins with a link to another program: [MS-XLSB] §2.4.67 BrtBeginSupBook, kind 1. */
const SUP_BOOK = Buffer.from([0xe8, 0x02])
const SUP_BOOK_DDE = 1
const SUP_BOOK_OCTETS_MAX = 2_000
const OPEN_DOCUMENT = /<office:dde-source\s|<text:dde-connection-decl\s|:formula\s?=\s?["']of:=[^"']{0,200}\bDDE\(/
/** A cell that is a formula, whose value comes from `program|'topic'!item`. */
const CELL = /(?:^|[\n\r,;\t"]) {0,4}[=+@-][^\n\r,;|]{0,64}\| {0,4}'[^'\r\n]{0,512}'!/
/** The same in Excel's XML of 2003; an apostrophe may be written as `&apos;` or by its number. */
const FORMULA = /:Formula="[=+@-][^"|<>]{0,64}\| {0,4}(?:'|&apos;|&#39;)[^"<>]{0,512}!/
const TABLE_NAME = /\.(?:csv|tsv|slk|iqy|txt|dif)[.\s]*$/i

export const dde: Examiner = {
  name: 'dde',
  *examine(object) {
    for (const dialect of new Set(dialectsOf(object)))
      yield { kind: 'macro', dialect, autoRun: true, where: object.where }
  },
}

function* dialectsOf({ octets: all, names, declaredType }: ScanObject): Generator<MacroDialect> {
  const octets = plainMarkup(all, TEXT_OCTETS_MAX)
  const isTable = names.some((name) => TABLE_NAME.test(name)) || declaredType === 'text/csv'
  if (isTable && CELL.test(octets.toString('latin1'))) yield 'dde'
  if (RTF.test(octets.toString('latin1', 0, 256)) && octets.includes('\\fldinst'))
    yield* fieldDialects(rtfFields(octets.toString('latin1')))
  if (isMarkup(all)) yield* inMarkup(octets)
  else if (isBinaryLink(octets) || WORD_BINARY.some((mark) => binaryHasDde(octets, mark))) yield 'dde'
}

function* inMarkup(octets: Buffer): Generator<MacroDialect> {
  if (octets.includes('instr')) yield* fieldDialects(fieldsOf(octets.toString('latin1')))
  if (octets.includes('ddeLink') && EXCEL_LINK.test(octets.toString('latin1'))) yield 'dde'
  if (octets.includes('Formula=') && FORMULA.test(octets.toString('latin1'))) yield 'dde'
  if (hasOpenDocumentDde(octets)) yield 'dde'
}

function* fieldDialects(fields: string): Generator<MacroDialect> {
  const isWritten = FIELD.test(fields)
  if (isWritten || [...fields.matchAll(QUOTE)].some(([, numbers]) => QUOTED.test(lettersOf(numbers!)))) yield 'dde'
  if (LINK.test(fields)) yield 'ole-link'
}

function lettersOf(numbers: string): string {
  return String.fromCharCode(...numbers.trim().split(/\s+/).map(Number))
}

function hasOpenDocumentDde(octets: Buffer): boolean {
  return isOpenDocument(octets) && OPEN_DOCUMENT.test(octets.toString('latin1'))
}

function isBinaryLink(octets: Buffer): boolean {
  if (octets.length < 16 || !octets.subarray(0, 2).equals(SUP_BOOK)) return false
  // The size is written in groups of seven bits, and below 16,384.
  const bodyAt = octets[2]! & 0x80 ? 4 : 3
  const length = octets.readUInt32LE(bodyAt + 2)
  return octets.readUInt16LE(bodyAt) === SUP_BOOK_DDE && length < SUP_BOOK_OCTETS_MAX
}

function fieldsOf(xml: string): string {
  const pieces: string[] = []
  for (const [, piece, whole] of xml.matchAll(WORD_FIELDS)) {
    if (whole !== undefined) pieces.push(FIELD_BEGINS, whole, ' ')
    else pieces.push(piece ?? FIELD_BEGINS)
  }
  return withoutReferences(`${pieces.join('')} `)
}

/** As they would be read without their formats. */
function rtfFields(text: string): string {
  return text
    .split('\\fldinst')
    .slice(1, RTF_FIELDS_MAX)
    .map((piece) => piece.slice(0, RTF_FIELD_CHARACTERS).split('\\fldrslt', 1)[0]!)
    .map((piece) => FIELD_BEGINS + piece.replace(RTF_FORMATS, '').trimStart())
    .join('')
}

function binaryHasDde(octets: Buffer, mark: Buffer): boolean {
  for (let at = octets.indexOf(mark); at >= 0; at = octets.indexOf(mark, at + mark.length)) {
    if (!octets.subarray(Math.max(0, at - BEFORE_OCTETS), at).includes(FIELD_BEGINS)) continue
    const around = octets.toString('latin1', Math.max(0, at - BEFORE_OCTETS), at + AFTER_OCTETS + mark.length)
    if (FIELD.test(around.replaceAll('\0', ''))) return true
  }
  return false
}
