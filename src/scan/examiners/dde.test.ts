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

  it('is found where it is put together, in UTF-16, and in the binary parts of Excel', () => {
    const quoted = (numbers: string) => `<w:fldSimple w:instr="IF { QUOTE ${numbers} } x y">`
    assert.ok(isFound(quoted('68 68 69 65 85 84 79 32 99')))
    assert.ok(isFound(quoted('99 109 100 32 47 99')))
    assert.ok(!isFound(quoted('72 101 108 108 111')))
    assert.ok(isFound('{\\rtf1{\\field{\\*\\fldinst {QUOTE 68 68\\cf1  69 65 85 84 79}}}}'))
    assert.ok(isFound(Buffer.from('\ufeff<?xml version="1.0"?><w:fldSimple w:instr="DDE x y">', 'utf16le')))
    assert.ok(isFound('<w:fldSimple w:instr="&#68;DEAUTO x y">'))
    const supBook = (kind: number) =>
      Buffer.concat([Buffer.from([0xe8, 0x02, 0x20, kind, 0, 3, 0, 0, 0]), Buffer.alloc(20)])
    assert.ok(isFound(supBook(1)))
    assert.ok(!isFound(supBook(0)))
  })

  it('is found in OpenDocument', () => {
    const document = (content: string) =>
      `<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0">${content}`
    assert.ok(isFound(document('<table:dde-link><office:dde-source office:dde-application="soffice"/>')))
    assert.ok(isFound(document('<table:table-cell table:formula="of:=DDE(&quot;soffice&quot;;x)">')))
    assert.ok(!isFound(document('<text:p>see office:dde-source and DDE(x)</text:p>')))
  })

  it('says ole-link where a field fetches an object from a server', () => {
    const dialects = (text: string) =>
      [...dde.examine({ where: 'file', names: [], octets: Buffer.from(text), depth: 0 }, budget)].map(
        (fact) => fact.kind === 'macro' && fact.dialect,
      )
    const link = (path: string) => `<w:fldSimple w:instr=' LINK Word.Document.8 &quot;${path}&quot; \\a '>`
    assert.deepEqual(dialects(link('http://example.org/a.doc')), ['ole-link'])
    assert.deepEqual(dialects(link('C:\\\\a.doc')), [])
    assert.deepEqual(dialects('<w:fldSimple w:instr=" HYPERLINK http://example.org ">'), [])
    assert.deepEqual(
      dialects('{\\rtf1{\\*\\fldinst LINK Excel.Sheet.8 C:\\\\a.xls}{\\fldrslt http://example.org}}'),
      [],
    )
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
