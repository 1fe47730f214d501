/** Compound files: their streams, what is packed into streams, and what the records of Office documents say. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deflateSync } from 'node:zlib'
import { compoundFile, kindsOf, lookInto, textsOf } from './testing.ts'

const data = Buffer.from('harmless text '.repeat(100))
const words = (...numbers: number[]) => Buffer.from(numbers.flatMap((number) => [number & 0xff, number >> 8]))
const size = (number: number) => words(number & 0xffff, number >>> 16)

describe('a compound file', () => {
  it('gives its streams, by the way to them', async () => {
    const found = await lookInto(
      compoundFile(
        [
          { name: 'one', data },
          { name: '\x01two', data: Buffer.from('2') },
        ],
        'in',
      ),
    )
    assert.deepEqual(
      found.objects.slice(1).map(({ where }) => where),
      ['file › in/one', 'file › in/two'],
    )
    assert.deepEqual(textsOf(found), [data.toString(), '2'])
    assert.deepEqual(found.facts, [])
  })

  it('that is cut gives what is there, and says so', async () => {
    const whole = compoundFile([{ name: 'one', data }])
    assert.deepEqual(kindsOf(await lookInto(whole.subarray(0, 900))), ['broken'])
  })

  it('whose chain of sectors runs in a circle ends', async () => {
    const circle = compoundFile([{ name: 'one', data }])
    circle.writeUInt32LE(0, circle.length - 512)
    const found = await lookInto(circle)
    assert.equal(found.objects[1]?.octets.length, data.length)
  })

  it('can be the shell of an encrypted document', async () => {
    for (const name of ['EncryptedPackage', 'ENCRYPTEDPACKAGE'])
      assert.deepEqual(kindsOf(await lookInto(compoundFile([{ name, data }]))), ['encrypted'])
  })

  it('gives the file behind an icon by all its names', async () => {
    const way = Buffer.from('C:\\Temp\\real.exe\0')
    const native = Buffer.concat([
      size(0),
      words(2),
      Buffer.from('invoice.pdf\0C:\\x\\shown.exe\0'),
      words(0, 3),
      size(way.length),
      way,
      size(data.length),
      data,
    ])
    const found = await lookInto(compoundFile([{ name: '\x01Ole10Native', data: native }]))
    assert.deepEqual(found.objects.at(-1)?.names, ['invoice.pdf', 'shown.exe', 'real.exe'])
    assert.equal(textsOf(found).at(-1), data.toString())
    assert.deepEqual(kindsOf(found), ['macro'])
  })

  it('gives the objects of a presentation', async () => {
    const packed = deflateSync(data)
    const record = Buffer.concat([words(0x10, 0x1011), size(packed.length + 4), size(data.length), packed])
    const found = await lookInto(compoundFile([{ name: 'PowerPoint Document', data: record }]))
    assert.equal(textsOf(found).at(-1), data.toString())
  })
})

describe('a message of Outlook', () => {
  it('gives its body, which is compressed RTF', async () => {
    // [MS-OXRTFCP] §3.1.2: an example of the standard.
    const body = Buffer.from('1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0', 'hex')
    const found = await lookInto(compoundFile([{ name: '__substg1.0_10090102', data: body }]))
    assert.equal(textsOf(found).at(-1), '{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}')
  })
})

describe('an object of a Word document in XML', () => {
  it('is packed in a stream of its own', async () => {
    const object = compoundFile([{ name: 'one', data }])
    const stream = Buffer.concat([size(object.length), deflateSync(object)])
    const found = await lookInto(compoundFile([{ name: '_1577691300', data: stream }]))
    assert.equal(textsOf(found).at(-1), data.toString())
  })
})

describe('macros', () => {
  it('are text, and known to run by themselves', async () => {
    const text = 'Attribute VB_Name = "A"\r\nSub Document_Open()\r\n'
    const literals: Buffer[] = []
    for (let at = 0; at < text.length; at += 8) literals.push(Buffer.from([0]), Buffer.from(text.slice(at, at + 8)))
    const body = Buffer.concat(literals)
    const stream = Buffer.concat([Buffer.from('compiled'), Buffer.from([1]), words(0xb000 | (body.length - 1)), body])
    const found = await lookInto(compoundFile([{ name: 'Module1', data: stream }], 'VBA'))
    assert.equal(textsOf(found).at(-1), text)
    assert.deepEqual(found.facts, [{ kind: 'macro', dialect: 'vba', autoRun: true, where: 'file' }])
  })

  it('whose text is not there are said to be broken as well', async () => {
    const found = await lookInto(compoundFile([{ name: 'Module1', data }], 'VBA'))
    assert.deepEqual(kindsOf(found), ['broken', 'macro'])
  })

  it('of Excel 4 stand in a sheet of their own; a password in a record', async () => {
    const sheet = Buffer.concat([words(0x85, 8), size(0), Buffer.from([0, 1, 0, 0])])
    const label = Buffer.concat([words(0x18, 16), words(0x20), Buffer.alloc(12), Buffer.from([0, 1])])
    const found = await lookInto(compoundFile([{ name: 'Workbook', data: Buffer.concat([sheet, label]) }]))
    assert.deepEqual(found.facts, [{ kind: 'macro', dialect: 'xlm', autoRun: true, where: 'file' }])
    const password = Buffer.concat([words(0x2f, 4), size(0)])
    assert.deepEqual(kindsOf(await lookInto(compoundFile([{ name: 'Book', data: password }]))), ['encrypted'])
  })

  it('of Excel can ask other programs, or fetch from them', async () => {
    const record = (type: number, body: Buffer) => Buffer.concat([words(type, body.length), body])
    const book = (path: string) => record(0x1ae, Buffer.concat([words(0, path.length), Buffer.from(`\0${path}`)]))
    const name = (flags: number) => record(0x23, Buffer.concat([words(flags), Buffer.alloc(6)]))
    const dialects = async (...records: Buffer[]) =>
      (await lookInto(compoundFile([{ name: 'Workbook', data: Buffer.concat(records) }]))).facts.map(
        (fact) => fact.kind === 'macro' && fact.dialect,
      )
    assert.deepEqual(await dialects(book('cmd\x03/c calc'), name(0)), ['dde'])
    assert.deepEqual(await dialects(book('Word.Document.8\x03http://example.org/a.doc'), name(0x10)), ['ole-link'])
    assert.deepEqual(await dialects(book('\x01other.xls'), name(0)), [])
    assert.deepEqual(await dialects(book('cmd\x03/c calc'), book('other.xls'), name(0)), [])
  })
})
