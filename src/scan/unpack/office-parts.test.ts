/** Documents in zips: what all their parts together say. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kindsOf, lookInto, zipFile } from './testing.ts'

const workbook = (strings: readonly string[], cells: number) => [
  {
    name: 'xl/sharedStrings.xml',
    data: Buffer.from(`<sst>${strings.map((s) => `<si><t>${s}</t></si>`).join('')}</sst>`),
  },
  { name: 'xl/worksheets/sheet1.xml', data: Buffer.from('<c r="A1" t="s"><v>0</v></c>'.repeat(cells)) },
]

describe('a workbook', () => {
  it('whose cells repeat one long string is over the limit', async () => {
    assert.deepEqual(kindsOf(await lookInto(zipFile(workbook(['a', 'x'.repeat(100_000)], 3_000)))), ['over-limit'])
    const turned = workbook(['x'.repeat(100_000)], 3_000).reverse()
    assert.deepEqual(kindsOf(await lookInto(zipFile(turned))), ['over-limit'])
  })

  it('of people is not: many cells with short strings, few with long ones, numbers', async () => {
    assert.deepEqual(kindsOf(await lookInto(zipFile(workbook(['name', 'town', 'street'], 100_000)))), [])
    assert.deepEqual(kindsOf(await lookInto(zipFile(workbook(['x'.repeat(30_000)], 2_000)))), [])
    const [strings] = workbook(['x'.repeat(100_000)], 0)
    const numbers = { name: 'xl/worksheets/sheet1.xml', data: Buffer.from('<c r="A1"><v>0</v></c>'.repeat(10_000)) }
    assert.deepEqual(kindsOf(await lookInto(zipFile([strings!, numbers]))), [])
  })

  it('whose parts declare entities is over the limit', async () => {
    const data = Buffer.from('<!DOCTYPE a [<!ENTITY b "c">]>')
    assert.deepEqual(kindsOf(await lookInto(zipFile([{ name: 'xl/workbook.xml', data }]))), ['over-limit'])
    assert.deepEqual(kindsOf(await lookInto(zipFile([{ name: 'feed.xml', data }]))), [])
  })
})

describe('an encrypted document', () => {
  it('of OpenDocument and of Pages says so', async () => {
    const manifest = { name: 'META-INF/manifest.xml', data: Buffer.from('<manifest:encryption-data/>') }
    assert.deepEqual(kindsOf(await lookInto(zipFile([manifest]))), ['encrypted'])
    assert.deepEqual(kindsOf(await lookInto(zipFile([{ name: '.iwpv2', data: Buffer.from('x') }]))), ['encrypted'])
    const sealed = zipFile([{ name: 'index.xml', data: Buffer.from('x'), method: 25_452 }])
    assert.deepEqual(kindsOf(await lookInto(sealed)), ['encrypted'])
  })
})
