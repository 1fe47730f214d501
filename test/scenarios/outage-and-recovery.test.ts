/**
 * The customer's server is away. Mail for recipients who are known to exist is taken and kept; of others nobody can say
 * anything now, and nobody says no. When the server is back, a flush brings it everything.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { knows, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const message = (to: string) => ({ from: 'a@x.test', to: [to], content: `Subject: for ${to}\r\n\r\nx\r\n` })

test('listed recipients get their mail after the outage', async () => {
  await using sink = await startSink({}, { started: false })
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: { listed: ['anna', 'ben'] } }) })
  using talk = await greeted(relay.port)

  for (const to of ['anna@dest.test', 'ben@dest.test', 'anna@dest.test']) {
    assert.match((await talk.message(message(to))).text, /^250 /)
  }
  assert.match((await relay.command('queue', 'list')).text, /\n3 messages$/)
  assert.equal(await relay.metric('vorposten_messages_accepted_total{custody="spool"}'), 3)
  await assertAccount(relay, [sink], { accepted: 3, delivered: 0, refused: 0, held: 0 })

  await sink.start()
  assert.match((await relay.command('queue', 'flush')).text, /3 of 3 done/)
  await sink.received(3)
  await relay.logged(/removed/)

  assert.deepEqual(sink.accepted.map((arrived) => arrived.recipients[0]?.mailbox).sort(), [
    'anna@dest.test',
    'anna@dest.test',
    'ben@dest.test',
  ])
  await assertAccount(relay, [sink], { accepted: 3, delivered: 3, refused: 0, held: 0 })
})

test('a recipient who was seen before is still known; of a stranger nothing can be said', async () => {
  await using sink = await startSink(knows('anna@dest.test'))
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: 'live' }) })
  using talk = await greeted(relay.port)

  assert.match((await talk.message(message('anna@dest.test'))).text, /^250 /)
  await sink.stop()
  assert.match((await talk.message(message('anna@dest.test'))).text, /^250 /)
  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say('RCPT TO:<stranger@dest.test>', /^450 4\.1\.1 /)
  await talk.say('RSET', /^250 /)

  await sink.start()
  assert.match((await relay.command('queue', 'flush')).text, /1 of 1 done/)
  await sink.received(2)

  await assertAccount(relay, [sink], { accepted: 2, delivered: 2, refused: 1, held: 0 })
})

test('a 4yz at the dot is ours to bear: the message is kept and tried again', async () => {
  await using sink = await startSink({ dot: '451 4.3.0 full for the moment' })
  await using relay = await startVorposten({ config: bakery(sink.port) })
  using talk = await greeted(relay.port)

  assert.match((await talk.message(message('anna@dest.test'))).text, /^250 /)
  await relay.logged(/queue active; .*full for the moment/)
  assert.match((await relay.command('queue', 'list')).text, /\n1 message$/)
  sink.behave({})
  await relay.command('queue', 'flush')
  await sink.received(1)

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 0, held: 0 })
})
