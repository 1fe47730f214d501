/**
 * Opens Office documents that are one file of XML: Word 2003, flat OPC, flat OpenDocument. What the zip has as parts stands in
 * them as base64: pictures, objects, the macro project. And opens ActiveMime, the packing that Word and mail in MHTML
 * put around objects and macros.
 *
 * ECMA-376 part 1 annex (flat OPC), OpenDocument 1.3 part 3 §10.4.5. ActiveMime is not documented: a header that says where a
 * zlib stream begins. Sizes in octets.
 */
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { plainMarkup } from '../markup-text.ts'
import { inflate } from './inflating.ts'
import { broken, charged, inside, overLimit } from './inside.ts'

/** Of the file; a presentation with pictures has some 20 MB. */
const TEXT_OCTETS_MAX = 64 * 1024 * 1024
const BEGIN = /^(?:\xef\xbb\xbf)?\s{0,200}<(?:\?xml|!--|pkg:|w:|office:)/
/** `pkg:binaryData`, `w:binData`, `office:binary-data`; the prefixes may be others. */
const MARKS = ['binaryData', 'binData', 'binary-data'].map((mark) => Buffer.from(mark))
const BASE64 = /[^A-Za-z0-9+/=]/g
const NAME = /\b(?:w:|pkg:|xlink:)?(?:name|href)\s?=\s?["']([^"'<>]{1,1000})["']/g
/** How far before the data the part has its name. */
const NAME_WITHIN_OCTETS = 2_000

const ACTIVE_MIME = Buffer.from('ActiveMime', 'latin1')
/** Where the header says how far the data are from here. */
const SKIP_AT = 0x1e
const AFTER_SKIP = 46
const ZLIB_STARTS = [Buffer.from([0x78, 0x01]), Buffer.from([0x78, 0x9c]), Buffer.from([0x78, 0xda])]
/** The stream is searched so far where the header misleads. */
const SEARCH_OCTETS = 4_096

export const flatOffice: Opener = {
  container: 'office-xml',
  recognises: (octets) => {
    const head = plainMarkup(octets, 1_024)
    return BEGIN.test(head.toString('latin1')) && hasData(plainMarkup(octets, TEXT_OCTETS_MAX))
  },
  *open(object, budget) {
    if (object.octets.length > TEXT_OCTETS_MAX) yield overLimit('octets', object.where)
    const xml = plainMarkup(object.octets, TEXT_OCTETS_MAX)
    for (const mark of MARKS) yield* openMarked(object, xml, mark, budget)
  },
}

export const activeMime: Opener = {
  container: 'activemime',
  recognises: (octets) => octets.subarray(0, ACTIVE_MIME.length).equals(ACTIVE_MIME),
  *open(object, budget) {
    const at = zlibAt(object.octets)
    if (at === undefined) return yield broken('activemime', object.where, 'no data are in it')
    const { octets, end, consumed } = inflate('zlib', object.octets.subarray(at), budget.octetsLeft, budget)
    const child = inside(object, [], 'content', octets)
    if (end === 'over') return yield overLimit('octets', child.where)
    if (end !== 'whole') yield broken('activemime', child.where, `its data are ${end}`)
    yield charged(child, consumed, budget)
  },
}

function hasData(xml: Buffer): boolean {
  return MARKS.some((mark) => xml.includes(mark))
}

function* openMarked(object: ScanObject, xml: Buffer, mark: Buffer, budget: ScanBudget): Generator<Opened> {
  for (let at = xml.indexOf(mark); at >= 0; at = xml.indexOf(mark, at + mark.length)) {
    if (budget.isOver()) return yield overLimit('time', object.where)
    const tagEnd = xml.indexOf('>', at)
    if (tagEnd < 0) return
    const dataEnd = xml.indexOf('<', tagEnd)
    const data = xml.subarray(tagEnd + 1, dataEnd < 0 ? xml.length : dataEnd)
    // The end tag has the same name, and blanks at most behind it.
    const isEndTag = xml[tagBegin(xml, at) + 1] === 0x2f
    if (isEndTag || data.length < 4) continue
    const octets = Buffer.from(data.toString('latin1').replace(BASE64, ''), 'base64')
    yield charged(inside(object, namesOf(xml, at, tagEnd), `data at ${at}`, octets), data.length, budget)
  }
}

function tagBegin(xml: Buffer, at: number): number {
  return xml.lastIndexOf('<', at)
}

/** Its own name, or that of the part around it: the last one before the data. */
function namesOf(xml: Buffer, at: number, tagEnd: number): string[] {
  const before = xml.toString('latin1', Math.max(0, at - NAME_WITHIN_OCTETS), tagEnd)
  const last = [...before.matchAll(NAME)].at(-1)?.[1]
  return last === undefined ? [] : [last.replace(/^\//, '')]
}

function zlibAt(file: Buffer): number | undefined {
  const told = file.length > SKIP_AT + 2 ? file.readUInt16LE(SKIP_AT) + AFTER_SKIP : 0
  if (ZLIB_STARTS.some((start) => file.subarray(told, told + 2).equals(start))) return told
  const head = file.subarray(0, SEARCH_OCTETS)
  const places = ZLIB_STARTS.map((start) => head.indexOf(start, ACTIVE_MIME.length)).filter((at) => at >= 0)
  return places.length === 0 ? undefined : Math.min(...places)
}
