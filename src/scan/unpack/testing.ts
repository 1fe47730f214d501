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
  readonly examiners?: readonly Examiner[]
  readonly limits?: Partial<UnpackLimits>
}

export async function lookInto(
  octets: Buffer,
  { name = 'file', openers = OPENERS, examiners = [], limits }: Looking = {},
) {
  const objects: FoundObject[] = []
  const collector: Examiner = {
    name: 'collector',
    examine({ where, names, octets }) {
      objects.push({ where, names, octets, sha256: hash('sha256', octets) })
      return []
    },
  }
  const budget = createBudget({ ...UNPACK_LIMITS, ...limits }, () => performance.now())
  const facts = await unpack(
    [{ where: name, names: [name], octets, depth: 0 }],
    openers,
    [collector, ...examiners],
    budget,
  )
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

export interface StreamEntry {
  readonly name: string
  readonly data: Buffer
}

/** A compound file of one folder (or none), with sectors of 512 octets and no small streams. */
export function compoundFile(streams: readonly StreamEntry[], folder?: string): Buffer {
  const sectors: Buffer[] = []
  const table: number[] = []
  const place = (data: Buffer): number => {
    const first = table.length
    const count = Math.max(1, Math.ceil(data.length / 512))
    for (let index = 0; index < count; index++) {
      table.push(index === count - 1 ? 0xfffffffe : first + index + 1)
      sectors.push(Buffer.concat([data.subarray(index * 512, index * 512 + 512), Buffer.alloc(512)]).subarray(0, 512))
    }
    return first
  }
  const rows = [directoryRow('Root Entry', 5, { child: 1 })]
  if (folder !== undefined) rows.push(directoryRow(folder, 1, { child: 2 }))
  const from = rows.length
  streams.forEach(({ name, data }, index) => {
    const right = index + 1 < streams.length ? from + index + 1 : 0xffffffff
    rows.push(directoryRow(name, 2, { right, start: place(data), size: data.length }))
  })
  const directoryAt = place(Buffer.concat(rows))
  const tableAt = table.length
  const numbers = Buffer.alloc(512, 0xff)
  for (const [index, next] of [...table, 0xfffffffd].entries()) numbers.writeUInt32LE(next, index * 4)
  return Buffer.concat([compoundHeader(directoryAt, tableAt), ...sectors, numbers])
}

function compoundHeader(directoryAt: number, tableAt: number): Buffer {
  const head = Buffer.alloc(512, 0xff)
  head.fill(0, 8, 76)
  head.write('d0cf11e0a1b11ae1', 'hex')
  head.writeUInt16LE(9, 30)
  head.writeUInt16LE(6, 32)
  head.writeUInt32LE(1, 44)
  head.writeUInt32LE(directoryAt, 48)
  head.writeUInt32LE(0xfffffffe, 60)
  head.writeUInt32LE(0xfffffffe, 68)
  head.writeUInt32LE(tableAt, 76)
  return head
}

function directoryRow(
  name: string,
  type: number,
  { child = 0xffffffff, right = 0xffffffff, start = 0, size = 0 },
): Buffer {
  const row = Buffer.alloc(128)
  row.write(name, 'utf16le')
  row.writeUInt16LE(name.length * 2 + 2, 64)
  row[66] = type
  row.writeUInt32LE(0xffffffff, 68)
  row.writeUInt32LE(right, 72)
  row.writeUInt32LE(child, 76)
  row.writeUInt32LE(start, 116)
  row.writeUInt32LE(size, 120)
  return row
}
