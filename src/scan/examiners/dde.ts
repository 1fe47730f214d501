/**
 * Dynamic data exchange: a field or a cell that has Office start a program and ask it for data. Seen in Word's XML, Word's
 * binary text, RTF, links of Excel's XML, and tables of text. Nobody sends that to be read, so each counts as one that
 * starts by itself, although newer programs ask first. Not seen: a name put together by `QUOTE` fields, and Excel's
 * binary links.
 *
 * What it looks at is bounded by TEXT_OCTETS_MAX of each object.
 */
import type { Examiner, ScanObject } from '../contract.ts'

const TEXT_OCTETS_MAX = 16 * 1024 * 1024
/** Of what stands behind RTF's `\fldinst`. */
const RTF_FIELD_CHARACTERS = 512

/** The text of fields in pieces, and where one begins. */
const WORD_FIELDS =
  /<(?:\w{1,20}:)?instrText[^<>]{0,200}>([^<]{0,4000})|fldCharType\s?=\s?["']begin|\binstr\s?=\s?["']([^"']{0,4000})/g
const FIELD_BEGINS = '\x13'
const FIELD = /\x13[\s"]{0,20}DDE(?:AUTO)?\s/i
/** [MS-DOC] §2.8.25: 0x13 begins a field; the text has one or two octets for each character. */
const WORD_BINARY = [Buffer.from('DDE', 'latin1'), Buffer.from('DDE', 'utf16le')]
const BEFORE_OCTETS = 24
const AFTER_OCTETS = 16
const EXCEL_LINK = /<(?:\w{1,20}:)?ddeLink\s/
/** A cell that is a formula, whose value comes from `program|'topic'!item`. */
const CELL = /(?:^|[\n\r,;\t"]) {0,4}[=+@-][^\n\r,;|]{0,64}\| {0,4}'[^'\r\n]{0,512}'!/
/** The same in Excel's XML of 2003; an apostrophe may be written as `&apos;` or by its number. */
const FORMULA = /:Formula="[=+@-][^"|<>]{0,64}\| {0,4}(?:'|&apos;|&#39;)[^"<>]{0,512}!/
const TABLE_NAME = /\.(?:csv|tsv|slk|iqy|txt|dif)[.\s]*$/i

export const dde: Examiner = {
  name: 'dde',
  *examine(object) {
    if (hasDde(object)) yield { kind: 'macro', dialect: 'dde', autoRun: true, where: object.where }
  },
}

function hasDde({ octets: all, names, declaredType }: ScanObject): boolean {
  const octets = all.subarray(0, TEXT_OCTETS_MAX)
  if (names.some((name) => TABLE_NAME.test(name)) || declaredType === 'text/csv') {
    if (CELL.test(octets.toString('latin1'))) return true
  }
  if (octets.includes('{\\rt') && rtfHasDde(octets.toString('latin1'))) return true
  if (octets.includes('instr') && FIELD.test(fieldsOf(octets.toString('latin1')))) return true
  if (octets.includes('ddeLink') && EXCEL_LINK.test(octets.toString('latin1'))) return true
  if (octets.includes('Formula=') && FORMULA.test(octets.toString('latin1'))) return true
  return WORD_BINARY.some((mark) => binaryHasDde(octets, mark))
}

function fieldsOf(xml: string): string {
  const pieces: string[] = []
  for (const [, piece, whole] of xml.matchAll(WORD_FIELDS)) {
    if (whole !== undefined) pieces.push(FIELD_BEGINS, whole, ' ')
    else pieces.push(piece ?? FIELD_BEGINS)
  }
  return `${pieces.join('')} `.replaceAll('&quot;', '"')
}

function rtfHasDde(text: string): boolean {
  for (const piece of text.split('\\fldinst').slice(1)) {
    const field = piece.slice(0, RTF_FIELD_CHARACTERS).replace(/\\[a-z]{1,32}-?\d{0,10} ?|[{}\r\n]|\\\*/gi, '')
    if (/^\s{0,20}DDE(?:AUTO)?\s/i.test(field)) return true
  }
  return false
}

function binaryHasDde(octets: Buffer, mark: Buffer): boolean {
  for (let at = octets.indexOf(mark); at >= 0; at = octets.indexOf(mark, at + mark.length)) {
    if (!octets.subarray(Math.max(0, at - BEFORE_OCTETS), at).includes(FIELD_BEGINS)) continue
    const around = octets.toString('latin1', Math.max(0, at - BEFORE_OCTETS), at + AFTER_OCTETS + mark.length)
    if (FIELD.test(around.replaceAll('\0', ''))) return true
  }
  return false
}
