/**
 * Postfix, Exim and OpenSMTPD as Debian ships them send through us to Postfix and to Exim: every pair, with the
 * recipients asked of the next hop.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { startExim } from '../peers/exim.ts'
import { startOpenSmtpd } from '../peers/opensmtpd.ts'
import { type Peer, without } from '../peers/peer.ts'
import { startPostfix } from '../peers/postfix.ts'

const missing = without('postfix') || without('exim') || without('opensmtpd')
const BODY = 'Grüße\r\n.one dot\r\n..two dots\r\n.\r\nFrom here on\r\n'

async function submit(client: Peer, mailbox: string): Promise<void> {
  using talk = await greeted(client.port)
  const header = `From: a@x.test\r\nTo: ${mailbox}\r\nSubject: by ${client.name}\r\nMIME-Version: 1.0\r\n`
  const type = 'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n'
  const content = Buffer.from(`${header}${type}\r\n${BODY}`)
  assert.match((await talk.message({ from: 'a@x.test', to: [mailbox], content })).text, /^250 /)
}

test('every client, every next hop: each message arrives once, as it was written', { skip: missing }, async () => {
  await using sink = await startSink()
  const users = (domain: string) => ({ domain, users: [`anna@${domain}`] })
  await using postfixHop = await startPostfix({ relayTo: sink.port, accept: users('postfix-hop.test') })
  await using eximHop = await startExim({ relayTo: sink.port, accept: users('exim-hop.test') })
  const domains = {
    'postfix-hop.test': { 'deliver-to': `127.0.0.1:${postfixHop.port}` },
    'exim-hop.test': { 'deliver-to': `127.0.0.1:${eximHop.port}` },
  }
  await using relay = await startVorposten({ config: bakery(sink.port, { domains }) })
  await using postfix = await startPostfix({ relayTo: relay.port })
  await using exim = await startExim({ relayTo: relay.port })
  await using opensmtpd = await startOpenSmtpd({ relayTo: relay.port })

  const mailboxes = ['anna@postfix-hop.test', 'anna@exim-hop.test']
  const pairs = [postfix, exim, opensmtpd].flatMap((client) => mailboxes.map((mailbox) => ({ client, mailbox })))
  for (const { client, mailbox } of pairs) await submit(client, mailbox)
  const arrived = await sink.received(pairs.length, 60_000)

  const seen = arrived.map(({ content, recipients }) => {
    const text = content.toString()
    assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), BODY)
    return `${/^Subject: (.*)\r$/m.exec(text)?.[1]} to ${recipients[0]?.mailbox}`
  })
  const wanted = pairs.map(({ client, mailbox }) => `by ${client.name} to ${mailbox}`)
  assert.deepEqual(seen.sort(), wanted.sort())

  // Whom the next hop does not know, the client hears from us.
  using talk = await greeted(relay.port)
  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  for (const domain of Object.keys(domains)) await talk.say(`RCPT TO:<nobody@${domain}>`, /^550 5\.1\.1 /)

  await assertAccount(relay, [sink], { accepted: pairs.length, delivered: pairs.length, refused: 2, held: 0 })
})
