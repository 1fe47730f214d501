import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { content } from '#mail/content.ts'
import { DataWriter, type Form, octetsToSend, type Parts } from './data-writer.ts'

/** What a writer gives out, in blocks of `blockOctets`, as latin1. */
function written(chunks: readonly string[], form: Form, blockOctets = 1 << 20): string {
  const writer = new DataWriter(content(chunks.map((chunk) => Buffer.from(chunk, 'latin1'))), form)
  let all = ''
  for (let more = true; more; ) {
    const parts: Parts = []
    more = writer.next(blockOctets, parts)
    for (const part of parts) all += part.toString('latin1')
  }
  assert.equal(writer.octets, all.length)
  return all
}

/** The same by the book, slowly: RFC 5321 §4.5.2 after all line ends were made CRLF. */
function naive(text: string, form: Form): string {
  if (form === 'binary') return text
  const lines = text.replace(/\r\n|\r|\n/g, '\r\n')
  if (form === 'text') return lines
  const ended = lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`
  return `${ended.replace(/^\./gm, '..')}.\r\n`
}

const hostile = fc
  .array(
    fc.constantFrom('.', '..', '\r\n', '\r', '\n', '\r\n.\r\n', '\n.\n', '\r.\r', 'a', 'hello', '\0', 'ü', '\r\r\n'),
  )
  .map((pieces) => pieces.join(''))
const form = fc.constantFrom<Form>('stuffed', 'text', 'binary')

test('dots at the start of a line are doubled, nothing else changes', () => {
  assert.equal(written(['.a\r\nb.\r\n..\r\n'], 'stuffed'), '..a\r\nb.\r\n...\r\n.\r\n')
  assert.equal(written(['.a\r\nb.\r\n..\r\n'], 'text'), '.a\r\nb.\r\n..\r\n')
})

test('the end is one CRLF.CRLF; a CRLF is added only where none is', () => {
  assert.equal(written([], 'stuffed'), '.\r\n')
  assert.equal(written(['a'], 'stuffed'), 'a\r\n.\r\n')
  assert.equal(written(['a\r\n'], 'stuffed'), 'a\r\n.\r\n')
  assert.equal(written(['a\r'], 'stuffed'), 'a\r\n.\r\n')
  assert.equal(written(['a\r\n\r\n'], 'stuffed'), 'a\r\n\r\n.\r\n')
})

test('any content in any chunks and blocks is what the naive writer makes of it', () => {
  const cuts = fc.array(fc.nat(40), { maxLength: 6 })
  fc.assert(
    fc.property(hostile, cuts, fc.integer({ min: 1, max: 50 }), form, (text, at, blockOctets, as) => {
      const chunks: string[] = []
      let rest = text
      for (const cut of at) {
        chunks.push(rest.slice(0, cut))
        rest = rest.slice(cut)
      }
      chunks.push(rest)
      assert.equal(written(chunks, as, blockOctets), naive(text, as))
    }),
    { numRuns: 5000 },
  )
})

test('content dense with dots and bare line ends takes the copying way to the same result', () => {
  const dense = fc.array(hostile, { minLength: 60, maxLength: 120 }).map((pieces) => pieces.join('.\n'))
  fc.assert(
    fc.property(dense, form, fc.constantFrom(97, 1000, 1 << 20), (text, as, blockOctets) => {
      assert.equal(written([text], as, blockOctets), naive(text, as))
    }),
    { numRuns: 300 },
  )
})

test('a receiver that unstuffs gets the content back, octet for octet', () => {
  const clean = hostile.map((text) => text.replace(/\r(?!\n)|(?<!\r)\n/g, ''))
  fc.assert(
    fc.property(clean, (text) => {
      const sent = written([text], 'stuffed')
      const ended = text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`
      assert.equal(`\r\n${sent}`.indexOf('\r\n.\r\n'), sent.length - 3, 'the end comes once, at the end')
      assert.equal(sent.slice(0, -3).replace(/(^|\r\n)\./g, '$1'), ended)
    }),
    { numRuns: 2000 },
  )
})

test('no bare CR and no bare LF in 100,000 outputs', () => {
  fc.assert(
    fc.property(hostile, hostile, fc.constantFrom<Form>('stuffed', 'text'), (one, two, as) => {
      assert.doesNotMatch(written([one, two], as), /\r(?!\n)|(?<!\r)\n/)
    }),
    { numRuns: 100_000 },
  )
})

test('content without additions is not copied', () => {
  const chunk = Buffer.from('a line\r\nanother\r\n')
  const parts: Parts = []
  new DataWriter(content([chunk]), 'stuffed').next(1000, parts)
  assert.equal((parts[0] as Buffer).buffer, chunk.buffer)
  assert.equal(parts.length, 2)
})

test('the octets announced with BDAT are those that follow', () => {
  fc.assert(
    fc.property(hostile, form, fc.integer({ min: 1, max: 50 }), (text, as, blockOctets) => {
      const body = content([Buffer.from(text, 'latin1')])
      assert.equal(octetsToSend(body, as, blockOctets), written([text], as).length)
    }),
    { numRuns: 1000 },
  )
})
