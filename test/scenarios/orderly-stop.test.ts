/**
 * SIGTERM in the middle of it: a transaction may finish, an idle session hears 421 (RFC 5321 §3.8), nothing that we keep is
 * lost, and the exit code is 0.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { SILENCE, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

test('an open transaction is finished, an idle session hears 421, the queue is kept', async () => {
  await using sink = await startSink({}, { started: false })
  await using relay = await startVorposten({ config: bakery(sink.port, { commit: 'spool' }) })
  using early = await greeted(relay.port)
  const first = { from: 'a@x.test', to: ['anna@dest.test'], content: 'Subject: kept\r\n\r\nx\r\n' }
  assert.match((await early.message(first)).text, /^250 /)
  using busy = await greeted(relay.port)
  await busy.say('MAIL FROM:<a@x.test>', /^250 /)
  await busy.say('RCPT TO:<anna@dest.test>', /^250 /)
  await busy.say('DATA', /^354 /)
  busy.sendRaw('Subject: half\r\n\r\nthe first half,')

  const stopping = relay.stop()
  await early.expect(/^421 4\.3\.2 /)
  await early.expectClose()
  busy.sendRaw(' the second half\r\n.\r\n')
  await busy.expect(/^250 /)
  await busy.expect(/^421 /)
  await busy.expectClose()
  assert.equal(await stopping, 0)
  await assert.rejects(greeted(relay.port), { code: 'ECONNREFUSED' })

  await relay.start()
  assert.match((await relay.command('queue', 'list')).text, /\n2 messages$/)
  await sink.start()
  await relay.command('queue', 'flush')
  const arrived = await sink.received(2)
  const halves = arrived.filter(({ content }) => content.toString().includes('Subject: half'))
  assert.match(halves.map(({ content }) => content.toString()).join(), /\r\nthe first half, the second half\r\n$/)

  await assertAccount(relay, [sink], { accepted: 0, delivered: 2, refused: 0, held: 0 })
})

test('a next hop that says nothing at the dot does not hold up the stop, and its message is kept', async () => {
  await using sink = await startSink({ dot: SILENCE })
  await using relay = await startVorposten({ config: bakery(sink.port, { commit: 'spool' }) })
  using talk = await greeted(relay.port)
  const message = { from: 'a@x.test', to: ['anna@dest.test'], content: 'Subject: kept\r\n\r\nx\r\n' }
  assert.match((await talk.message(message)).text, /^250 /)
  await waitFor('the content at the next hop', () => sink.commands.some((line) => line.startsWith('BDAT')) || undefined)

  // The supervisor would kill after 29 s, and the exit code would not be 0.
  assert.equal(await relay.stop(), 0)
  sink.behave({})
  await relay.start()
  await relay.command('queue', 'flush')
  await relay.logged(/status=sent/)

  await assertAccount(relay, [sink], { accepted: 0, delivered: 1, refused: 0, held: 0 })
})
