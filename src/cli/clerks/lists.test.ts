import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Config } from '#config/config.ts'
import { openStore } from '#store/database.ts'
import { RECIPIENT_LISTS, RecipientLists } from '#store/recipient-lists.ts'
import { type ExportAnswer, type ListStatus, ListsClerk } from './lists.ts'

const configOf = (domains: Readonly<Record<string, { tenant?: string; kind?: string }>>): Config =>
  ({
    domains: Object.entries(domains).map(([name, { tenant = 'bakery', kind = 'directory' }]) => ({
      name,
      tenant: { name: tenant },
      recipients: { kind, otherwise: 'refuse' },
    })),
    recipientFiles: [],
    recipientDirectories: [],
  }) as unknown as Config

async function bench(t: TestContext, config: Config) {
  const database = openStore(':memory:', [RECIPIENT_LISTS])
  t.after(() => database.close())
  let nowMs = 0
  const changed: string[] = []
  const lists = new RecipientLists(database)
  const clerk = new ListsClerk({
    config,
    lists,
    clock: { wall: () => nowMs, monotonic: () => nowMs, after: () => () => {} },
    fetch: () => assert.fail('nothing to fetch'),
    readText: () => assert.fail('nothing to read'),
    changed: async (domain) => void changed.push(domain),
    log: () => {},
  })
  const load = async (domain: string, ...names: string[]) => {
    const staged = lists.stage(domain)
    await staged.add(names.map((name) => ({ key: `${name}@${domain}` })))
    await staged.commit({ tenant: 'bakery', source: 'imported' }, nowMs)
  }
  const status = async (domain?: string) =>
    ((await clerk.command('status', domain === undefined ? {} : { domain })) as ListStatus[]).map(
      (row) => `${row.domain} ${row.recipients} ${row.entries ?? '-'}`,
    )
  const drop = (domain: string, force = false) => clerk.command('drop', { domain, force })
  const entriesOf = () => Number(database.prepare('SELECT count(*) AS n FROM recipient_entries').get()?.['n'])
  return { clerk, lists, changed, load, status, drop, entriesOf, pass: (ms: number) => void (nowMs += ms) }
}

test('a list of a domain that is served no more is listed, exported and dropped', async (t) => {
  const { clerk, load, status, drop, changed, entriesOf } = await bench(t, configOf({ 'x.test': {}, 'y.test': {} }))
  await load('x.test', 'anna', 'bert')
  await load('y.test', 'carl')
  await assert.rejects(drop('x.test'), /in use/)
  await clerk.reload(configOf({ 'y.test': {} }))
  assert.deepEqual(await status(), ['x.test none 2', 'y.test directory 1'])
  assert.deepEqual(await status('X.test'), ['x.test none 2'])
  const { entries } = (await clerk.command('export', { domain: 'x.test', after: '' })) as ExportAnswer
  assert.equal(entries.length, 2)
  assert.deepEqual(await drop('x.test'), { entries: 2 })
  await new Promise(setImmediate)
  assert.equal(entriesOf(), 1)
  assert.deepEqual(changed, ['x.test'])
  assert.deepEqual(await status(), ['y.test directory 1'])
  for (const what of ['x.test', 'nobody.test', 'not a domain']) await assert.rejects(drop(what), /not a domain of this/)
  assert.deepEqual(await drop('y.test', true), { entries: 1 })
  await assert.rejects(drop('y.test', true), /has no list/)
})

test('a domain that has another source now drops its list without force; one of another tenant loses it', async (t) => {
  const { clerk, load, status, drop } = await bench(t, configOf({ 'x.test': { kind: 'live' }, '*.y.test': {} }))
  await load('x.test', 'anna')
  await load('*.y.test', 'anna@a')
  assert.deepEqual(await status(), ['*.y.test directory 1', 'x.test live 1'])
  assert.deepEqual(await drop('x.test'), { entries: 1 })
  await clerk.reload(configOf({ '*.y.test': { tenant: 'smith' } }))
  assert.deepEqual(await status(), ['*.y.test directory -'])
})

test('lists in use are counted, some seconds apart', async (t) => {
  const { clerk, load, pass } = await bench(t, configOf({ 'x.test': {}, 'y.test': {}, 'z.test': { kind: 'live' } }))
  const sample = (name: string) => Object.values(clerk.metrics()).flatMap((one) => one.samples[name] ?? [])[0]
  assert.equal(sample('vorposten_recipient_lists{source="imported",state="absent"}'), 2)
  await load('x.test', 'anna')
  await load('z.test', 'anna', 'bert')
  pass(9_000)
  assert.equal(sample('vorposten_recipient_lists{source="imported",state="absent"}'), 2)
  pass(1_000)
  assert.equal(sample('vorposten_recipient_lists{source="imported",state="absent"}'), 1)
  assert.equal(sample('vorposten_recipient_lists{source="imported",state="good"}'), 1)
  assert.equal(sample('vorposten_recipient_list_entries{source="imported"}'), 1)
  assert.equal(sample('vorposten_recipient_list_age_seconds{source="imported"}'), 10)
})
