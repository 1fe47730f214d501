/** RTF: objects however their digits are scattered, and what fetches or starts something. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compoundFile, type Found, lookInto, textsOf } from './testing.ts'

const data = Buffer.from('harmless text, again and again')
const RUNS = 300

const number = (value: number) => {
  const octets = Buffer.alloc(4)
  octets.writeUInt32LE(value)
  return octets
}
const text = (value: string) => Buffer.concat([number(value.length + 1), Buffer.from(`${value}\0`)])
const ole1 = (className: string, content: Buffer, format = 2) =>
  Buffer.concat([number(0x501), number(format), text(className), number(0), number(0), number(content.length), content])
const file = (octets: Buffer, { head = '\\objemb', write = (digits: string) => digits } = {}) =>
  Buffer.from(
    `{\\rtf1 text {\\object${head}{\\*\\objclass x}{\\*\\objdata ${write(octets.toString('hex'))}}}}`,
    'latin1',
  )
const way = Buffer.from('C:\\Temp\\real.exe\0')
const packaged = Buffer.concat([
  Buffer.from('\x02\0invoice.pdf\0C:\\x\\shown.exe\0\0\0\x03\0'),
  number(way.length),
  way,
  number(data.length),
  data,
])
const said = (found: Found) =>
  found.facts.map((fact) => {
    if (fact.kind === 'macro') return `${fact.dialect}${fact.autoRun ? '!' : ''}`
    return fact.kind === 'suspicious' ? fact.symbol : fact.kind
  })

describe('RTF', () => {
  it('gives its objects, however the digits are scattered', async () => {
    const ways: ((digits: string) => string)[] = [
      (digits) => digits,
      (digits) => digits.toUpperCase().replace(/.{7}/g, '$&\r\n \t'),
      (digits) => digits.replace(/.{5}/g, "$&\\par\\'41\\abc12 "),
      (digits) => digits.replace(/.{6}/g, '$&zz{\\*\\x}'),
      (digits) =>
        `${digits.slice(0, 20)}\\bin${digits.length / 2 - 10} ${Buffer.from(digits.slice(20), 'hex').toString('latin1')}`,
    ]
    for (const write of ways)
      assert.equal(textsOf(await lookInto(file(ole1('Word.Document.8', data), { write })))[0], data.toString())
  })

  it('gives both readings where digits stand in groups of their own', async () => {
    const write = (digits: string) => `${digits}{41}`
    assert.deepEqual(textsOf(await lookInto(file(data, { write }))), [data.toString(), `${data}A`])
  })

  it('gives what has no header as it is', async () => {
    assert.deepEqual(textsOf(await lookInto(file(data))), [data.toString()])
  })

  it('gives the file behind an icon by all its names', async () => {
    const found = await lookInto(file(ole1('Package', packaged)))
    assert.deepEqual(said(found), ['ole-package'])
    assert.deepEqual(found.objects[1]?.names, ['invoice.pdf', 'shown.exe', 'real.exe'])
    assert.deepEqual(textsOf(found)[0], data.toString())
    assert.deepEqual(said(await lookInto(file(ole1('package', packaged), { head: '\\objemb\\objupdate' }))), [
      'ole-package!',
    ])
  })

  it('says what is fetched', async () => {
    assert.deepEqual(said(await lookInto(file(ole1('Word.Document.8', data, 1)))), ['ole-link!'])
    assert.deepEqual(said(await lookInto(file(data, { head: '\\objautlink' }))), ['ole-link!'])
    const template = (path: string) => lookInto(Buffer.from(`{\\rtf1{\\*\\template ${path}}}`))
    assert.deepEqual(said(await template('http://example.org/a.dotm')), ['remote-template!'])
    assert.deepEqual(said(await template('\\\\\\\\host\\\\a.dot')), ['remote-template!'])
    assert.deepEqual(said(await template('C:\\\\Users\\\\a\\\\Normal.dotm')), [])
  })

  it('says what is started at opening, and equations', async () => {
    assert.deepEqual(said(await lookInto(file(ole1('Excel.Sheet.8', data), { head: '\\objupdate' }))), [
      'object-at-opening',
    ])
    assert.deepEqual(said(await lookInto(file(ole1('Equation.3', data)))), ['equation-object'])
    const equation = compoundFile([{ name: 'Equation Native', data }])
    equation.write('02ce020000000000c000000000000046', equation.indexOf('R\0o\0o\0t\0') + 80, 'hex')
    assert.deepEqual(said(await lookInto(file(ole1('Word.Document.8', equation)))), ['equation-object'])
    assert.deepEqual(said(await lookInto(file(ole1('Word.Document.8', data)))), [])
  })

  it('that is damaged never breaks the one who opens it', async () => {
    const pieces = [
      '{\\rtf1',
      '\\objdata',
      ' 0105000002000000',
      '\\bin4 ',
      '\\bin999999999 ',
      "\\'",
      '{',
      '}',
      '\\',
      'ff',
      '\\object',
    ]
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...pieces)), async (all) => {
        await lookInto(Buffer.from(`{\\rtf1${all.join('')}`))
      }),
      { numRuns: RUNS },
    )
  })
})
