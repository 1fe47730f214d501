import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { mailboxText } from '#mail/address.ts'
import { addressList } from './address-list.ts'

const read = (value: string) => addressList(value)?.map(mailboxText).join(' ')

/** RFC 5322 appendix A and §4.4, and what the field writes. */
const READ: readonly (readonly [string, string])[] = [
  ['anna@bakery.test', 'anna@bakery.test'],
  ['John Doe <jdoe@machine.example>', 'jdoe@machine.example'],
  ['"Joe Q. Public" <john.q.public@example.com>', 'john.q.public@example.com'],
  ['Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>', 'mary@x.test jdoe@example.org one@y.test'],
  ['A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;', 'c@a.test joe@where.test jdoe@one.test'],
  ['Undisclosed recipients:;', ''],
  ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', 'pete@silly.test'],
  [
    "A Group(Some people)\r\n :Chris Jones <c@(Chris's host.)public.example>,joe@example.org;",
    'c@public.example joe@example.org',
  ],
  ['(Empty list)(start)Hidden recipients :(nobody(that I know)) ;', ''],
  ['John Doe <jdoe@machine(comment). example>', 'jdoe@machine.example'],
  ['Mary <@node.test:mary@example.net>', 'mary@example.net'],
  ['<@a.test,@b.test:mary@example.net>', 'mary@example.net'],
  ['"a@b.test" <c@d.test>', 'c@d.test'],
  ['"comma, inside" <c@d.test>', 'c@d.test'],
  ['=?utf-8?q?J=C3=B6rg?= <j@d.test>', 'j@d.test'],
  ['Jörg <jörg@müller.test>', 'jörg@xn--mller-kva.test'],
  ['anna@[192.0.2.1]', 'anna@[192.0.2.1]'],
  ['"an na"@bakery.test', '"an na"@bakery.test'],
  ['Dr. J. Doe <j@d.test>', 'j@d.test'],
]

/** Read by one program as this and by another as that: not at all here. */
const NOT_READ = [
  '',
  ' ',
  'anna',
  'anna@bakery.test bob@far.test',
  'anna@bakery.test <bob@far.test>',
  '<bob@far.test> anna@bakery.test',
  '<bob@far.test><anna@bakery.test>',
  'anna@bakery.test;',
  '<anna@bakery.test',
  'anna@bakery.test>',
  '<>',
  'Name <>',
  'a "b <anna@bakery.test>',
  '(anna@bakery.test',
  'anna@',
  '@bakery.test',
  'anna@@bakery.test',
  'G: H: a@b.test;;',
  'G: a@b.test',
  'anna@bakery.test\\',
  'anna@bakery.test\0<bob@far.test>',
  '<anna@bakery.test@far.test>',
  '((((((((((((((((((((((((a@b.test))))))))))))))))))))))))',
]

describe('an address field', () => {
  for (const [value, expected] of READ)
    it(`has ${expected || 'nobody'}: ${value}`, () => assert.equal(read(value), expected))
  for (const value of NOT_READ) it(`cannot be read: ${value}`, () => assert.equal(read(value), undefined))

  it('of any octets is read or not, soon', () => {
    const piece = fc.constantFrom(
      'a@b.test',
      '<',
      '>',
      '"',
      '(',
      ')',
      ',',
      ';',
      ':',
      '@',
      '\\',
      ' ',
      '[',
      ']',
      '.',
      'x',
    )
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => void addressList(value)))
    fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => void addressList(pieces.join(''))))
    assert.equal(addressList(`${'('.repeat(1_000_000)}`), undefined)
    assert.equal(addressList(`${'a@b.test,'.repeat(2000)}a@b.test`), undefined)
  })

  it('with any display name has the address behind it', () => {
    const name = fc.string({ unit: fc.constantFrom('a', '<', '>', ',', ';', ':', '@', '(', ')', ' ', '.') })
    fc.assert(fc.property(name, (text) => assert.equal(read(`"${text}" <anna@bakery.test>`), 'anna@bakery.test')))
  })
})
