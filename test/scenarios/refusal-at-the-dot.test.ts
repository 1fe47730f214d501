/**
 * Cut-through: our reply to the sender is that of the customer's server, whatever it is. A refusal at the dot reaches the
 * sender in the session, so that no bounce is ever needed; nothing is kept.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { knows, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const CONTENT = 'Subject: bread\r\n\r\nTwo loaves, please.\r\n'

test('a 250 of the customer’s server is ours', async () => {
  await using sink = await startSink({ dot: '250 2.6.0 queued as 4711' })
  await using relay = await startVorposten({ config: bakery(sink.port) })
  using talk = await greeted(relay.port)

  const reply = await talk.message({ from: 'a@x.test', to: ['anna@dest.test'], content: CONTENT })
  assert.match(reply.text, /^250 2\.\d\.\d /)
  // Not promised, done: before our reply.
  assert.equal(sink.accepted.length, 1)
  assert.match((await relay.command('queue', 'list')).text, /^The queue is empty\.$/)

  assert.equal(await relay.metric('vorposten_messages_accepted_total{custody="next-hop"}'), 1)
  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 0, held: 0 })
})

test('a refusal at the dot reaches the sender, and nothing is kept', async () => {
  await using sink = await startSink({ dot: '554 5.7.1 not in my house' })
  await using relay = await startVorposten({ config: bakery(sink.port) })
  using talk = await greeted(relay.port)

  const reply = await talk.message({ from: 'a@x.test', to: ['anna@dest.test', 'ben@dest.test'], content: CONTENT })
  assert.match(reply.text, /^554 5\.7\.1 .*not in my house/)
  assert.match((await relay.command('queue', 'list')).text, /^The queue is empty\.$/)

  // The session goes on; the next message is judged by itself.
  sink.behave({})
  assert.match((await talk.message({ from: 'a@x.test', to: ['anna@dest.test'], content: CONTENT })).text, /^250 /)
  await talk.quit()

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 1, held: 0 })
})

test('a recipient who is refused at the last moment makes the sender try again, and then hear it at RCPT', async () => {
  await using sink = await startSink(knows('anna@dest.test'))
  await using relay = await startVorposten({ config: bakery(sink.port) })
  using talk = await greeted(relay.port)

  const reply = await talk.message({ from: 'a@x.test', to: ['anna@dest.test', 'gone@dest.test'], content: CONTENT })
  assert.match(reply.text, /^451 4\.5\.0 /)
  assert.equal(sink.messages.length, 0)
  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say('RCPT TO:<gone@dest.test>', /^550 5\.1\.1 /)
  await talk.say('RCPT TO:<anna@dest.test>', /^250 /)
  await talk.say('DATA', /^354 /)
  assert.match((await talk.content(CONTENT)).text, /^250 /)

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 2, held: 0 })
})
