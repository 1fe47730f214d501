/** Texts that carry files, and old packing of Windows. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { kindsOf, lookInto, textsOf } from './testing.ts'

const data = Buffer.from('harmless text, again and again')
const base64 = data.toString('base64')
const RUNS = 200

describe('a text that carries files', () => {
  it('in uuencode and yEnc', async () => {
    const yEnc = Buffer.concat([
      Buffer.from(`=ybegin line=128 size=${data.length} name=b.bin\r\n`),
      Buffer.from(data.map((octet) => (octet + 42) & 0xff)),
      Buffer.from(`\r\n=yend size=${data.length}\r\n`),
    ])
    for (const text of [Buffer.from(`hello\nbegin-base64 644 b.bin\n${base64}\n====\n`), yEnc]) {
      const found = await lookInto(text)
      assert.deepEqual(textsOf(found), [data.toString()])
      assert.deepEqual(found.objects[1]?.names, ['b.bin'])
    }
    assert.deepEqual(textsOf(await lookInto(Buffer.from('begin with bread\n'))), [])
  })

  it('in addresses of a page', async () => {
    const pages = [
      `<a href="data:application/octet-stream;base64,${base64}">`,
      `<a href='data:;base64,${base64}'>`,
      `<object data="data:text/html;charset=x;base64,${encodeURIComponent(base64)}"/>`,
    ]
    for (const page of pages) assert.deepEqual(textsOf(await lookInto(Buffer.from(page))), [data.toString()], page)
    assert.deepEqual(textsOf(await lookInto(Buffer.from(`x;base64,${base64}`))), [])
    const long = Buffer.alloc(100_000, 'x').toString('base64')
    assert.equal(
      (await lookInto(Buffer.from(`"data:a/b;base64,${long}" ${base64}`))).objects[1]?.octets.length,
      100_000,
    )
    const many = '"data:a/b;base64,QUJD" '.repeat(1_001)
    assert.deepEqual(kindsOf(await lookInto(Buffer.from(many))), ['over-limit'])
  })
})

describe('SZDD', () => {
  const packed = (body: readonly number[], size: number) => {
    const head = Buffer.from('SZDD\x88\xf0\x27\x33Ae\0\0\0\0', 'latin1')
    head.writeUInt32LE(size, 10)
    return Buffer.concat([head, Buffer.from(body)])
  }
  // "abc", then six octets from where it was written.
  const body = [0x07, 0x61, 0x62, 0x63, 0xf0, 0xf3]

  it('gives what it packs, under the name that it had', async () => {
    const found = await lookInto(packed(body, 9), { name: 'setup.ex_' })
    assert.deepEqual(textsOf(found), ['abcabcabc'])
    assert.deepEqual(found.objects[1]?.names, ['setup.exe'])
    assert.deepEqual(found.facts, [])
  })

  it('says what is missing and what is too much', async () => {
    assert.deepEqual(kindsOf(await lookInto(packed(body, 10))), ['broken'])
    const bomb = packed(
      Array.from({ length: 5_000 }, (_, i) => (i % 17 === 0 ? 0 : 0xff)),
      1_000_000,
    )
    assert.deepEqual(kindsOf(await lookInto(bomb, { limits: { octetsMax: 20_000 } })), ['over-limit'])
  })

  it('takes any octets', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(255)), fc.nat(100_000), async (octets, size) => {
        await lookInto(packed(octets, size))
      }),
      { numRuns: RUNS },
    )
  })
})
