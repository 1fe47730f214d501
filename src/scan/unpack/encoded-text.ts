/**
 * Opens texts that carry files: uuencode, yEnc and BinHex in an attached file (of the mail itself they are read before), and
 * `data:` addresses of pages, which the browser saves as a file. Sizes in octets; RFC 2397.
 */
import { inlineFiles } from '#mime/readings/inline.ts'
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { charged, inside, overLimit } from './inside.ts'

const TEXT_OCTETS_MAX = 32 * 1024 * 1024
const MARKS = [
  /^[ \t>]{0,20}begin(?:-base64)?[ \t]{1,20}[0-7]{3,6}[ \t]/m,
  /^=ybegin /m,
  /\(This file must be converted with BinHex/,
]
const HINTS = ['begin', '=ybegin ', 'converted with BinHex'].map((hint) => Buffer.from(hint))
/** A text has no NUL; what has one is no text to the programs that look for these marks. */
const HEAD_OCTETS = 1_024

const DATA = Buffer.from(';base64,', 'latin1')
const DATA_BEGIN = /data:[\w.+-]{0,100}\/?[\w.+-]{0,100}(?:;[\w.+=-]{1,100}){0,5}$/i
const DATA_BEFORE = 512
const NOT_BASE64 = /[^A-Za-z0-9+/=\s%_-]/
/** Of one page; pages with many pictures have some hundred. */
const DATA_MAX = 1_000

export const encodedText: Opener = {
  container: 'encoded-text',
  recognises: (octets) => {
    if (octets.subarray(0, HEAD_OCTETS).includes(0) || !HINTS.some((hint) => octets.includes(hint))) return false
    const text = octets.toString('latin1', 0, TEXT_OCTETS_MAX)
    return MARKS.some((mark) => mark.test(text))
  },
  *open(object, budget) {
    const { files, isCut } = inlineFiles(object.octets.toString('latin1', 0, TEXT_OCTETS_MAX))
    if (isCut) yield overLimit('objects', object.where)
    for (const { name, octets, way } of files)
      if (octets.length > 0) yield charged(inside(object, [name], way, octets), object.octets.length, budget)
  },
}

export const dataAddresses: Opener = {
  container: 'data-address',
  recognises: (octets) => octets.includes(DATA),
  open: openData,
}

function* openData(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const page = object.octets.subarray(0, TEXT_OCTETS_MAX)
  let count = 0
  for (let at = page.indexOf(DATA); at >= 0; at = page.indexOf(DATA, at + DATA.length)) {
    if (!DATA_BEGIN.test(page.toString('latin1', Math.max(0, at - DATA_BEFORE), at))) continue
    if (++count > DATA_MAX) return yield overLimit('objects', object.where)
    const from = at + DATA.length
    const text = page.toString('latin1', from, endOfData(page, from)).replace(/%([0-9a-f]{2})/gi, unescaped)
    const octets = Buffer.from(text, 'base64')
    if (octets.length > 0) yield charged(inside(object, [], `data at ${at}`, octets), text.length, budget)
  }
}

function endOfData(page: Buffer, from: number): number {
  let at = from
  // In pieces: most addresses are short, and pages are not.
  for (let size = 4_096; at < page.length; size *= 2) {
    const found = page.toString('latin1', at, at + size).search(NOT_BASE64)
    if (found >= 0) return at + found
    at += size
  }
  return page.length
}

const unescaped = (_: string, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))
