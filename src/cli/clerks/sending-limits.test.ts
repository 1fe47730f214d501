/** Limits of one login's own, and of recipients of one domain, as the clerk of abuse counts them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { HandClock } from '#queue/testing.ts'
import type { SendingLimits } from '#tenant/directory.ts'
import { ANNA, LIMITS, openAbuse } from './abuse-testing.ts'
import { DOMAINS_PER_TENANT_MAX, DomainCounts } from './domain-counts.ts'

const BERND = 'bernd@bakery.test'

test("a login's own limits hold from the next recipient on, lower or higher, and no other's", async () => {
  const { credentials, take, takes } = openAbuse()
  assert.equal(await takes(10, ANNA), 10)
  credentials.limit(ANNA, { per10Minutes: 5 })
  const over = await take(ANNA)
  assert.ok(over.kind === 'over' && over.text === `${ANNA}: 5 recipients in 10 minutes` && over.waitMs > 0)
  assert.equal(await takes(30, BERND), 20)
  credentials.limit(ANNA, { per10Minutes: 40 })
  assert.equal(await takes(60, ANNA), 30)
  credentials.limit(ANNA, {})
  assert.equal((await take(ANNA)).kind, 'over')
})

test("a login's own limits end at the ceiling of its tenant, also if that has come down since", async () => {
  const { credentials, takes, clock } = openAbuse()
  credentials.limit(ANNA, { per10Minutes: 1_000, perDay: 1_000 })
  const loginMax = { per10Minutes: 25, perDay: 60 }
  assert.equal(await takes(50, ANNA, { ...LIMITS, loginMax }), 25)
  clock.jumpMs += 660_000
  assert.equal(await takes(50, ANNA, { ...LIMITS, loginMax }), 25)
  clock.jumpMs += 660_000
  assert.equal(await takes(50, ANNA, { ...LIMITS, loginMax }), 10)
  assert.equal(await takes(250, ANNA), 190, 'ten times that of each login, if the tenant says none')
})

test('a login that is slowed down keeps a tenth of the usual limit, not of its own', async () => {
  const { credentials, answered, takes } = openAbuse()
  credentials.limit(ANNA, { per10Minutes: 200 })
  await answered(40, 10)
  assert.equal(await takes(10, ANNA), 2)
})

test('one domain: for each login, for the tenant with its servers, and for one login by itself', async () => {
  const { clock, credentials, take, takes, clerk } = openAbuse()
  const limits: SendingLimits = {
    ...LIMITS,
    loginToOneDomain: { per10Minutes: 3, perDay: 4 },
    tenantToOneDomain: { per10Minutes: 5, perDay: 100 },
  }
  const to = async (times: number, domain: string, login?: string) => {
    let taken = 0
    for (let i = 0; i < times; i++) if ((await take(login, limits, domain)).kind === 'taken') taken++
    return taken
  }
  assert.equal(await to(9, 'one.test', ANNA), 3)
  assert.equal(await to(9, 'two.test', ANNA), 3)
  assert.equal(await to(9, 'one.test', BERND), 2, "the tenant's is used up")
  assert.equal(await to(9, 'one.test'), 0, 'for its servers, too')
  assert.equal(await to(9, 'three.test'), 5)
  const shared = await take(BERND, limits, 'one.test')
  assert.ok(shared.kind === 'over' && shared.text === 'tenant bakery to one.test: 5 recipients in 10 minutes')
  clock.jumpMs += 660_000
  assert.equal(await to(9, 'one.test', ANNA), 1)
  const day = await take(ANNA, limits, 'one.test')
  assert.ok(day.kind === 'over' && day.window === 'day' && day.waitMs > 20 * 3_600_000)
  assert.equal(day.text, `${ANNA} to one.test: 4 recipients in 24 hours`)
  credentials.limit(ANNA, { toOneDomainPerDay: 6 })
  assert.equal(await to(9, 'one.test', ANNA), 2)
  const { vorposten_sending_limited_total: limited } = clerk.metrics()
  assert.ok(limited!.samples['vorposten_sending_limited_total{why="domain"}']! > 30)
  assert.equal(await takes(8, BERND), 8, 'what has no limit for one domain is not counted by it')
})

test('a restart does not forget what was sent to one domain', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'abuse-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const clock = new HandClock()
  const limits = { ...LIMITS, tenantToOneDomain: { per10Minutes: 4, perDay: 9 } }
  const before = openAbuse(join(folder, 'store.db'), clock)
  assert.equal(await before.takes(3, ANNA, limits), 3)
  await before.clerk.close()
  before.store.close()
  assert.equal(await openAbuse(join(folder, 'store.db'), clock).takes(3, BERND, limits), 1)
})

test('a tenant has room for so many domains; what it forgets is its own, and what it did not use for longest', () => {
  const counts = new DomainCounts(() => {})
  const limits = [{ of: 'tenant', limit: { per10Minutes: 1, perDay: 1 } }] as const
  const isFull = (tenant: string, domain: string) => counts.over({ tenant, domain }, limits, 0) !== undefined
  counts.add({ tenant: 'smith', domain: 'one.test' }, limits, 0)
  for (const domain of ['one.test', 'two.test']) counts.add({ tenant: 'bakery', domain }, limits, 0)
  for (let n = 1; n < DOMAINS_PER_TENANT_MAX; n++) {
    if (n % 1000 === 0) assert.ok(isFull('bakery', 'one.test'))
    counts.add({ tenant: 'bakery', domain: `d${n}.test` }, limits, 0)
  }
  assert.deepEqual(
    [isFull('bakery', 'two.test'), isFull('bakery', 'one.test'), isFull('smith', 'one.test')],
    [false, true, true],
  )
})
