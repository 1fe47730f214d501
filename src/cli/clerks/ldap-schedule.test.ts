import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { LdapSource } from '#config/config.ts'
import type { LdapPage } from '#recipients/ldap-directory.ts'
import { openStore } from '#store/database.ts'
import { ListReader, RECIPIENT_LISTS, RecipientLists } from '#store/recipient-lists.ts'
import type { Clock } from '#sys/clock.ts'
import { LdapSchedule } from './ldap-schedule.ts'

const MINUTE = 60_000
const SOURCE: LdapSource = {
  urls: ['ldap://directory.test'],
  tls: 'starttls',
  base: 'dc=x',
  attributes: ['mail'],
  pageSize: 10,
  intervalMs: 15 * MINUTE,
  timeMsMax: 1000,
}
const job = (domain: string, changes: Partial<LdapSource> = {}) => ({
  domain,
  tenant: 'bakery',
  ldap: { ...SOURCE, ...changes },
})

/** Time that the test moves, and a directory that answers what the test says. */
function bench(t: TestContext) {
  const database = openStore(':memory:', [RECIPIENT_LISTS])
  t.after(() => database.close())
  let nowMs = 0
  const timers = new Set<{ atMs: number; call: () => void }>()
  const clock: Clock = {
    wall: () => nowMs,
    monotonic: () => nowMs,
    after(ms, call) {
      const timer = { atMs: nowMs + ms, call }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  const world = {
    names: ['anna'] as readonly string[],
    down: false,
    asked: 0,
    changed: 0,
    gate: undefined as Promise<void> | undefined,
  }
  const log: string[] = []
  const lists = new RecipientLists(database)
  const schedule = new LdapSchedule({
    lists,
    clock,
    async *fetch(_source, _password, domain): AsyncGenerator<LdapPage> {
      world.asked++
      await world.gate
      yield { keys: world.names.map((name) => `${name}@${domain}`), unreadable: [] }
      if (world.down) throw new Error('gone')
    },
    readText: () => Promise.reject(new Error('no files here')),
    changed: async () => void world.changed++,
    log: (line) => log.push(line),
  })
  const settle = async () => {
    for (let i = 0; i < 30; i++) await turn()
  }
  const pass = async (ms: number) => {
    nowMs += ms
    for (const timer of [...timers]) {
      if (timer.atMs > nowMs) continue
      timers.delete(timer)
      timer.call()
    }
    await settle()
  }
  const has = (name: string, domain = 'x.test') => new ListReader(database).has(domain, `${name}@${domain}`)
  return { schedule, lists, world, log, pass, has }
}

test('a list is fetched at the start and at each interval; what did not change tells nobody', async (t) => {
  const { schedule, world, pass, has, lists } = bench(t)
  schedule.replace([job('x.test')])
  await pass(0)
  assert.equal(has('anna')?.listed, true)
  await pass(15 * MINUTE)
  assert.deepEqual([world.asked, world.changed], [2, 1])
  assert.equal(lists.state('x.test')?.loadedAtMs, 15 * MINUTE)
  world.names = ['anna', 'bert']
  await pass(15 * MINUTE)
  assert.equal(has('bert')?.listed, true)
  assert.equal(world.changed, 2)
})

test('an outage keeps the list and its age; it is tried soon, then ever later, and told at the third time', async (t) => {
  const { schedule, world, log, pass, has, lists } = bench(t)
  schedule.replace([job('x.test')])
  await pass(0)
  world.down = true
  world.names = ['nobody']
  await pass(15 * MINUTE)
  for (const waitMs of [30_000, MINUTE, 2 * MINUTE]) {
    await pass(waitMs - 1)
    const { asked } = world
    await pass(1)
    assert.equal(world.asked, asked + 1, `after ${waitMs}`)
  }
  assert.deepEqual([has('anna')?.listed, has('nobody')?.listed, has('anna')?.loadedAtMs], [true, false, 0])
  assert.deepEqual([lists.state('x.test')?.failures, lists.state('x.test')?.error], [4, 'gone'])
  assert.deepEqual(
    log.map((line) => line.startsWith('alarm: ')),
    [false, false, true],
  )
  for (let i = 0; i < 20; i++) await pass(15 * MINUTE)
  const { asked } = world
  await pass(15 * MINUTE)
  assert.equal(world.asked, asked + 1, 'never later than the interval')
  world.down = false
  world.names = ['anna']
  await pass(15 * MINUTE)
  assert.equal(lists.state('x.test')?.failures, 0)
})

test('an empty answer, or one that lacks a fifth, is not believed without force', async (t) => {
  const { schedule, world, pass, has } = bench(t)
  const staff = Array.from({ length: 100 }, (_, i) => `u${i}`)
  world.names = []
  schedule.replace([job('x.test')])
  await pass(0)
  assert.equal(has('u0'), undefined, 'also not at first')
  world.names = staff
  await schedule.refresh('x.test', false)
  world.names = staff.slice(21)
  await assert.rejects(schedule.refresh('x.test', false), /lacks 21 of 100 .*--force/)
  assert.equal(has('u0')?.listed, true)
  const { difference } = await schedule.refresh('x.test', true)
  assert.equal(difference.removed, 21)
  assert.equal(has('u0')?.listed, false)
})

test('after a restart a fresh list is left alone until its time; a changed source is asked now; a removed one never', async (t) => {
  const { schedule, world, pass, lists } = bench(t)
  const staged = lists.stage('x.test')
  await staged.add([{ key: 'anna@x.test' }])
  await staged.commit({ tenant: 'bakery', source: 'ldap' }, 0)
  schedule.replace([job('x.test')])
  await pass(14 * MINUTE)
  assert.equal(world.asked, 0)
  await pass(MINUTE)
  assert.equal(world.asked, 1)
  schedule.replace([job('x.test')])
  await pass(0)
  assert.equal(world.asked, 1)
  schedule.replace([job('x.test', { base: 'dc=y' })])
  await pass(0)
  assert.equal(world.asked, 2)
  schedule.replace([])
  await pass(60 * MINUTE)
  assert.equal(world.asked, 2)
  await assert.rejects(schedule.refresh('x.test', true), /has neither a directory nor a file/)
})

test('many domains are fetched two at a time, and all of them', async (t) => {
  const { schedule, pass, has } = bench(t)
  const domains = Array.from({ length: 9 }, (_, i) => `d${i}.test`)
  schedule.replace(domains.map((domain) => job(domain)))
  for (let i = 0; i < 10; i++) await pass(0)
  for (const domain of domains) assert.equal(has('anna', domain)?.listed, true, domain)
})

test('a reload while a directory is asked: what it took away is not asked again', async (t) => {
  const { schedule, world, pass } = bench(t)
  const gate = Promise.withResolvers<void>()
  world.gate = gate.promise
  schedule.replace([job('x.test')])
  await pass(0)
  assert.equal(world.asked, 1)
  await assert.rejects(schedule.refresh('x.test', false), /is being fetched just now/)
  schedule.replace([])
  gate.resolve()
  await pass(0)
  await pass(60 * MINUTE)
  assert.equal(world.asked, 1)
  assert.equal(schedule.has('x.test'), false)
})
