import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { foldLogin, LOGIN_OCTETS_MAX } from './login-name.ts'

test('letters fold, in every script; addresses and other names are logins', () => {
  assert.equal(foldLogin('Anna@Bakery.Example'), 'anna@bakery.example')
  assert.equal(foldLogin('SCANNER-2'), 'scanner-2')
  assert.equal(foldLogin('MU\u0308LLER'), 'müller')
})

test('nothing, white space, the unseen and the endless are no logins', () => {
  for (const typed of ['', 'a b', 'a\t', '\u00a0', 'a\u200bb', 'a\u0000', '\ud800', 'x'.repeat(LOGIN_OCTETS_MAX + 1)]) {
    assert.equal(foldLogin(typed), undefined, JSON.stringify(typed))
  }
  assert.equal(foldLogin('ü'.repeat(LOGIN_OCTETS_MAX / 2 + 1)), undefined)
})

test('what is folded once stays as it is', () => {
  const typed = fc.array(fc.integer({ min: 0x21, max: 0x2fff }), { maxLength: 40 })
  fc.assert(
    fc.property(typed, (points) => {
      const once = foldLogin(String.fromCodePoint(...points))
      if (once !== undefined) assert.equal(foldLogin(once), once)
    }),
  )
})
