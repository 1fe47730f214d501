import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { applicationDigest, matching, newApplicationPassword } from './application-password.ts'

test('128 bits in groups; typed without hyphens, with spaces or in capitals it is the same', () => {
  const made = newApplicationPassword()
  assert.match(made, /^([a-z2-7]{5}-){5}[a-z2-7]$/)
  assert.notEqual(newApplicationPassword(), made)
  // RFC 4648 §10, by its rule: five bits for a letter, the rest filled up with zeros.
  assert.equal(newApplicationPassword(Buffer.from('foobar')), 'mzxw6-ytboi')
  for (const typed of [made.replaceAll('-', ''), made.replaceAll('-', ' '), ` ${made.toUpperCase()}\n`]) {
    assert.deepEqual(applicationDigest(typed), applicationDigest(made))
  }
})

test('other texts are none', () => {
  const made = newApplicationPassword(Buffer.alloc(16))
  for (const typed of ['', 'correct horse', made.slice(1), `${made}a`, made.replace('a', '1'), ' '.repeat(60) + made]) {
    assert.equal(applicationDigest(typed), undefined, typed)
  }
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (typed) => void applicationDigest(typed)))
})

test('the one that matches is found wherever it stands', () => {
  const kept = [1, 2, 3].map((id) => ({ id, digest: Buffer.alloc(32, id) }))
  assert.equal(matching(kept, Buffer.alloc(32, 2))?.id, 2)
  assert.equal(matching(kept, Buffer.alloc(32, 4)), undefined)
  assert.equal(matching(kept, Buffer.alloc(31, 2)), undefined)
})
