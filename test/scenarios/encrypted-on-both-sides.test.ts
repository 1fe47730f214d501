/**
 * TLS with the sender (STARTTLS, or from the first octet) and with the customer's server; what stood in clear behind a
 * STARTTLS is thrown away on both sides (RFC 3207 §4.2 and §6; CVE-2011-0411).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { freePort } from '../harness/free-port.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const SINK_TLS = selfSignedCertificate({ names: ['sink.test'], fromMs: Date.now() - 60_000, days: 1 })
const message = { from: 'a@x.test', to: ['anna@dest.test'], content: 'Subject: x\r\n\r\nx\r\n' }
const REQUIRED = { tls: 'required' }

test('STARTTLS in, STARTTLS out', async () => {
  await using sink = await startSink({}, { tls: SINK_TLS })
  await using relay = await startVorposten({ config: bakery(sink.port, { route: REQUIRED }) })
  using talk = await greeted(relay.port)
  // What was said in clear does not count any more.
  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.startTls()
  await talk.say('RCPT TO:<anna@dest.test>', /^503 /)
  const hello = await talk.say('EHLO client.test', /^250/)
  assert.doesNotMatch(hello.text, /STARTTLS/)
  assert.match((await talk.message(message)).text, /^250 /)
  assert.equal(sink.accepted[0]?.tls, true)
  assert.match(sink.accepted[0]?.content.toString() ?? '', /\bwith ESMTPS\b/)

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 1, held: 0 })
})

test('TLS from the first octet', async () => {
  await using sink = await startSink()
  const tlsPort = await freePort()
  await using relay = await startVorposten({ started: false, config: '' })
  const listeners = [
    { name: 'mx', addresses: [`127.0.0.1:${relay.port}`] },
    { name: 'mx-tls', addresses: [`127.0.0.1:${tlsPort}`], tls: 'implicit' },
  ]
  relay.configure(bakery(sink.port, { top: { listeners } }))
  await relay.start()
  using talk = await greeted(tlsPort, { tls: true })
  assert.match((await talk.message(message)).text, /^250 /)
  await talk.quit()

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 0, held: 0 })
})

test('commands in clear behind STARTTLS are not executed', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port) })
  using talk = await greeted(relay.port)
  talk.sendRaw('STARTTLS\r\nMAIL FROM:<injected@x.test>\r\nRCPT TO:<anna@dest.test>\r\n')
  await talk.expect(/^220 /)
  await talk.secure()
  await talk.say('RCPT TO:<anna@dest.test>', /^503 /)
  await talk.say('EHLO client.test', /^250-relay\.test/)
  await talk.quit()

  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: 1, held: 0 })
})

test('replies in clear behind the 220 of the next hop are not believed, and it is not spoken to in clear', async () => {
  const injected = '220 2.0.0 go ahead\r\n250-sink.test\r\n250 SIZE 1'
  await using sink = await startSink({ starttls: injected }, { tls: SINK_TLS })
  await using relay = await startVorposten({ config: bakery(sink.port, { route: REQUIRED }) })
  using talk = await greeted(relay.port)
  assert.match((await talk.message(message)).text, /^250 /)
  await relay.logged(/status=deferred \(.*in clear/)
  // The session ends there: after the handshake nobody could say which reply is whose.
  assert.deepEqual([...new Set(sink.commands)], ['EHLO relay.test', 'STARTTLS'])
  sink.behave({})
  await relay.command('queue', 'flush')
  assert.ok((await sink.received(1)).every((arrived) => arrived.tls))

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 0, held: 0 })
})

test('where TLS is required, a server without it gets nothing', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port, { route: REQUIRED }) })
  using talk = await greeted(relay.port)
  assert.match((await talk.message(message)).text, /^250 /)
  await relay.logged(/status=deferred/)
  assert.deepEqual(
    sink.commands.filter((line) => /^(MAIL|RCPT)/.test(line)),
    [],
  )

  await assertAccount(relay, [sink], { accepted: 1, delivered: 0, refused: 0, held: 0 })
})
