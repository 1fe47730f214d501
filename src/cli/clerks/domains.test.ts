/** Sender domains as DNS says, over time: seen, gone, gone for good, and nothing learned from a name server that fails. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import type { Config } from '#config/config.ts'
import { parseConfig } from '#config/parse.ts'
import type { SenderDomainNotice } from '#mail/notice.ts'
import { HandClock } from '#queue/testing.ts'
import { openStore } from '#store/database.ts'
import { DKIM_KEYS } from '#store/dkim-keys.ts'
import { SENDER_DOMAINS } from '#store/sender-domains.ts'
import type { TxtAnswer } from '#sys/txt-lookup.ts'
import { VerifiedDomains } from '../sender-domains.ts'
import { type DomainRow, DomainsClerk, GRACE_MS } from './domains.ts'

const HOUR_MS = 3_600_000

function configOf(folder: string, domains = '[shop.test, both.test]'): Config {
  const tenant = (name: string, network: string, senders: string) =>
    `  ${name}:\n    routes: {out: {hosts: smarthost.test}}\n    domains: {${name}.test: {route: out}}\n` +
    `    outbound: {from-networks: ${network}, route: out, sender-domains: ${senders}}\n`
  const text =
    `hostname: relay.test\ndata-folder: ${folder}\nlisteners: [{name: out, addresses: "127.0.0.1:25", service: outbound}]\n` +
    `tenants:\n${tenant('bakery', '10.0.0.1', domains)}${tenant('smith', '10.0.0.2', 'both.test')}`
  const parsed = parseConfig(text, join(folder, 'v.yaml'))
  assert.ok(parsed.ok, JSON.stringify(parsed))
  return parsed.config
}

function bench(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'domains-'))
  const store = openStore(':memory:', [DKIM_KEYS, SENDER_DOMAINS])
  const clock = new HandClock()
  const dns = new Map<string, TxtAnswer>()
  const seen = { told: 0, log: [] as string[], lookUps: 0, notices: [] as SenderDomainNotice[] }
  const worker = new VerifiedDomains(store, clock)
  const clerk = new DomainsClerk({
    store,
    config: configOf(folder),
    clock,
    wallMs: () => clock.wall(),
    random: () => 0.5,
    lookUp: () => async (name) => {
      seen.lookUps++
      return dns.get(name) ?? { kind: 'none' }
    },
    notify: (notice) => void seen.notices.push(notice as SenderDomainNotice),
    log: (line) => void seen.log.push(line),
  })
  t.after(async () => {
    await clerk.close()
    store.close()
    rmSync(folder, { recursive: true })
  })
  const start = () =>
    clerk.started(async () => {
      seen.told++
      worker.changed()
      return []
    })
  const ask = async (what: string, domain = 'shop.test') => (await clerk.command(what, { domain })) as DomainRow[]
  const publish = (row: DomainRow, ...others: string[]) =>
    void dns.set(row.recordName, { kind: 'found', records: [...others, row.record] })
  const may = () => worker.has('bakery', 'shop.test')
  return { clerk, clock, dns, seen, start, ask, publish, may, folder }
}

it('a domain is verified when its token is seen, by itself or when asked', async (t) => {
  const { clock, start, ask, publish, may, seen } = bench(t)
  start()
  await clock.pass(0)
  assert.equal(may(), false)
  const [row] = await ask('show')
  assert.deepEqual([row?.state, row?.found, row?.recordName], ['unverified', 'missing', '_vorposten.shop.test'])
  publish(row!, 'another text')
  assert.equal(may(), false)
  await clock.pass(11 * 60_000)
  assert.equal(may(), true)
  assert.match(seen.log.join('\n'), /bakery may send as shop\.test: its token is in DNS/)
  const both = await ask('show', 'both.test')
  assert.deepEqual(
    both.map(({ tenant }) => tenant),
    ['bakery', 'smith'],
  )
  publish(both[1]!)
  assert.deepEqual(
    (await ask('verify', 'both.test')).map(({ state }) => state),
    ['unverified', 'verified'],
  )
  await assert.rejects(ask('show', 'bakery.test'), /not a sender domain/)
})

it('a token that is gone is warned of, and only after the time of grace revoked', async (t) => {
  const { clock, dns, start, ask, publish, may, seen } = bench(t)
  start()
  publish((await ask('show'))[0]!)
  await ask('verify')
  dns.clear()
  await clock.pass(13 * HOUR_MS)
  assert.equal(may(), true)
  assert.match(
    seen.log.at(-1)!,
    /warning: .*_vorposten\.shop\.test is gone from DNS: in 7 days bakery may send as shop\.test no more/,
  )
  const [going] = await ask('show')
  assert.equal(going?.state, 'going')
  assert.ok(going!.revokedInMs! <= GRACE_MS)
  await clock.pass(GRACE_MS - 2 * HOUR_MS)
  assert.equal(may(), true)
  assert.equal(may(), true)
  const [notice] = seen.notices
  const { recordName, record, tenant, domain } = going!
  assert.deepEqual(
    { ...notice, sinceMs: 0, untilMs: notice!.untilMs - notice!.sinceMs, atMs: 0 },
    { kind: 'sender-domain-going', tenant, domain, recordName, record, sinceMs: 0, untilMs: GRACE_MS, atMs: 0 },
  )
  assert.equal(new Set(seen.notices.map(({ kind, sinceMs }) => `${kind} ${sinceMs}`)).size, 1)
  await clock.pass(3 * HOUR_MS)
  assert.equal(may(), false)
  await clock.pass(GRACE_MS)
  assert.deepEqual(
    seen.notices.flatMap((one) => (one.kind === 'sender-domain-revoked' ? [one.sinceMs] : [])),
    [notice!.sinceMs],
  )
  assert.equal(seen.notices.at(-1)?.kind, 'sender-domain-revoked')
  assert.match(seen.log.at(-1)!, /warning: .*bakery may send as shop\.test no more/)
  publish(going!)
  await clock.pass(HOUR_MS)
  assert.equal(may(), true)
})

it('a token that comes back in time was never gone, and who does not answer takes nothing', async (t) => {
  const { clock, dns, start, ask, publish, may, seen } = bench(t)
  start()
  const [row] = await ask('show')
  publish(row!)
  await ask('verify')
  dns.clear()
  await ask('verify')
  await clock.pass(GRACE_MS - HOUR_MS)
  publish(row!)
  await clock.pass(2 * HOUR_MS)
  assert.match(seen.log.at(-1)!, /is in DNS again/)
  dns.set(row!.recordName, { kind: 'unknown', text: 'SERVFAIL' })
  await clock.pass(GRACE_MS + 2 * HOUR_MS)
  assert.equal(may(), true)
  assert.equal((await ask('show'))[0]?.found, 'unknown: SERVFAIL')
  assert.equal(seen.log.filter((line) => line.includes('shop.test')).length, 3)
})

it('another master key takes nothing from who was verified; a domain that is named no more is forgotten', async (t) => {
  const { clerk, clock, start, ask, publish, may, folder } = bench(t)
  start()
  const [old] = await ask('show')
  publish(old!)
  await ask('verify')
  writeFileSync(join(folder, 'master-key'), 'another secret of enough octets\n')
  const [row] = await ask('verify')
  assert.equal(row?.state, 'verified')
  assert.notEqual(row?.record, old?.record)
  await clerk.reload(configOf(folder, 'both.test'))
  await clock.pass(60_000)
  await clerk.reload(configOf(folder))
  assert.equal((await ask('show'))[0]?.found, undefined)
  await clock.pass(61_000)
  assert.equal(may(), false)
})

it('looks again in time, and not all at once', async (t) => {
  const { clock, start, ask, publish, seen } = bench(t)
  start()
  publish((await ask('show'))[0]!)
  for (const row of await ask('show', 'both.test')) void row
  await ask('verify')
  const before = seen.lookUps
  await clock.pass(24 * HOUR_MS + 60_000)
  // Two that are not verified, each ten minutes; one that is, each twelve hours.
  assert.ok(seen.lookUps - before >= 2 * 136 + 2 && seen.lookUps - before <= 2 * 145 + 2, `${seen.lookUps - before}`)
})
