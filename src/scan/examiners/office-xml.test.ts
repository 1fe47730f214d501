/** What parts of Office documents in XML run or fetch, and what looks alike and is ordinary. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { factText } from '#mail/scan.ts'
import { createBudget, UNPACK_LIMITS } from '../unpack/budget.ts'
import { officeXml } from './office-xml.ts'

const budget = createBudget(UNPACK_LIMITS, () => 0)
const factsOf = (text: string | Buffer, ...names: string[]) => {
  const octets = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  return [...officeXml.examine({ where: 'file', names, octets, depth: 1 }, budget)].map((fact) =>
    fact.kind === 'macro' ? `${fact.dialect}${fact.autoRun ? '!' : ''}` : factText(fact).split(/[,:] ?/)[1],
  )
}
const TYPES = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const relationship = (type: string, target: string, mode = 'External') =>
  `<Relationships><Relationship Id="rId1" Type="${TYPES}/${type}" Target="${target}" TargetMode="${mode}"/></Relationships>`
const RUNS = 300

describe('Office documents in XML', () => {
  it('that fetch what becomes part of them', () => {
    for (const type of ['attachedTemplate', 'frame', 'subDocument', 'aFChunk'])
      assert.deepEqual(factsOf(relationship(type, 'http://example.org/a.dotm')), ['remote-template!'], type)
    assert.deepEqual(factsOf(relationship('oleObject', 'http://example.org/a.doc')), ['ole-link!'])
    const turned = `<r:Relationship TargetMode='External' Type='${TYPES}/attachedTempl&#97;te' Target='x'/>`
    assert.deepEqual(factsOf(turned), ['remote-template!'])
    assert.deepEqual(factsOf(Buffer.from(`\ufeff${turned}`, 'utf16le')), ['remote-template!'])
    assert.deepEqual(factsOf(Buffer.from(`\ufeff${turned}`, 'utf16le').swap16()), ['remote-template!'])
  })

  it('whose link runs a script', () => {
    for (const target of [
      'mhtml:http://a.example/x.html!x-usc:http://a.example',
      'script:http://a.example/x',
      'x.hta?a',
    ])
      assert.deepEqual(factsOf(relationship('oleObject', target)), ['ole-link!', 'link-to-script'], target)
    assert.deepEqual(factsOf(relationship('hyperlink', 'javascript:x')), [])
  })

  it('with ordinary links are not meant', () => {
    assert.deepEqual(factsOf(relationship('hyperlink', 'http://example.org/')), [])
    assert.deepEqual(factsOf(relationship('externalLinkPath', 'file:///other.xlsx')), [])
    assert.deepEqual(factsOf(relationship('image', 'http://example.org/a.png')), [])
    assert.deepEqual(factsOf(relationship('oleObject', 'embeddings/a.bin', 'Internal')), [])
  })

  it('with macros of Excel 4.0', () => {
    assert.deepEqual(
      factsOf('<Relationship Type="http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet" Target="a"/>'),
      ['xlm'],
    )
    assert.deepEqual(factsOf('<?xml version="1.0"?><xm:macrosheet xmlns="x"><sheetData/>'), ['xlm'])
    assert.deepEqual(factsOf('<definedNames><definedName name="_xlnm.Auto_Open" hidden="1">A!$A$1<'), ['xlm!'])
    assert.deepEqual(factsOf(Buffer.from('\u0183_xlnm.Auto_Open', 'utf16le')), ['xlm!'])
    assert.deepEqual(factsOf('<definedName name="_xlnm.Print_Area">A!$A$1<'), [])
  })

  it('with macros of OpenDocument', () => {
    assert.deepEqual(
      factsOf('<script:module xmlns:script="http://openoffice.org/2000/script" script:language="StarBasic">Sub Main'),
      ['open-document'],
    )
    assert.deepEqual(factsOf('<ooo:module xmlns:ooo="http://openoffice.org/2004/office"><ooo:source-code>Sub Main'), [
      'open-document',
    ])
    assert.deepEqual(
      factsOf('<script:module xmlns:script="http://openoffice.org/2000/script" script:name="a"> </script:module>'),
      [],
    )
    assert.deepEqual(factsOf('print()', 'Scripts/python/a.py'), ['open-document'])
    assert.deepEqual(factsOf('', 'Scripts/python/'), [])
    const listener = (event: string) =>
      `<script:event-listener xmlns:script="urn:oasis:names:tc:opendocument:xmlns:script:1.0" script:event-name="${event}" xlink:href="vnd.sun.star.script:S.m.Main?language=Basic"/>`
    assert.deepEqual(factsOf(listener('dom:load')), ['open-document!'])
    assert.deepEqual(factsOf(listener('dom:click')), [])
  })

  it('takes any octets', () => {
    const pieces = [
      '<Relationship ',
      'TargetMode="External"',
      `Type="${TYPES}/frame"`,
      '>',
      '<script:event ',
      '\xff\xfe',
      '&#',
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces)), (all) => {
        factsOf(all.join(''))
      }),
      { numRuns: RUNS },
    )
  })
})
