import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openStore, readStore } from './database.ts'
import { ListReader, RECIPIENT_LISTS, RecipientLists, ROWS_PER_STEP } from './recipient-lists.ts'

function lists(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'lists-'))
  const path = join(folder, 'store.db')
  const database = openStore(path, [RECIPIENT_LISTS])
  const reading = readStore(path)
  t.after(() => {
    reading.close()
    database.close()
    rmSync(folder, { recursive: true })
  })
  const count = () => Number(database.prepare('SELECT count(*) AS n FROM recipient_entries').get()?.['n'])
  return { lists: new RecipientLists(database), reader: new ListReader(reading), count, database }
}

const entries = (...names: string[]) => names.map((name) => ({ key: `${name}@x.test` }))
const OF = { tenant: 'bakery', source: 'imported' } as const

test('nothing of a list is seen until it is committed, and then all of it', async (t) => {
  const { lists: writer, reader, count } = lists(t)
  const staged = writer.stage('x.test')
  await staged.add(entries('anna', 'bert', 'anna'))
  assert.equal((await staged.difference()).after, 2)
  assert.equal(reader.has('x.test', 'anna@x.test'), undefined)
  await staged.commit(OF, 1000)
  assert.deepEqual(reader.has('x.test', 'anna@x.test'), { listed: true, ...OF, loadedAtMs: 1000 })
  assert.equal(reader.has('x.test', 'carl@x.test')?.listed, false)
  assert.equal(reader.has('y.test', 'anna@x.test'), undefined)

  const next = writer.stage('x.test')
  await next.add(entries('carl'))
  assert.deepEqual(await next.difference(), {
    before: 2,
    after: 1,
    added: 1,
    removed: 2,
    firstAdded: ['carl@x.test'],
    firstRemoved: ['anna@x.test', 'bert@x.test'],
  })
  await writer.sweep()
  assert.equal(count(), 3)
  await next.commit(OF, 2000)
  assert.equal(reader.has('x.test', 'anna@x.test')?.listed, false)
  await writer.sweep()
  assert.equal(count(), 1)
})

test('a list that is discarded, or staged by a process that died, leaves nothing behind', async (t) => {
  const { lists: writer, reader, count, database } = lists(t)
  const staged = writer.stage('x.test')
  await staged.add(entries('anna'))
  await staged.discard()
  assert.equal(count(), 0)
  const left = writer.stage('x.test')
  await left.add(entries('bert'))
  await left.difference()
  await writer.sweep()
  assert.equal(count(), 1)
  await new RecipientLists(database).sweep()
  assert.equal(count(), 0)
  assert.equal(reader.has('x.test', 'bert@x.test'), undefined)
})

test('a failed try says why, and leaves the list and its age', async (t) => {
  const { lists: writer, reader } = lists(t)
  writer.failed({ domain: 'x.test', tenant: 'bakery', source: 'ldap' }, 1, 'no answer')
  assert.equal(reader.has('x.test', 'anna@x.test'), undefined)
  await writer.stage('x.test').commit({ tenant: 'bakery', source: 'ldap' }, 2)
  for (const at of [3, 4]) writer.failed({ domain: 'x.test', tenant: 'bakery', source: 'ldap' }, at, 'no answer')
  const expected = { tenant: 'bakery', source: 'ldap', entries: 0, loadedAtMs: 2, triedAtMs: 4, failures: 2 }
  assert.deepEqual(writer.state('x.test'), { domain: 'x.test', ...expected, error: 'no answer' })
  writer.drop('x.test')
  assert.equal(reader.has('x.test', 'anna@x.test'), undefined)
})

test('differences and pages of lists that take several steps', async (t) => {
  const { lists: writer } = lists(t)
  const names = Array.from({ length: 2 * ROWS_PER_STEP + 7 }, (_, i) => `u${String(i).padStart(6, '0')}`)
  const first = writer.stage('x.test')
  await first.add(entries(...names))
  await first.commit(OF, 1)
  const second = writer.stage('x.test')
  await second.add(entries(...names.slice(5), 'zoe'))
  const { added, removed, firstAdded, firstRemoved } = await second.difference()
  assert.deepEqual([added, removed, firstAdded, firstRemoved.length], [1, 5, ['zoe@x.test'], 5])
  await second.discard()
  const page = writer.page('x.test', 'u000003@x.test', 2)
  assert.deepEqual(page, entries('u000004', 'u000005'))
})
