import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { rsaPair } from '#auth/dkim/testing.ts'
import type { Config } from '#config/config.ts'
import { parseConfig } from '#config/parse.ts'
import { HandClock } from '#queue/testing.ts'
import { openStore } from '#store/database.ts'
import { DKIM_KEYS } from '#store/dkim-keys.ts'
import { SENDER_DOMAINS, SenderDomains } from '#store/sender-domains.ts'
import type { TxtAnswer } from '#sys/txt-lookup.ts'
import { DkimClerk } from './dkim.ts'
import type { DkimList, KeyRow } from './dkim-rows.ts'

const DAY_MS = 86_400_000

function configOf(folder: string, shopOf = 'bakery', senders = '[news.test, both.test]'): Config {
  const tenant = (name: string, ...domains: string[]) =>
    `  ${name}:\n    routes: {out: {hosts: smarthost.test}}\n    outbound: {from-networks: ${name === 'bakery' ? '10.0.0.1' : '10.0.0.2'}, route: out, sender-domains: ${name === 'bakery' ? senders : 'both.test'}}\n` +
    `    domains:\n${domains.map((one) => `      "${one}": {route: out}\n`).join('')}`
  const shop = 'shop.test'
  const text =
    `hostname: relay.test\ndata-folder: ${folder}\nlisteners: [{name: out, addresses: "127.0.0.1:25", service: outbound}]\ntenants:\n` +
    tenant('bakery', 'bakery.test', '*.bakery.test', ...(shopOf === 'bakery' ? [shop] : [])) +
    tenant('smith', 'smith.test', ...(shopOf === 'smith' ? [shop] : []))
  const parsed = parseConfig(text, join(folder, 'v.yaml'))
  assert.ok(parsed.ok, JSON.stringify(parsed))
  return parsed.config
}

function bench(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'dkim-'))
  const store = openStore(':memory:', [DKIM_KEYS, SENDER_DOMAINS])
  const clock = new HandClock()
  const dns = new Map<string, TxtAnswer>()
  const seen = { told: 0, log: [] as string[], lookUps: 0 }
  const clerk = new DkimClerk({
    store,
    config: configOf(folder),
    clock,
    wallMs: () => clock.wall(),
    lookUp: () => async (name) => {
      seen.lookUps++
      return dns.get(name) ?? { kind: 'none' }
    },
    log: (line) => void seen.log.push(line),
  })
  t.after(async () => {
    await clerk.close()
    store.close()
    rmSync(folder, { recursive: true })
  })
  const start = () => clerk.started(async () => [void seen.told++])
  const ask = async (what: string, body: object) => (await clerk.command(what, body)) as KeyRow[]
  const create = (domain: string, more: object = {}) =>
    ask('create', { domain, algorithm: 'rsa', activate: false, ...more })
  const list = async (domain?: string) => (await clerk.command('list', { ...(domain && { domain }) })) as DkimList
  const states = async () => (await list()).keys.map(({ selector, state }) => `${selector} ${state}`)
  const publish = (row: KeyRow) => void dns.set(row.recordName, { kind: 'found', records: [row.record] })
  const verify = (tenant: string, domain: string, verifiedMs?: number) =>
    new SenderDomains(store).put({ tenant, domain, found: 'there', checkedMs: 1, ...(verifiedMs && { verifiedMs }) })
  return { verify, clerk, clock, dns, seen, start, ask, create, list, states, publish, folder }
}

it('a key waits for its record, is looked for by itself, and the next one replaces it in the same way', async (t) => {
  const { clock, seen, start, ask, create, states, publish, list } = bench(t)
  start()
  const [first] = await create('bakery.test')
  assert.deepEqual([first?.selector, first?.state, first?.found], ['vp20270115r', 'pending', 'missing'])
  publish(first!)
  await clock.pass(90_000)
  assert.deepEqual(await states(), ['vp20270115r active'])
  assert.equal(seen.told, 1)
  const [second] = await ask('rotate', { domain: 'bakery.test', activate: false })
  assert.equal(second?.selector, 'vp20270115r-2')
  await clock.pass(DAY_MS)
  assert.deepEqual(await states(), ['vp20270115r active', 'vp20270115r-2 pending'])
  publish(second!)
  await clock.pass(700_000)
  assert.deepEqual(await states(), ['vp20270115r retired', 'vp20270115r-2 active'])
  assert.ok(((await list()).keys[0]?.removableInMs ?? 0) > 6 * DAY_MS)
  await assert.rejects(ask('delete', { domain: 'bakery.test', selector: first!.selector, force: false }), /on its way/)
  await clock.pass(7 * DAY_MS)
  assert.equal((await list()).keys[0]?.removableInMs, 0)
  await ask('delete', { domain: 'bakery.test', selector: first!.selector, force: false })
  await assert.rejects(ask('delete', { domain: 'bakery.test', selector: second!.selector, force: false }), /signs mail/)
  assert.deepEqual(await states(), ['vp20270115r-2 active'])
})

it('DNS that fails or changes takes no key out of service; it is told', async (t) => {
  const { clock, dns, seen, start, create, ask, states, publish, list } = bench(t)
  start()
  const [key] = await create('bakery.test')
  publish(key!)
  await ask('check', { domain: 'bakery.test' })
  for (const answer of [{ kind: 'unknown', text: 'ETIMEOUT' }, { kind: 'none' }] as const) {
    dns.set(key!.recordName, answer)
    await clock.pass(7 * 3_600_000)
    assert.deepEqual(await states(), [`${key!.selector} active`])
  }
  assert.equal((await list()).keys[0]?.found, 'missing')
  const warnings = seen.log.filter((line) => line.includes('was in DNS'))
  assert.equal(warnings.length, 0)
  publish(key!)
  await ask('check', { domain: 'bakery.test' })
  dns.delete(key!.recordName)
  await ask('check', { domain: 'bakery.test' })
  assert.match(seen.log.at(-1)!, /warning: dkim: vp\d+r\._domainkey\.bakery\.test was in DNS.*\(missing\)/)
})

it('each kind of key rotates for itself, and an imported one signs at once if it is published', async (t) => {
  const { ask, create, states, publish, dns } = bench(t)
  const pem = String(rsaPair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const body = { domain: 'bakery.test', selector: 'old', pem, activate: false }
  const [waiting] = await ask('import', body)
  assert.equal(waiting?.state, 'pending')
  await ask('delete', { domain: 'bakery.test', selector: 'old', force: false })
  publish(waiting!)
  const [imported] = await ask('import', body)
  assert.equal(imported?.state, 'active')
  const [other] = await create('bakery.test', { algorithm: 'ed25519', activate: true })
  assert.deepEqual(await states(), ['old active', `${other!.selector} active`])
  const next = await ask('rotate', { domain: 'bakery.test', activate: false })
  assert.deepEqual(next.map(({ algorithm }) => algorithm).sort(), ['ed25519-sha256', 'rsa-sha256'])
  publish(next.find(({ algorithm }) => algorithm === 'rsa-sha256')!)
  await ask('check', { domain: 'bakery.test' })
  assert.deepEqual((await states()).filter((one) => one.endsWith(' active')).length, 2)
  assert.ok((await states()).includes('old retired'))
  assert.ok((await states()).includes(`${other!.selector} active`))
  dns.clear()
  await assert.rejects(ask('import', { ...body, selector: 'weak', pem: 'no key' }), /no private key in PEM/)
})

it('only domains of this relay have keys, one of a kind, under a name that DNS takes', async (t) => {
  const { ask, create, list } = bench(t)
  await assert.rejects(create('far.test'), /far\.test is not a domain of this relay/)
  await create('bakery.test')
  await assert.rejects(create('bakery.test'), /has a key of that kind already/)
  await create('bakery.test', { algorithm: 'ed25519' })
  await create('news.bakery.test')
  await create('b\u00e4ckerei.bakery.test', { selector: 'Mail-1' })
  assert.deepEqual(
    (await list('b\u00e4ckerei.bakery.test')).keys.map(({ recordName }) => recordName),
    ['mail-1._domainkey.xn--bckerei-5wa.bakery.test'],
  )
  for (const selector of ['', '-a', 'a_b', 'a..b', 'x'.repeat(64), 'a b', 'a/../b']) {
    await assert.rejects(create('smith.test', { selector }), /is no selector/, selector)
  }
  await assert.rejects(ask('rotate', { domain: 'smith.test', activate: true }), /has no key that signs/)
  await assert.rejects(ask('rotate', { domain: 'bakery.test', activate: 1 }), /not understood/)
})

it('a domain that goes to another tenant does not take its keys along', async (t) => {
  const { clerk, create, list, ask, folder } = bench(t)
  await create('shop.test', { activate: true, selector: 's1' })
  await clerk.reload(configOf(folder, 'smith'))
  const { keys, unsigned } = await list('shop.test')
  assert.equal(keys[0]?.trouble, 'shop.test belongs to smith now')
  assert.deepEqual(unsigned, [{ tenant: 'smith', domain: 'shop.test' }])
  await assert.rejects(ask('rotate', { domain: 'shop.test', activate: true }), /has no key that signs/)
  const [own] = await create('shop.test', { activate: true, selector: 's1' })
  assert.equal(own?.tenant, 'smith')
  await ask('delete', { domain: 'shop.test', selector: 's1', force: true })
  assert.deepEqual(
    (await list('shop.test')).keys.map(({ tenant }) => tenant),
    ['bakery'],
  )
})

it('a sender domain has keys, which sign only as long as it is verified', async (t) => {
  const { clerk, create, list, ask, verify, folder } = bench(t)
  const [key] = await create('news.test', { selector: 's1', activate: true })
  assert.deepEqual([key?.tenant, key?.recordName], ['bakery', 's1._domainkey.news.test'])
  assert.equal(key?.trouble, 'bakery may not send as news.test: see vorposten domains show news.test')
  const unsigned = async () => (await list()).unsigned.map(({ domain }) => domain)
  assert.deepEqual(await unsigned(), ['bakery.test', 'shop.test', 'smith.test'])
  for (const domain of ['news.test', 'both.test']) verify('bakery', domain, 1)
  assert.equal((await list('news.test')).keys[0]?.trouble, undefined)
  assert.deepEqual(await unsigned(), ['bakery.test', 'shop.test', 'smith.test', 'both.test'])
  verify('bakery', 'news.test')
  assert.match((await list('news.test')).keys[0]!.trouble!, /may not send/)
  await clerk.reload(configOf(folder, 'bakery', 'both.test'))
  assert.match(
    (await list()).keys[0]!.trouble!,
    /^news\.test is neither served for bakery nor one of its sender domains/,
  )
  await assert.rejects(create('news.test'), /news\.test is not a domain of this relay/)
  await ask('delete', { domain: 'news.test', selector: 's1', force: false })
  assert.deepEqual((await list()).keys, [])
})

it('tenants that share a sender domain have keys of their own, under names of their own', async (t) => {
  const { create, list, ask } = bench(t)
  await assert.rejects(create('both.test'), /several tenants send as both\.test: bakery, smith/)
  await assert.rejects(create('both.test', { tenant: 'baker' }), /both\.test is no domain of baker/)
  await create('both.test', { tenant: 'bakery', selector: 's1', activate: true })
  await assert.rejects(create('both.test', { tenant: 'smith', selector: 's1' }), /has a key s1 already/)
  await create('both.test', { tenant: 'smith', selector: 's2', activate: true })
  await ask('rotate', { domain: 'both.test', tenant: 'smith', activate: true })
  const states = async (tenant?: string) =>
    ((await clerkList(tenant)) as DkimList).keys.map((key) => `${key.tenant} ${key.state}`)
  const clerkList = (tenant?: string) => ask('list', { domain: 'both.test', ...(tenant && { tenant }) }) as unknown
  assert.deepEqual(await states(), ['bakery active', 'smith retired', 'smith active'])
  assert.deepEqual(await states('smith'), ['smith retired', 'smith active'])
  assert.equal((await ask('check', { domain: 'both.test' })).length, 3)
  const of = { domain: 'both.test', tenant: 'smith', force: true }
  await assert.rejects(ask('delete', { ...of, selector: 's1' }), /both\.test has no key s1/)
  await ask('delete', { ...of, selector: 's2' })
  await assert.rejects(ask('delete', { domain: 'both.test', selector: 's1', force: false }), /signs mail/)
  assert.equal((await list('both.test')).keys.length, 2)
})

it('what an old master key has sealed is told, and no new key is sealed beside it', async (t) => {
  const { clerk, create, seen, folder, start, ask, list } = bench(t)
  await create('bakery.test', { activate: true, selector: 's1' })
  rmSync(join(folder, 'master-key'))
  start()
  assert.match(
    seen.log.at(-1)!,
    /master key \(\S+master-key\) does not open the keys of bakery\.test: their mail waits/,
  )
  assert.equal(clerk.metrics()['vorposten_dkim_keys']?.samples['vorposten_dkim_keys{state="sealed"}'], 1)
  await assert.rejects(create('smith.test'), /does not open the key s1 of bakery\.test/)
  await ask('delete', { domain: 'bakery.test', selector: 's1', force: true })
  await create('smith.test', { activate: true })
  assert.equal((await list('smith.test')).keys[0]?.trouble, undefined)
})
