/** XML that expands without end, and XML that only has entities. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createBudget, UNPACK_LIMITS } from '../unpack/budget.ts'
import { xmlEntities } from './xml-entities.ts'

const budget = createBudget(UNPACK_LIMITS, () => 0)
const isBomb = (text: string, encoding: BufferEncoding = 'latin1') =>
  [...xmlEntities.examine({ where: 'file', names: [], octets: Buffer.from(text, encoding), depth: 0 }, budget)].length >
  0
const document = (declarations: readonly string[], body: string) =>
  `<?xml version="1.0"?><!DOCTYPE a [${declarations.join('\n')}]><a>${body}</a>`
const RUNS = 300

describe('entities of XML', () => {
  const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`)

  it('that name each other ten times each, nine deep', () => {
    const bomb = document(['<!ENTITY l0 "lol">', ...laughs], '&l9;')
    assert.ok(isBomb(bomb))
    assert.ok(isBomb(`\ufeff${bomb}`, 'utf16le'))
    assert.ok(!isBomb(document(['<!ENTITY l0 "lol">', ...laughs], '&l2;')))
    assert.ok(!isBomb(document(['<!ENTITY l0 "lol">', ...laughs], 'nothing')))
  })

  it('of which one is long, and named often', () => {
    const long = `<!ENTITY a '${'x'.repeat(10_000)}'>`
    assert.ok(isBomb(document([long], '&a;'.repeat(1_000))))
    assert.ok(!isBomb(document([long], '&a;'.repeat(100))))
  })

  it('that contain themselves, or are for the declarations only', () => {
    assert.ok(isBomb(document(['<!ENTITY a "&b;"><!ENTITY b "&a;">'], '&a;')))
    assert.ok(
      isBomb(
        document(
          [
            '<!ENTITY % p0 "lol">',
            ...laughs.map((one) => one.replaceAll('l', 'p').replace('ENTITY ', 'ENTITY % ').replaceAll('&', '%')),
            '%p9;',
          ],
          '',
        ),
      ),
    )
  })

  it('of pages and schemas', () => {
    assert.ok(!isBomb('<!DOCTYPE html><html>&nbsp;&nbsp;</html>'))
    assert.ok(!isBomb(document(['<!ENTITY copy "&#169;">', '<!ENTITY nbsp "&#160;">'], '&copy;&nbsp;'.repeat(1_000))))
    assert.ok(!isBomb(document(['<!ENTITY x SYSTEM "file:///a">'], '&x;')))
  })

  it('takes any octets', () => {
    const pieces = ['<!ENTITY ', '% ', 'a ', '"', "'", '&a;', '>', '<!ENTITY a "&a;&a;">', '\0']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces)), (all) => {
        isBomb(all.join(''))
      }),
      { numRuns: RUNS },
    )
  })
})
