/**
 * A tenant's own user hears what became of his mail; nobody else ever does. The reports are read by our own reader and by
 * their fields; they arrive at the sender's own server, from `<>`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'

const MAIL =
  'From: anna@dest.test\r\nTo: bob@elsewhere.test\r\nSubject: bread\r\nMessage-ID: <1@dest.test>\r\n\r\nToday.\r\n'
const UNKNOWN = { rcpt: () => '550 5.1.1 no such user here' }
const KINDS = ['submission', 'spf-pass', 'aligned-dkim', 'unverified'] as const

const sent = async (relay: Vorposten) => {
  const counts = KINDS.map((kind) => relay.metric(`vorposten_dsn_emitted_total{class="${kind}"}`))
  return Object.fromEntries((await Promise.all(counts)).map((count, i) => [KINDS[i]!, count]))
}

test('mail that the next hop refuses comes back to the user who sent it, and to nobody else', async () => {
  await using world = await startSink(UNKNOWN)
  await using shop = await startSink()
  const door = await freePort()
  await using relay = await startVorposten({ config: leaving({ door, world: world.port, shop: shop.port }) })
  using talk = await greeted(door)
  await talk.say('MAIL FROM:<anna@dest.test> RET=HDRS ENVID=order+2B7', /^250 /)
  await talk.say('RCPT TO:<bob@elsewhere.test> ORCPT=rfc822;robert@old.test', /^250 /)
  await talk.say('DATA', /^354 /)
  const id = /queued as (\S+)/.exec((await talk.content(MAIL)).text)?.[1] ?? ''
  const [report] = await shop.received(1)
  assert.equal(report?.reversePath, '')
  assert.deepEqual(
    report?.recipients.map(({ mailbox }) => mailbox),
    ['anna@dest.test'],
  )
  const text = report?.content.toString() ?? ''
  assert.match(text, /^Content-Type: multipart\/report; report-type=delivery-status/m)
  assert.match(text, /^Original-Envelope-Id: order\+7\r$/m)
  assert.match(text, /^Original-Recipient: rfc822; ?robert@old\.test\r$/m)
  assert.match(text, /^Final-Recipient: rfc822; ?bob@elsewhere\.test\r$/m)
  assert.match(text, /^Action: failed\r$/m)
  assert.match(text, /^Status: 5\.1\.1\r$/m)
  assert.match(text, /^Message-ID: <1@dest\.test>\r$/m)
  assert.doesNotMatch(text, /Today/)
  await relay.logged(new RegExp(`${id}: to=<bob@elsewhere\\.test>, .*status=bounced .*no such user`))
  await relay.logged(new RegExp(`${id}: removed`))
  assert.deepEqual(await sent(relay), { submission: 1, 'spf-pass': 0, 'aligned-dkim': 0, unverified: 0 })
  assert.match((await relay.command('queue', 'list')).text, /^The queue is empty/)
  assert.match(
    (await relay.command('trace', id)).text,
    /failure report \S+ to <anna@dest\.test> \(verified by: submission\)/,
  )
  assert.equal(world.messages.length, 0)
})

test('who only passes it on vouches for nobody: a foreign sender hears nothing, and the mail is held', async () => {
  await using world = await startSink(UNKNOWN)
  await using shop = await startSink()
  const door = await freePort()
  const config = leaving({ door, world: world.port, shop: shop.port, outbound: { senders: 'any' } })
  await using relay = await startVorposten({ config })
  using talk = await greeted(door)
  await talk.message({ from: 'victim@far.test', to: ['bob@elsewhere.test'], content: MAIL })
  await relay.logged(/to=<bob@elsewhere\.test>, status=held \(refused: 550 5\.1\.1/)
  assert.deepEqual(await sent(relay), { submission: 0, 'spf-pass': 0, 'aligned-dkim': 0, unverified: 0 })
  assert.deepEqual([world.messages.length, shop.messages.length], [0, 0])
})

test('automatic mail and NOTIFY=NEVER are answered by nobody: held, with the reason', async () => {
  await using world = await startSink(UNKNOWN)
  await using shop = await startSink()
  const door = await freePort()
  await using relay = await startVorposten({ config: leaving({ door, world: world.port, shop: shop.port }) })
  using talk = await greeted(door)
  const away = MAIL.replace('Subject: bread', 'Subject: Out of office\r\nAuto-Submitted: auto-replied')
  await talk.message({ from: 'anna@dest.test', to: ['bob@elsewhere.test'], content: away })
  await relay.logged(/status=held \(refused: 550 5\.1\.1 .*the sender is not told: the message is automatic mail/)
  await talk.say('MAIL FROM:<anna@dest.test>', /^250 /)
  await talk.say('RCPT TO:<eve@elsewhere.test> NOTIFY=NEVER', /^250 /)
  await talk.say('DATA', /^354 /)
  await talk.content(MAIL)
  await relay.logged(/to=<eve@elsewhere\.test>, status=held .*he asked not to be told/)
  assert.equal(shop.messages.length, 0)
})

test('success is told when asked for, by us only where the next server would not', async () => {
  await using world = await startSink({}, { extensions: ['PIPELINING', '8BITMIME'] })
  await using shop = await startSink()
  const door = await freePort()
  await using relay = await startVorposten({ config: leaving({ door, world: world.port, shop: shop.port }) })
  using talk = await greeted(door)
  await talk.say('MAIL FROM:<anna@dest.test>', /^250 /)
  await talk.say('RCPT TO:<bob@elsewhere.test> NOTIFY=SUCCESS,FAILURE', /^250 /)
  await talk.say('RCPT TO:<eve@elsewhere.test>', /^250 /)
  await talk.say('DATA', /^354 /)
  await talk.content(MAIL)
  const [report] = await shop.received(1)
  const text = report?.content.toString() ?? ''
  assert.match(text, /^Action: relayed\r$/m)
  assert.match(text, /^Final-Recipient: rfc822; ?bob@elsewhere\.test\r$/m)
  assert.doesNotMatch(text, /Final-Recipient: .*eve/)
  assert.equal((await sent(relay))['submission'], 1)
})

test('a next server with DSN takes the duty over, with all that the sender said', async () => {
  await using world = await startSink()
  await using shop = await startSink()
  const door = await freePort()
  await using relay = await startVorposten({ config: leaving({ door, world: world.port, shop: shop.port }) })
  using talk = await greeted(door)
  await talk.say('MAIL FROM:<anna@dest.test> ENVID=7', /^250 /)
  await talk.say('RCPT TO:<bob@elsewhere.test> NOTIFY=SUCCESS', /^250 /)
  await talk.say('DATA', /^354 /)
  await talk.content(MAIL)
  const [passed] = await world.received(1)
  assert.match(passed?.recipients[0]?.parameters ?? '', /NOTIFY=SUCCESS/)
  assert.match(passed?.parameters ?? '', /ENVID=7/)
  await relay.logged(/removed/)
  assert.equal((await sent(relay))['submission'], 0)
})

test('a report that nobody takes ends there: no report about a report, and nothing is held', async () => {
  await using world = await startSink(UNKNOWN)
  await using shop = await startSink(UNKNOWN)
  const door = await freePort()
  await using relay = await startVorposten({ config: leaving({ door, world: world.port, shop: shop.port }) })
  using talk = await greeted(door)
  await talk.message({ from: 'nobody@dest.test', to: ['bob@elsewhere.test'], content: MAIL })
  await relay.logged(/to=<nobody@dest\.test>, status=dropped \(refused/)
  assert.equal((await sent(relay))['submission'], 1)
  assert.equal((await relay.log()).filter((line) => /status=held/.test(line)).length, 0)
})

test('the cap of a domain: what is above it is held, and counts go on over a restart', async () => {
  await using world = await startSink(UNKNOWN)
  await using shop = await startSink()
  const door = await freePort()
  const config = {
    ...(leaving({ door, world: world.port, shop: shop.port }) as object),
    dsn: { 'per-domain-and-day': 3 },
  }
  await using relay = await startVorposten({ config })
  // Each to another address: one that was refused is on the suppression list.
  let number = 0
  const send = async (count: number) => {
    using talk = await greeted(door)
    for (let i = 0; i < count; i++)
      await talk.message({ from: `user${i}@dest.test`, to: [`bob${number++}@elsewhere.test`], content: MAIL })
  }
  await send(2)
  await shop.received(2)
  await relay.stop()
  await relay.start()
  await send(3)
  await relay.logged(/status=held .*the reports that one domain gets in a day are used up/)
  await shop.received(3)
  assert.equal((await relay.command('queue', 'list', '--held', '--json')).text.trim().split('\n').length, 2)
})

test('a signed reverse-path is told at the mailbox that its server knows', async () => {
  await using world = await startSink(UNKNOWN)
  await using shop = await startSink()
  const door = await freePort()
  const protection = { kind: 'batv', since: '2026-01-01', keys: { 3: { secret: 'sixteen octets or more' } } }
  const config = leaving({ door, world: world.port, shop: shop.port, tenant: { 'bounce-protection': protection } })
  await using _relay = await startVorposten({ config })
  using talk = await greeted(door)
  await talk.message({ from: 'anna@dest.test', to: ['bob@elsewhere.test'], content: MAIL })
  const [report] = await shop.received(1)
  assert.deepEqual(
    report?.recipients.map(({ mailbox }) => mailbox),
    ['anna@dest.test'],
  )
})
