import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { contentType, NESTING_MAX, PARTS_MAX, readFields, readStructure, type Structure } from './structure.ts'

function structureOf(text: string): Structure {
  const { fields, bodyStart } = readFields(text, 0, text.length)
  return readStructure(text, fields, bodyStart)
}

const multipart = (boundary: string, ...parts: string[]): string =>
  `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\npreamble\r\n${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\nepilogue`

describe('structure', () => {
  it('of text is one part, of a multipart its parts with offsets', () => {
    assert.deepEqual(
      structureOf('Subject: x\r\n\r\nbody').parts.map(({ type, bodyStart, end }) => [type, bodyStart, end]),
      [['text/plain', 14, 18]],
    )
    const inner = multipart('in', 'Content-Type: text/html\r\n\r\n<p>')
    const text = multipart('out', '\r\none', inner, 'Content-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\n--in\r\n')
    const { parts, cut } = structureOf(text)
    assert.equal(cut, false)
    assert.deepEqual(
      parts.map(({ type, depth, bodyStart, end }) => [type, depth, text.slice(bodyStart, end).slice(0, 12)]),
      [
        ['multipart/mixed', 0, 'preamble\r\n--'],
        ['text/plain', 1, 'one\r\n'],
        ['multipart/mixed', 1, 'preamble\r\n--'],
        ['text/html', 2, '<p>\r\n'],
        ['message/rfc822', 1, 'Subject: y\r\n'],
      ],
    )
  })

  it('takes what is missing as it comes: the end, the boundary, the header of a part', () => {
    const open = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\nx'
    assert.deepEqual(
      structureOf(open).parts.map(({ type }) => type),
      ['multipart/mixed', 'text/html'],
    )
    assert.equal(structureOf('Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx').parts.length, 1)
    const bare = structureOf('Content-Type: multipart/mixed; boundary=b\n\n--b\nno header\n--b--\n')
    assert.equal(bare.parts[1]?.type, 'text/plain')
  })

  it('has limits, and says that it stopped', () => {
    const many = multipart('b', ...Array.from({ length: PARTS_MAX + 5 }, () => '\r\nx'))
    assert.equal(structureOf(many).parts.length, PARTS_MAX)
    assert.equal(structureOf(many).cut, true)
    let deep = 'Content-Type: text/plain\r\n\r\nx'
    for (let i = 0; i < NESTING_MAX + 3; i++) deep = multipart(`b${i}`, deep)
    const { parts, cut } = structureOf(deep)
    assert.equal(cut, true)
    assert.ok(parts.every(({ depth }) => depth <= NESTING_MAX))
  })
})

describe('Content-Type', () => {
  it('is read with quotes, odd spaces and nonsense', () => {
    const read = (value: string) => {
      const { type, parameters } = contentType(value)
      return [type, Object.fromEntries(parameters)]
    }
    assert.deepEqual(read('Text/HTML; charset="utf-8"; x = y '), ['text/html', { charset: 'utf-8', x: 'y' }])
    assert.deepEqual(read('multipart/report;report-type="a;b\\"c";boundary==_x'), [
      'multipart/report',
      { 'report-type': 'a;b"c', boundary: '=_x' },
    ])
    assert.deepEqual(read('text'), ['text/plain', {}])
    assert.deepEqual(read(';;;='), ['text/plain', {}])
  })
})

it('any text has parts that lie in it, in order', () => {
  const line = fc.constantFrom(
    '--b',
    '--b--',
    '--c',
    '',
    'x',
    ' y',
    'Content-Type: multipart/x; boundary=c',
    'a: b',
    '\0',
  )
  const text = fc.array(line, { maxLength: 40 }).chain((lines) => {
    return fc.constantFrom('\n', '\r\n').map((end) => lines.join(end))
  })
  fc.assert(
    fc.property(text, (body) => {
      const whole = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${body}`
      const { parts } = structureOf(whole)
      let last = 0
      for (const { start, bodyStart, end } of parts) {
        assert.ok(last <= start && start <= bodyStart && bodyStart <= end && end <= whole.length)
        last = start
      }
    }),
    { numRuns: 1000 },
  )
})
