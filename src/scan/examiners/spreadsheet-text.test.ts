/** Spreadsheets that are text, and call programs or servers. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createBudget, UNPACK_LIMITS } from '../unpack/budget.ts'
import { spreadsheetText } from './spreadsheet-text.ts'

const budget = createBudget(UNPACK_LIMITS, () => 0)
const dialects = (text: string, ...names: string[]) =>
  [...spreadsheetText.examine({ where: 'file', names, octets: Buffer.from(text, 'latin1'), depth: 0 }, budget)].map(
    (fact) => fact.kind === 'macro' && `${fact.dialect}${fact.autoRun ? '!' : ''}`,
  )
const RUNS = 300

describe('spreadsheets that are text', () => {
  it('with macros of Excel 4.0', () => {
    assert.deepEqual(dialects('ID;P\nO;E\nNN;NAuto_open;ER101C1;KOut Flank;F\nC;X1;Y101;K0;EEXEC("calc")\nE\n'), [
      'xlm!',
    ])
    assert.deepEqual(dialects('ID;PWXL;N;E\r\nO;L;E\r\nE\r\n'), ['xlm'])
    assert.deepEqual(dialects('ID;P\nC;X1;Y1;K0;ECALL("urlmon",x)\n'), ['xlm'])
  })

  it('with DDE', () => {
    assert.deepEqual(dialects("ID;P\nC;X1;Y1;K0;E+cmd|'/c x'!A1\n"), ['dde!'])
  })

  it('with a query', () => {
    assert.deepEqual(dialects('WEB\r\n1\r\nhttps://example.org/a.dat\r\n'), ['remote-template!'])
    assert.deepEqual(dialects('XLODBC\r\n1\r\n', 'a.oqy'), ['remote-template!'])
  })

  it('of people', () => {
    assert.deepEqual(
      dialects('ID;PWXL;N;E\nP;PGeneral\nO;L;D;V0;K47;G100 0.001\nC;Y1;X1;K"Sum"\nC;Y2;X1;K3;ESUM(R1C1)\nE\n'),
      [],
    )
    assert.deepEqual(dialects('Web pages: see https://example.org'), [])
    assert.deepEqual(dialects("C;X1;Y1;K0;E+cmd|'/c x'!A1\n"), [])
  })

  it('takes any octets', () => {
    const pieces = ['ID;P\n', 'C;', ';E', '|', "'", '!', 'NN;', 'auto', 'O;', '\n', 'WEB ', '1 ', 'http:']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces)), (all) => {
        dialects(all.join(''))
      }),
      { numRuns: RUNS },
    )
  })
})
