/**
 * Mail leaves by MX, as on the Internet: a name server with a few domains, and mail servers at addresses of their own, all on
 * loopback. Each recipient domain is a destination of its own.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { a, aaaa, cname, type FakeNameServer, fakeNameServer, mx, type Zone, zoneScript } from '#sys/dns/testing.ts'
import { freePort } from '../harness/free-port.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { startExim } from '../peers/exim.ts'
import { without } from '../peers/peer.ts'
import { startPostfix } from '../peers/postfix.ts'
import { startUnbound, withoutUnbound } from '../peers/unbound.ts'

const MAIL = 'From: anna@dest.test\r\nTo: all@elsewhere.test\r\nSubject: bread\r\n\r\nToday.\r\n'

interface Ways {
  readonly door: number
  readonly mxPort: number
  readonly names: { readonly address: string; readonly port: number }
  readonly shop: number
  readonly outbound?: object
  readonly destinations?: object
}

const config = ({ door, mxPort, names, shop, outbound, destinations }: Ways) => ({
  hostname: 'relay.test',
  'name-servers': `${names.address}:${names.port}`,
  destinations: { 'allow-networks': ['127.0.1.0/24'], ...destinations },
  listeners: [
    { name: 'mx', addresses: [`127.0.0.1:\${ENV:MX_PORT}`] },
    { name: 'out', addresses: [`127.0.0.1:${door}`], service: 'outbound' },
  ],
  tenants: {
    bakery: {
      routes: {
        internet: { 'use-mx': true, 'mx-port': mxPort, retry: { first: '1s', max: '2s' }, lifetime: '1d' },
        shop: { hosts: [`127.0.0.1:${shop}`] },
        ndrs: {
          'use-mx': true,
          'mx-port': mxPort,
          'source-addresses': { address: '127.0.2.7', 'greeting-name': 'bounces.relay.test' },
        },
      },
      domains: { 'dest.test': { route: 'shop', recipients: 'accept-all' } },
      outbound: { 'from-networks': ['127.0.0.1'], route: 'internet', ...outbound },
    },
  },
})

/** The id in the 250. */
async function submit(door: number, ...to: string[]): Promise<string> {
  using talk = await greeted(door)
  const reply = await talk.message({ from: 'anna@dest.test', to, content: MAIL })
  const id = /^250 2\.0\.0 Ok: queued as (\w+)/.exec(reply.text)?.[1]
  assert.ok(id, reply.text)
  return id
}

/** What the trace says of a message when `pattern` is in it. */
async function traced(relay: Vorposten, id: string, pattern: RegExp): Promise<string> {
  let text = ''
  await waitFor(`${pattern} in the trace`, async () => pattern.test((text = (await relay.command('trace', id)).text)), {
    context: () => text,
  })
  return text
}

async function world(zone: Zone): Promise<FakeNameServer> {
  return fakeNameServer(zoneScript(() => zone))
}

test('one transaction, three domains, three servers; one id tells the whole story', async () => {
  const [door, mxPort] = [await freePort(), await freePort()]
  await using shop = await startSink()
  await using one = await startSink({}, { port: mxPort, address: '127.0.1.1' })
  await using two = await startSink({}, { port: mxPort, address: '127.0.1.2' })
  await using three = await startSink({}, { port: mxPort, address: '127.0.1.3' })
  await using names = await world({
    'one.test': [mx('one.test', 10, 'mail.one.test')],
    'mail.one.test': [a('mail.one.test', '127.0.1.1')],
    // Its first host is away.
    'two.test': [mx('two.test', 10, 'gone.two.test'), mx('two.test', 20, 'mail.two.test')],
    'gone.two.test': [a('gone.two.test', '127.0.1.99')],
    'mail.two.test': [cname('mail.two.test', 'hosted.test'), a('hosted.test', '127.0.1.2')],
    // No MX: its own address.
    'three.test': [a('three.test', '127.0.1.3')],
  })
  await using relay = await startVorposten({
    config: config({ door, mxPort, names: names.endpoint, shop: shop.port }),
  })
  const id = await submit(door, 'a@one.test', 'b@two.test', 'c@one.test', 'd@three.test')
  const to = async (sink: typeof one) =>
    (await sink.received(1)).map(({ recipients }) => recipients.map(({ mailbox }) => mailbox).join())
  assert.deepEqual(await to(one), ['a@one.test,c@one.test'])
  assert.deepEqual(await to(two), ['b@two.test'])
  assert.deepEqual(await to(three), ['d@three.test'])
  const story = await traced(relay, id, /sent <d@three\.test>/)
  for (const part of [
    /sent <a@one\.test>/,
    /sent <b@two\.test>/,
    /goes on as \w+ for <b@two\.test>: another destination, bakery\/internet\/two\.test/,
    /to mail\.two\.test\[127\.0\.1\.2\]/,
  ]) {
    assert.match(story, part)
  }
  const metrics = (await relay.get('/metrics')).text
  assert.ok(!metrics.includes('two.test'), 'no destination is a label')
})

test('domains that cannot have mail: their sender hears of it, each with its own status', async () => {
  const [door, mxPort] = [await freePort(), await freePort()]
  await using shop = await startSink()
  await using names = await world({
    'null.test': [mx('null.test', 0, '.')],
    'self.test': [mx('self.test', 10, 'relay.test'), mx('self.test', 20, 'other.test')],
    'also-self.test': [mx('also-self.test', 10, 'mx.provider.test')],
    'empty.test': [mx('empty.test', 10, 'nobody.test')],
    'inside.test': [mx('inside.test', 10, 'inside.test'), a('inside.test', '127.0.0.1'), aaaa('inside.test', '::1')],
    'other.test': [a('other.test', '127.0.1.1')],
  })
  await using relay = await startVorposten({
    config: config({
      door,
      mxPort,
      names: names.endpoint,
      shop: shop.port,
      destinations: { 'own-names': 'mx.provider.test' },
    }),
  })
  for (const [domain, status, text] of [
    ['null.test', '5.1.10', 'null MX'],
    ['self.test', '5.4.6', 'is this relay'],
    ['also-self.test', '5.4.6', 'is this relay'],
    ['empty.test', '5.4.4', 'nobody.test has no address'],
    ['inside.test', '5.4.4', 'loopback|not public'],
    ['nowhere.test', '5.1.2', 'does not exist'],
    ['[10.0.0.1]', '5.4.4', 'private'],
  ] as const) {
    const id = await submit(door, `x@${domain}`)
    await relay.logged(new RegExp(`${id}: to=<x@.*relay=none.*dsn=${status.replaceAll('.', '\\.')}, .*(?:${text})`))
  }
  const reports = await shop.received(7)
  assert.ok(reports.some((report) => report.content.toString('latin1').includes('Status: 5.1.10')))
})

test('a name server that fails is no answer: the mail waits, and goes when it is back', async () => {
  const [door, mxPort] = [await freePort(), await freePort()]
  await using shop = await startSink()
  await using one = await startSink({}, { port: mxPort, address: '127.0.1.1' })
  const zone: Zone = { 'one.test': 'servfail' }
  await using names = await world(zone)
  await using relay = await startVorposten({
    config: config({ door, mxPort, names: names.endpoint, shop: shop.port }),
  })
  const id = await submit(door, 'a@one.test')
  await relay.logged(new RegExp(`${id}: .*dsn=4\\.4\\.0, status=deferred .*SERVFAIL`))
  zone['one.test'] = [a('one.test', '127.0.1.1')]
  await relay.command('queue', 'flush', '--route', 'bakery/internet')
  await one.received(1)
  assert.equal(shop.messages.length, 0)
})

test('a literal is its own destination; a domain may have a route of its own; NDRs too', async () => {
  const [door, mxPort] = [await freePort(), await freePort()]
  await using shop = await startSink()
  await using one = await startSink({}, { port: mxPort, address: '127.0.1.1' })
  await using names = await world({ 'elsewhere.test': [a('elsewhere.test', '127.0.1.1')] })
  const outbound = { 'domain-routes': { 'partner.test': 'shop' }, 'null-path-route': 'ndrs', ndrs: 'pass' }
  await using _relay = await startVorposten({
    config: config({ door, mxPort, names: names.endpoint, shop: shop.port, outbound }),
  })
  await submit(door, 'a@[127.0.1.1]')
  await one.received(1)
  await submit(door, 'b@partner.test')
  await shop.received(1)
  using talk = await greeted(door)
  await talk.message({ from: '', to: ['c@elsewhere.test'], content: MAIL })
  await one.received(2)
  const greetings = one.commands.filter((line) => line.startsWith('EHLO'))
  assert.deepEqual(new Set(greetings), new Set(['EHLO relay.test', 'EHLO bounces.relay.test']))
})

const skip = without('postfix') || without('exim') || withoutUnbound()

test('Postfix and Exim receive, unbound says where they are', { skip }, async () => {
  const [door, mxPort] = [await freePort(), await freePort()]
  await using shop = await startSink()
  await using behind = await startSink()
  await using _postfix = await startPostfix({ port: mxPort, address: '127.0.1.1', relayTo: behind.port })
  await using _exim = await startExim({ port: mxPort, address: '127.0.1.2', relayTo: behind.port })
  await using unbound = await startUnbound([
    { name: 'postfix.test', signed: true, records: ['@ IN MX 10 mx', 'mx IN A 127.0.1.1'] },
    { name: 'exim.test', records: ['@ IN MX 10 mx', 'mx IN A 127.0.1.2'] },
  ])
  await using relay = await startVorposten({
    config: config({ door, mxPort, names: unbound.endpoint, shop: shop.port }),
  })
  const id = await submit(door, 'a@postfix.test', 'b@exim.test', 'c@nobody.exim.test')
  await behind.received(2)
  const story = await traced(relay, id, /c@nobody\.exim\.test>: 5\.1\.2 the domain nobody\.exim\.test does not exist/)
  assert.match(story, /to mx\.postfix\.test\[127\.0\.1\.1\]:\d+ with TLS/)
  assert.match(story, /to mx\.exim\.test\[127\.0\.1\.2\]:\d+ with TLS/)
})
