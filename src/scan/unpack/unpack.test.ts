/** Taking apart under limits: each limit is a fact, what contains itself ends, gzip and tar give what they hold. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { kindsOf, lookInto, tarEntry, textsOf, zipFile } from './testing.ts'

const data = Buffer.from('harmless text')

function nested(depth: number): Buffer {
  let octets: Buffer = data
  for (let level = 0; level < depth; level++) octets = gzipSync(octets)
  return octets
}

async function limitOf(octets: Buffer, limits: Parameters<typeof lookInto>[1]) {
  const found = await lookInto(octets, limits)
  return found.facts.flatMap((fact) => (fact.kind === 'over-limit' ? [fact.limit] : []))
}

describe('the budget', () => {
  it('ends at each of its limits, and says so', async () => {
    assert.deepEqual(await limitOf(nested(5), { limits: { depthMax: 4 } }), ['depth'])
    assert.deepEqual(await limitOf(nested(5), { limits: { depthMax: 5 } }), [])
    const many = zipFile(Array.from({ length: 20 }, (_, index) => ({ name: `${index}`, data })))
    assert.deepEqual(await limitOf(many, { limits: { objectsMax: 10 } }), ['objects'])
    assert.deepEqual(await limitOf(many, { limits: { durationMsMax: -1 } }), ['time'])
    const zeros = gzipSync(Buffer.alloc(9_000_000))
    assert.deepEqual(await limitOf(zeros, {}), ['ratio'])
    assert.deepEqual(await limitOf(zeros, { limits: { ratioMax: 2_000 } }), [])
    assert.deepEqual(await limitOf(zeros, { limits: { objectOctetsMax: 1_000_000 } }), ['octets'])
    assert.deepEqual(await limitOf(zeros, { limits: { octetsMax: 1_000_000 } }), ['octets'])
  })

  it('counts all objects together', async () => {
    const four = zipFile([1, 2, 3, 4].map((n) => ({ name: `${n}`, data: Buffer.alloc(400, n) })))
    assert.ok((await limitOf(four, { limits: { octetsMax: 1_000 } })).includes('octets'))
  })

  it('opens the same octets once, and tells them from a container of itself', async () => {
    const twin = gzipSync(data)
    const found = await lookInto(
      zipFile([
        { name: 'a', data: twin, method: 0 },
        { name: 'b', data: twin, method: 0 },
      ]),
    )
    assert.deepEqual(textsOf(found).filter((text) => text === 'harmless text').length, 1)
    assert.deepEqual(found.facts, [])
    const self = {
      container: 'mirror',
      recognises: () => true,
      *open(object: object) {
        yield { object: { ...object, depth: 1 } as never }
      },
    }
    const mirror = await lookInto(data, { openers: [self] })
    assert.deepEqual(kindsOf(mirror), ['over-limit'])
  })
})

describe('gzip and zstd', () => {
  it('are one file, also in several members', async () => {
    const found = await lookInto(Buffer.concat([gzipSync('one, '), gzipSync('two')]), { name: 'x.tar.gz' })
    assert.deepEqual(textsOf(found), ['one, two'])
    assert.deepEqual(found.objects[1]?.names, ['x.tar'])
    assert.deepEqual(textsOf(await lookInto(zstdCompressSync(data))), ['harmless text'])
  })

  it('say that they are damaged, and show what is behind them', async () => {
    const whole = gzipSync(data)
    const wrong = Buffer.from(whole)
    wrong[whole.length - 6]! ^= 1
    for (const octets of [wrong, whole.subarray(0, -9), whole.subarray(0, 14)])
      assert.deepEqual(kindsOf(await lookInto(octets)), ['broken'])
    const behind = await lookInto(Buffer.concat([whole, zipFile([{ name: 'z', data: Buffer.from('late') }])]))
    assert.ok(textsOf(behind).includes('late'))
  })
})

describe('tar', () => {
  const end = Buffer.alloc(1_024)
  it('gives its entries by all their names', async () => {
    const long = `${'folder/'.repeat(30)}evil.exe`
    const pax = `${'xx path='.length + 'pax.exe'.length + 1} path=pax.exe\n`
    const file = Buffer.concat([
      tarEntry('plain', data),
      tarEntry('././@LongLink', Buffer.from(`${long}\0`), { type: 'L' }),
      tarEntry('short', Buffer.from('two')),
      tarEntry('pax', Buffer.from(pax), { type: 'x' }),
      tarEntry('other', Buffer.from('three')),
      end,
    ])
    const found = await lookInto(file)
    assert.deepEqual(textsOf(found), ['harmless text', 'two', 'three'])
    assert.deepEqual(found.objects[2]?.names, [long, 'short'])
    assert.deepEqual(found.objects[3]?.names, ['pax.exe', 'other'])
    assert.deepEqual(found.facts, [])
  })

  it('goes on behind damage and behind its end', async () => {
    const junk = Buffer.alloc(512, 'x')
    const file = Buffer.concat([
      tarEntry('a', data),
      junk,
      tarEntry('b', Buffer.from('two')),
      end,
      tarEntry('c', Buffer.from('three')),
    ])
    const found = await lookInto(file)
    assert.deepEqual(textsOf(found), ['harmless text', 'two', 'three'])
    assert.deepEqual(kindsOf(found), ['broken'])
    const cut = await lookInto(tarEntry('a', Buffer.from('short'), { size: 5_000 }))
    assert.deepEqual(kindsOf(cut), ['broken'])
    const named = tarEntry('././@LongLink', Buffer.from('x\0'), { type: 'L' })
    assert.deepEqual(kindsOf(await lookInto(named)), ['broken'])
    assert.deepEqual(kindsOf(await lookInto(Buffer.concat([tarEntry('a', data), named.subarray(0, 512)]))), ['broken'])
  })
})
