/**
 * Opens gzip (RFC 1952) and Zstandard (RFC 8878) streams: one file without an archive around it. Members that follow each
 * other are one file to the usual programs, so they come out joined; a member that is damaged ends it, with what was read.
 */
import { crc32 } from 'node:zlib'
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { nameReadings } from './entry-names.ts'
import { inflate } from './inflating.ts'
import { broken, charged, inside, overLimit } from './inside.ts'

/** Members of one file. Tools that write them in blocks make one for each 64 KB. */
const MEMBERS_MAX = 10_000
const HEADER_OCTETS = 10
const TRAILER_OCTETS = 8
const FLAG_CHECKSUM = 2
const FLAG_EXTRA = 4
const FLAG_NAME = 8
const FLAG_COMMENT = 16
/** RFC 8878 §3.1.1, and the two ends of the range of skippable frames (§3.1.2). */
const ZSTD_MAGIC = 0xfd2fb528
const ZSTD_SKIPPABLE = 0x184d2a50

interface Member {
  readonly dataAt: number
  readonly names: readonly string[]
}

export const gzip: Opener = {
  container: 'gzip',
  recognises: (octets) => isMember(octets, 0),
  open: openGzip,
}

export const zstd: Opener = {
  container: 'zstd',
  recognises: (octets) => {
    const magic = octets.length < 4 ? 0 : octets.readUInt32LE(0)
    return magic === ZSTD_MAGIC || (magic & 0xfffffff0) === ZSTD_SKIPPABLE
  },
  *open(object, budget) {
    const { octets, end, consumed } = inflate('zstd', object.octets, budget.octetsLeft, budget)
    const child = inside(object, plainNames(object, /\.(?:zst|zstd|tzst)$/i), 'content', octets)
    if (end === 'over') return yield overLimit('octets', child.where)
    if (end !== 'whole') yield broken('zstd', object.where, `its data are ${end}`)
    yield charged(child, consumed, budget)
  },
}

// RFC 1952 §2.3: the method is always deflate; some programs do not ask.
function isMember(octets: Buffer, at: number): boolean {
  return octets[at] === 0x1f && octets[at + 1] === 0x8b && octets.length > at + HEADER_OCTETS
}

function* openGzip(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const parts: Buffer[] = []
  const names = new Set<string>()
  let at = 0
  let left = budget.octetsLeft
  for (let count = 0; isMember(object.octets, at); count++) {
    const member = memberAt(object.octets, at)
    if (count === MEMBERS_MAX) yield overLimit('objects', object.where)
    if (!member || count === MEMBERS_MAX) break
    for (const name of member.names) names.add(name)
    const inflated = inflate('deflate', object.octets.subarray(member.dataAt), left, budget)
    if (inflated.end === 'over') return yield overLimit('octets', object.where)
    left -= inflated.octets.length
    parts.push(inflated.octets)
    at = member.dataAt + inflated.consumed + TRAILER_OCTETS
    const fault = faultOf(object.octets, inflated.octets, inflated.end, at)
    if (fault !== undefined) yield broken('gzip', object.where, fault)
    if (inflated.end !== 'whole') break
  }
  if (parts.length === 0) return yield broken('gzip', object.where, 'its header is cut short')
  const octets = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  yield charged(inside(object, [...names, ...plainNames(object, /\.(?:gz|tgz|z)$/i)], 'content', octets), at, budget)
  yield* rest(object, at)
}

function faultOf(file: Buffer, octets: Buffer, end: string, trailerEnd: number): string | undefined {
  if (end !== 'whole') return `its data are ${end}`
  if (trailerEnd > file.length) return 'its trailer is cut short'
  return file.readUInt32LE(trailerEnd - TRAILER_OCTETS) === crc32(octets) ? undefined : 'its checksum is wrong'
}

// Padding is common on tapes and harmless; anything else behind the last member is looked at as a file of its own.
function* rest(object: ScanObject, at: number): Generator<Opened> {
  const octets = object.octets.subarray(at)
  if (octets.length === 0 || octets.every((octet) => octet === 0)) return
  yield { object: inside(object, [], 'behind it', octets) }
}

function memberAt(file: Buffer, start: number): Member | undefined {
  const flags = file[start + 3]!
  let at = start + HEADER_OCTETS
  const names: string[] = []
  if (flags & FLAG_EXTRA) {
    if (at + 2 > file.length) return undefined
    at += 2 + file.readUInt16LE(at)
  }
  for (const flag of [FLAG_NAME, FLAG_COMMENT]) {
    if (!(flags & flag)) continue
    const end = file.indexOf(0, at)
    if (end < 0) return undefined
    if (flag === FLAG_NAME) names.push(...nameReadings(file.subarray(at, end)))
    at = end + 1
  }
  if (flags & FLAG_CHECKSUM) at += 2
  return at < file.length ? { dataAt: at, names } : undefined
}

/** What the packed file would be called once unpacked: `report.tar` for `report.tar.gz`. */
function plainNames(object: ScanObject, extension: RegExp): string[] {
  return object.names.map((name) => name.replace(extension, ''))
}
