/**
 * An LMTP server answers for each recipient after the content (RFC 2033 §4.2): who has it does not get it again, who was
 * refused is held, the third is tried again.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

test('each recipient has an end of his own', async () => {
  const replies: { readonly [mailbox: string]: string } = {
    'refused@dest.test': '550 5.7.1 no',
    'later@dest.test': '451 4.2.2 full',
  }
  await using sink = await startSink({ dot: ({ recipient = '' }) => replies[recipient] }, { protocol: 'lmtp' })
  const options = { commit: 'spool', route: { protocol: 'lmtp' } } as const
  await using relay = await startVorposten({ config: bakery(sink.port, options) })
  using talk = await greeted(relay.port)
  const to = ['now@dest.test', 'refused@dest.test', 'later@dest.test']
  const reply = await talk.message({ from: 'a@x.test', to, content: 'Subject: x\r\n\r\nx\r\n' })
  assert.match(reply.text, /^250 /)
  await relay.logged(/to=<now@dest\.test>.*status=sent/)
  await relay.logged(/to=<refused@dest\.test>.*status=held/)
  await relay.logged(/to=<later@dest\.test>.*status=deferred/)
  const shown = await relay.command('queue', 'list')
  for (const line of ['delivered <now@', 'held <refused@', 'pending <later@'])
    assert.ok(shown.text.includes(line), shown.text)

  sink.behave({})
  await relay.command('queue', 'flush')
  await relay.logged(/to=<later@dest\.test>.*status=sent/)
  const tried = sink.messages.map(({ recipients }) => recipients.map(({ mailbox }) => mailbox))
  assert.deepEqual(tried, [to, ['later@dest.test']])

  await assertAccount(relay, [sink], { accepted: 1, delivered: 2, refused: 0, held: 1 })
})
