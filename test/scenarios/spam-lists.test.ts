/**
 * DNS lists as the operator sees them: one that is well, one that refuses us and one that is dead, in the log, on the page of
 * health, in the metrics and by `vorposten spam lists`. Mail flows all the same.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { a, fakeNameServer, type Zone, zoneScript } from '#sys/dns/testing.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { smtpTalk } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

const listing = (name: string, code: string): Zone => ({ [name]: [a(name, code)] })
const DEAD = ['2.0.0.127', '1.0.0.127'].map((labels): Zone => ({ [`${labels}.dead.test`]: 'servfail' }))

const config = (names: number) => ({
  'name-servers': `127.0.0.1:${names}`,
  spam: {
    lists: {
      good: { kind: 'client', zone: 'good.test', codes: { '127.0.0.4': '4 exploited' } },
      rude: { kind: ['sender', 'link'], zone: 'rude.test', weight: 3, 'access-key': 'k3y' },
      dead: { kind: 'client', zone: 'dead.test', weight: 2 },
    },
  },
  tenants: { bakery: { domains: { 'dest.test': { 'deliver-to': '127.0.0.1:1', recipients: 'accept-all' } } } },
})

test('lists that are well and ill, as they are seen from outside', async () => {
  let zone: Zone = Object.assign(
    listing('2.0.0.127.good.test', '127.0.0.2'),
    listing('9.2.0.192.good.test', '127.0.0.4'),
    listing('test.k3y.rude.test', '127.255.255.254'),
    ...DEAD,
  )
  await using names = await fakeNameServer(zoneScript(() => zone))
  await using relay = await startVorposten({ config: config(names.endpoint.port) })
  await relay.logged(
    /the DNS list rude is set aside, and counts nothing: it answers 127\.255\.255\.254 \(asked through a p/,
  )
  await relay.logged(/the DNS list dead is set aside, and counts nothing: .*SERVFAIL/)
  const { status, text } = await relay.get('/healthz/ready')
  assert.equal(status, 200, 'mail flows')
  assert.match(text, /^ready\nthe DNS list rude \(.*\) is set aside\nthe DNS list dead \(.*\) is set aside\n$/)
  assert.equal(await relay.metric('vorposten_spam_list_aside{list="rude"}'), 1)
  assert.equal(await relay.metric('vorposten_spam_list_aside{list="good"}'), 0)
  assert.equal(await relay.metric('vorposten_spam_list_questions_total{list="good"}'), 4)

  const asked = await relay.command('spam', 'lists', '--check', '192.0.2.9')
  assert.equal(asked.code, 69, asked.text)
  assert.match(asked.text, /^good: well$/m)
  assert.match(asked.text, /^rude: SET ASIDE: it answers 127\.255\.255\.254/m)
  assert.match(asked.text, /^192\.0\.2\.9\n +4\.0 {2}LIST_CLIENT_BLOCKED: good: 127\.0\.0\.4 \(exploited\)$/m)
  assert.match(asked.text, /LIST_UNKNOWN: dead: set aside/)
  assert.doesNotMatch([...relay.log(), asked.text].join('\n'), /k3y/, 'the key is nobody’s business')

  zone = {
    ...zone,
    ...listing('test.k3y.rude.test', '127.0.0.2'),
    ...listing('spam.example.k3y.rude.test', '127.0.0.2'),
  }
  const domain = await relay.command('spam', 'lists', '--check', 'www.spam.example', '--json')
  assert.equal(domain.code, 75, 'one is still dead')
  const { signs, lists } = domain.json() as { signs: { symbol: string }[]; lists: { name: string; kind: string }[] }
  assert.deepEqual(
    signs.map(({ symbol }) => symbol),
    ['LIST_SENDER_BLOCKED', 'LIST_LINK_BLOCKED'],
  )
  assert.deepEqual(
    lists.map(({ kind }) => kind),
    ['well', 'well', 'aside'],
  )
  assert.equal((await relay.command('spam', 'lists', '--check', '10.0.0.1')).code, 65)

  // A key that is taken: new settings are new lists, with a check of their own.
  zone = { ...zone, ...listing('test.k4y.rude.test', '127.0.0.2') }
  const rude = { kind: 'link', zone: 'rude.test', 'access-key': 'k4y', weight: 1 }
  await relay.reload({ ...config(names.endpoint.port), spam: { lists: { rude } } })
  await waitFor('health without notes', async () => (await relay.get('/healthz/ready')).text === 'ready\n', {
    context: () => relay.log().slice(-5).join('\n'),
  })
  await relay.reload({ ...config(names.endpoint.port), spam: {} })
  assert.doesNotMatch((await relay.get('/metrics')).text, /spam_list_aside\{/)
  assert.equal((await relay.command('spam', 'lists')).code, 78)
})

test('a message from a listed client with a listed link is refused in the session, and the log says by whom', async () => {
  const zone: Zone = Object.assign(
    listing('2.0.0.127.bl.test', '127.0.0.2'),
    listing('9.2.0.192.bl.test', '127.0.0.4'),
    listing('test.dbl.test', '127.0.1.2'),
    listing('cheap-pills.com.dbl.test', '127.0.1.2'),
  )
  await using names = await fakeNameServer(zoneScript(() => zone))
  await using sink = await startSink()
  await using relay = await startVorposten({ config: {}, started: false })
  const listeners = [{ name: 'mx', addresses: [`127.0.0.1:${relay.port}`], 'proxy-from': '127.0.0.0/8' }]
  const lists = {
    bl: { kind: 'client', zone: 'bl.test', weight: 5 },
    dbl: { kind: ['sender', 'link'], zone: 'dbl.test', weight: 6 },
  }
  const top = {
    listeners,
    'name-servers': `127.0.0.1:${names.endpoint.port}`,
    spam: { lists, policy: { 'reject-at': 6 } },
  }
  relay.configure(bakery(sink.port, { top }))
  await relay.start()
  const send = async (client: string, link: string) => {
    using talk = await smtpTalk(relay.port)
    talk.sendRaw(`PROXY TCP4 ${client} 127.0.0.1 40000 25\r\n`)
    await talk.expect(/^220 /)
    await talk.say('EHLO client.test', /^250/)
    const content = `From: <a@x.test>\r\nSubject: hello\r\n\r\nLook: https://www.${link}/a\r\n`
    return await talk.message({ from: 'a@x.test', to: ['anna@dest.test'], content })
  }
  assert.match((await send('192.0.2.8', 'bakery.com')).text, /^250 /)
  assert.match((await send('192.0.2.9', 'cheap-pills.com')).text, /^550 5\.7\.1 .*looks like spam/)
  await relay.logged(/LIST_LINK_BLOCKED.*LIST_CLIENT_BLOCKED/)
  assert.ok(names.asked.includes('PTR 9.2.0.192.in-addr.arpa'))
  assert.equal(await relay.metric('vorposten_spam_list_listed_total{list="dbl"}'), 1)
  const [first] = names.asked.flatMap((name, i) => (name === 'A cheap-pills.com.dbl.test' ? [i] : []))
  assert.ok(
    names.asked.indexOf('A 9.2.0.192.bl.test') < first!,
    'the client is asked about before the content is there',
  )
})
