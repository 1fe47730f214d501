import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cut } from '../../../fuzz/smtp-rehearsal.ts'
import { type ContentRules, DataReader } from './data-reader.ts'

const RULES: ContentRules = {
  framing: 'dot',
  binary: false,
  lineEnds: 'refuse',
  octetsMax: 10_000,
  textLineOctetsMax: 100,
}

interface Read {
  readonly text: string
  readonly fault: string | undefined
  readonly ended: boolean
  /** What was not taken. */
  readonly behind: string
}

/** Reads pieces as the session would, until the end of data. */
function readPieces(pieces: readonly Buffer[], rules: Partial<ContentRules> = {}): Read {
  const reader = new DataReader({ ...RULES, ...rules })
  let behind = ''
  for (const piece of pieces) {
    const at = reader.ended ? 0 : reader.read(piece, 0, piece.length)
    behind += piece.toString('latin1', at)
  }
  if (rules.framing === 'count') reader.finish()
  const text = Buffer.concat(reader.content.chunks).toString('latin1')
  return { text, fault: reader.fault, ended: reader.ended, behind }
}

const read = (text: string, rules: Partial<ContentRules> = {}) => readPieces([Buffer.from(text, 'latin1')], rules)

const CASES: readonly [wire: string, text: string, behind?: string][] = [
  ['.\r\n', ''],
  ['a\r\n.\r\n', 'a\r\n'],
  ['a\r\n.\r\nMAIL', 'a\r\n', 'MAIL'],
  ['..\r\n.\r\n', '.\r\n'],
  ['.a\r\n.\r\n', 'a\r\n'],
  ['...\r\n..a\r\n.\r\n', '..\r\n.a\r\n'],
  ['a.\r\n.b.\r\n.\r\n', 'a.\r\nb.\r\n'],
  ['\r\n\r\n.\r\n.\r\n', '\r\n\r\n', '.\r\n'],
]

test('the end, and stuffed dots (RFC 5321 §4.5.2)', () => {
  for (const [wire, text, behind = ''] of CASES) {
    assert.deepEqual(read(wire), { text, fault: undefined, ended: true, behind }, JSON.stringify(wire))
  }
})

test('no CRLF is added, and without the end there is none', () => {
  for (const wire of ['a', 'a\r\n', 'a\r\n.', 'a\r\n.\r', 'a\r']) assert.equal(read(wire).ended, false)
})

const FAULTS: readonly [wire: string, fault: string][] = [
  ['a\nb\r\n.\r\n', 'bare-line-end'],
  ['a\rb\r\n.\r\n', 'bare-line-end'],
  ['\n\r\n.\r\n', 'bare-line-end'],
  ['a\r\r\n.\r\n', 'bare-line-end'],
  ['a\r\n.\ra\r\n.\r\n', 'bare-line-end'],
  ['a\r\n.\na\r\n.\r\n', 'bare-line-end'],
  ['a\0b\r\n.\r\n', 'nul'],
  ['a\0b\nc\r\n.\r\n', 'bare-line-end'],
  [`${'a'.repeat(99)}\r\n.\r\n`, 'line-too-long'],
  [`.${'a'.repeat(99)}\r\n.\r\n`, 'line-too-long'],
  ['abc\r\n'.repeat(2001), 'too-large'],
]

test('faults do not end the data, and what has one is not kept', () => {
  for (const [wire, fault] of FAULTS) {
    const result = read(`${wire}.\r\nbehind`)
    assert.equal(result.fault, fault, JSON.stringify(wire.slice(0, 30)))
    assert.equal(result.text, '')
    assert.ok(result.ended)
  }
})

test('a line as long as is allowed', () => {
  // 1000 octets in the standard's words: with CRLF, without the stuffed dot (RFC 5321 §4.5.3.1.6).
  const line = `${'a'.repeat(98)}\r\n`
  assert.equal(read(`${line}.${line}.\r\n`).text, line + line)
})

test('normalise: bare line ends become CRLF, and still end nothing', () => {
  const normalised: readonly [wire: string, text: string][] = [
    ['a\nb\rc\r\n.\r\n', 'a\r\nb\r\nc\r\n'],
    ['a\n.\r\nb\r\n.\r\n', 'a\r\n.\r\nb\r\n'],
    ['a\n.\nb\r\n.\r\n', 'a\r\n.\r\nb\r\n'],
    ['a\r.\r\nb\r\n.\r\n', 'a\r\n.\r\nb\r\n'],
    ['a\r\n.\nb\r\n.\r\n', 'a\r\n\r\nb\r\n'],
    ['a\r\n.\rb\r\n.\r\n', 'a\r\n\r\nb\r\n'],
    ['a\r\r\n.\r\n', 'a\r\n\r\n'],
  ]
  for (const [wire, text] of normalised) {
    const result = read(wire, { lineEnds: 'normalise' })
    assert.deepEqual(result, { text, fault: undefined, ended: true, behind: '' }, JSON.stringify(wire))
  }
})

test('counted content: dots mean nothing, a CR at the very end is bare', () => {
  assert.deepEqual(read('.\r\n..a\r\n.', { framing: 'count' }).text, '.\r\n..a\r\n.')
  assert.equal(read('a\r', { framing: 'count' }).fault, 'bare-line-end')
  assert.equal(read('a\r', { framing: 'count', lineEnds: 'normalise' }).text, 'a\r\n')
  assert.equal(read('a\r\0\n', { framing: 'count', binary: true }).text, 'a\r\0\n')
})

// Octets that matter, dense enough that every rule meets every other.
const wireText = fc
  .array(fc.constantFrom('\r', '\n', '\r\n', '.', '\r\n.', '\r\n.\r\n', 'a', '\0', 'x'.repeat(60)), { maxLength: 40 })
  .map((parts) => Buffer.from(parts.join(''), 'latin1'))

const rules = fc.record({
  framing: fc.constantFrom('dot', 'count'),
  lineEnds: fc.constantFrom('refuse', 'normalise'),
  octetsMax: fc.constantFrom(20, 10_000),
}) satisfies fc.Arbitrary<Partial<ContentRules>>

test('the same octets give the same result, however they are cut', () => {
  fc.assert(
    fc.property(wireText, rules, fc.array(fc.nat(), { maxLength: 12 }), (wire, some, places) => {
      const single = [...wire].map((octet) => Buffer.of(octet))
      const whole = readPieces([wire], some)
      assert.deepEqual(readPieces(cut(wire, places), some), whole)
      assert.deepEqual(readPieces(single, some), whole)
    }),
    { numRuns: 2000 },
  )
})

/** By hand, octet by octet: what the standard says, as simply as it can be written. */
function stuffed(text: string): string {
  return `${text
    .split('\r\n')
    .map((line) => (line.startsWith('.') ? `.${line}` : line))
    .join('\r\n')}.\r\n`
}

test('stuffing and reading gives the text again', () => {
  const line = fc.string({ unit: fc.constantFrom('.', 'a', ' ', 'ü'), maxLength: 9 })
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), fc.array(fc.nat(), { maxLength: 9 }), (lines, places) => {
      const text = lines.map((one) => `${one}\r\n`).join('')
      const wire = Buffer.from(stuffed(text), 'latin1')
      const result = readPieces(cut(wire, places))
      assert.deepEqual(result, { text, fault: undefined, ended: true, behind: '' })
    }),
  )
})

test('nothing happens where one search ends and the next begins', () => {
  // The reader searches 4096 octets at a time; this moves everything that matters across that border.
  for (let shift = 0; shift < 64; shift++) {
    const wire = Buffer.from(`${'x'.repeat(shift)}\r\n${`${'y'.repeat(62)}\r\n`.repeat(63)}..z\r\n.\ra\n\r\n.\r\nNOOP`)
    for (const lineEnds of ['refuse', 'normalise'] as const) {
      const single = [...wire].map((octet) => Buffer.of(octet))
      assert.deepEqual(readPieces([wire], { lineEnds }), readPieces(single, { lineEnds }))
    }
  }
})

test('many small pieces cost few slices', () => {
  const reader = new DataReader({ ...RULES, octetsMax: 1_000_000 })
  for (let i = 0; i < 50_000; i++) reader.read(Buffer.from('..\r\n'), 0, 4)
  assert.equal(reader.content.octets, 150_000)
  assert.ok(reader.content.chunks.length < 40, `${reader.content.chunks.length} slices`)
})

test('ordinary content is not copied', () => {
  const wire = Buffer.from(`${'text of a line\r\n'.repeat(300)}.\r\n`)
  const reader = new DataReader(RULES)
  reader.read(wire, 0, wire.length)
  assert.equal(reader.content.chunks.length, 1)
  assert.equal(reader.content.chunks[0]?.buffer, wire.buffer)
})
