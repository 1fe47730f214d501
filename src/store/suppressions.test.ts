import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from './database.ts'
import { BOUNCED_MS, REMEMBERED_MS, SUPPRESSIONS, SuppressionStore } from './suppressions.ts'

const NOW_MS = 1_800_000_000_000
const BOB = 'bob@far.test'
const open = () => new SuppressionStore(openStore(':memory:', [SUPPRESSIONS]))

test('each refusal that comes again counts for longer, and those of one day count once', () => {
  const store = open()
  let nowMs = NOW_MS
  for (const [i, forMs] of [...BOUNCED_MS, BOUNCED_MS.at(-1)!].entries()) {
    assert.equal(store.bounced('bakery', BOB, '550 5.1.1 no', nowMs), true)
    assert.equal(store.bounced('bakery', BOB, '550 5.1.1 no', nowMs + 1000), false)
    const found = store.find('bakery', BOB, nowMs + forMs - 1)
    assert.deepEqual([found?.times, found?.untilMs], [i + 1, nowMs + forMs])
    nowMs += forMs
    assert.equal(store.find('bakery', BOB, nowMs), undefined)
  }
  store.prune(nowMs + REMEMBERED_MS)
  store.bounced('bakery', BOB, '550 5.1.1 no', nowMs + REMEMBERED_MS)
  assert.equal(store.find('bakery', BOB, nowMs + REMEMBERED_MS)?.times, 1, 'forgotten after a while')
})

test('tenants never cross, an order has no end, and a removal forgets all', () => {
  const store = open()
  store.bounced('bakery', BOB, '550 5.1.1 no', NOW_MS)
  assert.equal(store.find('smith', BOB, NOW_MS), undefined)
  assert.equal(store.remove('smith', BOB), false)
  assert.equal(store.remove('bakery', BOB), true)
  assert.equal(store.find('bakery', BOB, NOW_MS), undefined)
  store.add({ tenant: 'bakery', address: BOB, reason: 'operator', text: 'asked for it', sinceMs: NOW_MS })
  store.prune(NOW_MS * 2)
  assert.deepEqual(store.find('bakery', BOB, NOW_MS * 2), {
    tenant: 'bakery',
    address: BOB,
    reason: 'operator',
    text: 'asked for it',
    sinceMs: NOW_MS,
    times: 1,
  })
})

test('a list comes in pages, and beyond the limit those that end first go, of that tenant only', () => {
  const store = open()
  for (let i = 0; i < 5; i++) store.bounced('bakery', `a${i}@far.test`, 'no', NOW_MS + i)
  store.bounced('smith', BOB, 'no', NOW_MS)
  const addresses = (tenant: string | undefined, after: [string, string], rowsMax: number) =>
    store.page(tenant, after, rowsMax, NOW_MS + 10).map(({ address }) => address)
  assert.deepEqual(addresses('bakery', ['', ''], 2), ['a0@far.test', 'a1@far.test'])
  assert.deepEqual(addresses('bakery', ['bakery', 'a3@far.test'], 2), ['a4@far.test'])
  store.prune(NOW_MS + 10, 2)
  assert.deepEqual(addresses(undefined, ['', ''], 9), ['a3@far.test', 'a4@far.test', BOB])
})
