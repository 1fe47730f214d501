/**
 * Mail that leaves is signed (DKIM): from the making of a key over its record in DNS to a receiver that verifies; the next
 * key takes over while mail flows; and with the wrong master key nothing leaves without the signature that it should have.
 */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { type NameServer, startNameServer } from '../harness/name-server.ts'
import { type SinkMessage, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { without } from '../peers/peer.ts'
import { startPostfix } from '../peers/postfix.ts'

const mail = (number: number, from = 'anna@dest.test') =>
  [
    `From: Anna\r\n <${from}>`,
    'To: bob@elsewhere.test',
    `Subject: bread  ${number}`,
    `Message-ID: <${number}@dest.test>`,
    '',
    'Br\xf6tchen \t today.  ',
    '.',
    '',
    '',
  ].join('\r\n')

interface KeyLine {
  readonly selector: string
  readonly state: string
  readonly recordName: string
  readonly record: string
  readonly trouble?: string
}

const lines = (text: string): KeyLine[] => text.split('\n').map((line) => JSON.parse(line) as KeyLine)

async function send(door: number, number: number, from?: string): Promise<string> {
  using talk = await greeted(door)
  const content = mail(number, from)
  return (await talk.message({ from: 'anna@dest.test', to: ['bob@elsewhere.test'], content })).text
}

/** What mailauth finds: `selector pass`, with the domain if it is not aligned with the author. */
async function verified({ content }: SinkMessage, { resolver }: NameServer): Promise<string[]> {
  const { results } = await dkimVerify(content, { resolver } as never)
  const signatures = results.filter(({ status }) => status.result !== 'none')
  return signatures.map(({ selector, status }) => `${selector} ${status.result}${status.aligned ? '' : ' not aligned'}`)
}

const until = (relay: Vorposten, selector: string, state: string) =>
  waitFor(`${selector} to be ${state}`, async () => {
    await relay.command('dkim', 'check', 'dest.test')
    return lines((await relay.command('dkim', 'list', 'dest.test', '--json')).text).some(
      (key) => key.selector === selector && key.state === state,
    )
  })

const dnsOf = (dns: NameServer, more: object = {}) => ({ dkim: { 'dns-server': `127.0.0.1:${dns.port}`, ...more } })

test('a key is made, its record published, and mail is signed from then on, also for Postfix', async (t) => {
  await using dns = await startNameServer()
  await using world = await startSink()
  const door = await freePort()
  await using relay = await startVorposten({ config: { ...leavingTo(door, world.port), ...dnsOf(dns) } })
  assert.match((await relay.command('dkim', 'list')).text, /dest\.test: nothing signs its mail/)
  assert.match((await relay.command('check-config')).text, /bakery: mail of dest\.test leaves without a signature/)
  await send(door, 1)
  const made = await relay.command('dkim', 'create', 'dest.test', '--algorithm', 'both', '--json')
  assert.equal(made.code, 0, made.text)
  const keys = lines(made.text)
  assert.deepEqual(
    keys.map(({ state }) => state),
    ['pending', 'pending'],
  )
  await send(door, 2)
  const zone = (await relay.command('dkim', 'dns', 'dest.test')).text
  for (const { recordName, record } of keys) {
    const strings =
      zone
        .split('\n')
        .find((line) => line.startsWith(`${recordName}. IN TXT `))
        ?.match(/"[^"]*"/g) ?? []
    assert.equal(strings.map((one) => one.slice(1, -1)).join(''), record)
    dns.publish(recordName, record)
  }
  await until(relay, keys[1]!.selector, 'active')
  await send(door, 3)
  await send(door, 4, 'eve@far.test')
  const [first, second, third, fourth] = await world.received(4)
  for (const one of [first, second]) assert.deepEqual(await verified(one!, dns), [])
  const passed = keys.map(({ selector }) => `${selector} pass`)
  assert.deepEqual(await verified(third!, dns), passed)
  assert.deepEqual(
    await verified(fourth!, dns),
    passed.map((one) => `${one} not aligned`),
  )
  assert.match((await relay.command('check-config')).text, /bakery: mail of dest\.test leaves signed/)
  await relay.logged(new RegExp(`cleanup.* DKIM-Signature field added \\(s=${keys[0]!.selector}, d=dest\\.test\\)`))
  assert.equal(await relay.metric('vorposten_dkim_signed_total{tenant="bakery",result="signed"}'), 2)
  assert.equal(await relay.metric('vorposten_dkim_signed_total{tenant="bakery",result="no-key"}'), 2)
  assert.equal(await relay.metric('vorposten_dkim_keys{state="active"}'), 2)
  await t.test('through Postfix', { skip: without('postfix') }, async () => {
    await using postfix = await startPostfix({ relayTo: world.port })
    await relay.reload({ ...leavingTo(door, postfix.port), ...dnsOf(dns) })
    await send(door, 5)
    assert.deepEqual(await verified((await world.received(5))[4]!, dns), passed)
  })
})

test('the next key takes over while mail flows, and every message verifies', async () => {
  await using dns = await startNameServer()
  await using world = await startSink()
  const door = await freePort()
  const config = { ...leavingTo(door, world.port), ...dnsOf(dns) }
  await using relay = await startVorposten({ config, workers: 2 })
  const [old] = lines(
    (await relay.command('dkim', 'create', 'dest.test', '--selector', 'old', '--activate', '--json')).text,
  )
  dns.publish(old!.recordName, old!.record)
  let flowing = true
  let sent = 0
  const flow = async () => {
    while (flowing) assert.match(await send(door, sent++), /^250 /)
  }
  const flows = [flow(), flow()]
  const [next] = lines((await relay.command('dkim', 'rotate', 'dest.test', '--json')).text)
  assert.equal(next!.state, 'pending')
  assert.match((await relay.command('dkim', 'rotate', 'dest.test')).text, /still waits to sign/)
  // Another record at its name is not enough, nor is a server that fails.
  dns.publish(next!.recordName, old!.record)
  assert.match((await relay.command('dkim', 'check', 'dest.test')).text, /another key/)
  dns.fail(true)
  assert.match((await relay.command('dkim', 'check', 'dest.test')).text, /unknown: .*SERVFAIL/)
  dns.fail(false)
  dns.publish(next!.recordName, next!.record)
  await until(relay, next!.selector, 'active')
  const before = sent
  await waitFor('mail behind the change', () => sent > before + 4)
  flowing = false
  await Promise.all(flows)
  const seen = new Set<string>()
  for (const message of await world.received(sent)) {
    const results = await verified(message, dns)
    assert.equal(results.length, 1)
    assert.match(results[0]!, /^\S+ pass$/)
    seen.add(results[0]!)
  }
  assert.deepEqual(seen, new Set(['old pass', `${next!.selector} pass`]))
  const list = (await relay.command('dkim', 'list', 'dest.test')).text
  assert.match(list, /old \(RSA 2048\) signs no more; its record is there .*; keep its record for another 7d/)
  assert.match((await relay.command('dkim', 'delete', 'dest.test', 'old')).text, /may still be on its way/)
})

test('without its master key nothing leaves unsigned; with it again, mail goes on', async () => {
  await using dns = await startNameServer()
  await using world = await startSink()
  const door = await freePort()
  const config = { ...leavingTo(door, world.port), ...dnsOf(dns) }
  await using relay = await startVorposten({ config })
  await relay.command('dkim', 'create', 'dest.test', '--activate')
  await relay.stop()
  const file = `${relay.folder}/data/master-key`
  const right = readFileSync(file, 'utf8')
  writeFileSync(file, 'another secret of enough octets\n')
  await relay.start()
  await relay.logged(/warning: dkim: the master key \(\S+master-key\) does not open the keys of dest\.test/)
  assert.match(await send(door, 1), /^451 4\.3\.0 Cannot sign this message now/)
  assert.match((await relay.command('dkim', 'list')).text, /trouble: the master key \(\S+\) does not open it/)
  assert.match((await relay.command('dkim', 'rotate', 'dest.test')).text, /Put the old master key back/)
  rmSync(file)
  assert.match(await send(door, 2), /^451 4\.3\.0/)
  const careless = { outbound: { dkim: { 'if-unavailable': 'send-unsigned' } } }
  await relay.reload({ ...leavingTo(door, world.port, careless), ...dnsOf(dns) })
  assert.match(await send(door, 3), /^250 /)
  writeFileSync(file, right, { mode: 0o600 })
  await relay.reload(config)
  assert.match(await send(door, 4), /^250 /)
  const [unsigned, signed] = await world.received(2)
  assert.doesNotMatch(unsigned!.content.toString('latin1'), /DKIM-Signature/)
  assert.match(signed!.content.toString('latin1'), /^DKIM-Signature: v=1; a=rsa-sha256/)
})

test('another master key: mail waits until the keys are sealed anew, and then leaves signed as before', async () => {
  await using dns = await startNameServer()
  await using world = await startSink()
  const door = await freePort()
  const config = { ...leavingTo(door, world.port), ...dnsOf(dns) }
  await using relay = await startVorposten({ config })
  const [key] = lines((await relay.command('dkim', 'create', 'dest.test', '--activate', '--json')).text)
  dns.publish(key!.recordName, key!.record)
  const file = `${relay.folder}/data/master-key`
  const old = `${relay.folder}/old-key`
  writeFileSync(old, readFileSync(file))
  writeFileSync(file, 'another secret of enough octets\n')
  await relay.reload(config)
  assert.match(await send(door, 1), /^451 4\.3\.0/)
  const wrong = await relay.command('dkim', 'reseal', '--old-key', file)
  assert.deepEqual([wrong.code, /opens none of the 1 keys/.test(wrong.text)], [65, true], wrong.text)
  const right = await relay.command('dkim', 'reseal', '--old-key', old)
  assert.deepEqual([right.code, right.text], [0, '1 keys are sealed with the new master key.'])
  assert.match(await send(door, 2), /^250 /)
  assert.deepEqual(await verified((await world.received(1))[0]!, dns), [`${key!.selector} pass`])
  assert.match((await relay.command('dkim', 'reseal', '--old-key', old)).text, /^0 keys/)
})

test('reports are signed as well, by the keys of the relay’s own domain', async () => {
  await using dns = await startNameServer()
  await using world = await startSink({
    rcpt: ({ recipient }) => (recipient?.startsWith('bob') ? '550 5.1.1 no' : undefined),
  })
  const door = await freePort()
  // The reports come from there: the provider's own domain is a tenant's like any other.
  const own = {
    routes: { shop: { hosts: [`127.0.0.1:${world.port}`] } },
    domains: { 'relay.test': { route: 'shop', recipients: { listed: [] } } },
  }
  const config = { ...leavingTo(door, world.port, { tenants: { own } }), ...dnsOf(dns), hostname: 'mx1.relay.test' }
  await using relay = await startVorposten({ config })
  const [key] = lines((await relay.command('dkim', 'create', 'relay.test', '--activate', '--json')).text)
  dns.publish(key!.recordName, key!.record)
  await send(door, 1)
  const [report] = await world.received(1)
  assert.equal(report?.reversePath, '')
  assert.match(report!.content.toString(), /^From: .*@mx1\.relay\.test/m)
  assert.deepEqual(await verified(report!, dns), [`${key!.selector} pass`])
  assert.equal(await relay.metric('vorposten_dkim_signed_total{tenant="own",result="signed"}'), 1)
})

const leavingTo = (door: number, world: number, more: object = {}) =>
  leaving({ door, world, ...more }) as { readonly [key: string]: unknown }
