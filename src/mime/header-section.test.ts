import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Content, content } from '#mail/content.ts'
import { HEADER_FIELDS_MAX, HEADER_OCTETS_MAX, readHeaderSection, unfolded, withoutFields } from './header-section.ts'

const of = (text: string): Content => content([Buffer.from(text, 'latin1')])
const textOf = (body: Content): string => Buffer.concat(body.chunks).toString('latin1')

/** The same octets in pieces that end at the given places. */
function cutAt(text: string, places: readonly number[]): Content {
  const sorted = places.map((place) => place % (text.length + 1)).sort((a, b) => a - b)
  const ends = [...sorted, text.length]
  return content(ends.map((end, i) => Buffer.from(text.slice(ends[i - 1] ?? 0, end), 'latin1')))
}

const line = fc.constantFrom(
  'Subject: hello\r\n',
  'Received: from a\r\n\tby b;\r\n date\r\n',
  'X: \r\n',
  'Authentication-Results: relay.example; none\r\n',
  'no field\r\n',
  ' folded\r\n',
  '\r\n',
  ':\r\n',
  'Odd : spaces\r\n',
  'caf\xe9: x\r\n',
  'a:b',
)
const message = fc.array(line, { maxLength: 12 }).map((lines) => lines.join(''))

describe('fields', () => {
  it('have a name in lower case, offsets with their line ends, and folded lines in one', () => {
    const text = 'Subject: one\r\n\ttwo\r\nX-Y:\r\n\r\nbody: no\r\n'
    const { fields, end, tooLarge } = readHeaderSection(of(text))
    assert.deepEqual(
      fields.map(({ name, start, end }) => [name, text.slice(start, end)]),
      [
        ['subject', 'Subject: one\r\n\ttwo\r\n'],
        ['x-y', 'X-Y:\r\n'],
      ],
    )
    assert.equal(unfolded(fields[0]!), 'one\ttwo')
    assert.equal(text.slice(end), '\r\nbody: no\r\n')
    assert.equal(tooLarge, false)
  })

  it('end at the first line that is none', () => {
    const first = (text: string) => readHeaderSection(of(text)).fields.map((field) => field.name)
    const odd: [string, string[]][] = [
      ['', []],
      ['\r\nA: b\r\n', []],
      [' A: b\r\n', []],
      [': b\r\n', []],
      ['From anna Mon Jan 1 00:00:00\r\nA: b\r\n', []],
      ['A: b\r\nno field\r\nC: d\r\n', ['a']],
      ['A : b\r\nC\t: d\r\n', ['a', 'c']],
      ['A\xe9: b\r\n', []],
      ['A', []],
      ['A:', ['a']],
      ['A: b\r\n c', ['a']],
    ]
    for (const [text, names] of odd) assert.deepEqual(first(text), names, JSON.stringify(text))
  })

  it('cover the header section without gaps, whatever the message and its chunks', () => {
    fc.assert(
      fc.property(message, fc.array(fc.nat(), { maxLength: 8 }), (text, places) => {
        const section = readHeaderSection(cutAt(text, places))
        assert.deepEqual(section, readHeaderSection(of(text)))
        let at = 0
        for (const field of section.fields) {
          assert.equal(field.start, at)
          assert.ok(field.end > field.start)
          at = field.end
        }
        assert.equal(section.end, at)
      }),
      { numRuns: 500 },
    )
  })
})

describe('limits', () => {
  it('octets: one too many is a fact, not an error', () => {
    const exact = `A: ${'x'.repeat(HEADER_OCTETS_MAX - 5)}\r\n`
    assert.equal(readHeaderSection(of(`${exact}\r\nbody`)).tooLarge, false)
    assert.equal(readHeaderSection(of(`${exact}B: c\r\n\r\n`)).tooLarge, true)
    assert.equal(readHeaderSection(of(`${exact}Received: c\r\n\r\n`)).tooLarge, true)
    assert.equal(readHeaderSection(of(`B${exact}`)).tooLarge, true)
  })

  it('fields: as many as allowed, and one more', () => {
    assert.equal(readHeaderSection(of('A: b\r\n'.repeat(HEADER_FIELDS_MAX))).tooLarge, false)
    const section = readHeaderSection(of('A: b\r\n'.repeat(HEADER_FIELDS_MAX * 2)))
    assert.equal(section.tooLarge, true)
    assert.equal(section.fields.length, HEADER_FIELDS_MAX + 1)
  })

  it('a large body without a header section costs nothing', () => {
    const section = readHeaderSection(of(`\r\n${'a: b\r\n'.repeat(400_000)}`))
    assert.deepEqual(section, { fields: [], end: 0, tooLarge: false })
  })
})

describe('withoutFields', () => {
  it('is the naive cut, over any chunks and any choice of fields, and copies nothing', () => {
    const numbers = fc.array(fc.nat(), { maxLength: 10 })
    fc.assert(
      fc.property(message, numbers, fc.array(fc.boolean()), (text, places, chosen) => {
        const fields = readHeaderSection(of(text)).fields.filter((_, i) => chosen[i % (chosen.length || 1)])
        const body = cutAt(text, places)
        const left = withoutFields(body, fields)
        const naive = fields.reduceRight((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), text)
        assert.equal(textOf(left), naive)
        assert.equal(left.octets, naive.length)
        const memories = new Set(body.chunks.map((chunk) => chunk.buffer))
        assert.ok(left.chunks.every((chunk) => memories.has(chunk.buffer)))
      }),
      { numRuns: 2000 },
    )
  })

  it('gives the same content back where there is nothing to cut', () => {
    const body = of('A: b\r\n\r\n')
    assert.equal(withoutFields(body, []), body)
  })
})
