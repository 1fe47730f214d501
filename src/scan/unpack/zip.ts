/**
 * Opens zip files, and with them Office (OOXML), OpenDocument, jar, apk. The directory at the end and the headers before
 * the entries can contradict each other: Explorer goes by the first, streaming programs by the second, and malware lives
 * on the difference. Here each entry that either names is unpacked, in each way that either describes.
 *
 * Local headers within the data of an entry are left alone, unless a directory names them: they are in what the entry
 * unpacks to, and come out when that is opened.
 */
import { crc32 } from 'node:zlib'
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { nameReadings } from './entry-names.ts'
import { inflate, type Method } from './inflating.ts'
import { broken, cannotTell, charged, encrypted, inside, overLimit } from './inside.ts'
import { OfficeParts } from './office-parts.ts'
import {
  type CentralHeader,
  centralHeaders,
  type Directory,
  descriptorCrc,
  descriptorOctets,
  directories,
  hasZipRecords,
  isSplitStart,
  LOCAL_SIGNATURE,
  type LocalHeader,
  localHeaderAt,
  nextRecordAt,
  RECORDS_MAX,
  type ZipHeader,
} from './zip-records.ts'

const STORED = 0
/** Pages, Numbers and Keynote of 2009 give what they encrypt methods of their own. */
const SEALED_METHODS: ReadonlySet<number> = new Set([25_451, 25_452])
const METHODS: ReadonlyMap<number, Method> = new Map([
  [8, 'deflate'],
  [93, 'zstd'],
])

type Listed = Map<number, CentralHeader[]>
type Span = readonly [number, number]

/** One entry: all that is said about it. */
interface Entry {
  readonly at: number
  readonly local: LocalHeader
  readonly headers: readonly ZipHeader[]
  readonly names: readonly string[]
}

export const zip: Opener = { container: 'zip', recognises: hasZipRecords, open: openZip }

/** Methods that only the large archiver reads; whoever puts the openers together asks. */
export function hasRareMethod(file: Buffer): boolean {
  return hasZipRecords(file) && centralHeaders(file).some(({ method, isEncrypted }) => !isEncrypted && isRare(method))
}

function isRare(method: number): boolean {
  return method !== STORED && !METHODS.has(method) && !SEALED_METHODS.has(method)
}

function* openZip(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const office = new OfficeParts(object.where)
  for (const opened of openRecords(object, budget)) {
    if ('object' in opened) yield* office.facts(opened.object)
    yield opened
  }
  yield* office.end()
}

function* openRecords(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const file = object.octets
  const all = directories(file)
  const first = all.find(({ headers }) => headers.length > 0)
  const central = first?.headers ?? centralHeaders(file)
  if (central.length === RECORDS_MAX) yield overLimit('objects', object.where)
  if (isSplitStart(file) || all.some(({ isPartOfSeveral }) => isPartOfSeveral))
    yield broken('zip', object.where, 'it is one of several parts of an archive')
  else if (!first) yield broken('zip', object.where, 'it has no directory at its end')
  const listed = byPlace(file, central, first?.shifts ?? [0])
  yield* lostEntries(object, central, listed)
  const spans = yield* openEntries(object, listed, central.length > 0, budget)
  if (first) yield* openOtherDirectories(object, central, all, spans, budget)
}

/** Answers where the data of entries stand: what is found there is looked at when that is opened. */
function* openEntries(object: ScanObject, listed: Listed, hasDirectory: boolean, budget: ScanBudget) {
  const file = object.octets
  const spans: Span[] = []
  const done = new Set<number>()
  let from = 0
  for (let at = file.indexOf(LOCAL_SIGNATURE); at >= 0; at = file.indexOf(LOCAL_SIGNATURE, from)) {
    if (budget.isOver()) {
      yield overLimit('time', object.where)
      return spans
    }
    done.add(at)
    from = Math.max(at + 4, yield* openAt(object, at, listed.get(at) ?? [], hasDirectory, budget))
    spans.push([at, from])
  }
  for (const [at, headers] of listed)
    if (!done.has(at)) spans.push([at, yield* openAt(object, at, headers, true, budget)])
  return spans
}

/** Directories beside the one that counts: programs that search from the front find them first. */
function* openOtherDirectories(
  object: ScanObject,
  central: readonly CentralHeader[],
  all: readonly Directory[],
  spans: readonly Span[],
  budget: ScanBudget,
): Generator<Opened> {
  const file = object.octets
  const known = new Set(central.map(({ at }) => at))
  const others = centralHeaders(file).filter(({ at }) => !known.has(at) && !isWithin(spans, at))
  if (others.length === 0) return
  yield broken('zip', object.where, 'it has several directories')
  const shifts = new Set(all.flatMap((directory) => directory.shifts))
  for (const [at, headers] of byPlace(file, others, [...shifts])) yield* openAt(object, at, headers, true, budget)
}

// The spans come in the order of the file, but for those that only a directory leads to.
function isWithin(spans: readonly Span[], at: number): boolean {
  return spans.some(([start, end]) => at > start && at < end)
}

/** Central headers by the place of the local header that they mean, under each arithmetic that leads to one. */
function byPlace(file: Buffer, central: readonly CentralHeader[], shifts: readonly number[]): Listed {
  const listed: Listed = new Map()
  for (const header of central)
    for (const shift of shifts) {
      const at = header.localOffset + shift
      if (at < 0 || !file.subarray(at, at + 4).equals(LOCAL_SIGNATURE)) continue
      const others = listed.get(at)
      if (others) others.push(header)
      else listed.set(at, [header])
    }
  return listed
}

function* lostEntries(object: ScanObject, central: readonly CentralHeader[], listed: Listed): Generator<Opened> {
  const found = new Set([...listed.values()].flat())
  for (const header of central) {
    if (found.has(header)) continue
    const { where } = inside(object, nameReadings(header.name), 'entry', Buffer.alloc(0))
    yield broken('zip', where, 'the directory names a place where no entry begins')
    // Some programs do not ask for the signature of the header: what stands there is an entry to them.
    if (localHeaderAt(object.octets, header.localOffset)) listed.set(header.localOffset, [header])
  }
}

/** Answers where the data of the entry end, as far as they were recognised. */
function* openAt(
  object: ScanObject,
  at: number,
  listed: readonly CentralHeader[],
  hasDirectory: boolean,
  budget: ScanBudget,
): Generator<Opened, number> {
  const local = localHeaderAt(object.octets, at)
  if (!local) {
    yield broken('zip', object.where, 'the header of an entry is cut short')
    return at
  }
  const headers = [local, ...listed]
  const names = headers.flatMap(({ name, unicodeName }) => [
    ...nameReadings(name),
    ...(unicodeName ? nameReadings(unicodeName) : []),
  ])
  const entry: Entry = { at, local, headers, names }
  const { where } = inside(object, names, 'entry', Buffer.alloc(0))
  if (hasDirectory && listed.length === 0) yield broken('zip', where, 'the directory does not list it')
  yield* disagreements(entry, where)
  if (headers.some(({ isEncrypted }) => isEncrypted)) yield* encryptedEntry(object, entry, where)
  if (headers.every(({ isEncrypted }) => isEncrypted)) return endOfStored(object.octets, entry)
  return yield* openMethods(object, entry, where, budget)
}

function* encryptedEntry(object: ScanObject, entry: Entry, where: string): Generator<Opened> {
  yield encrypted('zip', where)
  // Its name can be read: rules about names want to see it.
  yield { object: inside(object, entry.names, 'entry', Buffer.alloc(0)) }
}

function* disagreements({ local, headers }: Entry, where: string): Generator<Opened> {
  for (const header of headers.slice(1)) {
    if (header.method !== local.method) yield broken('zip', where, 'two methods of compression are given')
    if (!header.name.equals(local.name)) yield broken('zip', where, 'it has two names')
    if (header.isEncrypted !== local.isEncrypted) yield broken('zip', where, 'only one header says it is encrypted')
    if (!local.sizesFollow && header.packedOctets !== local.packedOctets)
      yield broken('zip', where, 'two sizes are given')
  }
}

function* openMethods(object: ScanObject, entry: Entry, where: string, budget: ScanBudget): Generator<Opened, number> {
  let end = entry.local.dataAt
  for (const method of new Set(entry.headers.map((header) => header.method))) {
    const coding = METHODS.get(method)
    if (coding) end = Math.max(end, yield* openCoded(object, entry, coding, budget))
    else if (method === STORED) end = Math.max(end, yield* openStored(object, entry, where, budget))
    else {
      if (SEALED_METHODS.has(method)) yield encrypted('iwork', where)
      else yield cannotTell('zip-method', where, `it is compressed by method ${method}`)
      end = Math.max(end, endOfStored(object.octets, entry))
    }
  }
  return end
}

function* openCoded(object: ScanObject, entry: Entry, coding: Method, budget: ScanBudget): Generator<Opened, number> {
  const { dataAt } = entry.local
  const file = object.octets
  const packed = file.subarray(dataAt, coding === 'zstd' ? endOfStored(file, entry) : undefined)
  const told = Math.min(file.length, Math.max(...entry.headers.map((header) => header.packedOctets)))
  const inflated = inflate(coding, packed, budget.octetsLeft, budget, told)
  const child = inside(object, entry.names, 'entry', inflated.octets)
  if (inflated.end === 'over') {
    yield overLimit('octets', child.where)
    return endOfStored(file, entry)
  }
  const end = dataAt + inflated.consumed
  if (inflated.end !== 'whole') yield broken('zip', child.where, `its data are ${inflated.end}`)
  else yield* checkData(file, entry, inflated.octets, end, child.where)
  yield charged(child, inflated.consumed, budget)
  return end
}

function* checkData(file: Buffer, entry: Entry, octets: Buffer, end: number, where: string): Generator<Opened> {
  const sized = entry.headers.filter((header) => header !== entry.local || !header.sizesFollow)
  const crc = crc32(octets)
  const crcs = [...sized.map((header) => header.crc), descriptorCrc(file, end)]
  if (!crcs.includes(crc)) yield broken('zip', where, 'its checksum is wrong')
  const packedOctets = end - entry.local.dataAt
  const told = entry.local.sizesFollow ? descriptorOctets(file, end) : undefined
  if (told !== undefined && told !== packedOctets % 2 ** 32)
    yield broken('zip', where, 'behind its data another size is given')
  // Of stored data only these numbers say where they end: programs that search for them read something else.
  if (entry.local.sizesFollow && entry.local.method === STORED && descriptorCrc(file, end) !== crc)
    yield broken('zip', where, 'no sizes stand behind its data')
  if (sized.some((header) => header.octets !== octets.length))
    yield broken('zip', where, 'its size is not what is said')
}

function* openStored(object: ScanObject, entry: Entry, where: string, budget: ScanBudget): Generator<Opened, number> {
  const file = object.octets
  const { dataAt } = entry.local
  const lengths = storedLengths(file, entry)
  if (lengths.length > 1) yield broken('zip', where, 'it has several sizes')
  for (const length of lengths) {
    const octets = file.subarray(dataAt, dataAt + length)
    if (octets.length < length) yield broken('zip', where, 'its data are cut')
    else yield* checkData(file, entry, octets, dataAt + length, where)
    const child = inside(object, entry.names, 'entry', octets)
    yield charged(child, length, budget)
  }
  return dataAt + Math.max(...lengths)
}

/** Lengths of stored data by all that is said; by the place of the next record if nothing is. */
function storedLengths(file: Buffer, { local, headers }: Entry): number[] {
  const told = headers.filter((header) => header !== local || !header.sizesFollow)
  const lengths = new Set(told.flatMap((header) => [header.packedOctets, header.octets]))
  if (lengths.size === 0) lengths.add(nextRecordAt(file, local.dataAt) - local.dataAt)
  return [...lengths]
}

function endOfStored(file: Buffer, entry: Entry): number {
  return Math.min(file.length, entry.local.dataAt + Math.max(...storedLengths(file, entry)))
}
