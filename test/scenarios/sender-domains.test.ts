/**
 * A tenant sends as a domain that is not served here, from the moment when the domain's owner says so in DNS, and nobody else
 * does: its servers, its logins, its reports. A name server that fails changes nothing.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { type NameServer, startNameServer } from '../harness/name-server.ts'
import { knows, type Sink, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

const INFO = 'info@shop.test'
const ANNA = 'anna@dest.test'
const PASSWORD = 'correct horse battery'
const mail = (author: string) => `From: ${author}\r\nSubject: bread\r\n\r\nToday.\r\n`
const UNVERIFIED =
  /^550 5\.7\.1 You may not send as <info@shop\.test> yet: publish the TXT record _vorposten\.shop\.test/

interface Row {
  readonly tenant: string
  readonly state: string
  readonly recordName: string
  readonly record: string
}

async function rows(relay: Vorposten): Promise<Row[]> {
  const { text } = await relay.command('domains', 'show', 'shop.test', '--json')
  return text.split('\n').map((line) => JSON.parse(line) as Row)
}

async function mailFrom(port: number, path: string): Promise<string> {
  using talk = await greeted(port)
  return (await talk.send(`MAIL FROM:<${path}>`).reply()).text
}

async function loggedIn(port: number) {
  const talk = await greeted(port)
  await talk.startTls()
  await talk.say('EHLO laptop.test', /^250/)
  await talk.say(`AUTH PLAIN ${Buffer.from(`\0${ANNA}\0${PASSWORD}`).toString('base64')}`, /^235 /)
  return talk
}

interface World extends AsyncDisposable {
  readonly dns: NameServer
  readonly world: Sink
  readonly relay: Vorposten
  readonly door: number
  readonly users: number
}

async function open(): Promise<World> {
  const [dns, world] = [await startNameServer(), await startSink(knows('bob@far.test', INFO))]
  const [door, users] = [await freePort(), await freePort()]
  const smith = {
    routes: { out: { hosts: [`127.0.0.1:${world.port}`] } },
    domains: { 'smith.test': { route: 'out', recipients: 'accept-all' } },
    outbound: { 'from-networks': ['127.0.0.9'], route: 'out', 'sender-domains': ['shop.test'] },
  }
  const outbound = { 'sender-domains': ['shop.test'] }
  const usual = leaving({ door, world: world.port, outbound, tenants: { smith } }) as { listeners: object[] }
  const submission = { name: 'users', addresses: [`127.0.0.1:${users}`], service: 'submission' }
  const config = {
    ...usual,
    listeners: [...usual.listeners, submission],
    dkim: { 'dns-server': `127.0.0.1:${dns.port}` },
  }
  const relay = await startVorposten({ config, workers: 2 })
  const added = await relay.commandWithInput(`${PASSWORD}\n`, 'credentials', 'add', 'bakery', ANNA, '--password-stdin')
  assert.equal(added.code, 0, added.text)
  return {
    ...{ dns, world, relay, door, users },
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]()
      await world.stop()
      await dns[Symbol.asyncDispose]()
    },
  }
}

/** The tenant's record is published, and both workers know. */
async function verified({ dns, relay, door }: World): Promise<Row> {
  const row = (await rows(relay)).find(({ tenant }) => tenant === 'bakery')!
  dns.publish(row.recordName, row.record)
  await relay.command('domains', 'verify', 'shop.test')
  await waitFor('both workers to know', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => mailFrom(door, INFO)))
    return answers.every((text) => text.startsWith('250'))
  })
  return row
}

test('the owner of a domain publishes a token: from then on its tenant sends as it, and only that one', async () => {
  await using opened = await open()
  const { dns, world, relay, door, users } = opened
  assert.match(await mailFrom(door, INFO), UNVERIFIED)
  assert.match(await mailFrom(door, 'x@sub.shop.test'), /^550 5\.7\.1 Sender refused: sub\.shop\.test is none of your/)
  const smith = (await rows(relay)).find(({ tenant }) => tenant === 'smith')
  dns.publish(smith!.recordName, smith!.record)
  assert.equal((await relay.command('domains', 'verify', 'shop.test')).code, 69)
  assert.match(await mailFrom(door, INFO), UNVERIFIED)
  {
    using talk = await loggedIn(users)
    await talk.say(`MAIL FROM:<${INFO}>`, UNVERIFIED)
    const { text } = await talk.message({ from: ANNA, to: ['bob@far.test'], content: mail(INFO) })
    assert.match(text, UNVERIFIED)
  }

  await verified(opened)
  await relay.logged(/sender-domains: bakery may send as shop\.test: its token is in DNS/)
  {
    using talk = await loggedIn(users)
    assert.match((await talk.message({ from: INFO, to: ['bob@far.test'], content: mail(INFO) })).text, /^250 /)
  }
  await world.received(1)

  // Who sent hears what became of it, also at a domain whose mail goes elsewhere.
  using server = await greeted(door)
  assert.match((await server.message({ from: INFO, to: ['gone@far.test'], content: mail(INFO) })).text, /^250 /)
  const [, report] = await world.received(2)
  assert.deepEqual([report?.reversePath, report?.recipients.map(({ mailbox }) => mailbox)], ['', [INFO]])
})

test('keys of a sender domain sign its mail, aligned with From', async () => {
  await using opened = await open()
  const { dns, world, relay, door } = opened
  const ambiguous = await relay.command('dkim', 'create', 'shop.test')
  assert.deepEqual([ambiguous.code, /several tenants .*--tenant/s.test(ambiguous.text)], [78, true], ambiguous.text)
  const made = await relay.command('dkim', 'create', 'shop.test', '--tenant', 'bakery', '--json')
  assert.equal(made.code, 0, made.text)
  const key = JSON.parse(made.text) as { recordName: string; record: string; trouble: string; selector: string }
  assert.match(key.trouble, /bakery may not send as shop\.test/)
  dns.publish(key.recordName, key.record)
  await verified(opened)
  await relay.command('dkim', 'check', 'shop.test')
  assert.match((await relay.command('dkim', 'list', 'shop.test')).text, /bakery: shop\.test: \S+ \(RSA 2048\) signs/)
  assert.match((await relay.command('check-config')).text, /bakery: mail of shop\.test leaves signed/)
  const tried = ['simulate', '--listener', 'out', '--client', '127.0.0.1', '--from', INFO, '--to', 'bob@far.test']
  assert.match((await relay.command(...tried)).text, /bakery may send to anyone/)
  const send = async () => {
    using talk = await greeted(door)
    assert.match(
      (await talk.message({ from: 'anna@dest.test', to: ['bob@far.test'], content: mail(INFO) })).text,
      /^250/,
    )
  }
  await send()
  const [message] = await world.received(1)
  const { results } = await dkimVerify(message!.content, { resolver: dns.resolver } as never)
  assert.deepEqual(
    results.map(({ signingDomain, selector, status }) => [signingDomain, selector, status.result, status.aligned]),
    [['shop.test', key.selector, 'pass', 'shop.test']],
  )
})

test('a name server that fails takes nothing, and a token that is gone is warned of first', async () => {
  await using opened = await open()
  const { dns, relay, door } = opened
  const row = await verified(opened)
  dns.fail(true)
  const silent = await relay.command('domains', 'verify', 'shop.test')
  assert.deepEqual([silent.code, /unknown: .*SERVFAIL/.test(silent.text)], [75, true], silent.text)
  assert.match(await mailFrom(door, INFO), /^250 /)
  dns.fail(false)
  dns.publish(row.recordName, undefined)
  await relay.command('domains', 'verify', 'shop.test')
  await relay.logged(/warning: sender-domains: _vorposten\.shop\.test is gone from DNS: in 7 days bakery may/)
  assert.match(await mailFrom(door, INFO), /^250 /)
  assert.equal(await relay.metric('vorposten_sender_domains{state="going"}'), 1)
  await relay.stop()
  await relay.start()
  assert.match(await mailFrom(door, INFO), /^250 /)
  assert.match(
    (await relay.command('domains', 'list')).text,
    /bakery: shop\.test: may be sent as for now, .* no more in/,
  )
})
