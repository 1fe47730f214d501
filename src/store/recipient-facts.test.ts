import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openStore, readStore } from './database.ts'
import {
  type PruneLimits,
  RECIPIENT_FACTS,
  type RecipientFact,
  RecipientFacts,
  RecipientFactsWriter,
} from './recipient-facts.ts'

const fact = (state: RecipientFact['state'], atMs: number): RecipientFact => ({
  state,
  atMs,
  negativeMs: 900_000,
  source: 'callout',
  route: 'bakery/main',
})
const facts = () => new RecipientFactsWriter(openStore(':memory:', [RECIPIENT_FACTS]))

test('a fact is found by its key, whatever the local part holds', () => {
  const writer = facts()
  const keys = ['anna@bakery.test', '"@"@bakery.test', 'a b@bakery.test', 'jörg@bakery.test', 'x@[192.0.2.1]']
  keys.forEach((key, i) => {
    writer.put(key, fact(i % 2 === 0 ? 'known' : 'unknown', 1000 + i))
  })
  keys.forEach((key, i) => {
    assert.deepEqual(writer.get(key), fact(i % 2 === 0 ? 'known' : 'unknown', 1000 + i), key)
  })
  assert.equal(writer.get('anna@shop.test'), undefined)
  writer.put('anna@bakery.test', fact('unknown', 2000))
  assert.deepEqual(writer.get('anna@bakery.test'), fact('unknown', 2000))
  assert.deepEqual(writer.counts(), { known: 2, unknown: 3 })
})

test('a reader in another connection sees what is committed, at once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'facts-'))
  try {
    const path = join(folder, 'store.db')
    const store = openStore(path, [RECIPIENT_FACTS])
    const writer = new RecipientFactsWriter(store)
    const other = readStore(path)
    const reader = new RecipientFacts(other)
    writer.together(() => {
      writer.put('anna@bakery.test', fact('known', 1))
      assert.equal(reader.get('anna@bakery.test'), undefined)
    })
    assert.equal(reader.get('anna@bakery.test')?.state, 'known')
    writer.forget('anna@bakery.test')
    assert.equal(reader.get('anna@bakery.test'), undefined)
    assert.throws(() => other.exec('DELETE FROM recipient_facts'), /readonly/)
    other.close()
    store.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('one address, one domain, all refusals or everything is forgotten, and nothing else', () => {
  const writer = facts()
  const fill = () => {
    for (const key of ['anna@a.test', 'bert@a.test', 'anna@b.test']) writer.put(key, fact('known', 1))
    for (const key of ['x@a.test', 'x@b.test']) writer.put(key, fact('unknown', 1))
    for (const name of ['a.test', 'b.test']) writer.putDomain(name, { takesAll: true, atMs: 1, route: 'a/main' })
  }
  fill()
  assert.equal(writer.forget('anna@a.test'), 1)
  assert.equal(writer.forget('anna@a.test'), 0)
  assert.deepEqual(writer.countsOfDomain('a.test'), { known: 1, unknown: 1 })
  assert.equal(writer.forgetUnknown('a.test'), 1)
  assert.equal(writer.domain('a.test'), undefined)
  assert.equal(writer.domain('b.test')?.takesAll, true)
  fill()
  assert.equal(writer.forgetDomain('a.test'), 3)
  assert.deepEqual(writer.counts(), { known: 1, unknown: 1 })
  fill()
  assert.equal(writer.forgetUnknown(), 2)
  assert.deepEqual(writer.counts(), { known: 3, unknown: 0 })
  assert.equal(writer.forgetAll(), 3)
  assert.deepEqual(writer.counts(), { known: 0, unknown: 0 })
})

test('what is too old goes, then the oldest refusals, then the oldest others; never more than a bounded number', () => {
  const writer = facts()
  for (let i = 0; i < 100; i++) {
    writer.put(`k${i}@a.test`, fact('known', 1000 + i))
    writer.put(`u${i}@a.test`, fact('unknown', 1000 + i))
  }
  const limits: PruneLimits = { knownMs: 1000, unknownMs: 500, rowsMax: 1000, deletedMax: 30 }
  assert.equal(writer.prune(1510, limits), 10)
  assert.deepEqual(writer.counts(), { known: 100, unknown: 90 })
  const young = { ...limits, knownMs: 10_000, unknownMs: 10_000 }
  assert.equal(writer.prune(1510, { ...young, rowsMax: 110 }), 30)
  assert.deepEqual(writer.counts(), { known: 100, unknown: 60 })
  assert.equal(writer.prune(1510, { ...young, rowsMax: 70, deletedMax: 1000 }), 90)
  assert.deepEqual(writer.counts(), { known: 70, unknown: 0 })
  assert.equal(writer.get('k29@a.test'), undefined)
  assert.equal(writer.get('k30@a.test')?.atMs, 1030)
})
