/** TNEF: attachments by all their names, in both ways that they are written. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { kindsOf, lookInto, textsOf } from './testing.ts'

const number = (value: number, octets = 4) => {
  const buffer = Buffer.alloc(octets)
  buffer.writeUIntLE(value, 0, octets)
  return buffer
}
const attribute = (id: number, data: Buffer) =>
  Buffer.concat([Buffer.from([2]), number(id), number(data.length), data, number(0, 2)])
const padded = (data: Buffer) => Buffer.concat([number(data.length), data, Buffer.alloc((4 - (data.length % 4)) % 4)])
const HEAD = Buffer.concat([number(0x223e9f78), number(1, 2)])

const longName = Buffer.concat([
  number(0x1f, 2),
  number(0x3707, 2),
  number(1),
  padded(Buffer.from('long name.exe\0', 'utf16le')),
])
const embedded = Buffer.concat([
  number(0x0d, 2),
  number(0x3701, 2),
  number(1),
  padded(Buffer.concat([Buffer.alloc(16), Buffer.from('embedded')])),
])
const flag = Buffer.concat([number(0x0b, 2), number(0x1234, 2), number(1)])
const named = Buffer.concat([
  number(0x03, 2),
  number(0x8001, 2),
  Buffer.alloc(16),
  number(1),
  padded(Buffer.from('ab')),
  number(7),
])
const FILE = Buffer.concat([
  HEAD,
  attribute(0x00069002, Buffer.alloc(14)),
  attribute(0x00018010, Buffer.from('LONGNA~1.EXE\0')),
  attribute(0x0006800f, Buffer.from('harmless')),
  attribute(0x00069005, Buffer.concat([number(4), flag, named, longName, embedded])),
  attribute(0x00069002, Buffer.alloc(14)),
  attribute(0x0006800f, Buffer.from('second')),
])
const RUNS = 500

describe('TNEF', () => {
  it('gives attachments by all their names', async () => {
    const found = await lookInto(FILE)
    assert.deepEqual(textsOf(found), ['harmless', 'embedded', 'second'])
    assert.deepEqual(found.objects[1]?.names, ['LONGNA~1.EXE', 'long name.exe'])
    assert.deepEqual(found.facts, [])
  })

  it('gives the body of the message, also as compressed RTF', async () => {
    // [MS-OXRTFCP] §3.1.2: an example of the standard.
    const octets = '1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0'
    const text = '{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}'
    const body = (id: number, data: Buffer) => Buffer.concat([number(0x102, 2), number(id, 2), number(1), padded(data)])
    const stored = Buffer.concat([number(0), number(0), number(0x414c454d), number(0), Buffer.from('{\\rtf1 x}')])
    const properties = [
      body(0x1009, Buffer.from(octets, 'hex')),
      body(0x1009, stored),
      body(0x1013, Buffer.from('<html>')),
    ]
    const message = Buffer.concat([number(properties.length), ...properties])
    const found = await lookInto(
      Buffer.concat([HEAD, attribute(0x00069003, message), attribute(0x0002800c, Buffer.from('text'))]),
    )
    assert.deepEqual(textsOf(found), [text, '{\\rtf1 x}', '<html>', 'text'])
  })

  it('that is cut or followed by junk says so', async () => {
    const cut = await lookInto(FILE.subarray(0, -4))
    assert.deepEqual([kindsOf(cut), textsOf(cut).at(-1)], [['broken'], 'seco'])
    const behind = await lookInto(Buffer.concat([FILE, Buffer.from('junk junk junk')]))
    assert.deepEqual([kindsOf(behind), textsOf(behind).at(-1)], [['broken'], 'junk junk junk'])
  })

  it('that is damaged never breaks the one who opens it', async () => {
    const edit = fc.tuple(fc.integer({ min: 4, max: FILE.length - 1 }), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 5 }), async (edits) => {
        const octets = Buffer.from(FILE)
        for (const [at, value] of edits) octets[at] = value
        for (const object of (await lookInto(octets)).objects) assert.ok(object.octets.length <= FILE.length)
      }),
      { numRuns: RUNS },
    )
  })
})
