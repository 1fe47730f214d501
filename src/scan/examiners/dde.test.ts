/** DDE in each of the places where Office takes it, and texts that only speak of it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createBudget, UNPACK_LIMITS } from '../unpack/budget.ts'
import { dde } from './dde.ts'

const budget = createBudget(UNPACK_LIMITS, () => 0)
const isFound = (text: string | Buffer, ...names: string[]) => {
  const octets = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  return [...dde.examine({ where: 'file', names, octets, depth: 0 }, budget)].length > 0
}
const RUNS = 300

describe('DDE', () => {
  it('is found in fields and cells', () => {
    const begin = '<w:fldChar w:fldCharType="begin"/>'
    const found: [string | Buffer, string?][] = [
      [`${begin}<w:instrText xml:space="preserve"> DDEAUTO c:\\x.exe "/k"</w:instrText>`],
      [`${begin}<w:instrText>DD</w:instrText><w:r/><w:instrText>E</w:instrText><w:instrText>AUTO x</w:instrText>`],
      ['<w:fldSimple w:instr="DDE x y">'],
      ['<ddeLink xmlns="" ddeService="cmd" ddeTopic="/c">'],
      ['{\\rtf1{\\field{\\*\\fldinst {\\rtlch\\fcs1 DDEAUTO x y}}}}'],
      ['text\x13 DDEAUTO c:\\x.exe\x14'],
      [Buffer.from('text\x13 ddeauto c:\\x.exe\x14'.replace('ddeauto', 'DDEAUTO'), 'utf16le')],
      [`<Cell ss:Formula="=cmd|'/c x'!A1">`],
      ["name,age\nx,=cmd|'/c x'!A0\n", 'a.csv'],
    ]
    for (const [text, ...names] of found) assert.ok(isFound(text, ...(names as string[])), String(text))
  })

  it('is not found in what only speaks of it, or in other fields', () => {
    const begin = '<w:fldChar w:fldCharType="begin"/>'
    assert.ok(!isFound(`${begin}<w:instrText> PAGE </w:instrText><w:t>DDEAUTO x</w:t>`))
    assert.ok(!isFound('Word has fields called DDE and DDEAUTO x.'))
    assert.ok(!isFound('name,sum\nx,=A1|B1\n-a|b,c\n', 'a.csv'))
    assert.ok(!isFound('<Cell ss:Formula="=SUM(A1)">'))
    assert.ok(!isFound("write =cmd|'/c x'!A0 into a cell"))
  })

  it('takes any octets', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('<w:instrText>', '\x13', 'DDE', "=x|'", '\\fldinst', '{\\rt', '\0', ',')),
        (all) => {
          isFound(all.join(''), 'a.csv')
        },
      ),
      { numRuns: RUNS },
    )
  })
})
