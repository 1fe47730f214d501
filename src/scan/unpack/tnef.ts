/**
 * Opens TNEF (`winmail.dat`): what Outlook wraps attachments in for other Outlooks. The attributes stand one after another;
 * where a length does not fit, what is left is an object of its own, and `broken` says so. Checksums are not
 * asked: no program does. The body of the message comes out as well, as text, page and RTF.
 *
 * The format: [MS-OXTNEF] §2.1. Sizes in octets.
 */
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { compressedRtf } from './compressed-rtf.ts'
import { nameReadings, utf16Name } from './entry-names.ts'
import { broken, charged, inside, overLimit } from './inside.ts'

const SIGNATURE = 0x223e9f78
const HEADER_OCTETS = 6
const ATTRIBUTE_HEADER_OCTETS = 9
const CHECKSUM_OCTETS = 2
const LEVEL_ATTACHMENT = 2
const ATTACHMENT_BEGINS = 0x00069002
const ATTACHMENT_TITLE = 0x00018010
const ATTACHMENT_DATA = 0x0006800f
const ATTACHMENT_PROPERTIES = 0x00069005
const MESSAGE_BODY = 0x0002800c
const MESSAGE_PROPERTIES = 0x00069003
/** Properties of the message: its body as text, compressed RTF, and page. */
const BODY_PROPERTIES = new Set([0x1000, 0x1009, 0x1013])
/** Properties of an attachment: long and short name, shown name, data. */
const NAME_PROPERTIES = new Set([0x3707, 0x3704, 0x3001])
const DATA_PROPERTY = 0x3701
const TYPE_UNICODE = 0x1f
const TYPE_TEXT = 0x1e
const TYPE_OBJECT = 0x0d
const TYPE_BINARY = 0x102
/** An object begins with the identifier of its interface. */
const INTERFACE_OCTETS = 16
const PROPERTIES_MAX = 10_000

interface Attachment {
  readonly names: string[]
  readonly contents: Buffer[]
  readonly bodies: Buffer[]
}

const nothing = (): Attachment => ({ names: [], contents: [], bodies: [] })

export const tnef: Opener = {
  container: 'tnef',
  recognises: (octets) => octets.length > HEADER_OCTETS && octets.readUInt32LE(0) === SIGNATURE,
  open: openTnef,
}

function* openTnef(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const file = object.octets
  let attachment = nothing()
  let at = HEADER_OCTETS
  while (at + ATTRIBUTE_HEADER_OCTETS <= file.length) {
    if (budget.isOver()) return yield overLimit('time', object.where)
    const level = file[at]!
    const attribute = file.readUInt32LE(at + 1)
    const dataAt = at + ATTRIBUTE_HEADER_OCTETS
    const end = dataAt + file.readUInt32LE(at + 5)
    if (level !== 1 && level !== LEVEL_ATTACHMENT) break
    if (attribute === ATTACHMENT_BEGINS) {
      yield* given(object, attachment, budget)
      attachment = nothing()
    }
    readAttribute(attribute, file.subarray(dataAt, end), attachment)
    at = end + CHECKSUM_OCTETS
  }
  yield* given(object, attachment, budget)
  if (at < file.length) yield* rest(object, at)
  else if (at > file.length) yield broken('tnef', object.where, 'it is cut short')
}

function* given(object: ScanObject, { names, contents, bodies }: Attachment, budget: ScanBudget): Generator<Opened> {
  for (const stored of bodies) {
    const octets = compressedRtf(stored, budget.octetsLeft) ?? stored
    yield charged(inside(object, [], 'body', octets), stored.length, budget)
  }
  for (const octets of contents) yield charged(inside(object, names, 'attachment', octets), octets.length, budget)
}

// Behind the last attribute, or behind one whose length leads nowhere.
function* rest(object: ScanObject, at: number): Generator<Opened> {
  yield broken('tnef', object.where, `no attribute begins at octet ${at}`)
  yield { object: inside(object, [], 'behind it', object.octets.subarray(at)) }
}

function readAttribute(attribute: number, value: Buffer, attachment: Attachment): void {
  if (attribute === ATTACHMENT_TITLE) attachment.names.push(...nameReadings(withoutNul(value)))
  if (attribute === ATTACHMENT_DATA) attachment.contents.push(value)
  if (attribute === ATTACHMENT_PROPERTIES || attribute === MESSAGE_PROPERTIES) readProperties(value, attachment)
  if (attribute === MESSAGE_BODY) attachment.bodies.push(value)
}

function withoutNul(value: Buffer): Buffer {
  return value.at(-1) === 0 ? value.subarray(0, -1) : value
}

/** §2.1.3.4: a count, then type, identifier, for named ones their name, and the value, padded to four octets. */
function readProperties(value: Buffer, attachment: Attachment): void {
  let at = 4
  for (let count = 0; count < PROPERTIES_MAX && at + 4 <= value.length; count++) {
    const type = value.readUInt16LE(at)
    const id = value.readUInt16LE(at + 2)
    at = id >= 0x8000 ? afterPropertyName(value, at + 4) : at + 4
    const size = FIXED_OCTETS.get(type & 0xfff)
    if (type & 0x1000 || size === undefined) {
      const read = variableValues(value, at)
      for (const item of read.items) keepProperty(type & 0xfff, id, item, attachment)
      at = read.end
    } else at += size
  }
}

/** Short, long, float, double, currency, time, error, truth, 64 bits, file time, class. */
const FIXED_OCTETS: ReadonlyMap<number, number> = new Map([
  [0x02, 4],
  [0x03, 4],
  [0x04, 4],
  [0x05, 8],
  [0x06, 8],
  [0x07, 8],
  [0x0a, 4],
  [0x0b, 4],
  [0x14, 8],
  [0x40, 8],
  [0x48, 16],
])

function keepProperty(type: number, id: number, item: Buffer, attachment: Attachment): void {
  if (NAME_PROPERTIES.has(id) && type === TYPE_UNICODE) attachment.names.push(utf16Name(item))
  if (NAME_PROPERTIES.has(id) && type === TYPE_TEXT) attachment.names.push(...nameReadings(withoutNul(item)))
  if (BODY_PROPERTIES.has(id)) attachment.bodies.push(item)
  if (id !== DATA_PROPERTY || (type !== TYPE_OBJECT && type !== (TYPE_BINARY & 0xfff))) return
  attachment.contents.push(type === TYPE_OBJECT ? item.subarray(INTERFACE_OCTETS) : item)
}

function afterPropertyName(value: Buffer, at: number): number {
  if (at + 24 > value.length) return value.length
  const isNamed = value.readUInt32LE(at + 16) === 1
  return isNamed ? at + 24 + padded(value.readUInt32LE(at + 20)) : at + 24
}

function variableValues(value: Buffer, start: number): { readonly items: readonly Buffer[]; readonly end: number } {
  const items: Buffer[] = []
  if (start + 4 > value.length) return { items, end: value.length }
  const count = Math.min(PROPERTIES_MAX, value.readUInt32LE(start))
  let at = start + 4
  while (items.length < count && at + 4 <= value.length) {
    const size = value.readUInt32LE(at)
    items.push(value.subarray(at + 4, at + 4 + size))
    at += 4 + padded(size)
  }
  return { items, end: at }
}

function padded(size: number): number {
  return Math.ceil(size / 4) * 4
}
