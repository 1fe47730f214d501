/** PDF: what starts by itself; forms and bookmarks are no alarm. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createBudget, UNPACK_LIMITS } from '../unpack/budget.ts'
import { pdfActions } from './pdf-actions.ts'

const budget = createBudget(UNPACK_LIMITS, () => 0)
const symbols = (text: string, depth = 0) =>
  [...pdfActions.examine({ where: 'file', names: [], octets: Buffer.from(text, 'latin1'), depth }, budget)].map(
    (fact) => fact.kind === 'suspicious' && fact.symbol,
  )
const file = (text: string) => `%PDF-1.7\n${text}\n%%EOF`
const RUNS = 300

describe('PDF that acts by itself', () => {
  it('starts a program', () => {
    assert.deepEqual(symbols(file('<</S/Launch/Win<</F(x.exe)>>>>')), ['pdf-launch'])
    assert.deepEqual(symbols(file('<</S /#4caunch>>')), ['pdf-launch'])
    assert.deepEqual(symbols(file('<</S/LaunchPad>>')), [])
  })

  it('runs a script at opening: in place, in another object, in one that is lost', () => {
    const found = ['pdf-script-at-opening']
    assert.deepEqual(symbols(file('<</OpenAction<</S/JavaScript/JS(x)>>>>')), found)
    assert.deepEqual(symbols(file('<</OpenAction 5 0 R>>\nendobj\n5 0 obj<</S/JavaScript>>endobj')), found)
    assert.deepEqual(symbols(file('<</OpenAction 5 0 R>> <</S/JavaScript/JS(x)>>'), 1), found)
    // Where objects are in streams, the opener gives them; a script elsewhere is none of the opening's.
    assert.deepEqual(symbols(file('<</Type/ObjStm>><</OpenAction 5 0 R>> <</S/JavaScript/JS(x)>>'), 1), [])
  })

  it('with openings without end is no honest one, and costs little', () => {
    assert.deepEqual(symbols(file('/OpenAction 5 0 R '.repeat(100_000))), ['pdf-script-at-opening'])
  })

  it('may open at a page, and have scripts in its forms', () => {
    const form = '\nendobj\n7 0 obj<</AA<</K<</S/JavaScript/JS(sum)>>>>>>endobj'
    assert.deepEqual(symbols(file(`<</OpenAction[3 0 R/Fit]>>${form}`)), [])
    assert.deepEqual(symbols(file(`<</OpenAction 5 0 R>>\nendobj\n5 0 obj<</S/GoTo>>endobj${form}`)), [])
    assert.deepEqual(symbols('OpenAction /S/Launch'), [])
  })

  it('carries a program', () => {
    assert.deepEqual(symbols(file('<</Type/Filespec/F(a.exe)/EF<</F 8 0 R>>>>')), ['pdf-carries-program'])
    assert.deepEqual(symbols(file('<</Type/Filespec/UF(\xfe\xff\0a\0.\0j\0s)/EF<</F 8 0 R>>>>')), [
      'pdf-carries-program',
    ])
    assert.deepEqual(symbols(file('<</Type/Filespec/F(factur-x.xml)/EF<</F 8 0 R>>>>')), [])
  })

  it('takes any octets', () => {
    const pieces = [
      '%PDF-',
      '/OpenAction ',
      '<<',
      '5 0 R',
      ' 5 0 obj',
      '/JS',
      '#4a',
      'endobj',
      '/EF',
      '/F (',
      ')',
      '\0',
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces)), (all) => {
        symbols(all.join(''), 1)
      }),
      { numRuns: RUNS },
    )
  })
})
