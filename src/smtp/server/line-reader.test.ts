import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineReader } from './line-reader.ts'

const OCTETS_MAX = 40

/** All lines that the pieces hold: the text, or the fault in brackets. */
function readAll(pieces: readonly Buffer[]): string[] {
  const reader = new LineReader(OCTETS_MAX)
  const lines: string[] = []
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      at = reader.read(piece, at)
      if (reader.complete) lines.push(reader.fault === undefined ? reader.text : `[${reader.fault}]`)
    }
  }
  return lines
}

const CASES: readonly [wire: string | Buffer, lines: string[]][] = [
  ['', []],
  ['NOOP', []],
  ['NOOP\r', []],
  ['NOOP\n', []],
  ['\r\n', ['']],
  ['NOOP\r\nQUIT\r\n', ['NOOP', 'QUIT']],
  ['NOOP\nQUIT\r\nRSET\r\n', ['[control]', 'RSET']],
  ['NOOP\rQUIT\r\nRSET\r\n', ['[control]', 'RSET']],
  ['NOOP\r\r\nRSET\r\n', ['[control]', 'RSET']],
  ['\nNOOP\r\nRSET\r\n', ['[control]', 'RSET']],
  ['NOOP \0\r\n', ['[control]']],
  [`${'a'.repeat(38)}\r\n`, ['a'.repeat(38)]],
  [`${'a'.repeat(39)}\r\nRSET\r\n`, ['[too-long]', 'RSET']],
  [`${'a'.repeat(99)}\n${'b'.repeat(99)}\r\nRSET\r\n`, ['[too-long]', 'RSET']],
  ['grün\r\n', ['grün']],
  [Buffer.from('gr\xfcn\r\n', 'latin1'), ['[not-utf8]']],
]

test('lines and their faults, in one piece and octet by octet', () => {
  for (const [wire, lines] of CASES) {
    const bytes = Buffer.from(wire as string)
    assert.deepEqual(readAll([bytes]), lines, JSON.stringify(wire))
    assert.deepEqual(readAll([...bytes].map((octet) => Buffer.of(octet))), lines, JSON.stringify(wire))
  }
})

test('the same octets give the same lines, however they are cut', () => {
  const part = fc.constantFrom('\r', '\n', '\r\n', 'NOOP', 'ü', '\0', 'x'.repeat(17), ' ')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), fc.nat(), fc.nat(), (parts, a, b) => {
      const bytes = Buffer.from(parts.join(''))
      const [first, second] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((x, y) => x - y) as [number, number]
      const pieces = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
      assert.deepEqual(readAll(pieces), readAll([bytes]))
    }),
  )
})
