/**
 * What clients ask for beyond RFC 5321 reaches the next hop as it was asked: eight bits, addresses in UTF-8, chunks, DSN
 * parameters. Where the next hop cannot, nothing is rewritten: the sender hears so (RFC 6531 §3.5).
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { createTransport } from 'nodemailer'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { runToEnd } from '../harness/child.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const SWAKS = '/usr/bin/swaks'
const noSwaks = existsSync(SWAKS) || process.env['CI'] ? false : "needs Debian's swaks: run test/peers/install as root"

test('nodemailer sends to an address in UTF-8', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port) })
  const transport = createTransport({ host: '127.0.0.1', port: relay.port, tls: { rejectUnauthorized: false } })
  const sent = await transport.sendMail({
    from: 'a@x.test',
    to: 'jürgen@dest.test',
    subject: 'Brötchen',
    text: 'Zwei Brötchen, bitte.',
  })
  transport.close()
  assert.match(sent.response, /^250 /)
  const [message] = sink.accepted
  assert.equal(Buffer.from(message?.recipients[0]?.mailbox ?? '', 'latin1').toString(), 'jürgen@dest.test')
  assert.match(message?.parameters ?? '', /\bSMTPUTF8\b/)
  assert.match(message?.content.toString() ?? '', /\bwith UTF8SMTPS\b/)

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 0, held: 0 })
})

test('a next hop that knows no UTF-8 gets nothing rewritten, and the sender hears why', async () => {
  await using sink = await startSink({}, { extensions: ['PIPELINING', 'SIZE', '8BITMIME', 'ENHANCEDSTATUSCODES'] })
  await using relay = await startVorposten({ config: bakery(sink.port) })
  using talk = await greeted(relay.port)
  const utf8 = (text: string) => Buffer.from(text).toString('latin1')
  await talk.say('MAIL FROM:<a@x.test> SMTPUTF8', /^250 /)
  await talk.say(`RCPT TO:<${utf8('jürgen@dest.test')}>`, /^250 /)
  await talk.say('DATA', /^354 /)
  assert.match((await talk.content('Subject: x\r\n\r\nx\r\n')).text, /^55\d 5\.6\.7 /)
  assert.equal(sink.messages.length, 0)

  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: 1, held: 0 })
})

test('swaks is understood', { skip: noSwaks }, async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port) })
  const envelope = ['--from', 'a@x.test', '--to', 'anna@dest.test,ben@dest.test', '--tls']
  const lines = await runToEnd(SWAKS, ['--server', '127.0.0.1', '--port', `${relay.port}`, ...envelope])
  assert.ok(lines.some((line) => /^<~ +250 2\.\d\.\d .*queued|^<~ +250 2\.\d\.\d Ok/.test(line)))
  assert.equal(sink.accepted[0]?.recipients.length, 2)

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 0, held: 0 })
})

test('chunks are put together, and the parameters passed on', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port) })
  using talk = await greeted(relay.port)
  await talk.say('MAIL FROM:<a@x.test> BODY=8BITMIME RET=HDRS ENVID=4711', /^250 /)
  await talk.say('RCPT TO:<anna@dest.test> NOTIFY=NEVER ORCPT=rfc822;anna@old.test', /^250 /)
  const content = 'Subject: x\r\n\r\n\xfcber\r\n.\r\nthe dot\r\n'
  // In the middle of a line, of a CRLF, and none at the end.
  const parts = [content.slice(0, 5), content.slice(5, 12), content.slice(12), '']
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1
    await talk.sendRaw(`BDAT ${part.length}${last ? ' LAST' : ''}\r\n${part}`).expect(/^250 /)
  }
  const [message] = sink.accepted
  assert.ok(message?.content.toString('latin1').endsWith(content))
  for (const parameter of ['BODY=8BITMIME', 'RET=HDRS', 'ENVID=4711']) {
    assert.ok(message?.parameters.split(' ').includes(parameter), parameter)
  }
  assert.equal(message?.recipients[0]?.parameters, 'NOTIFY=NEVER ORCPT=rfc822;anna@old.test')

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 0, held: 0 })
})
