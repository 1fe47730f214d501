import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { HandClock } from '#queue/testing.ts'
import type { AbuseClerk } from './abuse.ts'
import { ANNA, LIMITS, openAbuse as open } from './abuse-testing.ts'

test('a burst, then the day: each login has its own, and the tenant one for all', async () => {
  const { clock, take, takes } = open()
  assert.equal(await takes(30, ANNA), 20)
  assert.deepEqual(await take(ANNA).then((one) => one.kind === 'over' && one.window), 'burst')
  assert.equal(await takes(1, 'bernd@bakery.test'), 1)
  const over = await take(ANNA)
  assert.ok(over.kind === 'over' && over.waitMs > 0)
  clock.jumpMs += over.waitMs
  assert.equal(await takes(30, ANNA), 20)
  clock.jumpMs += 660_000
  assert.equal(await takes(30, ANNA), 10)
  const day = await take(ANNA)
  assert.ok(day.kind === 'over' && day.window === 'day' && day.waitMs > 20 * 3_600_000)
  clock.jumpMs += day.waitMs
  assert.equal(await takes(1, ANNA), 1)
  const shared = { ...LIMITS, tenant: { per10Minutes: 3, perDay: 100 }, servers: { per10Minutes: 9, perDay: 9 } }
  assert.equal(await takes(9, undefined, shared), 3)
  assert.equal(await takes(1, 'bernd@bakery.test', shared), 0)
})

test('a restart forgets nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'abuse-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const clock = new HandClock()
  const before = open(join(folder, 'store.db'), clock)
  assert.equal(await before.takes(15, ANNA), 15)
  await before.clerk.close()
  before.store.close()
  assert.equal(await open(join(folder, 'store.db'), clock).takes(15, ANNA), 5)
})

test('guessed addresses slow a login down, then lock it, and say why; unlocked, it begins anew', async () => {
  const { answered, takes, take, credentials, lines, clerk, notices, clock, asked } = open()
  await answered(40, 10)
  assert.match(lines[0]!, /slowed down \(unknown-recipients: 10 of 40 recipients .*\)/)
  assert.equal(await takes(10, ANNA), 2)
  await answered(10, 8)
  assert.equal(credentials.find(ANNA)?.locked, undefined)
  await answered(2, 2)
  assert.match(credentials.find(ANNA)?.locked?.reason ?? '', /20 of 52 recipients within an hour do not exist/)
  assert.match(lines.at(-1)!, /credential anna@bakery\.test of bakery: locked .*vorposten credentials unlock anna@/)
  assert.equal((await take(ANNA)).kind, 'locked')
  const signs = [{ symbol: 'unknown-recipients', count: 20, of: 52 }]
  const expected = { kind: 'login-locked', tenant: 'bakery', login: ANNA, atMs: clock.wall(), signs }
  assert.deepEqual(notices, [expected])
  assert.deepEqual(asked, [['credentials/locked', { tenant: 'bakery', login: ANNA }]])
  assert.equal((await take('bernd@bakery.test')).kind, 'taken')
  credentials.unlock(ANNA)
  assert.equal(await takes(10, ANNA), 10)
  const { vorposten_logins_suspected_total: suspected } = clerk.metrics()
  assert.equal(suspected?.samples['vorposten_logins_suspected_total{deed="lock"}'], 1)
})

test('who keeps sending while he is slowed down is locked', async () => {
  const { answered, takes, take, credentials, clerk } = open()
  await answered(60, 10)
  assert.equal(await takes(51, ANNA), 2)
  assert.equal(credentials.find(ANNA)?.locked, undefined)
  assert.equal((await take(ANNA)).kind, 'over', 'the one that locks still hears why it is slow')
  assert.match(credentials.find(ANNA)?.locked?.reason ?? '', /50 recipients more within an hour, while it was slowed/)
  assert.equal((await take(ANNA)).kind, 'locked')
  credentials.unlock(ANNA)
  assert.equal((await take(ANNA)).kind, 'taken')
  const { vorposten_sending_limited_total: limited } = clerk.metrics()
  assert.equal(limited?.samples['vorposten_sending_limited_total{why="burst"}'], 50)
})

test('a store that cannot write the lock leaves the login slowed down, says so once, and the next sign tries again', async () => {
  const { answered, takes, credentials, lines, notices } = open()
  const lock = credentials.lock
  credentials.lock = () => {
    throw new Error('disk I/O error')
  }
  await answered(20, 20)
  await answered(1, 1)
  assert.equal(await takes(10, ANNA), 2)
  assert.deepEqual(lines, ['warning: credential anna@bakery.test of bakery: not locked: disk I/O error'])
  credentials.lock = lock
  await answered(1, 1)
  assert.match(credentials.find(ANNA)?.locked?.reason ?? '', /22 of 22 recipients/)
  await answered(30, 30)
  assert.equal(notices.length, 1, 'what was under way locks nothing twice')
})

test('bounces by mail and complaints count against what was sent, over days, restarts and until an unlocking', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'abuse-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const clock = new HandClock()
  const path = join(folder, 'store.db')
  const limits = { login: { per10Minutes: 10_000, perDay: 10_000 } }
  const before = open(path, clock)
  const told = (clerk: AbuseClerk, of: object) =>
    clerk.answer('answered', [{ tenant: 'bakery', login: ANNA, answered: 0, unknown: 0, ...of }])
  assert.equal(await before.takes(1000, ANNA, limits), 1000)
  await told(before.clerk, { complaints: 9 })
  assert.match(before.lines.join(), /slowed down \(complaints: 9 of 1000 recipients within a week complained\)/)
  await before.clerk.close()
  before.store.close()
  clock.jumpMs += 6 * 86_400_000
  const after = open(path, clock)
  await told(after.clerk, { complaints: 1 })
  assert.match(after.credentials.find(ANNA)?.locked?.reason ?? '', /10 of 1000 recipients within a week complained/)
  after.credentials.unlock(ANNA)
  await after.clerk.close()
  after.store.close()
  const anew = open(path, clock)
  await told(anew.clerk, { complaints: 1, bounced: 40 })
  assert.equal(anew.credentials.find(ANNA)?.locked, undefined)
  await told(anew.clerk, { answered: 10, unknown: 10 })
  const notice = anew.notices.at(-1)
  assert.ok(notice?.kind === 'login-locked')
  assert.deepEqual(
    notice.signs.map(({ symbol, count }) => [symbol, count]),
    [
      ['unknown-recipients', 10],
      ['bounces', 50],
    ],
  )
})

test('malware: one message slows the login down, the third locks it', async () => {
  const { clerk, credentials, lines, take } = open()
  const found = () => clerk.answer('answered', [{ tenant: 'bakery', login: ANNA, answered: 0, unknown: 0, malware: 1 }])
  await found()
  assert.match(lines.join(), /anna@bakery\.test of bakery: slowed down \(malware: a message carried malware\)/)
  await found()
  assert.equal((await take(ANNA)).kind, 'taken')
  await found()
  assert.match(credentials.find(ANNA)?.locked?.reason ?? '', /3 messages within an hour carried malware/)
  assert.equal((await take(ANNA)).kind, 'locked')
})
