/** Mail that is a file: told from a text, read in every way, and unharmed by whatever octets come. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mail } from './mail.ts'
import { kindsOf, lookInto, textsOf } from './testing.ts'

const crlf = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1')
const HIDDEN = 'what is in the attached mail'
const BASE64 = Buffer.from(HIDDEN).toString('base64')
const TWICE = crlf(
  `From: a@example.org\nSubject: x\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\n${BASE64}\n`,
)

test('a mail is told by two fields, behind what programs put before them', () => {
  const told = (text: string): boolean => mail.recognises(crlf(text))
  assert.ok(told('From: a@example.org\nSubject: x\n\nhi\n'))
  assert.ok(told('From a@example.org Mon Jan  1\nX-A: b\nSubject: x\nDate: y\n\nhi\n'))
  assert.ok(told('\xef\xbb\xbf\nX-A: b\nTO: x\nDATE : y\n\nhi\n'))
  assert.ok(!told('Subject: a note\n\nhi\n'))
  assert.ok(!told('Dear all,\nFrom: here\nTo: there\n'))
  assert.ok(!told(''))
})

test('a mail is read in every way, and what cannot be read is said', async () => {
  assert.ok(textsOf(await lookInto(TWICE)).some((text) => text.includes(HIDDEN)))
  const piece = crlf('From: a@example.org\nContent-Type: message/partial; id=a; number=2; total=2\n\nabc\n')
  assert.ok(kindsOf(await lookInto(piece)).includes('cannot-tell'))
})

test('no damage to a mail breaks the one who opens it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(TWICE.length - 1), fc.nat(255)), { maxLength: 8 }), async (changes) => {
      const damaged = Buffer.from(TWICE)
      for (const [at, octet] of changes) damaged[at] = octet
      await lookInto(damaged)
    }),
    { numRuns: 100 },
  )
})
