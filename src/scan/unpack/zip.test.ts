/** Zip files as programs disagree about them: nothing that one of them unpacks may stay unseen. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { kindsOf, lookInto, textsOf, zipFile } from './testing.ts'

const data = Buffer.from('harmless text, many times. '.repeat(40))
const text = data.toString('latin1')
const entry = { name: 'a.txt', data }

describe('an honest zip', () => {
  it('gives its entries and no facts: deflated, stored, zstd, sizes behind the data', async () => {
    const packed = zstdCompressSync(data)
    for (const one of [{}, { method: 0 }, { descriptor: true }, { method: 0, descriptor: true }]) {
      const found = await lookInto(
        zipFile([
          { ...entry, ...one },
          { name: 'b', data: Buffer.from('second') },
        ]),
      )
      assert.deepEqual(textsOf(found), [text, 'second'], JSON.stringify(one))
      assert.deepEqual(found.facts, [], JSON.stringify(one))
      assert.equal(found.objects[1]!.where, 'file › a.txt')
    }
    const zstd = zipFile([{ name: 'z', data: packed, method: 93 }])
    assert.deepEqual(textsOf(await lookInto(zstd)), [text])
  })

  it('may have octets before and after it, and zips within', async () => {
    const inner = zipFile([{ name: 'inner.txt', data, method: 0 }])
    const outer = zipFile([{ name: 'inner.zip', data: inner, method: 0 }], { before: 'MZ junk', after: 'junk' })
    const found = await lookInto(outer)
    assert.equal(found.objects.at(-1)?.where, 'file › inner.zip › inner.txt')
    assert.equal(found.objects.length, 3)
    assert.deepEqual(found.facts, [])
  })
})

describe('a zip that tells two stories', () => {
  it('is read by both: an entry that the directory leaves out', async () => {
    const found = await lookInto(zipFile([entry, { name: 'hidden.js', data: Buffer.from('evil'), isListed: false }]))
    assert.ok(textsOf(found).includes('evil'))
    assert.deepEqual(kindsOf(found), ['broken'])
  })

  it('is read by both: names, methods and sizes', async () => {
    const names = await lookInto(zipFile([{ ...entry, local: { name: 'b.exe' } }]))
    assert.deepEqual(names.objects[1]?.names, ['b.exe', 'a.txt'])
    const methods = await lookInto(zipFile([{ ...entry, local: { method: 0 } }]))
    assert.ok(textsOf(methods).includes(text))
    const sizes = await lookInto(zipFile([{ ...entry, method: 0, central: { packedOctets: 5, octets: 5 } }]))
    assert.ok(textsOf(sizes).includes(text) && textsOf(sizes).includes('harml'))
    for (const found of [names, methods, sizes]) assert.deepEqual(kindsOf(found), ['broken'])
  })

  it('does not hide behind a flag of encryption in one header', async () => {
    const found = await lookInto(zipFile([{ ...entry, central: { flags: 1 } }]))
    assert.ok(textsOf(found).includes(text))
    assert.deepEqual(kindsOf(found), ['broken', 'encrypted'])
  })
})

describe('a zip with several directories', () => {
  it('is read by each', async () => {
    const first = zipFile([{ name: 'first.exe', data: Buffer.from('first') }])
    const second = zipFile([{ name: 'second.txt', data: Buffer.from('second') }])
    const found = await lookInto(Buffer.concat([first, second]))
    assert.deepEqual([...new Set(textsOf(found))].sort(), ['first', 'second'])
    assert.deepEqual(kindsOf(found), ['broken'])
  })
})

describe('a zip that cannot be read', () => {
  it('says encrypted, and still gives the names', async () => {
    const found = await lookInto(zipFile([{ ...entry, name: 'x.exe', flags: 1 }]))
    assert.deepEqual(kindsOf(found), ['encrypted'])
    assert.deepEqual(found.objects[1]?.names, ['x.exe'])
    assert.equal(found.objects[1]?.octets.length, 0)
    assert.deepEqual(kindsOf(await lookInto(zipFile([{ ...entry, method: 99 }]))), ['encrypted'])
  })

  it('says broken, and gives what comes before the damage', async () => {
    const random = createHash('shake256', { outputLength: 40_000 }).update('seed').digest()
    const whole = zipFile([{ name: 'a', data: random }])
    whole.fill(0xff, 20_000, 20_040)
    const [cut, damaged] = [await lookInto(whole.subarray(0, 20_000)), await lookInto(whole)]
    for (const found of [cut, damaged]) {
      assert.deepEqual(kindsOf(found), ['broken'])
      assert.ok((found.objects[1]?.octets.length ?? 0) > 10_000)
      assert.ok(random.subarray(0, 10_000).equals(found.objects[1]!.octets.subarray(0, 10_000)))
    }
  })

  it('says broken where another size stands behind the data', async () => {
    const whole = zipFile([{ name: 'a', data, method: 0, descriptor: true }])
    assert.deepEqual(kindsOf(await lookInto(whole)), [])
    whole.writeUInt32LE(data.length + 1, whole.indexOf('PK\x07\x08') + 8)
    assert.deepEqual(kindsOf(await lookInto(whole)), ['broken'])
    const one = zipFile([{ name: 'a', data, method: 0, descriptor: true }])
    const at = one.indexOf('PK\x07\x08')
    const moved = await lookInto(Buffer.concat([one.subarray(0, at), Buffer.from('x'), one.subarray(at)]))
    const texts = moved.facts.map((fact) => (fact.kind === 'broken' ? fact.text : fact.kind))
    assert.ok(texts.includes('no sizes stand behind its data'), texts.join())
  })

  it('says cannot-tell for a method that is not read', async () => {
    const found = await lookInto(zipFile([{ ...entry, method: 97 }]), { openers: [(await import('./zip.ts')).zip] })
    assert.ok(kindsOf(found).includes('cannot-tell'))
  })
})

describe('the names of a zip', () => {
  it('are read in each charset, and up to a NUL', async () => {
    const found = await lookInto(zipFile([{ name: Buffer.from('b\x81ro.exe\0.txt', 'latin1'), data }]))
    assert.ok(found.objects[1]?.names.includes('büro.exe'))
    const utf = await lookInto(zipFile([{ name: 'büro.exe', data }]))
    assert.equal(utf.objects[1]?.names[0], 'büro.exe')
  })
})
