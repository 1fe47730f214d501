/**
 * The outbound door: a tenant's own servers send to anyone, by the tenant's route; nobody else sends anything anywhere.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTransport } from 'nodemailer'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const MAIL = 'From: anna@dest.test\r\nTo: bob@elsewhere.test\r\nSubject: bread\r\n\r\nToday.\r\n'

test('a tenant’s server sends to anyone: into the spool, then by the route', async () => {
  await using world = await startSink()
  const door = await freePort()
  await using relay = await startVorposten({ config: leaving({ door, world: world.port }) })
  using talk = await greeted(door)
  const reply = await talk.message({
    from: 'anna@dest.test',
    to: ['bob@elsewhere.test', 'eve@far.test'],
    content: MAIL,
  })
  assert.match(reply.text, /^250 2\.0\.0 Ok: queued as /)
  const [arrived] = await world.received(1)
  assert.deepEqual(
    arrived?.recipients.map(({ mailbox }) => mailbox),
    ['bob@elsewhere.test', 'eve@far.test'],
  )
  assert.equal(await relay.metric('vorposten_outbound_total{tenant="bakery",class="ordinary"}'), 1)
})

test('a signature of somebody else’s domain leaves as it is, and what strangers refuse is no finding', async () => {
  await using world = await startSink({ dot: '554 5.7.1 smells of spam' })
  const door = await freePort()
  const protection = { kind: 'batv', since: '2026-01-01', keys: { 3: { secret: 'sixteen octets or more' } } }
  const tenant = { 'bounce-protection': protection }
  await using relay = await startVorposten({ config: leaving({ door, world: world.port, tenant }) })
  using talk = await greeted(door)
  const to = 'prvs=0123abcdef=bob@elsewhere.test'
  assert.match((await talk.message({ from: 'anna@dest.test', to: [to], content: MAIL })).text, /^250 /)
  await relay.logged(/status=bounced .*smells of spam/)
  assert.ok(world.commands.some((line) => line.startsWith(`RCPT TO:<${to}>`)))
  await relay.stop()
  await relay.start()
  assert.match((await relay.command('findings')).text, /^Nothing was found/)
})

test('a foreign client program sends through it', async () => {
  await using world = await startSink()
  const door = await freePort()
  await using _relay = await startVorposten({ config: leaving({ door, world: world.port }) })
  const transport = createTransport({ host: '127.0.0.1', port: door, tls: { rejectUnauthorized: false } })
  const sent = await transport.sendMail({ from: 'anna@dest.test', to: 'bob@elsewhere.test', subject: 'x', text: 'y' })
  transport.close()
  assert.match(sent.response, /^250 2\.0\.0 Ok: queued as /)
  await world.received(1)
})

/** Who, where, as whom, to whom; and what the first refusal is. */
const REFUSED: readonly (readonly [from: string, at: 'door' | 'mx', sender: string, to: string, reply: RegExp])[] = [
  ['127.0.0.9', 'door', 'anna@dest.test', 'bob@elsewhere.test', /^550 5\.7\.1 Relaying denied/],
  ['127.0.0.9', 'door', '', 'bob@elsewhere.test', /^550 5\.7\.1 Relaying denied/],
  ['127.0.0.9', 'door', 'anna@dest.test', 'anna@dest.test', /^550 5\.7\.1 Relaying denied/],
  ['127.0.0.1', 'door', 'anna@elsewhere.test', 'bob@elsewhere.test', /^550 5\.7\.1 Sender refused/],
  ['127.0.0.1', 'door', 'anna@sub.dest.test', 'bob@elsewhere.test', /^550 5\.7\.1 Sender refused/],
  ['127.0.0.1', 'door', 'anna@[127.0.0.1]', 'bob@elsewhere.test', /^550 5\.7\.1 Sender refused/],
  ['127.0.0.1', 'door', 'anna%dest.test@elsewhere.test', 'bob@elsewhere.test', /^550 5\.7\.1 Sender refused/],
  ['127.0.0.1', 'door', '"anna@dest.test"@elsewhere.test', 'bob@elsewhere.test', /^550 5\.7\.1 Sender refused/],
  ['127.0.0.1', 'door', 'joe@smith.test', 'bob@elsewhere.test', /^550 5\.7\.1 Sender refused/],
  ['127.0.0.1', 'mx', 'anna@dest.test', 'bob@elsewhere.test', /^550 5\.7\.1 Relaying denied/],
  ['127.0.0.1', 'mx', '', 'bob@elsewhere.test', /^550 5\.7\.1 Relaying denied/],
  ['127.0.0.1', 'mx', 'anna@dest.test', 'bob%elsewhere.test@[127.0.0.1]', /^550 5\.7\.1 Relaying denied/],
  ['127.0.0.2', 'mx', 'joe@smith.test', 'bob@elsewhere.test', /^550 5\.7\.1 Relaying denied/],
  ['127.0.0.2', 'door', 'anna@dest.test', 'bob@elsewhere.test', /^550 5\.7\.1 Sender refused/],
]

test('no way to send as somebody else, from somewhere else, or through the other listener', async () => {
  await using world = await startSink()
  const door = await freePort()
  const smith = {
    routes: { out: { hosts: [`127.0.0.1:${world.port}`] } },
    domains: { 'smith.test': { route: 'out' } },
    outbound: { 'from-networks': '127.0.0.2', route: 'out' },
  }
  await using relay = await startVorposten({ config: leaving({ door, world: world.port, tenants: { smith } }) })
  for (const [from, at, sender, to, expected] of REFUSED) {
    using talk = await greeted(at === 'door' ? door : relay.port, { from })
    const mail = await talk.send(`MAIL FROM:<${sender}>`).reply()
    const rcpt = mail.code === 250 ? await talk.send(`RCPT TO:<${to}>`).reply() : mail
    assert.match(rcpt.text, expected, `${from} ${at} ${sender} ${to}`)
    await talk.say('DATA', /^5\d\d 5\./)
  }
  using talk = await greeted(door, { from: '127.0.0.2' })
  await talk.message({ from: 'joe@smith.test', to: ['bob@elsewhere.test'], content: MAIL })
  await world.received(1)
  assert.equal(world.messages.length, 1)
})

test('settings that would open the door to strangers, or to two tenants, are errors', async () => {
  await using world = await startSink()
  const door = await freePort()
  const check = async (networks: readonly string[], other: string) => {
    const smith = {
      routes: { out: { hosts: ['smith.example'] } },
      domains: { 'smith.test': { route: 'out' } },
      outbound: { 'from-networks': other, route: 'out' },
    }
    const config = leaving({ door, world: world.port, outbound: { 'from-networks': networks }, tenants: { smith } })
    await using relay = await startVorposten({ config, started: false })
    return (await relay.command('check-config')).text
  }
  assert.match(await check(['0.0.0.0/0'], '192.0.2.1'), /error: .*0\.0\.0\.0\/0 would open the relay to strangers/)
  assert.match(await check(['10.1.0.0/16'], '10.1.2.0/24'), /error: .*10\.1\.2\.0\/24 already belongs to bakery/)
  assert.match(await check(['10.1.2.3'], '10.1.2.3'), /error: .*already belongs to bakery/)
  assert.doesNotMatch(await check(['10.1.0.0/16', '10.1.0.0/24'], '10.2.0.0/16'), /error/)
})
