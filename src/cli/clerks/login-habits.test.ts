import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { HandClock } from '#queue/testing.ts'
import type { StoredNetwork } from '#store/credentials.ts'
import { openStore } from '#store/database.ts'
import { GroupCommit } from '#store/group-commit.ts'
import { SENDING_HABITS } from '#store/sending-habits.ts'
import { LOGINS_MAX, LoginHabits, RECENT_DOMAINS_MAX } from './login-habits.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const ANNA = 'anna@bakery.test'
const [HOME, AWAY] = ['198.51.100.7', '203.0.113.9']

function open(path = ':memory:', clock = new HandClock()) {
  const store = openStore(path, [SENDING_HABITS])
  const commits = new GroupCommit(store)
  const known: { networks: () => StoredNetwork[] } = { networks: () => [] }
  const habits = new LoginHabits({
    store,
    credentials: { networks: () => known.networks() },
    commits,
    clock,
    wallMs: () => clock.wall(),
  })
  const write = (count: number, client = HOME, first = 0) => {
    for (let n = first; n < first + count; n++) habits.seen(ANNA, `d${n}.test`, client, clock.wall())
  }
  const close = () => {
    habits.close()
    commits.flush()
    store.close()
  }
  return { store, clock, known, habits, write, close, habit: () => habits.habit(ANNA, clock.wall()) }
}

test('domains are those of the last hour, each once, and no more than there is room for', () => {
  const { clock, write, habit } = open()
  write(20)
  clock.jumpMs += HOUR_MS / 2
  write(20, HOME, 10)
  assert.equal(habit().domains, 30)
  clock.jumpMs += HOUR_MS / 2
  assert.equal(habit().domains, 20)
  clock.jumpMs += HOUR_MS / 2
  assert.equal(habit().domains, 0)
  write(RECENT_DOMAINS_MAX + 50)
  assert.equal(habit().domains, RECENT_DOMAINS_MAX)
})

test('what is usual is learned by days, and outlives a restart and an idle month', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'habits-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'store.db')
  const first = open(path)
  first.write(12)
  assert.equal(first.habit().usualDomains, 0)
  first.close()
  const { clock } = first
  const second = open(path, clock)
  clock.jumpMs += DAY_MS
  assert.equal(second.habit().usualDomains > 11, true)
  second.write(5)
  clock.jumpMs += 30 * DAY_MS
  const { usualDomains } = second.habit()
  assert.ok(usualDomains > 5.5 && usualDomains < 6.5, `${usualDomains}`)
  second.close()
})

test('a doubted day teaches nothing, also over a restart; who was locked begins anew', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'habits-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'store.db')
  const { habits, known, clock, write, habit, close } = open(path)
  known.networks = () => [{ network: '198.51.100.0/24', firstAtMs: 0, lastAtMs: clock.wall() }]
  write(100, AWAY)
  assert.deepEqual([habit().domains, habit().strange], [100, 100])
  habits.forget(ANNA, clock.wall())
  assert.deepEqual([habit().domains, habit().strange], [0, 0])
  write(40)
  close()
  clock.jumpMs += DAY_MS
  const later = open(path, clock)
  assert.equal(later.habit().usualDomains, 0)
  later.write(7)
  clock.jumpMs += DAY_MS
  assert.ok(later.habit().usualDomains > 6)
})

test('strange recipients are those from elsewhere, within an hour; a network that settles is looked up again', () => {
  const { clock, known, write, habit } = open()
  let lookups = 0
  known.networks = () => {
    lookups++
    return [{ network: '198.51.100.0/24', firstAtMs: 0, lastAtMs: clock.wall() }]
  }
  write(30)
  write(30, AWAY)
  assert.equal(habit().strange, 30)
  write(1)
  assert.equal(lookups, 2, 'two clients in turn cost no more')
  clock.jumpMs += 2 * 60_000
  known.networks = () => [{ network: '203.0.0.0/24', firstAtMs: 0, lastAtMs: clock.wall() }]
  write(30, AWAY)
  assert.equal(habit().strange, 30)
  clock.jumpMs += 2 * HOUR_MS
  assert.equal(habit().strange, 0)
  known.networks = () => assert.fail('the store cannot be read')
  write(30, AWAY)
  assert.equal(habit().strange, 0, 'unknown is not strange')
})

test('who has not sent for an hour is in memory no more, nor is one beyond the limit', () => {
  const { clock, habits } = open()
  const seen = (n: number) => habits.seen(`user${n}@bakery.test`, 'd.test', HOME, clock.wall())
  for (let n = 0; n < 10; n++) seen(n)
  clock.jumpMs += HOUR_MS / 2
  seen(0)
  assert.equal(habits.logins, 10)
  clock.jumpMs += HOUR_MS / 2
  for (let n = 0; n < 5; n++) seen(20)
  assert.equal(habits.logins, 2)
  for (let n = 0; n < LOGINS_MAX + 10; n++) seen(n)
  assert.equal(habits.logins, LOGINS_MAX)
})

test('a store that cannot be read or written knows no habit, and stops no mail', async () => {
  const { store, clock, write, habit } = open()
  store.close()
  write(5)
  await clock.pass(5_000)
  assert.deepEqual(habit(), { domains: 5, usualDomains: 0, strange: 0 })
})
