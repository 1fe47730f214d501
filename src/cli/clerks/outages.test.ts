import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { Config } from '#config/config.ts'
import { parseConfig } from '#config/parse.ts'
import type { Notice, PrimaryNotice } from '#mail/notice.ts'
import type { OutagesNews } from '#queue/outages.ts'
import { DAY, HandClock, HOUR, MINUTE, settle } from '#queue/testing.ts'
import { type Database, openStore } from '#store/database.ts'
import { OUTAGES_PART, OutagesStore } from '#store/outages.ts'
import { UserError } from '../exit.ts'
import type { MaintenanceRow } from './maintenance.ts'
import { OutagesClerk, UP_TOLD_MS, type Waiting, type WaitingQuestion } from './outages.ts'

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
  const asked: WaitingQuestion[] = []
  /** What the first of two workers has. */
  const waiting = { backlog: 2, fresh: 0, held: 0 }
  clerk.started(async (about, body) => {
    if (about === 'outages-news') sent.push(body as OutagesNews)
    if (about !== 'outages-waiting') return [3, 4]
    asked.push(body as WaitingQuestion)
    const { backlog, fresh, held } = waiting
    return [
      { messages: backlog + fresh, oldestMs: receivedMs, backlog, held },
      { messages: 0, backlog: 0, held: 0 },
    ] satisfies Waiting[]
  })
  const kinds = () => notices.map((notice) => `${notice.kind} ${'route' in notice ? notice.route : ''}`)
  const news = async () => (await clerk.answer('news', undefined)) as OutagesNews
  const command = (what: string, body?: unknown) =>
    clerk.command(`maintenance-${what}`, body) as Promise<MaintenanceRow>
  const comesUp = async () => {
    for (let i = 0; i < 2; i++) await clerk.answer('met', { route: ROUTE, up: true })
    await settle()
  }
  return { clerk, clock, database, notices, sent, kinds, news, command, receivedMs, asked, waiting, comesUp }
}

describe('an outage', () => {
  it('is told at its start, daily and at its end, with what waits', async () => {
    const { clerk, clock, notices, kinds, news, receivedMs, waiting, comesUp } = bench()
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
    waiting.backlog = 0
    await comesUp()
    assert.equal(kinds().at(-1), 'primary-up bakery/main')
    const last = notices.at(-1)
    assert.ok(last?.kind === 'primary-up')
    assert.deepEqual([last.waiting, last.drained], [0, undefined])
    await clock.pass(MINUTE)
    assert.deepEqual(kinds().filter((kind) => kind.startsWith('primary-up')).length, 1)
    assert.match(Object.keys(clerk.metrics()['vorposten_primary_up']!.samples)[0]!, /route="bakery\/main"/)
    await clerk.close()
  })

  /** Up again after it was told that it is down. */
  async function back() {
    const all = bench()
    await all.clock.pass(MINUTE)
    const upMs = all.clock.wall()
    /** A primary that goes on answering: nothing else asks it. */
    const stays = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 5_000) {
        await all.clerk.answer('met', { route: ROUTE, up: true })
        await all.clock.pass(5_000)
      }
    }
    all.waiting.backlog = 300
    await all.comesUp()
    const told = () => all.notices.slice(1) as PrimaryNotice[]
    return { ...all, upMs, stays, told }
  }

  it('whose backlog is gone soon ends with one notice, which says so', async () => {
    const { clerk, asked, waiting, stays, told, upMs } = await back()
    assert.deepEqual(told(), [], 'not yet: it may be gone in a moment')
    assert.deepEqual(asked.at(-1), { route: ROUTE, upMs })
    Object.assign(waiting, { backlog: 0, fresh: 7, held: 2 })
    await stays(10_000)
    const [up, ...more] = told()
    assert.deepEqual(
      [up?.kind, up?.drained?.messages, up?.held, up?.waiting, more.length],
      ['primary-up', 298, 2, 0, 0],
    )
    assert.ok((up?.drained?.tookMs ?? 0) <= 10_000)
    await clerk.close()
  })

  it('whose backlog takes long is told to be over, and later that the backlog is gone', async () => {
    const { clerk, waiting, stays, told, upMs } = await back()
    waiting.backlog = 200
    await stays(UP_TOLD_MS + 10_000)
    assert.deepEqual(
      told().map(({ kind, waiting, upMs }) => [kind, waiting, upMs]),
      [['primary-up', 200, upMs]],
    )
    await stays(5 * MINUTE)
    assert.equal(told().length, 1)
    waiting.backlog = 0
    await stays(MINUTE)
    assert.deepEqual(
      told()
        .slice(1)
        .map(({ kind, drained, upMs }) => [kind, drained?.messages, upMs]),
      [['primary-drained', 300, upMs]],
    )
    await stays(5 * MINUTE)
    assert.equal(told().length, 2)
    await clerk.close()
  })

  it('is not looked at in each moment of a long drain', async () => {
    const { clerk, asked, stays } = await back()
    await stays(UP_TOLD_MS + 5_000)
    const before = asked.length
    await stays(5 * MINUTE)
    assert.ok(asked.length - before <= 11, `${asked.length - before} looks`)
    await clerk.close()
  })

  it('is told to be over after a day, although something is put off for ever', async () => {
    const { clerk, clock, waiting, stays, told } = await back()
    waiting.backlog = 4
    await stays(UP_TOLD_MS + 5_000)
    clock.jumpMs = DAY
    await stays(MINUTE)
    assert.deepEqual(
      told().map(({ kind, drained, waiting }) => [kind, drained?.messages, waiting]),
      [
        ['primary-up', undefined, 4],
        ['primary-drained', 296, 4],
      ],
    )
    await clerk.close()
  })

  it('that comes again before its end was told goes on; after that it is a new one', async () => {
    const { clerk, clock, kinds, comesUp, stays } = await back()
    await clock.pass(3 * MINUTE)
    assert.deepEqual(kinds(), ['primary-down bakery/main'], 'down again within the minute')
    await comesUp()
    await stays(UP_TOLD_MS + 10_000)
    await clock.pass(3 * MINUTE)
    assert.deepEqual(kinds().slice(1), ['primary-up bakery/main', 'primary-down bakery/main'])
    await clerk.close()
  })

  it('whose drain outlives a restart ends with its own figures', async () => {
    const before = await back()
    before.waiting.backlog = 200
    await before.stays(UP_TOLD_MS + 10_000)
    await before.clerk.close()
    const { clerk, clock, waiting, comesUp, notices } = bench(before.database, before.clock)
    waiting.backlog = 0
    await comesUp()
    await clock.pass(5_000)
    const [last] = notices as PrimaryNotice[]
    assert.deepEqual([last?.kind, last?.drained?.messages, last?.upMs], ['primary-drained', 300, before.upMs])
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

  it('is told to end an hour before, and not again after a restart', async () => {
    const before = bench()
    await before.command('start', { target: 'shop.test', untilMs: before.clock.wall() + 4 * HOUR })
    await before.clock.pass(3 * HOUR + MINUTE)
    const told = (kinds: readonly string[]) => kinds.filter((kind) => kind.startsWith('maintenance'))
    assert.deepEqual(told(before.kinds()), ['maintenance-began bakery/other', 'maintenance-ending bakery/other'])
    await before.clerk.close()
    const { clerk, clock, kinds } = bench(before.database, before.clock)
    await clock.pass(30 * MINUTE)
    assert.deepEqual(told(kinds()), [])
    await clock.pass(HOUR)
    assert.deepEqual(told(kinds()), ['maintenance-ended bakery/other'])
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
