/**
 * Recipients with different next hops never share a transaction: a mixed result after the dot could not be told to the
 * sender. The second group hears 452 and comes in a transaction of its own, as RFC 5321 §4.5.3.1.10 lets senders do.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

test('the second group is asked to come again', async () => {
  await using sink = await startSink()
  await using other = await startSink()
  const domains = { 'other.test': { 'deliver-to': `127.0.0.1:${other.port}`, recipients: 'accept-all' } }
  await using relay = await startVorposten({ config: bakery(sink.port, { domains }) })
  using talk = await greeted(relay.port)

  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say('RCPT TO:<anna@dest.test>', /^250 /)
  await talk.say('RCPT TO:<anna@other.test>', /^452 4\.5\.3 /)
  await talk.say('RCPT TO:<ben@dest.test>', /^250 /)
  await talk.say('DATA', /^354 /)
  assert.match((await talk.content('Subject: x\r\n\r\nx\r\n')).text, /^250 /)
  const again = { from: 'a@x.test', to: ['anna@other.test'], content: 'Subject: x\r\n\r\nx\r\n' }
  assert.match((await talk.message(again)).text, /^250 /)

  assert.deepEqual(
    sink.accepted[0]?.recipients.map((r) => r.mailbox),
    ['anna@dest.test', 'ben@dest.test'],
  )
  assert.deepEqual(
    other.accepted[0]?.recipients.map((r) => r.mailbox),
    ['anna@other.test'],
  )
  await assertAccount(relay, [sink, other], { accepted: 2, delivered: 2, refused: 1, held: 0 })
})
