/** Documents that are one file of XML, and the packing of objects in MHTML. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deflateSync } from 'node:zlib'
import { compoundFile, kindsOf, lookInto, textsOf } from './testing.ts'

const data = Buffer.from('harmless text, again and again')
const base64 = data.toString('base64').replace(/.{10}/g, '$&\r\n')
const XML = '<?xml version="1.0"?>'
const activeMime = (packed: Buffer, told: number) => {
  const head = Buffer.alloc(50)
  head.write('ActiveMime')
  head.writeUInt16LE(told, 0x1e)
  return Buffer.concat([head, packed])
}

describe('a document in one file of XML', () => {
  it('gives its parts', async () => {
    const documents: [string, string[]][] = [
      [`<pkg:part pkg:name="/word/a.bin"><pkg:binaryData>${base64}</pkg:binaryData></pkg:part>`, ['word/a.bin']],
      [`<w:docOleData><w:binData w:name="oledata.mso" xml:space="preserve">${base64}</w:binData>`, ['oledata.mso']],
      [`<draw:image><office:binary-data>${base64}</office:binary-data></draw:image>`, []],
      [`<x:binaryData>${base64}`, []],
    ]
    for (const [xml, names] of documents) {
      for (const octets of [Buffer.from(XML + xml), Buffer.from(`\ufeff${XML}${xml}`, 'utf16le')]) {
        const found = await lookInto(octets)
        assert.deepEqual(textsOf(found), [data.toString()], xml)
        assert.deepEqual(found.objects[1]?.names, names)
      }
    }
  })

  it('is XML: a text that speaks of it is not', async () => {
    assert.equal((await lookInto(Buffer.from(`see <binaryData>${base64}</binaryData>`))).objects.length, 1)
  })

  it('within the limits', async () => {
    const many = Buffer.from(`${XML}${`<a:binaryData>${base64}</a:binaryData>`.repeat(50)}`)
    assert.deepEqual(kindsOf(await lookInto(many, { limits: { octetsMax: 300 } })), ['over-limit'])
  })
})

describe('ActiveMime', () => {
  it('gives what it packs, also where its header misleads', async () => {
    const packed = deflateSync(compoundFile([{ name: 'one', data }]))
    for (const told of [4, 7_000]) assert.deepEqual(textsOf(await lookInto(activeMime(packed, told))).at(-1), `${data}`)
  })

  it('that is damaged says so', async () => {
    assert.deepEqual(kindsOf(await lookInto(activeMime(deflateSync(data).subarray(0, 20), 4))), ['broken'])
    assert.deepEqual(kindsOf(await lookInto(Buffer.from('ActiveMime'))), ['broken'])
    const bomb = activeMime(deflateSync(Buffer.alloc(100_000)), 4)
    assert.deepEqual(kindsOf(await lookInto(bomb, { limits: { octetsMax: 5_000 } })), ['over-limit'])
  })
})
