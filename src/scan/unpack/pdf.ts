/**
 * Opens PDF files: every stream that is packed by Flate, embedded files and object streams among them. The table of objects is
 * not followed: readers rebuild it where it is damaged, so a stream is whatever stands behind the word `stream`. Pictures in
 * their own codings are left alone; of other filters (LZW, ASCII85)
 * it says that it cannot tell. An encrypted file says so, and its streams stay closed.
 *
 * The format: ISO 32000-1 §7.3.8 (streams), §7.4.4 (Flate). Sizes in octets.
 */
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { inflate } from './inflating.ts'
import { broken, cannotTell, charged, encrypted, inside, overLimit } from './inside.ts'

/** Readers take a header within the first 1,024 octets. */
const HEADER_WITHIN_OCTETS = 1_024
/** Of the dictionary before a stream. */
const DICTIONARY_OCTETS_MAX = 2_048
const STREAM = Buffer.from('stream')
const STREAM_END = Buffer.from('endstream')
/** Filters by both names, and with letters written as numbers (#46 is F): only the outermost counts. */
const FLATE = /\/(?:FlateDecode|Fl)(?![A-Za-z])/
const FILTER = /\/(?:Filter|F)(?![A-Za-z])/
const OTHER_FILTERS = /\/(?:ASCII85Decode|A85|ASCIIHexDecode|AHx|LZWDecode|LZW|RunLengthDecode|RL)(?![A-Za-z])/
const PICTURE = /\/(?:DCTDecode|DCT|JPXDecode|CCITTFaxDecode|CCF|JBIG2Decode)(?![A-Za-z])/
const ENCRYPTED = /\/Encrypt\s*(?:\d+\s+\d+\s+R|<<)/

export const pdf: Opener = {
  container: 'pdf',
  recognises: (octets) => octets.subarray(0, HEADER_WITHIN_OCTETS).includes('%PDF-'),
  open: openPdf,
}

function* openPdf(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const file = object.octets
  const isEncrypted = ENCRYPTED.test(file.toString('latin1'))
  if (isEncrypted) yield encrypted('pdf', object.where)
  let at = file.indexOf(STREAM)
  while (at >= 0) {
    if (budget.isOver()) return yield overLimit('time', object.where)
    const isEnd = file.subarray(Math.max(0, at - 3), at).equals(STREAM_END.subarray(0, 3))
    const end = isEnd ? at + STREAM.length : yield* openStream(object, at, isEncrypted, budget)
    at = file.indexOf(STREAM, Math.max(end, at + STREAM.length))
  }
}

/** Answers where to look on: behind what was unpacked. */
function* openStream(
  object: ScanObject,
  at: number,
  isEncrypted: boolean,
  budget: ScanBudget,
): Generator<Opened, number> {
  const file = object.octets
  const dictionary = dictionaryBefore(file, at)
  const dataAt = afterLineEnd(file, at + STREAM.length)
  const endAt = file.indexOf(STREAM_END, dataAt)
  const stored = file.subarray(dataAt, endAt < 0 ? file.length : endAt)
  if (isEncrypted && FILTER.test(dictionary)) return dataAt
  const child = (octets: Buffer) => inside(object, [], `stream at ${at}`, octets)
  if (!FILTER.test(dictionary)) {
    yield charged(child(stored), stored.length, budget)
    return dataAt
  }
  if (OTHER_FILTERS.test(dictionary) || !(FLATE.test(dictionary) || PICTURE.test(dictionary))) {
    yield cannotTell('pdf-filter', child(stored).where, 'a filter of its stream is not read')
    return dataAt
  }
  if (!FLATE.test(dictionary)) return dataAt
  const unpacked = inflate('zlib', file.subarray(dataAt), budget.octetsLeft, budget)
  const opened = child(unpacked.octets)
  if (unpacked.end === 'over') {
    yield overLimit('octets', opened.where)
    return dataAt
  }
  if (unpacked.end !== 'whole') yield broken('pdf', opened.where, `its data are ${unpacked.end}`)
  yield charged(opened, unpacked.consumed, budget)
  return dataAt + unpacked.consumed
}

function dictionaryBefore(file: Buffer, at: number): string {
  const text = file.toString('latin1', Math.max(0, at - DICTIONARY_OCTETS_MAX), at)
  const own = text.slice(Math.max(text.lastIndexOf(' obj'), text.lastIndexOf('endobj'), 0))
  return own.replace(/#([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

function afterLineEnd(file: Buffer, at: number): number {
  const from = file[at] === 0x0d ? at + 1 : at
  return file[from] === 0x0a ? from + 1 : from
}
