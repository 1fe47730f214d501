/**
 * Behind a load balancer the client is the one that the PROXY header names; from anybody else no such header is believed.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { freePort } from '../harness/free-port.ts'
import { startSink } from '../harness/sink.ts'
import { smtpTalk } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const PROXY_V1 = Buffer.from('PROXY TCP4 192.0.2.9 127.0.0.1 4711 25\r\n')
/** Version 2, PROXY, TCP over IPv4, 12 octets of addresses. */
const PROXY_V2 = Buffer.concat([
  SIGNATURE,
  Buffer.from([0x21, 0x11, 0, 12, 192, 0, 2, 9, 127, 0, 0, 1, 0x12, 0x67, 0, 25]),
])

test('both versions of the header name the client; without one there is no greeting', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ started: false, config: '' })
  const plainPort = await freePort()
  const listeners = [
    { name: 'mx', addresses: [`127.0.0.1:${relay.port}`], 'proxy-from': '127.0.0.0/8' },
    { name: 'plain', addresses: [`127.0.0.1:${plainPort}`] },
  ]
  relay.configure(bakery(sink.port, { top: { listeners } }))
  await relay.start()

  for (const header of [PROXY_V1, PROXY_V2]) {
    using talk = await smtpTalk(relay.port)
    talk.sendRaw(header)
    await talk.expect(/^220 /)
    await talk.say('EHLO client.test', /^250/)
    const reply = await talk.message({ from: 'a@x.test', to: ['anna@dest.test'], content: 'Subject: x\r\n\r\nx\r\n' })
    assert.match(reply.text, /^250 /)
    await talk.quit()
  }
  for (const { content } of sink.accepted)
    assert.match(content.toString(), /^Received: from client\.test \(\[192\.0\.2\.9\]\)/m)

  using direct = await smtpTalk(relay.port)
  direct.send('EHLO client.test')
  await direct.expectClose()
  using forger = await smtpTalk(plainPort)
  forger.sendRaw(PROXY_V1)
  assert.match((await forger.reply()).text, /^(220|5\d\d) /)
  assert.match((await forger.reply().catch(() => ({ text: '500 closed' }))).text, /^500 /)

  await assertAccount(relay, [sink], { accepted: 2, delivered: 2, refused: 1, held: 0 })
})
