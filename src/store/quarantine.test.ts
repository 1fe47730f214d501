/** Rows of the quarantine: lists by every choice, in pages, each by an index; shares; releases that began. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QUARANTINE_FACTS_TEXT_MAX, type Quarantined } from '#mail/quarantine.ts'
import type { ScanFact } from '#mail/scan.ts'
import { newTraceId, transaction, WALL_MS } from '#mail/testing.ts'
import { openStore } from './database.ts'
import { ENTRY_OCTETS, QUARANTINE, type QuarantineQuery, QuarantineStore } from './quarantine.ts'

const MALWARE: ScanFact = { kind: 'malware', engine: 'clamd', name: 'Eicar', where: 'part 2' }

const quarantined = (to: readonly string[], more: Partial<Quarantined> = {}): Quarantined => ({
  id: newTraceId(),
  tenant: 'bakery',
  service: 'inbound',
  class: 'malware',
  by: 'virus',
  text: 'malware Eicar in part 2 (clamd)',
  facts: [MALWARE],
  envelope: transaction(to).envelope,
  reception: { clientAddress: '192.0.2.1', greetingName: 'x', protocol: 'ESMTP', receivedMs: WALL_MS },
  trace: Buffer.from('Received: x\r\n'),
  hash: 'ab'.repeat(32),
  octets: 1000,
  ...more,
})

function open() {
  const database = openStore(':memory:', [QUARANTINE])
  const store = new QuarantineStore(database)
  const add = (entry: Quarantined, atMs: number, keepMs = 1000) => {
    store.add(entry, atMs, atMs + keepMs)
    return entry.id
  }
  return { database, store, add }
}

test('an entry comes back as it went in', () => {
  const { store, add } = open()
  const entry = quarantined(['Anna@Bakery.test', 'postmaster@bakery.test'])
  add(entry, 5)
  const { from, recipients, atMs, expiresMs, trace, ...rest } = store.find(entry.id)!
  const { trace: given, ...others } = entry
  assert.deepEqual(rest, others)
  assert.deepEqual(Buffer.from(trace), given)
  assert.deepEqual([from, atMs, expiresMs], ['<anna@sender.example>', 5, 1005])
  assert.deepEqual(
    recipients.map(({ address }) => address),
    ['anna@bakery.test', 'postmaster@bakery.test'],
  )
})

test('lists by tenant, class, recipient and time, newest first, in pages without gap or double', () => {
  const { store, add } = open()
  const all = Array.from({ length: 60 }, (_, i) => {
    const tenant = i % 3 === 0 ? 'smith' : 'bakery'
    const of = i % 4 === 0 ? 'suspicious' : 'malware'
    const to = [`u${i % 5}@${tenant}.test`, ...(i % 2 ? [`u${i % 5}@${tenant}.test`] : [])]
    // Several at one moment: the id decides.
    return {
      tenant,
      class: of,
      recipient: to[0]!,
      atMs: Math.floor(i / 7),
      id: add(quarantined(to, { tenant, class: of }), Math.floor(i / 7)),
    } as const
  })
  const newest = all.toSorted((a, b) => b.atMs - a.atMs || (a.id < b.id ? 1 : -1))
  const queries: Omit<QuarantineQuery, 'rowsMax'>[] = [{}, { tenant: 'smith' }, { class: 'malware' }, { sinceMs: 4 }]
  queries.push({ tenant: 'bakery', class: 'suspicious', sinceMs: 2 }, { recipient: 'u1@bakery.test' })
  queries.push(
    { recipient: 'u1@bakery.test', tenant: 'smith' },
    { recipient: 'u2@smith.test', class: 'malware', tenant: 'smith' },
  )
  for (const query of queries) {
    const wanted = newest.filter(
      (one) =>
        (query.tenant ?? one.tenant) === one.tenant &&
        (query.class ?? one.class) === one.class &&
        (query.recipient ?? one.recipient) === one.recipient &&
        one.atMs >= (query.sinceMs ?? 0),
    )
    const found: string[] = []
    for (let after: [number, string] | undefined; ; ) {
      const rows = store.list({ ...query, after, rowsMax: 4 })
      if (rows.length === 0) break
      found.push(...rows.map(({ id }) => id))
      after = [rows.at(-1)!.atMs, rows.at(-1)!.id]
    }
    assert.deepEqual(
      found,
      wanted.map(({ id }) => id),
      JSON.stringify(query),
    )
  }
})

test('each list is read in its order from an index: nothing is sorted, nothing is read that is not shown', (t) => {
  const { database, store } = open()
  const plans: string[] = []
  const prepare = database.prepare.bind(database)
  t.mock.method(database, 'prepare', (sql: string) => {
    if (sql.includes('LIMIT')) {
      const values = Array.from(sql.matchAll(/\?/g), () => 1)
      plans.push(
        prepare(`EXPLAIN QUERY PLAN ${sql}`)
          .all(...values)
          .map((row) => String(row['detail']))
          .join('; '),
      )
    }
    return prepare(sql)
  })
  const choices = {
    tenant: [undefined, 'a'],
    class: [undefined, 'malware'],
    recipient: [undefined, 'b@c.test'],
  } as const
  for (const tenant of choices.tenant)
    for (const of of choices.class)
      for (const recipient of choices.recipient) store.list({ tenant, class: of, recipient, sinceMs: 1, rowsMax: 10 })
  assert.deepEqual(
    plans.map((plan) => /^SEARCH [er] USING (?:COVERING )?INDEX quarantine_(\w+)/.exec(plan)?.[1]),
    [
      ...['by_time', 'by_recipient', 'by_class', 'by_recipient'],
      ...['by_tenant', 'by_tenant_recipient', 'by_tenant_class', 'by_tenant_recipient'],
    ],
  )
  for (const plan of plans) assert.doesNotMatch(plan, /TEMP B-TREE|SCAN/)
})

test('each tenant has its share, which ends with the messages; a content is needed as long as one message has it', () => {
  const { store, add } = open()
  const [first, second, other] = [
    quarantined(['a@b.test']),
    quarantined(['a@b.test']),
    quarantined(['x@y.test'], { tenant: 'smith' }),
  ]
  for (const entry of [first, second, other]) add(entry, 1)
  assert.equal(store.octetsOf('bakery'), 2 * (1000 + ENTRY_OCTETS))
  assert.deepEqual(store.totals()[0], { class: 'malware', entries: 3, octets: 3 * (1000 + ENTRY_OCTETS) })
  for (const [entry, needed] of [
    [first, true],
    [second, true],
    [other, false],
  ] as const) {
    assert.equal(store.remove(entry.id)?.id, entry.id)
    assert.equal(store.needs(entry.hash), needed)
  }
  assert.equal(store.remove(first.id), undefined)
  assert.deepEqual([store.octetsOf('bakery'), store.octetsOf('smith')], [0, 0])
})

test('time ends the oldest first, so many at a time', () => {
  const { store, add } = open()
  const ids = [30, 10, 20].map((keepMs) => add(quarantined(['a@b.test']), 0, keepMs))
  assert.deepEqual(store.ended(9, 10), [])
  assert.deepEqual(store.ended(20, 10), [ids[1], ids[2]])
  assert.deepEqual(store.ended(99, 1), [ids[1]])
})

test('a release that began is there until it ended; done, its recipients have its id', () => {
  const { store, add } = open()
  const id = add(quarantined(['a@b.test', 'c@b.test']), 0)
  const open1 = { release: newTraceId(), id, positions: [1], who: 'anna', text: 'c@b.test' }
  store.begin(open1, 5)
  assert.deepEqual(store.openReleases(), [open1])
  assert.equal(store.isBeingReleased(id), true)
  store.end(open1, true, 7)
  assert.equal(store.isBeingReleased(id), false)
  const [a, c] = store.find(id)!.recipients
  assert.deepEqual([a?.releasedAs, c?.releasedAs, c?.releasedMs], [undefined, open1.release, 7])
  const open2 = { ...open1, release: newTraceId(), positions: [0] }
  store.begin(open2, 8)
  store.end(open2, false, 9)
  assert.equal(store.find(id)!.recipients[0]?.releasedAs, undefined)
})

test('what is written of a message is bounded', () => {
  const { store, add } = open()
  const facts = Array.from({ length: 1000 }, (): ScanFact => ({ ...MALWARE, where: 'w'.repeat(300) }))
  const id = add(quarantined(['a@b.test'], { facts, text: 't'.repeat(5000) }), 0)
  const found = store.find(id)!
  assert.equal(found.text.length, 300)
  assert.ok(found.facts.length > 100 && JSON.stringify(found.facts).length <= QUARANTINE_FACTS_TEXT_MAX)
})
