/** Rows of the spam filter's memory: found again, bounded, forgotten in time, and of one tenant only. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from './database.ts'
import { openNames, REMEMBERED_NAMES, readNames } from './remembered-names.ts'
import { CORRESPONDENTS_KEPT_MS, CorrespondentStore, SPAM_CORRESPONDENTS } from './spam-correspondents.ts'
import { EVERYBODY, type SenderCounts, SPAM_SENDERS, SpamSenderStore } from './spam-senders.ts'
import { SPAM_TEXTS, SpamTextStore, TEXTS_KEPT_MS, TEXTS_PER_TENANT_MAX } from './spam-texts.ts'

const DAY_MS = 86_400_000
const key = (name: string) => Buffer.from(name.padEnd(16))
const counts: SenderCounts = {
  good: 1.5,
  bad: 2,
  sureGood: 3,
  sureBad: 4,
  sharedGood: 5,
  sharedBad: 6,
  sinceMs: 7,
  atMs: 8,
}

test('counts come back as they were put, for their tenant', () => {
  const store = new SpamSenderStore(openStore(':memory:', [SPAM_SENDERS]))
  store.put('bakery', key('a'), counts, 100)
  assert.deepEqual(store.find('bakery', key('a')), counts)
  store.put('bakery', key('a'), { ...counts, bad: 9 }, 100)
  assert.equal(store.find('bakery', key('a'))?.bad, 9)
  for (const other of ['smith', EVERYBODY]) assert.equal(store.find(other, key('a')), undefined)
  assert.equal(store.rows.total, 1)
})

test('a flood of new names drives out none that counts for longer, and none of another tenant', () => {
  const database = openStore(':memory:', [SPAM_SENDERS])
  const store = new SpamSenderStore(database, { everybody: 50, tenant: 10 })
  for (let i = 0; i < 5; i++) store.put('bakery', key(`a${i}`), counts, 1_000)
  store.put('smith', key('old'), counts, 10)
  for (let i = 0; i < 200; i++) store.put('bakery', key(`new${i}`), counts, 500 + i)
  assert.deepEqual([store.rows.of('bakery'), store.rows.of('smith')], [10, 1])
  for (let i = 0; i < 5; i++) assert.ok(store.find('bakery', key(`a${i}`)))
  assert.ok(store.find('bakery', key('new199')))
  assert.equal(store.find('bakery', key('new0')), undefined)
  assert.deepEqual(new SpamSenderStore(database).rows.of('bakery'), 10)
})

test('what is over is pruned, and a tenant that is gone erased', () => {
  const store = new SpamSenderStore(openStore(':memory:', [SPAM_SENDERS]))
  for (const tenant of ['bakery', 'smith', EVERYBODY]) {
    store.put(tenant, key('short'), counts, 100)
    store.put(tenant, key('long'), counts, 1_000)
  }
  assert.equal(store.rows.prune(100), false)
  assert.deepEqual([store.rows.total, store.find('smith', key('short'))], [3, undefined])
  assert.equal(
    store.rows.erase((tenant) => tenant === 'smith'),
    false,
  )
  assert.deepEqual(
    ['bakery', 'smith', EVERYBODY].map((tenant) => store.rows.of(tenant)),
    [0, 1, 1],
  )
})

test('correspondents: days are counted, the last time keeps them, and the first to end makes room', () => {
  const store = new CorrespondentStore(openStore(':memory:', [SPAM_CORRESPONDENTS]), 3)
  const wrote = (name: string, atMs: number) => store.remember('bakery', key(name), atMs, CORRESPONDENTS_KEPT_MS)
  for (const atMs of [0, 1, DAY_MS - 1, DAY_MS, DAY_MS + 5]) wrote('anna', atMs)
  assert.equal(store.days('bakery', key('anna'), DAY_MS), 2)
  assert.equal(store.days('smith', key('anna'), DAY_MS), 0)
  for (const name of ['b', 'c', 'd']) wrote(name, DAY_MS + 10)
  assert.equal(store.days('bakery', key('anna'), DAY_MS), 0)
  assert.equal(store.rows.of('bakery'), 3)
  assert.equal(store.days('bakery', key('d'), DAY_MS + 10 + CORRESPONDENTS_KEPT_MS), 0)
  // Known again after its time, it begins anew.
  wrote('d', 400 * DAY_MS)
  assert.equal(store.days('bakery', key('d'), 400 * DAY_MS), 1)
  assert.equal(store.rows.prune(400 * DAY_MS), false)
  assert.equal(store.rows.total, 1)
})

test('texts: the last word counts, the last ones are kept, each for its time', () => {
  const store = new SpamTextStore(openStore(':memory:', [SPAM_TEXTS]))
  const put = (low: number, atMs: number, isSpam = true) =>
    store.put({ tenant: 'bakery', high: 0xffffffff, low, isSpam, atMs })
  put(1, 5)
  put(1, 6, false)
  assert.deepEqual(store.all(10), [{ tenant: 'bakery', high: 0xffffffff, low: 1, isSpam: false, atMs: 6 }])
  for (let i = 0; i < TEXTS_PER_TENANT_MAX; i++) put(i + 2, 100 + i)
  assert.equal(store.all(2_000).length, TEXTS_PER_TENANT_MAX)
  assert.equal(store.all(2_000)[0]?.low, 2)
  store.prune(TEXTS_KEPT_MS + 100)
  assert.equal(store.all(2_000)[0]?.low, 3)
  store.erase(() => false)
  assert.deepEqual(store.all(0), [])
})

test('names: one key for a store, and another digest for each tenant, kind and store', () => {
  const database = openStore(':memory:', [REMEMBERED_NAMES])
  assert.throws(() => readNames(database), /no key/)
  const names = openNames(database)
  const digests = [
    names.digest('bakery', 'domain', 'x'),
    names.digest('smith', 'domain', 'x'),
    names.digest('bakery', 'claim', 'x'),
    openNames(openStore(':memory:', [REMEMBERED_NAMES])).digest('bakery', 'domain', 'x'),
  ].map((digest) => digest.toString('hex'))
  assert.equal(new Set(digests).size, 4)
  assert.equal(digests[0]?.length, 32)
  assert.deepEqual(
    openNames(database).digest('bakery', 'domain', 'x'),
    readNames(database).digest('bakery', 'domain', 'x'),
  )
})
