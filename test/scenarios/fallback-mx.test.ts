/**
 * We are the second MX of a domain. While its own server answers, senders are told to go there. When it is away, mail for
 * known recipients is taken and kept, also through a restart of ours; when it is back, all of it goes out, oldest first.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSink } from '../harness/sink.ts'
import { knows } from '../harness/sink-behaviour.ts'
import { greeted, type SmtpTalk } from '../harness/smtp-talk.ts'
import { type Config, startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { without } from '../peers/peer.ts'
import { startPostfix } from '../peers/postfix.ts'

const fallback = (port: number, more: object = {}, route: object = {}): Config => ({
  tenants: {
    bakery: {
      routes: { main: { hosts: `127.0.0.1:${port}`, 'probe-interval': '1s', ...route } },
      domains: {
        'dest.test': {
          route: 'main',
          service: 'fallback-mx',
          recipients: { listed: ['anna', 'ben'] },
          'etrn-from': '127.0.0.0/8',
          ...more,
        },
      },
    },
  },
})

const message = (to: string, n = 0) => ({
  from: 'a@x.test',
  to: [to],
  content: `Subject: number ${n}\r\n\r\nx\r\n`,
})

const state = (relay: Vorposten, up: 0 | 1): Promise<unknown> => {
  const isSo = async () => {
    const { text } = await relay.get('/metrics')
    return text.includes(`vorposten_primary_up{route="bakery/main"} ${up}\n`)
  }
  return waitFor(`the primary to be ${up ? 'up' : 'down'}`, isSo, { msMax: 60_000 })
}

/** What RCPT hears in a transaction of its own. */
async function rcpt(talk: SmtpTalk, to: string, expected: RegExp): Promise<void> {
  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say(`RCPT TO:<${to}>`, expected)
  await talk.say('RSET', /^250 /)
}

test('Postfix goes away and comes back', { skip: without('postfix') }, async () => {
  await using sink = await startSink()
  const accept = { domain: 'dest.test', users: ['anna@dest.test', 'ben@dest.test', 'carl@dest.test'] }
  await using primary = await startPostfix({ relayTo: sink.port, accept })
  await using relay = await startVorposten({ config: fallback(primary.port), workers: 2 })

  await state(relay, 1)
  {
    using talk = await greeted(relay.port)
    await rcpt(talk, 'anna@dest.test', /^451 4\.3\.2 The primary MX of this domain is up/)
    await rcpt(talk, 'postmaster@dest.test', /^451 4\.3\.2 /)
  }

  await primary.stop()
  await state(relay, 0)
  await relay.logged(/notice primary-down: bakery\/main of bakery/)
  {
    using talk = await greeted(relay.port)
    await rcpt(talk, 'nobody@dest.test', /^550 5\.1\.1 /)
    await rcpt(talk, 'postmaster@dest.test', /^250 /)
    for (let n = 0; n < 10; n++) assert.match((await talk.message(message('anna@dest.test', n))).text, /^250 /)
  }

  // Our own restart in the middle of it changes nothing, and is told to nobody.
  await relay.stop()
  await relay.start()
  await state(relay, 0)
  {
    using talk = await greeted(relay.port)
    for (let n = 10; n < 20; n++) assert.match((await talk.message(message('ben@dest.test', n))).text, /^250 /)
  }
  assert.match((await relay.command('queue', 'list')).text, /\n20 messages$/)

  await primary.start()
  await state(relay, 1)
  await sink.received(20, 60_000)
  await relay.logged(/notice primary-up: bakery\/main of bakery, since .*, 0 messages wait/)
  assert.equal(relay.log().filter((line) => line.includes('notice primary-down')).length, 1)
  const subjects = sink.accepted.map(({ content }) => Number(/Subject: number (\d+)/.exec(content.toString())?.[1]))
  assert.deepEqual(
    [...subjects].sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, n) => n),
  )
  using talk = await greeted(relay.port)
  await rcpt(talk, 'anna@dest.test', /^451 4\.3\.2 /)
})

test('without a list, only those are known whom we have seen', async () => {
  await using sink = await startSink(knows('anna@dest.test'))
  await using relay = await startVorposten({
    config: fallback(sink.port, { recipients: 'live', 'refuse-while-primary-up': false }),
  })
  await state(relay, 1)
  using talk = await greeted(relay.port)
  assert.match((await talk.message(message('anna@dest.test'))).text, /^250 /)
  await sink.received(1)
  await sink.stop()
  await state(relay, 0)
  await rcpt(talk, 'anna@dest.test', /^250 /)
  await rcpt(talk, 'stranger@dest.test', /^450 4\.1\.1 /)
})

test('a delivery that finds nobody there makes us look, long before it is time', async () => {
  await using sink = await startSink()
  const config = fallback(sink.port, { 'refuse-while-primary-up': false }, { 'probe-interval': '10m' })
  await using relay = await startVorposten({ config, workers: 2 })
  await state(relay, 1)
  await sink.stop()
  using talk = await greeted(relay.port)
  assert.match((await talk.message(message('anna@dest.test'))).text, /^250 /)
  await relay.logged(/status=deferred/)
  // Two answers are needed; the second is asked for some 10 s after the first.
  await state(relay, 0)
})

test('the primary asks for its mail with ETRN, and gets what both workers have', async () => {
  await using sink = await startSink({}, { started: false })
  // Nobody finds out by himself that the primary is back.
  await using relay = await startVorposten({ config: fallback(sink.port, {}, { 'probe-interval': '10m' }), workers: 2 })
  using talk = await greeted(relay.port)
  assert.ok((await talk.say('EHLO sink.test', /^250/)).lines.some((line) => line.includes('ETRN')))
  await talk.say('ETRN dest.test', /^251 2\.0\.0 OK, no messages waiting for node dest\.test/)
  for (let n = 0; n < 10; n++) {
    using each = await greeted(relay.port)
    assert.match((await each.message(message('anna@dest.test', n))).text, /^250 /)
  }
  await relay.logged(/status=deferred/)
  await sink.start()
  await talk.say('ETRN other.test', /^459 4\.7\.1 /)
  await talk.say('ETRN dest.test', /^253 2\.0\.0 OK, 10 pending messages for node dest\.test started/)
  await sink.received(10)
})

test('maintenance: mail is taken and kept, for an inbound domain too, and goes out at the end', async () => {
  await using sink = await startSink()
  const config = fallback(sink.port, { service: 'inbound' })
  await using relay = await startVorposten({ config, workers: 2 })
  using talk = await greeted(relay.port)
  assert.match((await talk.message(message('anna@dest.test', 0))).text, /^250 /)
  await sink.received(1)

  assert.match((await relay.command('maintenance', 'start', 'dest.test', '--until', '20d')).text, /warning: .*5 days/)
  await relay.logged(/notice maintenance-began: bakery\/main of bakery/)
  for (let n = 1; n < 5; n++) assert.match((await talk.message(message('anna@dest.test', n))).text, /^250 /)
  await relay.stop()
  await relay.start()
  assert.match((await relay.command('maintenance', 'list')).text, /^bakery\/main \(dest\.test\): from /)
  // The disk is read meanwhile.
  await waitFor('four messages', async () => /\n4 messages$/.test((await relay.command('queue', 'list')).text))
  using again = await greeted(relay.port)
  assert.match((await again.message(message('ben@dest.test', 5))).text, /^250 /)
  await again.say('ETRN dest.test', /^458 4\.3\.2 .*in maintenance/)
  assert.equal(sink.accepted.length, 1)

  // Its new end comes by itself.
  assert.equal((await relay.command('maintenance', 'start', 'bakery/main', '--until', '3s')).code, 0)
  await sink.received(6)
  await relay.logged(/notice maintenance-ended: bakery\/main of bakery/)
  assert.equal((await relay.command('maintenance', 'end', 'dest.test')).code, 69)
  assert.match((await relay.command('maintenance', 'start', 'dest.test', '--until', 'soon')).text, /is no time/)
})
