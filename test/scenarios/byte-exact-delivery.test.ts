/**
 * A message that was taken into the spool reaches the customer's server octet for octet: our two trace fields stand
 * before it (RFC 5321 §4.4, RFC 8601 §2.2), nothing else is touched, and several recipients get one copy.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { SINK_EXTENSIONS, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const CONTENT = [
  'Received: from elsewhere.test ([192.0.2.7]) by earlier.test;',
  '\tMon, 02 Nov 2026 10:00:00 +0100',
  'X-Odd :  two  spaces, \xe4\xf6\xfc and a trailing one ',
  'Subject: dots',
  '',
  '.one dot',
  '..two dots',
  '.',
  `a long line ${'x'.repeat(4000)}`,
  '\x01\x7f\xff\xfe',
  '',
  '',
].join('\r\n')

/** What the spam filter says, the results, and `Received` with its clauses and a numeric zone. */
const TRACE =
  /^(?:X-Spam-\w+: .*\r\n(?:\t.*\r\n)*)+Authentication-Results: relay\.test; none\r\nReceived: from client\.test \(\[127\.0\.0\.1\]\)\r\n(?:\t.*\r\n)+?\t\w{3}, \d\d? \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}\r\n/

for (const by of ['bdat', 'data'] as const) {
  test(`a spooled message arrives octet for octet by ${by.toUpperCase()}, below our trace fields`, async () => {
    const extensions = SINK_EXTENSIONS.filter((keyword) => by === 'bdat' || keyword !== 'CHUNKING')
    await using sink = await startSink({}, { extensions })
    await using relay = await startVorposten({ config: bakery(sink.port, { commit: 'spool' }) })
    using talk = await greeted(relay.port)

    const reply = await talk.message({ from: 'a@x.test', to: ['one@dest.test'], content: CONTENT })
    assert.match(reply.text, /^250 2\.0\.0 /)
    const [message] = await sink.received(1)
    const arrived = message?.content.toString('latin1') ?? ''
    assert.equal(message?.by, by)
    const trace = TRACE.exec(arrived)?.[0] ?? assert.fail(arrived.slice(0, 600))
    assert.equal(arrived.slice(trace.length), CONTENT)
    assert.match(trace, /\bby relay\.test\b/)
    assert.match(trace, /\bwith ESMTP\b/)
    assert.match(trace, /\bfor <one@dest\.test>/)
    assert.equal(message?.reversePath, 'a@x.test')
    await talk.quit()

    await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 0, held: 0 })
  })
}

test('several recipients get one copy, and none of them is told of the others', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port, { commit: 'spool' }) })
  using talk = await greeted(relay.port)

  const to = ['one@dest.test', 'two@dest.test', 'three@dest.test']
  assert.match((await talk.message({ from: '', to, content: 'Subject: x\r\n\r\nx\r\n' })).text, /^250 /)
  const [message] = await sink.received(1)
  assert.deepEqual(
    message?.recipients.map((recipient) => recipient.mailbox),
    to,
  )
  assert.equal(message?.reversePath, '')
  // RFC 5321 §4.4: FOR with one path at most; with several it would disclose blind copies (§7.2).
  assert.doesNotMatch(message?.content.toString('latin1') ?? '', /@dest\.test/)

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 0, held: 0 })
})
