import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from './database.ts'
import { BOUNCED_MS, COMPLAINED_MS, REMEMBERED_MS, SUPPRESSIONS, SuppressionStore } from './suppressions.ts'

const NOW_MS = 1_800_000_000_000
const BOB = 'bob@far.test'
const said = (text: string, tenant = 'bakery', address = BOB) =>
  ({ tenant, address, text, source: 'session', evidence: '1M8693VGN006S6T' }) as const
const open = () => new SuppressionStore(openStore(':memory:', [SUPPRESSIONS]))

test('each refusal that comes again counts for longer, and those of one day count once', () => {
  const store = open()
  let nowMs = NOW_MS
  for (const [i, forMs] of [...BOUNCED_MS, BOUNCED_MS.at(-1)!].entries()) {
    assert.equal(store.bounced(said('550 5.1.1 no'), nowMs), true)
    assert.equal(store.bounced(said('550 5.1.1 no'), nowMs + 1000), false)
    const found = store.find('bakery', BOB, nowMs + forMs - 1)
    assert.deepEqual([found?.times, found?.untilMs], [i + 1, nowMs + forMs])
    nowMs += forMs
    assert.equal(store.find('bakery', BOB, nowMs), undefined)
  }
  store.prune(nowMs + REMEMBERED_MS)
  store.bounced(said('550 5.1.1 no'), nowMs + REMEMBERED_MS)
  assert.equal(store.find('bakery', BOB, nowMs + REMEMBERED_MS)?.times, 1, 'forgotten after a while')
})

test('tenants never cross, an order has no end, and a removal forgets all', () => {
  const store = open()
  store.bounced(said('550 5.1.1 no'), NOW_MS)
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
    source: 'operator',
    evidence: '',
    sinceMs: NOW_MS,
    times: 1,
  })
})

test('a list comes in pages, and beyond the limit those that end first go, of that tenant only', () => {
  const store = open()
  for (let i = 0; i < 5; i++) store.bounced(said('no', 'bakery', `a${i}@far.test`), NOW_MS + i)
  store.bounced(said('no', 'smith'), NOW_MS)
  const addresses = (tenant: string | undefined, after: [string, string], rowsMax: number) =>
    store.page(tenant, after, rowsMax, NOW_MS + 10).map(({ address }) => address)
  assert.deepEqual(addresses('bakery', ['', ''], 2), ['a0@far.test', 'a1@far.test'])
  assert.deepEqual(addresses('bakery', ['bakery', 'a3@far.test'], 2), ['a4@far.test'])
  store.prune(NOW_MS + 10, 2)
  assert.deepEqual(addresses(undefined, ['', ''], 9), ['a3@far.test', 'a4@far.test', BOB])
})

test('a complaint holds for a year, also where an address bounced before, and leaves an order that holds longer', () => {
  const store = open()
  const complaint = { ...said('abuse'), source: 'feedback', evidence: 'from far.test' } as const
  store.bounced(said('550 5.1.1 no'), NOW_MS)
  assert.equal(store.complained(complaint, NOW_MS), true)
  const found = store.find('bakery', BOB, NOW_MS + COMPLAINED_MS - 1)
  assert.deepEqual([found?.reason, found?.source, found?.evidence], ['complained', 'feedback', 'from far.test'])
  assert.equal(store.complained(complaint, NOW_MS + 1), false)
  assert.equal(store.bounced(said('550 5.1.1 no'), NOW_MS + 1), false)
  assert.equal(store.find('bakery', BOB, NOW_MS + COMPLAINED_MS), undefined)
  const order = { tenant: 'bakery', address: BOB, reason: 'operator', text: 'asked', sinceMs: NOW_MS } as const
  store.add({ ...order, untilMs: NOW_MS + 1000 })
  assert.equal(store.complained(complaint, NOW_MS), true)
  store.add(order)
  assert.equal(store.complained(complaint, NOW_MS), false)
})

test('rows of before say where they come from', () => {
  const database = openStore(':memory:', [{ ...SUPPRESSIONS, steps: SUPPRESSIONS.steps.slice(0, 1) }])
  const insert = database.prepare('INSERT INTO suppressions VALUES (?, ?, ?, ?, 1, 9e15, 1, 9e15)')
  insert.run('bakery', BOB, 'bounced', '550 5.1.1 no')
  insert.run('bakery', 'eve@far.test', 'operator', 'asked')
  for (const step of SUPPRESSIONS.steps.slice(1)) database.exec(step)
  const sources = new SuppressionStore(database).page('bakery', ['', ''], 9, NOW_MS).map(({ source }) => source)
  assert.deepEqual(sources, ['session', 'operator'])
})
