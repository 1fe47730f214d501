/**
 * How large, and for how many: announced, enforced early where it can be, and never below what RFC 5321 §4.5.3.1 asks for.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const KIB = 1024
const body = (octets: number) => `Subject: x\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(Math.ceil(octets / 72))}`

test('too large is said at MAIL, at RCPT for a domain that takes less, and at the dot', async () => {
  await using sink = await startSink()
  const options = { domain: { 'size-max': '100KiB' }, top: { limits: { 'content-size-max': '200KiB' } } }
  await using relay = await startVorposten({ config: bakery(sink.port, options) })
  using talk = await greeted(relay.port)

  await talk.say(`MAIL FROM:<a@x.test> SIZE=${201 * KIB}`, /^552 5\.3\.4 /)
  await talk.say(`MAIL FROM:<a@x.test> SIZE=${150 * KIB}`, /^250 /)
  await talk.say('RCPT TO:<anna@dest.test>', /^552 5\.3\.4 /)
  await talk.say('RSET', /^250 /)
  const send = (octets: number) => talk.message({ from: 'a@x.test', to: ['anna@dest.test'], content: body(octets) })
  assert.match((await send(64 * KIB)).text, /^250 /)
  assert.match((await send(150 * KIB)).text, /^552 5\.3\.4 /)
  assert.match((await send(300 * KIB)).text, /^552 5\.3\.4 /)
  await talk.quit()
  assert.equal(sink.messages.length, 1)

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 4, held: 0 })
})

test('a hundred recipients are taken, the next hear 452 and the message goes to the hundred', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({
    config: bakery(sink.port, { top: { limits: { 'recipients-max': 100 } } }),
  })
  using talk = await greeted(relay.port)

  const mailboxes = Array.from({ length: 100 }, (_, i) => `user${i}@dest.test`)
  talk.send('MAIL FROM:<a@x.test>', ...mailboxes.map((mailbox) => `RCPT TO:<${mailbox}>`))
  for (let i = 0; i <= mailboxes.length; i++) await talk.expect(/^250 /)
  await talk.say('RCPT TO:<late@dest.test>', /^452 4\.5\.3 /)
  await talk.say('DATA', /^354 /)
  assert.match((await talk.content(body(10))).text, /^250 /)
  assert.deepEqual(
    sink.accepted[0]?.recipients.map(({ mailbox }) => mailbox),
    mailboxes,
  )

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 1, held: 0 })
})
