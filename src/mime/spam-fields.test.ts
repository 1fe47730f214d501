/** Fields that explain a score, and the subject with a tag before it: what is written, what is removed, what stays. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Content, content } from '#mail/content.ts'
import { probabilityOf, type SpamResult } from '#mail/spam.ts'
import { spamFields, withoutSpamFields } from './spam-fields.ts'
import { withSubjectTag } from './subject-tag.ts'

const result = (score: number, ...symbols: string[]): SpamResult => ({
  ...{ score, probability: probabilityOf(score), class: 'ordinary', silent: [], durationMs: 1 },
  signs: symbols.map((symbol, i) => ({ symbol, weight: i / 3 })),
})
const textOf = ({ chunks }: Content) => Buffer.concat(chunks).toString('latin1')
/** In pieces, as it comes from a socket. */
const inPieces = (text: string, octets: number) =>
  content((text.match(new RegExp(`[^]{1,${octets}}`, 'g')) ?? []).map((piece) => Buffer.from(piece, 'latin1')))

test('tagged or not, with the score, what it takes, and each test', () => {
  assert.equal(
    String(spamFields(result(7.432, 'A_B', 'C_D'), { tagged: true, required: 5 })),
    'X-Spam-Flag: YES\r\nX-Spam-Score: 7.43\r\nX-Spam-Level: *******\r\n' +
      'X-Spam-Status: Yes, score=7.43 required=5 class=ordinary\r\n\ttests=[A_B=0, C_D=0.33]\r\n',
  )
  assert.equal(
    String(spamFields(result(-2), { tagged: false })),
    'X-Spam-Score: -2.00\r\nX-Spam-Status: No, score=-2.00 class=ordinary\r\n\ttests=[]\r\n',
  )
})

test('lines stay short, however much was said', () => {
  const symbols = Array.from({ length: 100 }, (_, i) => `SYMBOL_WITH_A_LONG_NAME_${i}`)
  const text = String(spamFields(result(80, ...symbols), { tagged: true, required: 5 }))
  for (const line of text.split('\r\n')) assert.ok(line.length <= 78, line)
  assert.match(text, /\*{50}\r\n/)
  assert.match(text, /^\tSYMBOL/m)
})

test('forged ones go, in any case and folded; everything else stays octet for octet', () => {
  const kept = [
    'Received: x\r\n',
    'X-Spam-Statuses: mine\r\n',
    'Subject: \xff\r\n\tfolded\r\n',
    '\r\nX-Spam-Flag: NO\r\n\x00',
  ]
  const forged = [
    'x-spam-status: No,\r\n\tscore=-99\r\n',
    'X-SPAM-FLAG : NO\r\n',
    'X-Spam-Level:\r\n',
    'X-Spam-Score: 0\r\n',
  ]
  for (const octets of [1, 7, 1000]) {
    const came = inPieces(kept.flatMap((field, i) => [forged[i]!, field]).join(''), octets)
    assert.equal(textOf(withoutSpamFields(came)), kept.join(''), `in pieces of ${octets}`)
  }
  const plain = inPieces(kept.join(''), 9)
  assert.equal(withoutSpamFields(plain), plain, 'nothing to remove')
})

test('a tag before the subject, as it is written', () => {
  const tagged = (text: string) => textOf(withSubjectTag(inPieces(text, 5), '[SPAM]'))
  assert.equal(tagged('A: b\r\nSubject: bread\r\nC: d\r\n\r\nx'), 'A: b\r\nSubject: [SPAM] bread\r\nC: d\r\n\r\nx')
  assert.equal(
    tagged('subject:=?utf-8?q?br=C3=B6?=\r\n x\r\n\r\n'),
    'Subject: [SPAM] =?utf-8?q?br=C3=B6?=\r\n x\r\n\r\n',
  )
  assert.equal(tagged('Subject: [SPAM] bread\r\n\r\n'), 'Subject: [SPAM] bread\r\n\r\n')
  assert.equal(tagged('Subject:\r\n\r\nSubject: body'), 'Subject: [SPAM] \r\n\r\nSubject: body')
  assert.equal(tagged('Subject: \r\n bread\r\n\r\n'), 'Subject: [SPAM] bread\r\n\r\n')
  assert.equal(tagged('A: b\r\n\r\nx'), 'Subject: [SPAM]\r\nA: b\r\n\r\nx')
  assert.equal(tagged('\r\nx'), 'Subject: [SPAM]\r\n\r\nx')
  const long = 'x'.repeat(985)
  assert.equal(tagged(`Subject: ${long}\r\n\r\n`), `Subject: [SPAM]\r\n ${long}\r\n\r\n`)
})

test('whatever comes: what is written is read back as one subject more, and nothing behind the header changes', () => {
  const line = fc.stringMatching(/^[A-Za-z0-9: \t[\]=?_-]{0,40}$/)
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.integer({ min: 1, max: 50 }), (lines, octets) => {
      const text = `${lines.join('\r\n')}\r\n\r\nbody`
      const once = withSubjectTag(inPieces(text, octets), '[S]')
      assert.ok(textOf(once).endsWith('\r\n\r\nbody'))
      assert.match(textOf(once), /^Subject: \[S\]/m)
      assert.equal(textOf(withSubjectTag(once, '[S]')), textOf(once), 'twice is once')
      assert.equal(once.octets, textOf(once).length)
    }),
  )
})
