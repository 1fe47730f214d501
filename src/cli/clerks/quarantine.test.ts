/** The clerk of the quarantine: what is kept, for whom, for how long, and when a content goes. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { DAY } from '#queue/testing.ts'
import { inTransaction } from '#store/database.ts'
import { ENTRY_OCTETS, QuarantineStore } from '#store/quarantine.ts'
import { systemDisk } from '#sys/disk.ts'
import { EXPIRE_MAX } from './quarantine.ts'
import { quarantineBench, quarantined } from './quarantine-testing.ts'

const sample = (clerk: { metrics(): ReturnType<typeof Object> }, name: string): unknown =>
  (Object.values(clerk.metrics()) as { samples: Record<string, number> }[]).find(({ samples }) => name in samples)
    ?.samples[name]

test('equal contents of two tenants are one file, which goes with the last message; neither sees the other', async (t) => {
  const { clerk, keep, list, act, files, log, told } = await quarantineBench(t)
  const own = await keep('bad')
  const other = await keep('bad', { tenant: 'smith' })
  assert.deepEqual([own.answer, other.answer], [{ kind: 'kept' }, { kind: 'kept' }])
  assert.deepEqual(await files(), [own.hash])
  assert.deepEqual(
    (await list({ tenant: 'bakery' })).map(({ id }) => id),
    [own.id],
  )
  for (const what of ['show', 'export'])
    await assert.rejects(clerk.command(what, { id: other.id, tenant: 'bakery', who: 'anna' }), /is not in quarantine/)
  assert.deepEqual(await act('delete', [other.id], { tenant: 'bakery' }), [
    { id: other.id, done: false, text: 'is not in quarantine' },
  ])
  assert.deepEqual(await act('delete', [own.id]), [{ id: own.id, done: true, text: 'deleted' }])
  assert.deepEqual(await files(), [own.hash])
  await act('delete', [other.id])
  assert.deepEqual(await files(), [])
  assert.deepEqual(await log(), ['anna deleted', 'anna deleted'])
  assert.deepEqual(
    told.map(({ action, who, tenant }) => [action, who, tenant]),
    [
      ['deleted', 'anna', 'bakery'],
      ['deleted', 'anna', 'smith'],
    ],
  )
})

test('who looks is written down, before he sees anything', async (t) => {
  const { clerk, keep, log } = await quarantineBench(t)
  const { id } = await keep('bad')
  const shown = (await clerk.command('show', { id: id.toLowerCase(), who: 'ben' })) as { trace: string }
  assert.equal(Buffer.from(shown.trace, 'base64').toString(), 'Received: x\r\n')
  await clerk.command('export', { id, who: 'carl' })
  assert.deepEqual(await log(), ['carl exported', 'ben shown'])
  await assert.rejects(clerk.command('show', { id }), /not understood/)
})

test('a share that is used up refuses, and leaves nothing; another tenant has his own', async (t) => {
  const { clerk, keep, files } = await quarantineBench(t)
  const full = { kind: 'full', of: 'tenant' }
  assert.equal(await clerk.answer('room', { tenant: 'smith', octets: 10_000 - ENTRY_OCTETS }), undefined)
  assert.deepEqual(await clerk.answer('room', { tenant: 'smith', octets: 10_001 - ENTRY_OCTETS }), full)
  await keep('one', { tenant: 'smith' })
  assert.equal((await keep('two', { tenant: 'smith' })).answer.kind, 'kept')
  // Another worker was told that there is room, at the same time.
  assert.deepEqual((await keep('three', { tenant: 'smith' })).answer, full)
  assert.equal((await keep('four')).answer.kind, 'kept')
  await new Promise(setImmediate)
  assert.equal((await files()).length, 3)
  assert.equal(sample(clerk, 'vorposten_quarantine_full_total{of="tenant"}'), 2)
})

test('a full disk refuses before anything is written, and is a reason not to be ready; room comes back', async (t) => {
  let free = 1500
  const { clerk, clock } = await quarantineBench(t, { disk: { freeOctets: async () => free } })
  assert.equal(await clerk.answer('room', { tenant: 'bakery', octets: 500 }), undefined)
  assert.deepEqual(await clerk.answer('room', { tenant: 'bakery', octets: 501 }), { kind: 'full', of: 'disk' })
  free = 900
  await clock.pass(1000)
  assert.match((await clerk.sickness()) ?? '', /no room on its disk/)
  free = 5000
  await clock.pass(1000)
  assert.equal(await clerk.sickness(), undefined)
})

test('a store without room: refused for certain, content gone', async (t) => {
  const { database, keep, files, list } = await quarantineBench(t)
  const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count'])
  database.exec(`PRAGMA max_page_count = ${pages}`)
  const facts = Array.from(
    { length: 200 },
    () => ({ kind: 'encrypted', container: 'zip', where: 'w'.repeat(290) }) as const,
  )
  assert.deepEqual((await keep('bad', { facts })).answer, { kind: 'full', of: 'disk' })
  await new Promise(setImmediate)
  assert.deepEqual([await files(), await list()], [[], []])
})

test('a content that cannot be put in its place: refused for certain', async (t) => {
  const { keep, list } = await quarantineBench(t, { disk: { rename: () => Promise.reject(new Error('EIO')) } })
  assert.deepEqual((await keep('bad')).answer, { kind: 'failed', text: 'EIO' })
  assert.deepEqual(await list(), [])
})

test('a content that another message is about to need is not removed under its feet', async (t) => {
  const moving = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  let moves = 0
  const rename = async (from: string, to: string) => {
    await systemDisk.rename(from, to)
    if (++moves === 1) return
    moving.resolve()
    await gate.promise
  }
  const { keep, act, files, list } = await quarantineBench(t, { disk: { rename } })
  const first = await keep('bad')
  const second = keep('bad')
  await moving.promise
  const deleted = act('delete', [first.id])
  while ((await list()).length > 0) await new Promise(setImmediate)
  // The second is in its place and not yet written down; the first is written off, and its content about to go.
  gate.resolve()
  assert.equal((await second).answer.kind, 'kept')
  assert.equal((await deleted)[0]?.done, true)
  assert.deepEqual(await files(), [first.hash])
})

test('nobody decided in time: it ends, content and all, each tenant by its own time', async (t) => {
  const { clerk, clock, keep, list, log, files, told } = await quarantineBench(t)
  const own = await keep('bread')
  await keep('iron', { tenant: 'smith' })
  clock.jumpMs += DAY - 60_000
  await clock.pass(60_000 - 1)
  assert.equal((await list()).length, 2)
  await clock.pass(60_000)
  assert.deepEqual(
    (await list()).map(({ id }) => id),
    [own.id],
  )
  assert.deepEqual(await files(), [own.hash])
  clock.jumpMs += 29 * DAY
  await clock.pass(60_000)
  assert.deepEqual([await list(), await files(), await log()], [[], [], ['vorposten expired', 'vorposten expired']])
  assert.deepEqual(
    told.map(({ action }) => action),
    ['expired', 'expired'],
  )
  assert.equal(sample(clerk, 'vorposten_quarantine_ended_total{action="expired",class="malware"}'), 2)
  assert.equal(sample(clerk, 'vorposten_quarantine_messages{class="malware"}'), 0)
})

test('many that end at once end in several turns', async (t) => {
  const { clock, database, list } = await quarantineBench(t)
  const store = new QuarantineStore(database)
  inTransaction(database, () => {
    for (let i = 0; i < EXPIRE_MAX + 2; i++) store.add(quarantined({ hash: 'ab'.repeat(32) }), 0, 1)
  })
  await clock.pass(60_000)
  assert.equal((await list()).length, 2)
  await clock.pass(60_000)
  assert.deepEqual(await list(), [])
})

test('after a crash between content and row: what nobody needs is collected at the start, the rest stays', async (t) => {
  const { contents, keep, files, again, lines, list } = await quarantineBench(t)
  const { hash, id } = await keep('kept')
  const orphan = await contents.write('A1', { chunks: [Buffer.from('x')], octets: 1 })
  await contents.place('A1', orphan)
  await contents.write('B2', { chunks: [Buffer.from('half')], octets: 4 })
  const clerk = await again()
  await clerk.collectOrphans()
  await clerk.close()
  assert.deepEqual(await files(), [hash])
  assert.equal(await contents.clearIncoming(), 0)
  assert.match(lines.join('\n'), /1 contents in quarantine that nobody needs were removed/)
  assert.deepEqual(
    (await list()).map((row) => row.id),
    [id],
  )
})

test('a content that is damaged on the disk is still listed, and can be deleted', async (t) => {
  const { contents, keep, act, list } = await quarantineBench(t)
  const { id, hash } = await keep('bad')
  await writeFile(contents.path(hash), 'good')
  assert.equal((await list()).length, 1)
  assert.equal((await act('delete', [id]))[0]?.done, true)
})
