/**
 * R6: non-delivery messages that leave a tenant's servers go by the tenant's rule; and mail of protected tenants is
 * signed, so that forged bounces end in the session and real ones come home.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

/** As Postfix writes it. */
const bounceOf = (to: string, failed: string, original = '<1@dest.test>'): string =>
  [
    'From: MAILER-DAEMON@mail.test (Mail Delivery System)',
    `To: ${to}`,
    'Subject: Undelivered Mail Returned to Sender',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
    '',
    '--b',
    '',
    'I could not deliver this.',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mail.test',
    '',
    `Final-Recipient: rfc822; ${failed}`,
    'Action: failed',
    'Status: 5.1.1',
    'Diagnostic-Code: smtp; 550 5.1.1 no such user',
    '',
    '--b',
    'Content-Type: message/rfc822',
    '',
    `Message-ID: ${original}`,
    `From: ${to}`,
    '',
    'text',
    '--b--',
    '',
  ].join('\r\n')

const LONG_AGO = '2020-01-01'
const TODAY = new Date().toISOString().slice(0, 10)
const batv = (since: string) => ({
  'bounce-protection': { kind: 'batv', since, keys: { 3: { secret: 'sixteen octets or more' } } },
})

test('non-delivery messages: held unless verified, passed, or discarded, as the tenant says', async () => {
  const content = bounceOf('bob@elsewhere.test', 'nobody@dest.test')
  await using world = await startSink()
  const door = await freePort()
  const config = (ndrs?: string) => leaving({ door, world: world.port, outbound: ndrs === undefined ? {} : { ndrs } })
  await using relay = await startVorposten({ config: config() })
  const send = async () => {
    using talk = await greeted(door)
    return (await talk.message({ from: '', to: ['bob@elsewhere.test'], content })).text
  }
  assert.match(await send(), /^250 2\.0\.0 Ok: queued as /)
  const list = (await relay.command('queue', 'list')).text
  assert.match(list, /held .*\n.*held <bob@elsewhere\.test>.*not verified/)
  await relay.reload(config('discard'))
  assert.match(await send(), /^250 2\.0\.0 Ok: accepted and discarded/)
  await relay.reload(config('hold'))
  assert.match(await send(), /^250 2\.0\.0 Ok: queued as /)
  assert.equal(world.messages.length, 0)
  await relay.reload(config('pass'))
  assert.match(await send(), /^250 2\.0\.0 Ok: queued as /)
  await world.received(1)
  assert.equal(await relay.metric('vorposten_outbound_total{tenant="bakery",class="dsn"}'), 4)
  assert.equal(await relay.metric('vorposten_outbound_ndrs_total{tenant="bakery",decision="held"}'), 2)
  assert.equal(await relay.metric('vorposten_held_total{reason="policy"}'), 2)
  // What is held survives a crash as held.
  await relay.kill9('all')
  await relay.start()
  assert.equal((await relay.command('queue', 'list')).text.match(/held <bob/g)?.length, 2)
  assert.equal(world.messages.length, 1)
})

test('signed mail: the real bounce comes home with the plain address, a burst of forged ones does not', async () => {
  await using world = await startSink()
  await using shop = await startSink()
  const door = await freePort()
  const config = leaving({ door, world: world.port, shop: shop.port, tenant: batv(LONG_AGO) })
  await using relay = await startVorposten({ config, workers: 2 })
  using sender = await greeted(door)
  const content = 'From: anna@dest.test\r\nSubject: bread\r\n\r\nToday.\r\n'
  await sender.message({ from: 'anna@dest.test', to: ['bob@elsewhere.test'], content })
  const [left] = await world.received(1)
  const signed = String(left?.reversePath)
  assert.match(signed, /^<?prvs=3\d{3}[0-9a-f]{6}=anna@dest\.test>?$/)
  const address = signed.replace(/[<>]/g, '')

  // A joe-job: some thousand bounces to the customer, over a few connections; RCPT is as far as they get.
  const forged = ['anna@dest.test', 'ANNA@dest.test', address.replace(/=3\d/, '=31'), address.replace('anna', 'joe')]
  const burst = async (part: number) => {
    for (let i = 0; i < 5; i++) {
      using talk = await greeted(relay.port)
      for (let j = 0; j < 100; j++) {
        talk.send('MAIL FROM:<>', `RCPT TO:<${forged[(part + i + j) % forged.length]}>`, 'RSET')
        await talk.expect(/^250 /)
        await talk.expect(/^550 5\.7\.1 Bounce refused/)
        await talk.expect(/^250 /)
      }
    }
  }
  await Promise.all([0, 1, 2, 3, 4, 5].map(burst))
  assert.equal(shop.messages.length, 0)
  assert.equal(shop.sessions, 0)

  using talk = await greeted(relay.port)
  const bounce = { from: '', to: [address], content: bounceOf(address, 'bob@elsewhere.test') }
  assert.match((await talk.message(bounce)).text, /^250 /)
  // Callouts of others ask for postmaster, and ordinary mail needs no signature; an old signature does no harm to it.
  await talk.message({ from: '', to: ['postmaster@dest.test'], content })
  await talk.message({ from: 'bob@elsewhere.test', to: ['anna@dest.test'], content })
  await talk.message({ from: 'bob@elsewhere.test', to: ['prvs=3000000000=anna@dest.test'], content })
  await shop.received(4)
  assert.deepEqual(
    shop.accepted.map(({ recipients }) => recipients[0]?.mailbox),
    ['anna@dest.test', 'postmaster@dest.test', 'anna@dest.test', 'anna@dest.test'],
  )
  assert.equal(await relay.metric('vorposten_bounces_total{tenant="bakery",decision="signed"}'), 1)
})

test('while the protection warms up nothing is refused, only counted', async () => {
  await using world = await startSink()
  const door = await freePort()
  await using relay = await startVorposten({ config: leaving({ door, world: world.port, tenant: batv(TODAY) }) })
  using talk = await greeted(relay.port)
  await talk.message({ from: '', to: ['anna@dest.test'], content: bounceOf('anna@dest.test', 'bob@elsewhere.test') })
  await world.received(1)
  assert.equal(await relay.metric('vorposten_bounces_total{tenant="bakery",decision="warm-up"}'), 1)
})

test('a record of sent mail: bounces of what was never sent are refused at the dot, also after a crash', async () => {
  await using world = await startSink()
  await using shop = await startSink()
  const door = await freePort()
  const tenant = { 'bounce-protection': { kind: 'sent-record', since: LONG_AGO } }
  const config = leaving({ door, world: world.port, shop: shop.port, tenant })
  await using relay = await startVorposten({ config, workers: 2 })
  using sender = await greeted(door)
  const content = 'From: anna@dest.test\r\nMessage-ID: <7@dest.test>\r\nSubject: bread\r\n\r\nToday.\r\n'
  await sender.message({ from: 'anna@dest.test', to: ['bob@elsewhere.test'], content })
  await relay.kill9('all')
  await relay.start()
  using talk = await greeted(relay.port)
  const bounced = async (failed: string, original?: string) =>
    (await talk.message({ from: '', to: ['anna@dest.test'], content: bounceOf('anna@dest.test', failed, original) }))
      .text
  assert.match(await bounced('eve@far.test', '<8@dest.test>'), /^550 5\.7\.1 Bounce refused/)
  assert.match(await bounced('bob@elsewhere.test', '<changed@on.the.way>'), /^250 /)
  assert.match(await bounced('forwarded@far.test', '<7@dest.test>'), /^250 /)
  // Nothing in it can be held against the record.
  await talk.message({ from: '', to: ['anna@dest.test'], content: 'Subject: Undeliverable\r\n\r\nSorry.\r\n' })
  assert.equal((await shop.received(3)).length, 3)
  assert.equal(await relay.metric('vorposten_refusal_reasons_total{reason="bounce-unknown"}'), 1)
})
