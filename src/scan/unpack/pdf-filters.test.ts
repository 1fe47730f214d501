/** Filters and predictors of PDF: each undoes what its writer did, and keeps its limit. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createBudget, UNPACK_LIMITS } from './budget.ts'
import { type Filter, unfilter } from './pdf-filters.ts'
import { unpredicted } from './pdf-predictor.ts'

const budget = createBudget(UNPACK_LIMITS, () => 0)
const MAX = 1024 * 1024
const RUNS = 200
const read = (filter: Filter, data: Buffer, isLate = false, max = MAX) =>
  unfilter(data, [filter], max, budget, { isLate })
const bytes = fc.uint8Array({ maxLength: 3_000 }).map((octets) => Buffer.from(octets))

/** Writes LZW as Adobe does; a small alphabet fills the table. */
function lzw(data: Buffer, isLate: boolean): Buffer {
  const bits: number[] = []
  let table = new Map<string, number>()
  let [next, width] = [258, 9]
  const put = (code: number) => {
    for (let bit = width - 1; bit >= 0; bit--) bits.push((code >> bit) & 1)
  }
  put(256)
  let held = ''
  const codeOf = (text: string) => (text.length === 1 ? text.charCodeAt(0) : table.get(text)!)
  for (const octet of data) {
    const longer = held + String.fromCharCode(octet)
    if (longer.length === 1 || table.has(longer)) held = longer
    else {
      put(codeOf(held))
      table.set(longer, next++)
      // The reader is one entry behind.
      width = Math.max(9, 32 - Math.clz32(next - 1 + (isLate ? 0 : 1)))
      held = longer.at(-1)!
      if (next < 4_094) continue
      put(codeOf(held))
      put(256)
      ;[table, next, width, held] = [new Map(), 258, 9, '']
    }
  }
  if (held !== '') put(codeOf(held))
  // What was put last made an entry too, for the reader.
  if (held !== '' && next > 258) width = Math.max(9, 32 - Math.clz32(next + (isLate ? 0 : 1)))
  put(257)
  const octets = Buffer.alloc(Math.ceil(bits.length / 8))
  for (const [index, bit] of bits.entries()) octets[index >> 3]! |= bit << (7 - (index & 7))
  return octets
}

function ascii85(data: Buffer): Buffer {
  let text = '<~'
  for (let at = 0; at < data.length; at += 4) {
    const part = Buffer.concat([data.subarray(at, at + 4), Buffer.alloc(4)])
    const missing = Math.max(0, at + 4 - data.length)
    let value = part.readUInt32BE(0)
    if (value === 0 && missing === 0) {
      text += 'z'
      continue
    }
    let group = ''
    for (let index = 0; index < 5; index++, value = Math.floor(value / 85))
      group = String.fromCharCode((value % 85) + 33) + group
    text += `${group.slice(0, 5 - missing)}\n`
  }
  return Buffer.from(`${text}~>`)
}

describe('a filter of PDF', () => {
  it('LZW: the example of the standard, and any data', () => {
    // ISO 32000-1 §7.4.4.2.
    assert.deepEqual(
      [...read('lzw', Buffer.from('800b6050220c0c8501', 'hex')).octets],
      [45, 45, 45, 45, 45, 65, 45, 45, 45, 66],
    )
    const small = fc.array(fc.constantFrom(1, 2, 3), { maxLength: 30_000, size: 'max' }).map((all) => Buffer.from(all))
    fc.assert(
      fc.property(fc.oneof(bytes, small), fc.boolean(), (data, isLate) => {
        assert.ok(read('lzw', lzw(data, isLate), isLate).octets.equals(data))
      }),
      { numRuns: RUNS },
    )
  })

  it('ASCII85 and hexadecimal digits', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        assert.ok(read('ascii85', ascii85(data)).octets.equals(data))
        assert.ok(
          read('hex', Buffer.from(`${data.toString('hex').replace(/.{9}/g, '$& \n')}>junk`)).octets.equals(data),
        )
      }),
      { numRuns: RUNS },
    )
    assert.equal(read('ascii85', ascii85(Buffer.alloc(9))).octets.length, 9)
    assert.equal(read('hex', Buffer.from('417>')).octets.toString(), 'Ap')
  })

  it('run lengths', () => {
    const data = Buffer.concat([
      Buffer.from([2]),
      Buffer.from('abc'),
      Buffer.from([254, 0x78, 128]),
      Buffer.from('junk'),
    ])
    assert.equal(read('run-length', data).octets.toString(), 'abcxxx')
  })

  it('ends where it would make more than it may', () => {
    const zeros = Buffer.alloc(50_000)
    const written: [Filter, Buffer][] = [
      ['lzw', lzw(zeros, false)],
      ['ascii85', ascii85(zeros)],
      ['run-length', Buffer.alloc(1_000, Buffer.from([129, 65]))],
    ]
    for (const [filter, data] of written) {
      const found = read(filter, data, false, 10_000)
      assert.deepEqual([found.end, found.octets.length], ['over', 0], filter)
    }
  })

  it('takes any octets', () => {
    const filter = fc.constantFrom<Filter>('lzw', 'ascii85', 'hex', 'run-length', 'flate')
    fc.assert(
      fc.property(bytes, filter, (data, one) => {
        assert.ok(read(one, data).octets.length <= MAX)
      }),
      { numRuns: RUNS },
    )
  })
})

describe('a predictor of PDF', () => {
  const columns = 7
  const rows = (data: Buffer, filter: number) => {
    const parts: number[] = []
    for (let row = 0; row * columns < data.length; row++) {
      parts.push(filter)
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column
        const [left, up] = [column > 0 ? data[at - 1]! : 0, row > 0 ? data[at - columns]! : 0]
        const corner = column > 0 && row > 0 ? data[at - columns - 1]! : 0
        const guess = left + up - corner
        const near = [left, up, corner].toSorted((a, b) => Math.abs(guess - a) - Math.abs(guess - b))[0]!
        const predicted = [0, left, up, (left + up) >> 1, near][filter]!
        parts.push((data[at]! - predicted) & 0xff)
      }
    }
    return Buffer.from(parts)
  }
  const data = Buffer.from('harmless text, again and again and again. '.repeat(3).slice(0, 112))

  it('is undone, as PNG has them', () => {
    for (const filter of [0, 1, 2, 3, 4])
      assert.equal(
        unpredicted(rows(data, filter), `/DecodeParms<</Predictor 1${filter}/Columns ${columns}>>`).toString(),
        data.toString(),
        String(filter),
      )
  })

  it('is undone, as TIFF has it; not in pictures', () => {
    const written = Buffer.from(data)
    for (let at = data.length - 1; at >= 0; at--) if (at % columns > 0) written[at] = data[at]! - data[at - 1]!
    assert.ok(unpredicted(written, `/Predictor 2 /Columns ${columns}`).equals(data))
    assert.ok(unpredicted(written, `/Predictor 2 /Columns ${columns} /Subtype/Image`).equals(written))
  })
})
