/**
 * Opens PDF files: every stream through its filters, embedded files among them, and the objects that stand in streams. The
 * table of objects is not followed: readers rebuild it where it is damaged, so a stream is whatever stands behind the word
 * `stream`. Pictures in their own codings are left alone; of a filter that it does not know it says that it cannot tell. An
 * encrypted file whose password is empty is read like any other; of others it says that they are encrypted.
 *
 * The format: ISO 32000-1 §7.3.8 (streams), §7.5.7 (object streams). Sizes in octets.
 */
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { broken, cannotTell, charged, encrypted, inside, overLimit } from './inside.ts'
import { dictionaryBefore, filterNames, lengthOf, type StreamDictionary } from './pdf-dictionary.ts'
import { openWithoutPassword, type PdfDecryption } from './pdf-encryption.ts'
import { filtersOf, unfilter } from './pdf-filters.ts'
import { numberedObjects } from './pdf-objects.ts'
import { unpredicted } from './pdf-predictor.ts'

/** Readers take a header within the first 1,024 octets. */
const HEADER_WITHIN_OCTETS = 1_024
/** Of all objects that stand in streams; they come out once more, together. */
const OBJECTS_OCTETS_MAX = 16 * 1024 * 1024
const STREAM = Buffer.from('stream')
const STREAM_END = Buffer.from('endstream')
const ENCRYPTED = /\/Encrypt\s*(?:\d+\s+\d+\s+R|<<)/
const OBJECT_STREAM = /\/Type\s{0,8}\/ObjStm(?![A-Za-z])/
/** Tables of objects stay as they are in an encrypted file. */
const TABLE_STREAM = /\/Type\s{0,8}\/XRef(?![A-Za-z])/
const METADATA_STREAM = /\/Type\s{0,8}\/Metadata(?![A-Za-z])/

export const pdf: Opener = {
  container: 'pdf',
  recognises: (octets) => octets.subarray(0, HEADER_WITHIN_OCTETS).includes('%PDF-'),
  open: openPdf,
}

interface Reading {
  readonly object: ScanObject
  readonly decryption: PdfDecryption | undefined
  readonly isSealed: boolean
  readonly isMetadataPlain: boolean
  /** What stands between streams, and in object streams with heads as if they stood there too. */
  readonly plain: Buffer[]
  hasObjects: boolean
}

function* openPdf(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const file = object.octets
  const text = file.includes('/Encrypt') ? file.toString('latin1') : ''
  const isEncrypted = ENCRYPTED.test(text)
  const decryption = isEncrypted ? openWithoutPassword(file, text) : undefined
  const isSealed = isEncrypted && decryption === undefined
  if (isSealed) yield encrypted('pdf', object.where)
  const isMetadataPlain = /\/EncryptMetadata\s{0,8}false/.test(text)
  const reading: Reading = { object, decryption, isSealed, isMetadataPlain, plain: [], hasObjects: false }
  let from = 0
  let at = file.indexOf(STREAM)
  while (at >= 0) {
    if (budget.isOver()) return yield overLimit('time', object.where)
    const isEnd = file.subarray(Math.max(0, at - 3), at).equals(STREAM_END.subarray(0, 3))
    if (!isEnd) reading.plain.push(file.subarray(from, at))
    const end = isEnd ? at + STREAM.length : yield* openStream(reading, at, budget)
    from = end
    at = file.indexOf(STREAM, Math.max(end, at + STREAM.length))
  }
  if (reading.hasObjects) yield* together(reading, file.subarray(from), budget)
}

/** What an action in one object stream means is seen only beside what calls it, in another. */
function* together({ object, plain }: Reading, rest: Buffer, budget: ScanBudget): Generator<Opened> {
  const all = Buffer.concat([...plain, rest]).subarray(0, OBJECTS_OCTETS_MAX)
  const octets = Buffer.from(all.toString('latin1').replaceAll('stream', ' '), 'latin1')
  yield charged(inside(object, [], 'objects', octets), object.octets.length, budget)
}

/** Answers where to look on: behind what was unpacked. */
function* openStream(reading: Reading, at: number, budget: ScanBudget): Generator<Opened, number> {
  const file = reading.object.octets
  const dictionary = dictionaryBefore(file, at)
  const dataAt = afterLineEnd(file, at + STREAM.length)
  const chains = filterNames(file, dictionary)
  if (reading.isSealed && chains.length > 0) return dataAt
  const stored = storedData(reading, dictionary, dataAt)
  if (chains.length === 0) {
    yield charged(inside(reading.object, [], `stream at ${at}`, stored), stored.length, budget)
    return dataAt
  }
  let end = dataAt
  for (const names of chains)
    end = Math.max(end, yield* openFiltered(reading, { at, dataAt, dictionary, stored, names }, budget))
  return end
}

interface Stream {
  readonly at: number
  readonly dataAt: number
  readonly dictionary: StreamDictionary
  readonly stored: Buffer
  readonly names: readonly string[]
}

function* openFiltered(reading: Reading, stream: Stream, budget: ScanBudget): Generator<Opened, number> {
  const { at, dataAt, dictionary, stored, names } = stream
  const child = (octets: Buffer) => inside(reading.object, [], `stream at ${at}`, octets)
  const filters = filtersOf(names)
  if (filters === 'unknown') {
    yield cannotTell('pdf-filter', child(stored).where, 'a filter of its stream is not read')
    return dataAt
  }
  if (filters[0] === 'picture') return dataAt
  // Flate knows its own end; a word in its data that looks like one is none.
  const isOpenEnded = filters[0] === 'flate' && stored.buffer === reading.object.octets.buffer
  const data = isOpenEnded ? reading.object.octets.subarray(dataAt) : stored
  const isLate = /\/EarlyChange\s{0,8}0(?![0-9])/.test(dictionary.text)
  const done = unfilter(data, filters, budget.octetsLeft, budget, { isLate, packedOctets: stored.length })
  if (done.end === 'over') {
    yield overLimit('octets', child(stored).where)
    return dataAt
  }
  const octets = unpredicted(done.octets, dictionary.text)
  const opened = child(octets)
  if (done.end !== 'whole') yield broken('pdf', opened.where, `its data are ${done.end}`)
  if (OBJECT_STREAM.test(dictionary.text)) {
    reading.hasObjects = true
    reading.plain.push(numberedObjects(octets, dictionary.text))
  }
  yield charged(opened, done.consumed, budget)
  return isOpenEnded ? dataAt + done.consumed : dataAt
}

/** To the word at the end, or as long as it says if that is longer; decrypted. */
function storedData(reading: Reading, dictionary: StreamDictionary, dataAt: number): Buffer {
  const file = reading.object.octets
  const endAt = file.indexOf(STREAM_END, dataAt)
  const told = lengthOf(file, dictionary)
  const isPlain =
    TABLE_STREAM.test(dictionary.text) || (reading.isMetadataPlain && METADATA_STREAM.test(dictionary.text))
  const isTrue =
    told !== undefined && /^\s{0,4}endstream/.test(file.toString('latin1', dataAt + told, dataAt + told + 16))
  const toWord = endAt < 0 ? file.length : beforeLineEnd(file, endAt)
  const stored = file.subarray(dataAt, isTrue ? dataAt + told : Math.max(toWord, dataAt + (told ?? 0)))
  if (!reading.decryption || !dictionary.object || isPlain) return stored
  return reading.decryption.decrypt(stored, dictionary.object)
}

function beforeLineEnd(file: Buffer, at: number): number {
  const to = file[at - 1] === 0x0a ? at - 1 : at
  return file[to - 1] === 0x0d ? to - 1 : to
}

function afterLineEnd(file: Buffer, at: number): number {
  const from = file[at] === 0x0d ? at + 1 : at
  return file[from] === 0x0a ? from + 1 : from
}
