/** For tests: containers made by hand, so that each can be wrong in its own way, and a run of all openers over one file. */
import { hash } from 'node:crypto'
import { crc32, deflateRawSync } from 'node:zlib'
import type { ScanFact } from '#mail/scan.ts'
import type { Examiner, Opener } from '../contract.ts'
import { createBudget, UNPACK_LIMITS, type UnpackLimits } from './budget.ts'
import { OPENERS } from './openers.ts'
import { unpack } from './unpack.ts'

export interface FoundObject {
  readonly where: string
  readonly names: readonly string[]
  readonly octets: Buffer
  readonly sha256: string
}

export interface Found {
  readonly objects: readonly FoundObject[]
  readonly facts: readonly ScanFact[]
}

export interface Looking {
  readonly name?: string
  readonly openers?: readonly Opener[]
  readonly limits?: Partial<UnpackLimits>
}

export async function lookInto(octets: Buffer, { name = 'file', openers = OPENERS, limits }: Looking = {}) {
  const objects: FoundObject[] = []
  const collector: Examiner = {
    name: 'collector',
    examine({ where, names, octets }) {
      objects.push({ where, names, octets, sha256: hash('sha256', octets) })
      return []
    },
  }
  const budget = createBudget({ ...UNPACK_LIMITS, ...limits }, () => performance.now())
  const facts = await unpack([{ where: name, names: [name], octets, depth: 0 }], openers, [collector], budget)
  return { objects, facts } satisfies Found
}

/** Texts of all objects, and kinds of all facts: what most tests ask. */
export function textsOf(found: Found): string[] {
  return found.objects.slice(1).map(({ octets }) => octets.toString('latin1'))
}

export function kindsOf(found: Found): string[] {
  return [...new Set(found.facts.map(({ kind }) => kind))].sort()
}

export interface ZipEntry {
  readonly name: string | Buffer
  readonly data: Buffer
  readonly method?: number
  readonly flags?: number
  /** What the header before the data says, where it differs. */
  readonly local?: {
    name?: string
    method?: number
    flags?: number
    packedOctets?: number
    octets?: number
    crc?: number
  }
  readonly central?: { name?: string; method?: number; flags?: number; packedOctets?: number; octets?: number }
  /** False: only the header before the data knows of it. */
  readonly isListed?: boolean
  /** Sizes after the data. */
  readonly descriptor?: boolean
}

export function zipFile(entries: readonly ZipEntry[], { before = '', after = '' } = {}): Buffer {
  const parts: Buffer[] = []
  const central: Buffer[] = []
  let at = 0
  for (const entry of entries) {
    const packed = (entry.method ?? 8) === 8 ? deflateRawSync(entry.data) : entry.data
    const [local, listed] = zipHeaders(entry, packed, at)
    const tail = entry.descriptor ? descriptor(entry.data, packed) : Buffer.alloc(0)
    parts.push(local, packed, tail)
    at += local.length + packed.length + tail.length
    if (entry.isListed !== false) central.push(listed)
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(central.length, 8)
  end.writeUInt16LE(central.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([Buffer.from(before), ...parts, directory, end, Buffer.from(after)])
}

function zipHeaders(entry: ZipEntry, packed: Buffer, at: number): [Buffer, Buffer] {
  const flags = (entry.flags ?? 0) | (entry.descriptor ? 8 : 0)
  const sizes = { crc: crc32(entry.data), packedOctets: packed.length, octets: entry.data.length }
  const none = { crc: 0, packedOctets: 0, octets: 0 }
  const common = { name: entry.name, method: entry.method ?? 8, flags, ...sizes }
  const local = { ...common, ...(entry.descriptor ? none : {}), ...entry.local }
  const listed = { ...common, ...entry.central }
  const localName = Buffer.from(local.name)
  const listedName = Buffer.from(listed.name)
  const head = Buffer.alloc(30)
  head.write('PK\x03\x04', 'latin1')
  writeFields(head, 6, local, localName.length)
  const row = Buffer.alloc(46)
  row.write('PK\x01\x02', 'latin1')
  writeFields(row, 8, listed, listedName.length)
  row.writeUInt32LE(at, 42)
  return [Buffer.concat([head, localName]), Buffer.concat([row, listedName])]
}

interface Fields {
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly packedOctets: number
  readonly octets: number
}

function writeFields(into: Buffer, at: number, fields: Fields, nameOctets: number): void {
  into.writeUInt16LE(fields.flags, at)
  into.writeUInt16LE(fields.method, at + 2)
  into.writeUInt32LE(fields.crc, at + 8)
  into.writeUInt32LE(fields.packedOctets, at + 12)
  into.writeUInt32LE(fields.octets, at + 16)
  into.writeUInt16LE(nameOctets, at + 20)
}

function descriptor(data: Buffer, packed: Buffer): Buffer {
  const octets = Buffer.alloc(16)
  octets.write('PK\x07\x08', 'latin1')
  octets.writeUInt32LE(crc32(data), 4)
  octets.writeUInt32LE(packed.length, 8)
  octets.writeUInt32LE(data.length, 12)
  return octets
}

/** One entry of a tar archive, without the end of the archive. */
export function tarEntry(name: string, data: Buffer, { type = '0', size = data.length } = {}): Buffer {
  const head = Buffer.alloc(512)
  head.write(name.slice(0, 100))
  head.write('0000644\0', 100)
  head.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  head.write('        ', 148)
  head.write(type, 156)
  head.write('ustar\x0000', 257, 'latin1')
  const sum = head.reduce((total, octet) => total + octet, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return Buffer.concat([head, data, Buffer.alloc((512 - (data.length % 512)) % 512)])
}
