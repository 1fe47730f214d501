import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { Config } from '#config/config.ts'
import { parseConfig } from '#config/parse.ts'
import type { Notice } from '#mail/notice.ts'
import type { OutagesNews } from '#queue/outages.ts'
import { DAY, HandClock, HOUR, MINUTE, settle } from '#queue/testing.ts'
import { type Database, openStore } from '#store/database.ts'
import { OUTAGES_PART, OutagesStore } from '#store/outages.ts'
import { UserError } from '../exit.ts'
import type { MaintenanceRow } from './maintenance.ts'
import { OutagesClerk } from './outages.ts'

const ROUTE = 'bakery/main'

function config(): Config {
  const parsed = parseConfig(
    `hostname: relay.test
data-folder: /data
listeners: [{name: mx, addresses: '192.0.2.25:25', tls: none}]
tenants:
  bakery:
    routes: {main: {hosts: mx.bakery.test}, other: {hosts: mx2.bakery.test}}
    domains:
      bakery.test: {route: main, service: fallback-mx, recipients: {listed: [anna]}}
      shop.test: {route: other, recipients: {listed: [anna]}}
`,
    'test.yaml',
  )
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.config
}

const databases = new Set<Database>()
after(() => {
  for (const database of databases) database.close()
})

/** A clerk whose primary cannot be reached at all; `database` is that of an earlier one, after a restart. */
function bench(database = openStore(':memory:', [OUTAGES_PART]), clock = new HandClock()) {
  databases.add(database)
  const notices: Notice[] = []
  const sent: OutagesNews[] = []
  const clerk = new OutagesClerk(config(), {
    clock,
    random: () => 0.5,
    connect: () => Promise.reject(new Error('connect ECONNREFUSED')),
    resolve: async () => ['192.0.2.9'],
    store: new OutagesStore(database),
    notify: (notice) => void notices.push(notice),
    log: () => {},
  })
  const receivedMs = clock.wall() - HOUR
  clerk.started(async (about, body) => {
    if (about === 'outages-news') sent.push(body as OutagesNews)
    return about === 'outages-waiting' ? [{ messages: 2, oldestMs: receivedMs }, { messages: 0 }] : [3, 4]
  })
  const kinds = () => notices.map((notice) => `${notice.kind} ${'route' in notice ? notice.route : ''}`)
  const news = async () => (await clerk.answer('news', undefined)) as OutagesNews
  const command = (what: string, body?: unknown) =>
    clerk.command(`maintenance-${what}`, body) as Promise<MaintenanceRow>
  return { clerk, clock, database, notices, sent, kinds, news, command, receivedMs }
}

describe('an outage', () => {
  it('is told at its start, daily and at its end, with what waits', async () => {
    const { clerk, clock, notices, kinds, news, receivedMs } = bench()
    assert.deepEqual(await news(), { up: [], down: [], maintenance: [] })
    await clock.pass(MINUTE)
    assert.deepEqual((await news()).down, [ROUTE])
    assert.deepEqual(kinds(), ['primary-down bakery/main'])
    const [first] = notices
    assert.ok(first?.kind === 'primary-down')
    assert.deepEqual(
      [first.tenant, first.domains, first.waiting, first.oldestMs],
      ['bakery', ['bakery.test'], 2, receivedMs],
    )
    assert.equal(first.expiresMs, receivedMs + 5 * DAY)
    await clock.pass(2 * DAY + MINUTE)
    assert.deepEqual(kinds().slice(1), ['still-down bakery/main', 'still-down bakery/main'])
    for (let i = 0; i < 2; i++) await clerk.answer('met', { route: ROUTE, up: true })
    await clock.pass(6_000)
    assert.equal(kinds().at(-1), 'primary-up bakery/main')
    assert.match(Object.keys(clerk.metrics()['vorposten_primary_up']!.samples)[0]!, /route="bakery\/main"/)
    await clerk.close()
  })

  it('goes on through a restart, and is not told again', async () => {
    const before = bench()
    await before.clock.pass(MINUTE)
    await before.clerk.close()
    const { clerk, clock, kinds } = bench(before.database, before.clock)
    await clock.pass(HOUR)
    assert.deepEqual(kinds(), [])
    await clock.pass(DAY)
    assert.deepEqual(kinds(), ['still-down bakery/main'])
    await clerk.close()
  })

  it('asks all workers to flush', async () => {
    const { clerk } = bench()
    assert.deepEqual(await clerk.answer('flush', { routes: [ROUTE] }), { waiting: 7 })
    await clerk.close()
  })
})

describe('maintenance', () => {
  it('is told to the workers at once, and to the tenant at both ends; an outage meanwhile is no news', async () => {
    const { clerk, clock, kinds, sent, command } = bench()
    const untilMs = clock.wall() + HOUR
    await command('start', { target: 'Bakery.test', untilMs, reason: 'new disks' })
    await settle()
    assert.deepEqual(
      sent.at(-1)?.maintenance.map(({ route }) => route),
      [ROUTE],
    )
    await clock.pass(30 * MINUTE)
    assert.deepEqual(kinds(), ['maintenance-began bakery/main'])
    await clock.pass(31 * MINUTE)
    assert.deepEqual(kinds().slice(1).sort(), ['maintenance-ended bakery/main', 'primary-down bakery/main'])
    await clerk.close()
  })

  it('of an inbound domain is kept in the store, can be moved, and ended once', async () => {
    const before = bench()
    await before.command('start', { target: 'bakery/other', untilMs: before.clock.wall() + DAY })
    await before.clerk.close()
    const { clerk, clock, command, news } = bench(before.database, before.clock)
    assert.equal((await news()).maintenance.length, 1)
    const moved = await command('start', { target: 'shop.test', untilMs: clock.wall() + 20 * DAY })
    assert.match(moved.warning ?? '', /lifetime of the mail \(5 days\)/)
    assert.equal((await news()).maintenance.length, 1)
    await command('end', { target: 'shop.test' })
    assert.ok((await news()).maintenance[0]!.untilMs <= clock.wall())
    await assert.rejects(command('end', { target: 'shop.test' }), UserError)
    await clerk.close()
  })

  it('that cannot be is refused with words', async () => {
    const { clerk, clock, command } = bench()
    for (const body of [
      { target: 'nowhere.test', untilMs: clock.wall() + HOUR },
      { target: 'bakery.test', untilMs: clock.wall() - 1 },
      { target: 'bakery.test', untilMs: clock.wall() + 61 * DAY },
      { target: 'bakery.test' },
    ]) {
      await assert.rejects(command('start', body), UserError)
    }
    await assert.rejects(command('stop', {}), UserError)
    await clerk.close()
  })
})
