import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PASSWORD_OCTETS_MAX, preparePassword } from './prepare-password.ts'

const prepared = (typed: string): string | undefined => {
  const answer = preparePassword(typed)
  return answer.ok ? answer.password : undefined
}

test('the examples of RFC 8265 §4.3', () => {
  for (const same of ['correct horse battery staple', 'Correct Horse Battery Staple', 'πßå', 'Jack of ♦s']) {
    assert.equal(prepared(same), same)
  }
  assert.equal(prepared('foo\u1680bar'), 'foo bar')
  assert.equal(prepared(''), undefined)
  assert.equal(prepared('my cat is a \tby'), undefined)
})

test('two ways to type a letter are one; case and width are not touched', () => {
  assert.equal(prepared('u\u0308ber'), '\u00fcber')
  assert.equal(prepared('ＡＢＣ\u3000d\u00a0e'), 'ＡＢＣ d e')
})

test('what nobody can see is refused, by name', () => {
  for (const [typed, named] of [
    ['a\u0000b', 'U+0000'],
    ['a\u200db', 'U+200D'],
    ['a\ufeff', 'U+FEFF'],
    ['a\u0378', 'U+0378'],
    ['a\u1100', 'U+1100'],
  ] as const) {
    const answer = preparePassword(typed)
    assert.ok(!answer.ok && answer.why.includes(named), `${named}: ${JSON.stringify(answer)}`)
  }
  assert.match(JSON.stringify(preparePassword('a\ud800')), /UTF-8/)
})

test('1024 octets are taken, 1025 are not', () => {
  assert.equal(prepared('a'.repeat(PASSWORD_OCTETS_MAX))?.length, PASSWORD_OCTETS_MAX)
  assert.equal(prepared('a'.repeat(PASSWORD_OCTETS_MAX + 1)), undefined)
  assert.equal(prepared('ü'.repeat(PASSWORD_OCTETS_MAX / 2 + 1)), undefined)
})

// Mostly what people type, and marks that combine with it.
const typedTexts = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x36f }), fc.integer({ min: 0, max: 0x10ffff })), { maxLength: 200 })
  .map((points) => String.fromCodePoint(...points))

test('what is prepared once stays as it is', () => {
  fc.assert(
    fc.property(typedTexts, (typed) => {
      const once = prepared(typed)
      if (once !== undefined) assert.equal(prepared(once), once)
    }),
  )
})
