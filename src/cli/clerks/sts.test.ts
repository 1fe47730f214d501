/** The clerk of MTA-STS: what is fetched, kept, refreshed, and never forgotten too early. */
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { Config } from '#config/config.ts'
import type { Fetched } from '#deliver/mta-sts/fetch-policy.ts'
import { HandClock } from '#queue/testing.ts'
import { type Database, openStore } from '#store/database.ts'
import { STS_POLICIES, StsPolicyReader } from '#store/sts-policies.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { REFRESH_MS, RETRY_MS, StsClerk, TURN_MS, USED_MS } from './sts.ts'

const AGE_MS = 7 * 86_400_000
const policy = (mode: string, ageMs = AGE_MS): string =>
  `version: STSv1\nmode: ${mode}\nmx: mx.dest.test\nmax_age: ${ageMs / 1000}\n`
const got = (mode: 'enforce' | 'none', ageMs = AGE_MS): Fetched => ({
  kind: 'fetched',
  body: policy(mode, ageMs),
  policy: { mode, mx: ['mx.dest.test'], maxAgeMs: ageMs },
})
const FAILED: Fetched = { kind: 'failed', fault: 'sts-policy-fetch-error', text: 'ECONNREFUSED' }

function bench(t: TestContext, database: Database = openStore(':memory:', [STS_POLICIES]), clock = new HandClock()) {
  const seen = { fetches: 0, log: [] as string[], told: 0, next: got('enforce') as Fetched | Promise<Fetched> }
  const dns = { record: 'v=STSv1; id=1' as string | undefined | 'unknown' }
  const clerk = new StsClerk({
    database,
    clock,
    wallMs: () => clock.wall(),
    config: { routes: [], destinations: { allowNetworks: [], ownNames: [], mtaStsPort: 443 } } as unknown as Config,
    dns: {
      async lookup(name: string, type: string) {
        const common = { name, secure: false, ttlMs: 1000 }
        if (type !== 'TXT') return { kind: 'none', why: 'no-record', ...common }
        if (dns.record === 'unknown') return { kind: 'unknown', text: 'SERVFAIL' }
        if (dns.record === undefined) return { kind: 'none', why: 'no-name', ...common }
        return { kind: 'found', records: [dns.record], ...common }
      },
    } as unknown as Dns,
    log: (line) => void seen.log.push(line),
    async fetch() {
      seen.fetches++
      return seen.next
    },
  })
  clerk.started(async () => {
    seen.told++
    return []
  })
  t.after(() => clerk.close())
  const answer = (id?: string) => clerk.answer('policy', { domain: 'dest.test', ...(id && { id }) })
  const ask = async (id?: string) => (await answer(id)).body
  return { clerk, seen, dns, clock, database, answer, ask }
}

it('fetches once for all who ask at once, and not again while the id stays', async (t) => {
  const { ask, seen } = bench(t)
  const answers = await Promise.all([ask('1'), ask('1'), ask('1')])
  assert.deepEqual(answers, Array(3).fill(policy('enforce')))
  await ask('1')
  assert.equal(seen.fetches, 1)
  seen.next = got('none')
  assert.equal(await ask('2'), policy('none'))
  assert.equal(seen.fetches, 2)
})

it('keeps a policy over restarts, until it expires', async (t) => {
  const first = bench(t)
  await first.ask('1')
  await first.clerk.close()
  const second = bench(t, first.database, first.clock)
  second.seen.next = FAILED
  assert.equal(await second.ask('1'), policy('enforce'))
  assert.equal(await second.ask(), policy('enforce'))
  assert.equal(second.seen.fetches, 0)
  await first.clock.pass(AGE_MS - TURN_MS)
  assert.equal(await second.ask(), policy('enforce'))
  await first.clock.pass(TURN_MS)
  assert.deepEqual([await second.ask(), await second.ask('1')], [undefined, undefined])
})

it('says what is wrong with a policy that cannot be had, for the report to its domain', async (t) => {
  const { answer, seen, clock } = bench(t)
  seen.next = { kind: 'failed', fault: 'sts-webpki-invalid', text: 'expired' }
  const failure = { type: 'sts-webpki-invalid', text: 'expired' }
  assert.deepEqual([await answer('1'), await answer('1'), seen.fetches], [{ failure }, { failure }, 1])
  assert.deepEqual(await answer(), {})
  await clock.pass(RETRY_MS)
  seen.next = got('enforce')
  assert.equal((await answer('1')).failure, undefined)
})

it('a policy host that fails never takes a kept policy away, and is left alone for a while', async (t) => {
  const { ask, seen, clock } = bench(t)
  await ask('1')
  seen.next = FAILED
  assert.deepEqual([await ask('2'), await ask('2')], [policy('enforce'), policy('enforce')])
  assert.equal(seen.fetches, 2)
  assert.match(seen.log.join(), /policy of dest\.test cannot be fetched: ECONNREFUSED/)
  await clock.pass(RETRY_MS)
  seen.next = got('none')
  assert.equal(await ask('2'), policy('none'))
})

it('fetches anew before the end, so long as mail goes there', async (t) => {
  const { ask, seen, clock, database, dns } = bench(t)
  await ask('1')
  await clock.pass(TURN_MS)
  assert.equal(seen.fetches, 1)
  dns.record = 'unknown'
  await clock.pass(REFRESH_MS)
  assert.equal(seen.fetches, 2)
  const { fetchedMs, id } = new StsPolicyReader(database).of('dest.test')!
  assert.ok(clock.wall() - fetchedMs <= TURN_MS)
  assert.equal(id, '1')
  dns.record = undefined
  await clock.pass(2 * REFRESH_MS)
  assert.equal(seen.fetches, 2)
})

it('asks no more for a domain to which no mail goes, and forgets it when its time is over', async (t) => {
  const { ask, seen, clock, database } = bench(t)
  seen.next = got('enforce', 2 * USED_MS)
  await ask('1')
  await clock.pass(USED_MS + REFRESH_MS)
  const { fetches } = seen
  assert.ok(fetches > 1)
  await clock.pass(USED_MS)
  assert.equal(seen.fetches, fetches)
  await clock.pass(USED_MS + REFRESH_MS)
  assert.equal(new StsPolicyReader(database).of('dest.test'), undefined)
})

it('an operator sees what is kept and why it is not, and fetches at once', async (t) => {
  const { clerk, seen, dns, ask } = bench(t)
  assert.deepEqual(await clerk.command('show', { domain: 'dest.test' }), {
    domain: 'dest.test',
    record: { kind: 'found', id: '1' },
    published: { hosts: [{ host: 'dest.test', mxSecure: false, records: [], recordsSecure: false, dane: 'none' }] },
  })
  const row = await clerk.command('refresh', { domain: 'DEST.test' })
  assert.deepEqual([row.kept?.mode, row.kept?.id, seen.told], ['enforce', '1', 1])
  seen.next = FAILED
  assert.equal((await clerk.command('refresh', { domain: 'dest.test' })).failed, 'ECONNREFUSED')
  assert.equal(await ask('1'), policy('enforce'))
  dns.record = undefined
  assert.equal((await clerk.command('show', { domain: 'dest.test' })).record.kind, 'none')
  await assert.rejects(clerk.command('show', { domain: 'no domain' }), /is no domain/)
})
