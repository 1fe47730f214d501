/**
 * The filters of PDF streams, one after the other as the dictionary names them. What a filter cannot read further ends it,
 * with what was read; `over` says that it would make more than it may.
 *
 * ISO 32000-1 §7.4. Sizes in octets. Pictures in their own codings (DCT, JPX, CCITT, JBIG2) are left as they are.
 */
import type { ScanBudget } from '../contract.ts'
import { type Inflated, inflate } from './inflating.ts'

/** Both names of each (§7.4.1, table 6; §8.9.7, table 94). */
const NAMES: Readonly<Record<string, Filter>> = {
  FlateDecode: 'flate',
  Fl: 'flate',
  LZWDecode: 'lzw',
  LZW: 'lzw',
  ASCII85Decode: 'ascii85',
  A85: 'ascii85',
  ASCIIHexDecode: 'hex',
  AHx: 'hex',
  RunLengthDecode: 'run-length',
  RL: 'run-length',
  DCTDecode: 'picture',
  DCT: 'picture',
  JPXDecode: 'picture',
  CCITTFaxDecode: 'picture',
  CCF: 'picture',
  JBIG2Decode: 'picture',
  // Of encryption; what is encrypted has been opened before.
  Crypt: 'nothing',
}
/** More than that in one stream is done to tire readers. */
const FILTERS_MAX = 16
/** Codes of LZW: 256 clears the table, 257 ends. */
const LZW_CLEAR = 256
const LZW_END = 257
const LZW_BITS_MAX = 12

export type Filter = 'flate' | 'lzw' | 'ascii85' | 'hex' | 'run-length' | 'picture' | 'nothing'

/** `unknown`: there is one that we do not know, or there are too many. */
export function filtersOf(names: readonly string[]): readonly Filter[] | 'unknown' {
  const filters = names.map((name) => NAMES[name])
  return names.length > FILTERS_MAX || filters.includes(undefined) ? 'unknown' : (filters as Filter[])
}

export interface Unfiltered {
  readonly octets: Buffer
  /** Of the input of the first filter, as far as it tells where it ends. */
  readonly consumed: number
  readonly end: Inflated['end']
}

export interface UnfilterOptions {
  /** The codes of LZW grow one later than is usual (`/EarlyChange 0`). */
  readonly isLate?: boolean
  /** As much of the data as is probably meant. */
  readonly packedOctets?: number
}

export function unfilter(
  data: Buffer,
  filters: readonly Filter[],
  octetsMax: number,
  budget: ScanBudget,
  { isLate = false, packedOctets = data.length }: UnfilterOptions = {},
): Unfiltered {
  let done: Unfiltered = { octets: data, consumed: data.length, end: 'whole' }
  for (const [index, filter] of filters.entries()) {
    if (filter === 'picture') break
    if (filter === 'nothing') continue
    const { octets, consumed, end } = runFilter(done.octets, filter, octetsMax, budget, {
      isLate,
      packedOctets: index === 0 ? packedOctets : done.octets.length,
    })
    const worst = done.end === 'whole' || end === 'over' ? end : done.end
    done = { octets, consumed: index === 0 ? consumed : done.consumed, end: worst }
    if (end === 'over' || budget.isOver()) break
  }
  return done
}

function runFilter(
  data: Buffer,
  filter: Filter,
  octetsMax: number,
  budget: ScanBudget,
  { isLate, packedOctets }: Required<UnfilterOptions>,
): Unfiltered {
  if (filter === 'flate') return inflate('zlib', data, octetsMax, budget, packedOctets)
  const out = filter === 'lzw' ? lzw(data, octetsMax, isLate) : READERS[filter as keyof typeof READERS](data, octetsMax)
  if (out.length > octetsMax) return { octets: Buffer.alloc(0), consumed: data.length, end: 'over' }
  return { octets: out, consumed: data.length, end: 'whole' }
}

/** Each may give one octet more than it should: that is how it says `over`. */
const READERS = { ascii85, hex: asciiHex, 'run-length': runLength }

function asciiHex(data: Buffer): Buffer {
  const end = data.indexOf('>')
  const digits = data.toString('latin1', 0, end < 0 ? data.length : end).replace(/[^0-9a-fA-F]/g, '')
  // An odd last digit is followed by 0 (§7.4.2).
  return Buffer.from(digits.length % 2 === 0 ? digits : `${digits}0`, 'hex')
}

function ascii85(data: Buffer, octetsMax: number): Buffer {
  let zeros = 0
  for (const octet of data) if (octet === 0x7a) zeros++
  const room = Math.ceil(data.length / 5) * 4 + zeros * 4 + 4
  if (room > octetsMax + 8) return Buffer.alloc(octetsMax + 1)
  const out = Buffer.alloc(room)
  let [length, value, count] = [0, 0, 0]
  for (const octet of data.subarray(data.toString('latin1', 0, 2) === '<~' ? 2 : 0)) {
    if (octet === 0x7e) break
    if (octet === 0x7a && count === 0) {
      length += 4
      continue
    }
    if (octet < 0x21 || octet > 0x75) continue
    value = value * 85 + (octet - 0x21)
    if (++count < 5) continue
    out.writeUInt32BE(value % 2 ** 32, length)
    ;[length, value, count] = [length + 4, 0, 0]
  }
  if (count > 1) {
    for (let missing = count; missing < 5; missing++) value = value * 85 + 84
    out.writeUInt32BE(value % 2 ** 32, length)
    length += count - 1
  }
  return out.subarray(0, length)
}

function runLength(data: Buffer, octetsMax: number): Buffer {
  const parts: Buffer[] = []
  let length = 0
  for (let at = 0; at < data.length && data[at] !== 128 && length <= octetsMax; ) {
    const code = data[at]!
    const part = code < 128 ? data.subarray(at + 1, at + 2 + code) : Buffer.alloc(257 - code, data[at + 1] ?? 0)
    parts.push(part)
    length += part.length
    at += code < 128 ? 2 + code : 2
  }
  return Buffer.concat(parts)
}

/** §7.4.4: codes of 9 to 12 bits, one bit more one code earlier than the table would need it. */
function lzw(data: Buffer, octetsMax: number, isLate: boolean): Buffer {
  const out = new Growing(octetsMax)
  // Each code is a place in the output and a length: what it stands for was written there.
  const starts = new Int32Array(2 ** LZW_BITS_MAX + 1)
  const lengths = new Int32Array(2 ** LZW_BITS_MAX + 1)
  let [next, bits, held, heldBits] = [LZW_END + 1, 9, 0, 0]
  let previous: { start: number; length: number } | undefined
  for (const octet of data) {
    held = ((held << 8) | octet) & 0xffffff
    heldBits += 8
    if (heldBits < bits) continue
    heldBits -= bits
    const code = (held >> heldBits) & ((1 << bits) - 1)
    if (code === LZW_END || out.isFull) break
    if (code === LZW_CLEAR) {
      ;[next, bits, previous] = [LZW_END + 1, 9, undefined]
      continue
    }
    if (code > next || (code === next && !previous)) break
    const start = out.length
    if (code < LZW_CLEAR) out.push(code)
    else if (code < next) out.copy(starts[code]!, lengths[code]!)
    else out.copy(previous!.start, previous!.length + 1)
    if (previous && next < 2 ** LZW_BITS_MAX) {
      starts[next] = previous.start
      lengths[next++] = previous.length + 1
    }
    previous = { start, length: out.length - start }
    bits = Math.min(LZW_BITS_MAX, Math.max(9, 32 - Math.clz32(next + (isLate ? 0 : 1))))
  }
  return out.octets()
}

class Growing {
  #octets = Buffer.alloc(64 * 1024)
  readonly #max: number
  length = 0

  constructor(max: number) {
    this.#max = max
  }

  get isFull(): boolean {
    return this.length > this.#max
  }

  push(octet: number): void {
    this.#room(1)
    this.#octets[this.length++] = octet
  }

  /** Octet by octet: what is copied may reach into what is written. */
  copy(start: number, length: number): void {
    this.#room(length)
    for (let index = 0; index < length; index++) this.#octets[this.length + index] = this.#octets[start + index]!
    this.length += length
  }

  octets(): Buffer {
    return this.#octets.subarray(0, this.length)
  }

  #room(octets: number): void {
    if (this.length + octets <= this.#octets.length) return
    this.#octets = Buffer.concat([this.#octets, Buffer.alloc(Math.max(octets, this.#octets.length))])
  }
}
