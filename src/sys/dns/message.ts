/**
 * One question on the wire, and the reading of what comes back (RFC 1035 §4, RFC 6891). The library reads the format; what an
 * answer means, and whether it is one to our question, is decided here. Nothing here throws: an answer that makes no
 * sense is `malformed`.
 */
import { decode, encode, type Packet, type Answer as WireRecord } from 'dns-packet'
import type { RecordData, RecordType } from './answer.ts'

/** What fits into one datagram everywhere (RFC 6891 §6.2.5 and the DNS flag day of 2020). */
export const UDP_OCTETS_MAX = 1232
/** Of one answer; the best ones are kept of MX, the first ones of the rest. No honest name has as many. */
export const RECORDS_MAX = 100
/** Aliases followed for one question. */
export const ALIASES_MAX = 8

const [RECURSION_DESIRED, AUTHENTIC_DATA, DNSSEC_OK] = [1 << 8, 1 << 5, 1 << 15]

export interface Question {
  readonly name: string
  readonly type: RecordType
}

/** What one server said. */
export type Reading<T extends RecordType> =
  | {
      readonly kind: 'records'
      /** Empty: there is none of this type. */
      readonly records: readonly RecordData[T][]
      readonly noName: boolean
      /** Where the aliases lead to. */
      readonly name: string
      /** The chain of aliases ends without a word about its end: that name is still to be asked. */
      readonly unfinished: boolean
      readonly authentic: boolean
      /** Seconds; of an empty answer what the SOA allows (RFC 2308 §5), undefined without one. */
      readonly ttl: number | undefined
    }
  | { readonly kind: 'failure'; readonly rcode: string }
  | { readonly kind: 'truncated' }
  /** An answer to another question, or to nobody's. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'malformed'; readonly text: string }

export function encodeQuestion(id: number, { name, type }: Question): Buffer {
  return encode({
    type: 'query',
    id,
    // RFC 6840 §5.7: AD in a question asks for AD in the answer.
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ type, name, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_OCTETS_MAX,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: DNSSEC_OK,
        flag_do: true,
        options: [],
      },
    ],
  })
}

export function readAnswer<T extends RecordType>(
  octets: Buffer,
  id: number,
  question: Question & { readonly type: T },
): Reading<T> {
  let packet: Decoded
  try {
    packet = decode(octets) as Packet as Decoded
    // Where a record says another length than its kind has, what follows was read from the wrong place.
    if (decode.bytes !== octets.length) throw new Error('the lengths of the records do not add up')
  } catch (error) {
    // A truncated answer may end anywhere (RFC 2181 §9); its header says whose it is.
    if (octets.length >= 12 && octets.readUInt16BE(0) === id && (octets[2]! & 0x82) === 0x82) {
      return { kind: 'truncated' }
    }
    return { kind: 'malformed', text: (error as Error).message }
  }
  if (packet.id !== id || packet.type !== 'response' || packet.opcode !== 'QUERY' || !asks(packet, question)) {
    return { kind: 'foreign' }
  }
  if (packet.flag_tc) return { kind: 'truncated' }
  const rcode = rcodeOf(packet)
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') return { kind: 'failure', rcode }
  try {
    return readRecords(packet, question, rcode === 'NXDOMAIN')
  } catch (error) {
    return { kind: 'malformed', text: (error as Error).message }
  }
}

/** The library's types leave out what it adds to a decoded packet. */
type Decoded = Packet & {
  readonly rcode: string
  readonly opcode: string
  readonly flag_tc: boolean
  readonly flag_ad: boolean
}

function asks({ questions = [] }: Packet, { name, type }: Question): boolean {
  const [asked, ...more] = questions
  return asked !== undefined && more.length === 0 && asked.type === type && plain(asked.name) === plain(name)
}

// RFC 6891 §6.1.3: the upper bits are in the OPT record.
function rcodeOf({ rcode, additionals = [] }: Decoded): string {
  for (const record of additionals) {
    if (record.type === 'OPT' && record.extendedRcode !== 0) return `extended RCODE ${record.extendedRcode}`
  }
  return rcode
}

function readRecords<T extends RecordType>(
  packet: Decoded,
  { name, type }: Question & { readonly type: T },
  noName: boolean,
): Reading<T> {
  const { answers = [], authorities = [] } = packet
  const chain = followAliases(answers, plain(name), type)
  if (chain === undefined) return { kind: 'malformed', text: `more than ${ALIASES_MAX} aliases` }
  let { ttl } = chain
  const records: RecordData[T][] = []
  for (const record of answers) {
    if (record.type !== type || plain(record.name) !== chain.name || !isInternet(record)) continue
    ttl = Math.min(ttl, seconds(record))
    const data = dataOf(record)
    if (data === undefined) return { kind: 'malformed', text: `a ${type} record that is none` }
    records.push(data as RecordData[T])
  }
  const soa = records.length === 0 ? negativeTtl(authorities) : undefined
  return {
    kind: 'records',
    records: best(records, type),
    noName,
    name: chain.name,
    unfinished: records.length === 0 && !noName && chain.name !== plain(name) && soa === undefined,
    authentic: packet.flag_ad,
    ttl: records.length > 0 ? ttl : soa === undefined ? undefined : Math.min(soa, ttl),
  }
}

function followAliases(
  answers: readonly WireRecord[],
  from: string,
  type: RecordType,
): { name: string; ttl: number } | undefined {
  let name = from
  let ttl = Number.POSITIVE_INFINITY
  if (type === 'CNAME') return { name, ttl }
  for (let links = 0; ; links++) {
    const alias = answers.find((record) => record.type === 'CNAME' && plain(record.name) === name && isInternet(record))
    if (alias === undefined || alias.type !== 'CNAME') return { name, ttl }
    if (links >= ALIASES_MAX) return undefined
    name = plain(alias.data)
    ttl = Math.min(ttl, seconds(alias))
  }
}

// RFC 2308 §5: the smaller of the SOA's own TTL and its MINIMUM field.
function negativeTtl(authorities: readonly WireRecord[]): number | undefined {
  for (const record of authorities) {
    if (record.type === 'SOA') return Math.min(seconds(record), record.data.minimum ?? 0)
  }
  return undefined
}

function dataOf(record: WireRecord): RecordData[RecordType] | undefined {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.data
    case 'CNAME':
    case 'PTR':
      return plain(record.data)
    case 'MX':
      return { preference: record.data.preference ?? 0, exchange: plain(record.data.exchange) }
    case 'TXT':
      return Buffer.concat([record.data].flat().map((part) => Buffer.from(part))).toString('latin1')
    case 'TLSA': {
      const { usage, selector, matchingType, certificate } = record.data
      return { usage, selector, matchingType, data: Uint8Array.from(certificate) }
    }
    case 'SOA': {
      const { mname, rname, minimum = 0 } = record.data
      return { mname: plain(mname), rname: plain(rname), minimum }
    }
    default:
      return undefined
  }
}

function best<T extends RecordType>(records: RecordData[T][], type: T): readonly RecordData[T][] {
  if (records.length <= RECORDS_MAX) return records
  const preference = (record: RecordData[T]) => (record as RecordData['MX']).preference
  if (type === 'MX') records.sort((one, two) => preference(one) - preference(two))
  return records.slice(0, RECORDS_MAX)
}

const plain = (name: string): string => {
  const lower = name.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}
const isInternet = (record: WireRecord): boolean => 'class' in record && record.class === 'IN'
// RFC 2181 §8: with the highest bit set it counts as 0.
function seconds(record: WireRecord): number {
  const ttl = 'ttl' in record ? (record.ttl ?? 0) : 0
  return ttl > 0x7fff_ffff ? 0 : ttl
}
