import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { readHeaderSection } from '#mime/header-section.ts'
import { authorDomains } from './author.ts'
import { inPieces } from './testing.ts'

const domains = (value: string) =>
  authorDomains(readHeaderSection(inPieces(Buffer.from(`From:${value}\r\n\r\n`))).fields[0]!).join()

it('the domains of the authors are found, and nothing that only looks like one', () => {
  assert.equal(domains(' anna@Bakery.test'), 'bakery.test')
  assert.equal(domains(' Anna <anna@bakery.test>'), 'bakery.test')
  assert.equal(domains(' "bank@evil.test" <anna@bakery.test>'), 'bakery.test')
  assert.equal(domains(' "x <x@evil.test>, y" (or z@evil.test) <anna@bakery.test> (a@evil.test)'), 'bakery.test')
  assert.equal(domains(' "a \\" b@evil.test" <anna@bakery.test>'), 'bakery.test')
  assert.equal(domains('\r\n Anna\r\n <anna@bakery.test>'), 'bakery.test')
  assert.equal(domains(' "odd local"@bakery.test, bob @ mill.test, carl@bakery.test'), 'bakery.test,mill.test')
  assert.equal(domains(' anna@bäckerei.test'), 'xn--bckerei-5wa.test')
  assert.equal(domains(' bakers: anna@bakery.test, bob@mill.test;'), 'bakery.test,mill.test')
  for (const none of ['', ' undisclosed:;', ' anna', ' anna@[192.0.2.1]', ' anna@a..test', ' <>', ' @']) {
    assert.equal(domains(none), '', none)
  }
})

it('any field is read', () => {
  const part = fc.constantFrom('a', '@', '.test', '<', '>', '"', '\\', '(', ')', ',', ';', ':', ' ')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => typeof domains(` ${parts.join('')}`) === 'string'),
  )
})
