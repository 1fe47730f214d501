/**
 * Reads compound files (OLE2): the file system in a file that old Office formats, Outlook messages, installers and encrypted
 * new Office files are. Every stream of the directory is read, also one that no folder of the tree reaches, and a chain of
 * sectors that is cut or runs in a circle gives what it gave until then.
 *
 * The format: [MS-CFB]. Sizes in octets.
 */

const MAGIC = Buffer.from('d0cf11e0a1b11ae1', 'hex')
const HEADER_OCTETS = 512
const ENTRY_OCTETS = 128
/** Sectors of the table of sectors that the header itself names. */
const TABLE_IN_HEADER = 109
/** From here on sector numbers are marks: free, end of chain, part of a table. */
const SECTOR_MAX = 0xfffffffa
const NO_ENTRY = 0xffffffff
/** Entries of a directory. A mail with a hundred attachments has 8,000. */
const ENTRIES_MAX = 20_000
const PATH_DEPTH_MAX = 30

const TYPE_STORAGE = 1
const TYPE_STREAM = 2
const TYPE_ROOT = 5

export interface CompoundEntry {
  readonly name: string
  /** Names of the folders around it and its own, outermost first. */
  readonly path: readonly string[]
  readonly isStream: boolean
  readonly start: number
  readonly size: number
}

export interface StreamContent {
  readonly octets: Buffer
  /** Less than the directory promises. */
  readonly isCut: boolean
}

export function isCompoundFile(octets: Buffer): boolean {
  return octets.length >= HEADER_OCTETS && octets.subarray(0, MAGIC.length).equals(MAGIC)
}

export class CompoundFile {
  readonly entries: readonly CompoundEntry[]
  /** A table or the directory runs in a circle, or out of the file. */
  readonly isDamaged: boolean
  /** The class of the document, 16 octets in hexadecimal; empty without a root. */
  readonly rootClass: string
  readonly #file: Buffer
  readonly #sectorOctets: number
  readonly #miniSectorOctets: number
  readonly #miniStreamOctetsMax: number
  readonly #table: readonly number[]
  readonly #miniTable: readonly number[]
  readonly #miniStream: Buffer

  constructor(file: Buffer) {
    this.#file = file
    // Sector sizes are powers of two: 512 or 4,096, and 64. Others are not followed by anyone.
    this.#sectorOctets = file.readUInt16LE(30) === 12 ? 4_096 : 512
    this.#miniSectorOctets = 64
    this.#miniStreamOctetsMax = file.readUInt32LE(56)
    this.#table = numbersOf(this.#tableSectors())
    const directory = this.#chain(file.readUInt32LE(48), ENTRIES_MAX * ENTRY_OCTETS)
    const raw = rawEntries(directory.octets)
    this.#miniTable = numbersOf([this.#chain(file.readUInt32LE(60), file.length).octets])
    const root = raw.find(({ type }) => type === TYPE_ROOT)
    this.#miniStream = root ? this.#chain(root.start, root.size).octets : Buffer.alloc(0)
    this.rootClass = root?.classId ?? ''
    this.entries = withPaths(raw)
    this.isDamaged = directory.octets.length === 0 || directory.isCircle || !root
  }

  read(entry: CompoundEntry, octetsMax: number): StreamContent {
    const wanted = Math.min(entry.size, octetsMax)
    const isMini = entry.size < this.#miniStreamOctetsMax
    const { octets } = isMini ? this.#miniChain(entry.start, wanted) : this.#chain(entry.start, wanted)
    return { octets: octets.subarray(0, wanted), isCut: octets.length < wanted }
  }

  #tableSectors(): Buffer[] {
    const sectors: Buffer[] = []
    const most = Math.ceil(this.#file.length / this.#sectorOctets)
    const add = (from: Buffer, count: number) => {
      for (let index = 0; index < count && sectors.length < most; index++) {
        const sector = from.readUInt32LE(index * 4)
        if (sector < SECTOR_MAX) sectors.push(this.#sector(sector))
      }
    }
    add(this.#file.subarray(76), TABLE_IN_HEADER)
    let next = this.#file.readUInt32LE(68)
    for (let count = 0; next < SECTOR_MAX && count < most; count++) {
      const more = this.#sector(next)
      if (more.length < this.#sectorOctets) break
      add(more, this.#sectorOctets / 4 - 1)
      next = more.readUInt32LE(this.#sectorOctets - 4)
    }
    return sectors
  }

  #sector(number: number): Buffer {
    const at = (number + 1) * this.#sectorOctets
    return this.#file.subarray(at, at + this.#sectorOctets)
  }

  #chain(start: number, octetsMax: number): { readonly octets: Buffer; readonly isCircle: boolean } {
    const parts: Buffer[] = []
    const most = Math.ceil(Math.min(octetsMax, this.#file.length) / this.#sectorOctets)
    let sector = start
    while (sector < SECTOR_MAX && parts.length < most) {
      const part = this.#sector(sector)
      if (part.length === 0) break
      parts.push(part)
      sector = this.#table[sector] ?? NO_ENTRY
    }
    const isCircle = parts.length > this.#table.length
    return { octets: Buffer.concat(parts), isCircle }
  }

  #miniChain(start: number, octetsMax: number): { readonly octets: Buffer } {
    const parts: Buffer[] = []
    const most = Math.ceil(octetsMax / this.#miniSectorOctets)
    let sector = start
    while (sector < SECTOR_MAX && parts.length < most) {
      const at = sector * this.#miniSectorOctets
      const part = this.#miniStream.subarray(at, at + this.#miniSectorOctets)
      if (part.length === 0) break
      parts.push(part)
      sector = this.#miniTable[sector] ?? NO_ENTRY
    }
    return { octets: Buffer.concat(parts) }
  }
}

interface RawEntry {
  readonly name: string
  readonly classId: string
  readonly type: number
  readonly left: number
  readonly right: number
  readonly child: number
  readonly start: number
  readonly size: number
}

function rawEntries(directory: Buffer): RawEntry[] {
  const entries: RawEntry[] = []
  for (let at = 0; at + ENTRY_OCTETS <= directory.length && entries.length < ENTRIES_MAX; at += ENTRY_OCTETS) {
    const nameOctets = Math.min(64, directory.readUInt16LE(at + 64)) & ~1
    entries.push({
      name: directory.toString('utf16le', at, at + nameOctets).replace(/\0.*$/s, ''),
      classId: directory.toString('hex', at + 80, at + 96),
      type: directory[at + 66]!,
      left: directory.readUInt32LE(at + 68),
      right: directory.readUInt32LE(at + 72),
      child: directory.readUInt32LE(at + 76),
      start: directory.readUInt32LE(at + 116),
      size: directory.readUInt32LE(at + 120),
    })
  }
  return entries
}

function withPaths(raw: readonly RawEntry[]): CompoundEntry[] {
  const parents = new Map<number, number>()
  raw.forEach((folder, at) => {
    if (folder.type === TYPE_STORAGE || folder.type === TYPE_ROOT) claim(raw, folder.child, at, parents)
  })
  return raw.flatMap(({ name, type, start, size }, at) => {
    if (type !== TYPE_STREAM && type !== TYPE_STORAGE) return []
    return [{ name, path: pathOf(raw, at, parents), isStream: type === TYPE_STREAM, start, size }]
  })
}

/** The members of a folder are a binary tree; each belongs to the first folder that reaches it. */
function claim(raw: readonly RawEntry[], first: number, folder: number, parents: Map<number, number>): void {
  const open = [first]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const entry = raw[at]
    if (!entry || parents.has(at)) continue
    parents.set(at, folder)
    open.push(entry.left, entry.right)
  }
}

function pathOf(raw: readonly RawEntry[], at: number, parents: ReadonlyMap<number, number>): string[] {
  const path: string[] = []
  for (
    let next: number | undefined = at;
    next !== undefined && path.length < PATH_DEPTH_MAX;
    next = parents.get(next)
  ) {
    const entry = raw[next]
    if (!entry || entry.type === TYPE_ROOT) break
    path.unshift(entry.name)
  }
  return path
}

function numbersOf(sectors: readonly Buffer[]): number[] {
  const numbers: number[] = []
  for (const sector of sectors) for (let at = 0; at + 4 <= sector.length; at += 4) numbers.push(sector.readUInt32LE(at))
  return numbers
}
