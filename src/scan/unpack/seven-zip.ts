/**
 * Opens what 7-Zip opens and no program of people disagrees about much: 7z, rar, cab, iso and other images of disks, xz,
 * bzip2, and the containers of older days. Also zip, where an entry is packed by a method that zlib has not. What is wrong
 * with them is read from what 7-Zip prints.
 */
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { broken, cannotTell, charged, encrypted, inside, overLimit } from './inside.ts'
import { extract } from './seven-zip-module.ts'
import { hasRareMethod } from './zip.ts'

interface Mark {
  readonly container: string
  readonly at: number
  readonly octets: Buffer
}

const marks = (container: string, at: number, ...texts: string[]): Mark[] =>
  texts.map((text) => ({ container, at, octets: Buffer.from(text, 'latin1') }))

const MARKS: readonly Mark[] = [
  ...marks('7z', 0, '7z\xbc\xaf\x27\x1c'),
  ...marks('rar', 0, 'Rar!\x1a\x07', 'RE~^'),
  ...marks('cab', 0, 'MSCF\0\0\0\0', 'ISc('),
  ...marks('bzip2', 0, 'BZh'),
  ...marks('xz', 0, '\xfd7zXZ\0'),
  ...marks('lzma', 0, '\x5d\0\0'),
  ...marks('lzip', 0, 'LZIP'),
  ...marks('compress', 0, '\x1f\x9d'),
  ...marks('cpio', 0, '070701', '070702', '070707', '\xc7\x71', '\x71\xc7'),
  ...marks('ar', 0, '!<arch>\n'),
  ...marks('arj', 0, '\x60\xea'),
  ...marks('rpm', 0, '\xed\xab\xee\xdb'),
  ...marks('xar', 0, 'xar!'),
  ...marks('wim', 0, 'MSWIM\0\0\0'),
  ...marks('chm', 0, 'ITSF'),
  ...marks('squashfs', 0, 'hsqs', 'sqsh'),
  ...marks('vhd', 0, 'conectix', 'vhdxfile'),
  ...marks('vmdk', 0, 'KDMV'),
  ...marks('qcow', 0, 'QFI\xfb'),
  ...marks('lzh', 2, '-lh', '-lz'),
  ...marks('iso', 0x8001, 'CD001', 'BEA01', 'NSR02', 'NSR03'),
  ...marks('image', 3, 'NTFS    '),
  ...marks('image', 54, 'FAT1'),
  ...marks('image', 82, 'FAT32'),
  ...marks('image', 0x200, 'EFI PART'),
]
/** At the start of the last 512 octets. */
const TRAILERS: readonly Mark[] = [...marks('vhd', -512, 'conectix'), ...marks('dmg', -512, 'koly')]
/** Behind a program that unpacks the archive: anywhere. */
const SELF_EXTRACTING: readonly Mark[] = [
  ...marks('7z', 0, '7z\xbc\xaf\x27\x1c'),
  ...marks('rar', 0, 'Rar!\x1a\x07'),
  ...marks('cab', 0, 'MSCF\0\0\0\0'),
  ...marks('nsis', 0, '\xef\xbe\xad\xdeNullsoftInst'),
]
/** One stream, without names of its own. */
const STREAMS = new Set(['bzip2', 'xz', 'lzma', 'lzip', 'compress'])
const SEVEN_ZIP_HEADER_OCTETS = 32
const SEVEN_ZIP_PACKED_HEADER = 0x17
const SEVEN_ZIP_AES = Buffer.from('06f10701', 'hex')
/** Errors of one archive that are told; the first ones say it all. */
const TOLD_MAX = 3

export const sevenZip: Opener = {
  container: '7-zip',
  recognises: (octets) => containerOf(octets) !== undefined,
  open: openArchive,
}

function containerOf(octets: Buffer): string | undefined {
  const stands = ({ at, octets: mark }: Mark) => {
    const from = at < 0 ? octets.length + at : at
    return from >= 0 && octets.subarray(from, from + mark.length).equals(mark)
  }
  const mark = MARKS.find(stands) ?? TRAILERS.find(stands)
  if (mark) return mark.container
  if (octets[0] === 0x4d && octets[1] === 0x5a)
    return SELF_EXTRACTING.find(({ octets: sign }) => octets.includes(sign))?.container
  return hasRareMethod(octets) ? 'zip' : undefined
}

async function* openArchive(object: ScanObject, budget: ScanBudget): AsyncGenerator<Opened> {
  const container = containerOf(object.octets) ?? '7-zip'
  if (budget.octetsLeft === 0) return yield overLimit('octets', object.where)
  const { lines, limit, files } = await extract(object.octets, budget)
  const rows = listing(lines)
  if (container === '7z' && isSealed(object.octets)) yield encrypted(container, object.where)
  if (limit !== undefined) yield overLimit(limit, object.where)
  yield* faults(container, object, lines)
  for (const row of rows) {
    if (!row.isEncrypted) continue
    const named = inside(object, [row.path], 'entry', Buffer.alloc(0))
    yield encrypted(container, named.where)
    yield { object: named }
  }
  for (const { path, octets } of files()) {
    const names = STREAMS.has(container) ? object.names.map((name) => name.replace(/\.\w+$/, '')) : [path]
    yield charged(inside(object, names, 'content', octets), object.octets.length, budget)
  }
}

/** The list of entries is encrypted as well: 7-Zip gives up on such a file without saying why. */
function isSealed(file: Buffer): boolean {
  if (file.length < SEVEN_ZIP_HEADER_OCTETS) return false
  const at = SEVEN_ZIP_HEADER_OCTETS + Number(file.readBigUInt64LE(12))
  return file[at] === SEVEN_ZIP_PACKED_HEADER && file.includes(SEVEN_ZIP_AES, at)
}

interface Row {
  readonly path: string
  readonly isEncrypted: boolean
}

/** Of the technical listing: paragraphs of `Name = value`, the entries after a line of dashes. */
function listing(lines: readonly string[]): Row[] {
  const rows: { path: string; isEncrypted: boolean }[] = []
  const from = lines.findIndex((line) => line.startsWith('----------'))
  if (from < 0) return rows
  for (const line of lines.slice(from)) {
    if (line.startsWith('Path = ')) rows.push({ path: line.slice('Path = '.length), isEncrypted: false })
    if (line === 'Encrypted = +' && rows.length > 0) rows.at(-1)!.isEncrypted = true
    if (line.startsWith('Extracting archive')) break
  }
  return rows
}

function* faults(container: string, object: ScanObject, lines: readonly string[]): Generator<Opened> {
  const told = new Set<string>()
  for (const line of lines) {
    const text = line.replaceAll('/archive', '').trim()
    if (
      !/^(?:ERRORS?|WARNINGS?|[\w ]*[Ee]rror)\b|is not archive|[Uu]nexpected end|Missing volume|data after the end|[Cc]annot open/.test(
        text,
      )
    )
      continue
    if (/^(?:Sub items |Archives with )?(?:Errors|Warnings)/.test(text)) continue
    if (told.size >= TOLD_MAX || told.has(text)) continue
    told.add(text)
    if (/password|encrypted/i.test(text)) yield encrypted(container, object.where)
    else if (/allocate|memory/i.test(text)) yield overLimit('memory', object.where, text)
    else if (/[Uu]nsupported [Mm]ethod/.test(text)) yield cannotTell('archive-method', object.where, text)
    else if (!/There is no such archive|^ERRORS?:$|^WARNINGS?:$/.test(text)) yield broken(container, object.where, text)
  }
}
