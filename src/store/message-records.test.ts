import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from './database.ts'
import { KEPT_MS, MESSAGE_RECORDS, MessageRecordsStore } from './message-records.ts'

const NOW_MS = 1_800_000_000_000

function bench(factsMax?: number) {
  const database = openStore(':memory:', [MESSAGE_RECORDS])
  const store = new MessageRecordsStore(database, factsMax)
  const known = (fact: string, atMs = NOW_MS, tenant = 'bakery', kind: 'sent' | 'return-path' = 'sent') =>
    store.known(tenant, kind, [fact], atMs)[0]
  return { database, store, known }
}

test('a fact is known to its tenant and kind, until it ends', () => {
  const { store, known } = bench()
  store.remember('bakery', 'sent', ['a', 'b'], NOW_MS)
  assert.deepEqual(store.known('bakery', 'sent', ['a', 'c', 'b'], NOW_MS), [true, false, true])
  assert.equal(known('a', NOW_MS, 'smith'), false)
  assert.equal(known('a', NOW_MS, 'bakery', 'return-path'), false)
  assert.equal(known('a', NOW_MS + KEPT_MS.sent - 1), true)
  assert.equal(known('a', NOW_MS + KEPT_MS.sent), false)
})

test('a fact that comes again lasts longer, and none ends earlier for a clock that went back', () => {
  const { store, known } = bench()
  store.remember('bakery', 'sent', ['a'], NOW_MS)
  store.remember('bakery', 'sent', ['a'], NOW_MS - 5000)
  assert.equal(known('a', NOW_MS + KEPT_MS.sent - 1), true)
  store.remember('bakery', 'sent', ['a'], NOW_MS + 5000)
  assert.equal(known('a', NOW_MS + KEPT_MS.sent), true)
})

test('what does not fit leaves a gap, and while there is one nobody hears a no', () => {
  const { database, store, known } = bench(2)
  store.remember('bakery', 'sent', ['a', 'b', 'c'], NOW_MS)
  assert.equal(known('a'), true)
  assert.equal(known('c'), undefined)
  assert.equal(known('z'), undefined)
  assert.equal(known('z', NOW_MS, 'smith'), false)
  // Another process knows of it too.
  assert.deepEqual(new MessageRecordsStore(database, 2).known('bakery', 'sent', ['z'], NOW_MS), [undefined])
  const laterMs = NOW_MS + KEPT_MS.sent
  assert.equal(store.prune(laterMs), false)
  assert.equal(known('z', laterMs), false)
  store.remember('bakery', 'sent', ['d', 'e'], laterMs)
  assert.equal(known('e', laterMs), true)
})
