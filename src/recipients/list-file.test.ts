import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  addressOf,
  CSV_HEADER,
  csvRow,
  FAULTS_MAX,
  ListFile,
  type ListFormat,
  NOTE_CHARS_MAX,
  RECORD_CHARS_MAX,
} from './list-file.ts'

const DOMAIN = 'dest.test'

function read(text: string | Uint8Array, format?: ListFormat, pieceOctets = Infinity) {
  const file = new ListFile({ domain: DOMAIN, ...(format && { format }) })
  const octets = typeof text === 'string' ? Buffer.from(text) : text
  const entries = []
  for (let at = 0; at < octets.length; at += pieceOctets) {
    entries.push(...file.push(octets.subarray(at, Math.min(octets.length, at + pieceOctets))))
  }
  entries.push(...file.end())
  const faults = file.faults.map(({ line, column, text: what }) => `${line}:${column} ${what}`)
  return { keys: entries.map(({ key }) => key), notes: entries.map(({ note }) => note), faults, over: file.over }
}

describe('a list of recipients', () => {
  it('has one address on a line; comments, blank lines, BOM and CRLF do no harm', () => {
    const { keys, faults } = read(
      '\ufeff# staff\r\nanna\r\n\r\nBert@Dest.Test # a, b\r\n  c#d  \r\n"x #y"@dest.test # z',
    )
    assert.deepEqual(faults, [])
    assert.deepEqual(keys, ['anna@dest.test', 'bert@dest.test', 'c#d@dest.test', 'x #y@dest.test'])
  })

  it('is CSV if its first line has a separator; the header names the columns', () => {
    const { keys, notes, faults } = read(
      'Name,E-Mail,Alias of,Note\nA,anna,,"says ""hi"",\nor not"\nB,b@dest.test,anna,\n',
    )
    assert.deepEqual(faults, [])
    assert.deepEqual(keys, ['anna@dest.test', 'b@dest.test'])
    assert.deepEqual(notes, ['says "hi",\nor not', 'alias of anna'])
  })

  it('takes semicolons and tabs, and the first column where there is no header', () => {
    assert.deepEqual(read('anna;x\n"bert";y\n').keys, ['anna@dest.test', 'bert@dest.test'])
    assert.deepEqual(read('email\tnote\nanna\t1,2\n').notes, ['1,2'])
    assert.deepEqual(read('mail\nanna\n', 'csv').keys, ['anna@dest.test'])
    assert.deepEqual(read('mail\nanna\n').keys, ['mail@dest.test', 'anna@dest.test'])
  })

  it('says where each fault is', () => {
    const { keys, faults } = read('anna\n  b ad\ncarl@other.test\n@\n')
    assert.deepEqual(keys, ['anna@dest.test'])
    assert.deepEqual(
      faults.map((fault) => fault.split(' ')[0]),
      ['2:3', '3:1', '4:1'],
    )
    const csv = read('note,address\n"two\nlines",b ad\nx\n"a"b,c\n,"open\n')
    assert.deepEqual(
      csv.faults.map((fault) => fault.split(' ')[0]),
      ['3:8', '4:1', '5:4', '6:2'],
    )
  })

  it('gives up after a hundred faults, or one that says all', () => {
    const many = read('b ad\n'.repeat(500))
    assert.equal(many.faults.length, FAULTS_MAX)
    assert.ok(many.over)
    assert.match(read(Buffer.from('anna\nm\xfcller\n', 'latin1')).faults[0]!, /^2:2 is not UTF-8/)
    assert.match(read(Buffer.from('\ufeffanna\n', 'utf16le')).faults[0]!, /UTF-16; save it as UTF-8/)
  })

  it('has limits for lines and notes, and goes on behind them', () => {
    const long = read(`anna\n${'x'.repeat(RECORD_CHARS_MAX + 1)}\nb ad\n`, undefined, 1000)
    assert.deepEqual(
      long.faults.map((fault) => fault.split(' ')[0]),
      ['2:1', '3:1'],
    )
    assert.match(read(`a,b\n"${'x\n'.repeat(RECORD_CHARS_MAX)}`).faults[0]!, /^2:1 has a quote that is not closed/)
    assert.match(read(`address,note\nanna,${'x'.repeat(NOTE_CHARS_MAX + 1)}`).faults[0]!, /^2:1 .*note/)
  })
})

const atext = fc.string({ unit: fc.constantFrom(...'abcXYZ019!#$%*+-/=?^_`{|}~äß'), minLength: 1, maxLength: 20 })
const quotedLocal = fc
  .string({ unit: fc.constantFrom(...'ab ,;#@<>()'), minLength: 1, maxLength: 20 })
  .map((text) => `"${text}"`)
const local = fc.oneof(atext, quotedLocal)
const note = fc.string({ unit: fc.constantFrom(...'ab ,;#"\n\r\t='), maxLength: 20 })

const csvCell = (line: string): string => (line === CSV_HEADER ? line : csvRow([line, '']))

describe('properties', () => {
  it('what is written as CSV is read back, whatever the pieces', () => {
    const rows = fc.array(fc.tuple(local, note), { maxLength: 30 })
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 50 }), (list, piece) => {
        const text = [CSV_HEADER, ...list.map(([name, remark]) => csvRow([`${name}@${DOMAIN}`, remark]))].join('\n')
        const { notes, keys, faults } = read(text, undefined, piece)
        assert.deepEqual(faults, [])
        assert.equal(keys.length, list.length)
        assert.deepEqual(
          notes,
          list.map(([, remark]) => (remark === '' ? undefined : remark)),
        )
      }),
    )
  })

  it('what is written as text is read back, whatever the pieces', () => {
    fc.assert(
      fc.property(fc.array(local, { maxLength: 30 }), fc.integer({ min: 1, max: 50 }), (list, piece) => {
        const { keys } = read(list.map((name) => csvRow([`${name}@${DOMAIN}`])).join('\n'), 'csv')
        const text = keys.map(addressOf).join('\n')
        assert.equal(keys.length, list.length)
        assert.deepEqual(read(text, 'text', piece), { ...read(text, 'text'), keys, faults: [] })
        assert.deepEqual(read(`${CSV_HEADER}\n${text}`.replaceAll(/^.*$/gm, csvCell), 'csv', piece).keys, keys)
      }),
    )
  })

  it('any octets are judged, and faults stand inside the text', () => {
    const marks = fc
      .string({ unit: fc.constantFrom(...'a@.,;"\t\n\r #\\ü'), maxLength: 200 })
      .map((text) => Buffer.from(text))
    const any = fc.oneof(fc.uint8Array({ maxLength: 200 }), marks)
    const format = fc.constantFrom(undefined, 'text', 'csv') as fc.Arbitrary<ListFormat | undefined>
    fc.assert(
      fc.property(any, format, fc.integer({ min: 1, max: 50 }), (octets, how, piece) => {
        const result = read(octets, how, piece)
        const lines = Buffer.from(octets).toString().split('\n')
        for (const fault of result.faults) {
          const [, line, column] = /^(\d+):(\d+) /.exec(fault)!
          assert.ok(Number(line) >= 1 && Number(line) <= lines.length, fault)
          assert.ok(Number(column) >= 1 && Number(column) <= lines[Number(line) - 1]!.length + 2, fault)
        }
      }),
    )
  })
})
