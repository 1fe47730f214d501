/**
 * Nobody uses us to reach a domain that is not a customer's, however the address is dressed up.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

/** The classic disguises of victim@elsewhere.test. */
const FORMS = [
  '<victim@elsewhere.test>',
  'victim@elsewhere.test',
  '<VICTIM@ELSEWHERE.TEST>',
  '<victim@elsewhere.test.>',
  '<victim>',
  '<victim@relay.test>',
  '<victim@localhost>',
  '<victim@[127.0.0.1]>',
  '<victim@[192.0.2.1]>',
  '<victim@[IPv6:::1]>',
  '<victim@[IPv6:2001:db8::1]>',
  '<victim@127.0.0.1>',
  '<victim%elsewhere.test@relay.test>',
  '<victim%elsewhere.test@dest.test>',
  '<victim%elsewhere.test@[127.0.0.1]>',
  '<victim%elsewhere.test>',
  '<"victim@elsewhere.test">',
  '<"victim@elsewhere.test"@relay.test>',
  '<"victim@elsewhere.test"@dest.test>',
  '<victim@elsewhere.test@dest.test>',
  '<@relay.test:victim@elsewhere.test>',
  '<@dest.test:victim@elsewhere.test>',
  '<@dest.test,@relay.test:victim@elsewhere.test>',
  '<@[127.0.0.1]:victim@elsewhere.test>',
  '<elsewhere.test!victim>',
  '<elsewhere.test!victim@relay.test>',
  '<elsewhere.test!victim@dest.test>',
  '<relay.test!elsewhere.test!victim@dest.test>',
  '<=?utf-8?q?victim=40elsewhere.test?=@dest.test>',
  '<victim@sub.dest.test>',
  '<victim@dest.test.elsewhere.test>',
  '<victim@elsewhere.test>ORCPT=rfc822;anna@dest.test',
  '<smtp:victim@elsewhere.test>',
]
/** As if it came from a customer, from us, from nobody, from the machine itself. */
const SENDERS = ['spammer@x.test', 'anna@dest.test', 'postmaster@relay.test', '']

test('no form of a foreign address is relayed', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: { listed: ['anna'] } }) })

  let refused = 0
  for (const sender of SENDERS) {
    for (const form of FORMS) {
      using talk = await greeted(relay.port)
      await talk.say(`MAIL FROM:<${sender}>`, /^250 /)
      await talk.say(`RCPT TO:${form}`, /^5\d\d 5\./)
      await talk.say('DATA', /^5\d\d 5\./)
      refused++
    }
  }
  assert.equal(refused, FORMS.length * SENDERS.length)
  assert.deepEqual(sink.commands, [])
  assert.equal(await relay.metric('vorposten_messages_accepted_total{custody="spool"}'), 0)
  assert.match((await relay.command('queue', 'list')).text, /^The queue is empty\.$/)
  assert.equal(sink.messages.length, 0)
})

test('a source route to a customer is stripped and the recipient served; it leads nowhere else', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: { listed: ['anna'] } }) })
  using talk = await greeted(relay.port)

  // RFC 5321 §3.3 and appendix C: accepted, ignored.
  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say('RCPT TO:<@elsewhere.test:anna@dest.test>', /^250 /)
  await talk.say('DATA', /^354 /)
  assert.match((await talk.content('Subject: x\r\n\r\nx\r\n')).text, /^250 /)
  assert.equal(sink.accepted[0]?.recipients[0]?.mailbox, 'anna@dest.test')

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 0, held: 0 })
})
