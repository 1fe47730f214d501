/**
 * The instruments themselves: a client that is played line by line, a sink that does as it is told, a child that ends.
 * What these get wrong, every scenario would get wrong.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { startChild } from './child.ts'
import { freePort } from './free-port.ts'
import { atFirst, CLOSE, knows, RESET, SILENCE, startSink } from './sink.ts'
import { smtpTalk } from './smtp-talk.ts'
import { waitFor } from './wait-for.ts'

async function greeted(port: number, hello = 'EHLO client.test') {
  const talk = await smtpTalk(port, { msMax: 2000 })
  await talk.expect(/^220 /)
  await talk.say(hello, /^250/)
  return talk
}

test('a message arrives octet for octet, stuffed on the wire and unstuffed in the content', async () => {
  await using sink = await startSink()
  using talk = await greeted(sink.port)
  const content = 'Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\nbare \n and \r\xff\r\n'
  const reply = await talk.message({ from: 'a@x.test', to: ['b@dest.test', 'c@dest.test'], content })
  assert.match(reply.text, /^250 /)
  await talk.quit()
  const [message] = await sink.received(1)
  assert.equal(message?.content.toString('latin1'), content)
  assert.match(message?.wire.toString('latin1') ?? '', /\r\n\.\.one\r\n\.\.\.two\r\n\.\.\r\n.*\r\n\.\r\n$/s)
  assert.deepEqual(
    message?.recipients.map((r) => r.mailbox),
    ['b@dest.test', 'c@dest.test'],
  )
})

test('a sink ends data only at CRLF.CRLF, however it is split; empty content counts', async () => {
  await using sink = await startSink()
  using talk = await greeted(sink.port)
  talk.send('MAIL FROM:<>', 'RCPT TO:<b@dest.test>', 'DATA')
  for (const code of [/^250/, /^250/, /^354/]) await talk.expect(code)
  for (const octet of 'x\n.\ny\r\n.\nz\r\n.\r\n') talk.sendRaw(octet)
  await talk.expect(/^250/)
  talk.send('MAIL FROM:<>', 'RCPT TO:<b@dest.test>', 'DATA', '.')
  for (const code of [/^250/, /^250/, /^354/, /^250/]) await talk.expect(code)
  assert.deepEqual(
    sink.messages.map((m) => m.content.toString()),
    ['x\n.\ny\r\n\nz\r\n', ''],
  )
})

test('BDAT chunks are kept as they came, a chunk without recipient is swallowed', async () => {
  await using sink = await startSink()
  using talk = await greeted(sink.port)
  await talk.send('BDAT 3 LAST').sendRaw('abc').expect(/^503 /)
  talk.send('MAIL FROM:<>', 'RCPT TO:<b@dest.test>').sendRaw('BDAT 2\r\n.\rBDAT 4 LAST\r\n\n.\r\n')
  for (let i = 0; i < 4; i++) await talk.expect(/^250/)
  assert.equal(sink.accepted[0]?.content.toString(), '.\r\n.\r\n')
  assert.equal(sink.accepted[0]?.by, 'bdat')
})

test('a sink refuses, defers, stays silent or goes away where it is told to', async () => {
  await using sink = await startSink(knows('known@dest.test'))
  using talk = await greeted(sink.port)
  await talk.say('MAIL FROM:<a@x.test>', /^250/)
  await talk.say('RCPT TO:<nobody@dest.test>', /^550 5\.1\.1 /)
  await talk.say('RCPT TO:<known@dest.test>', /^250/)
  sink.behave({ dot: atFirst(1, '451 4.3.0 later') })
  await talk.say('DATA', /^354/)
  assert.match((await talk.content('x')).text, /^451 /)
  assert.match((await talk.message({ from: '', to: ['b@dest.test'], content: 'x' })).text, /^250 /)
  assert.deepEqual([sink.messages.length, sink.accepted.length], [2, 1])
  sink.behave({ noop: SILENCE, rset: RESET, quit: CLOSE })
  talk.send('NOOP', 'QUIT')
  await talk.expectClose()
  using other = await greeted(sink.port)
  other.send('RSET')
  await other.expectClose()
})

test('an LMTP sink answers once per recipient', async () => {
  const refuse = ({ recipient = '' }) => (recipient.startsWith('no') ? '550 5.7.1 no' : undefined)
  await using sink = await startSink({ dot: refuse }, { protocol: 'lmtp' })
  using talk = await greeted(sink.port, 'LHLO client.test')
  const first = await talk.message({ from: '', to: ['no@dest.test', 'yes@dest.test'], content: 'x' })
  assert.match(first.text, /^550 /)
  await talk.expect(/^250 /)
  assert.deepEqual(sink.messages[0]?.replies.length, 2)
})

test('STARTTLS is offered with a certificate only, and once', async () => {
  const tls = selfSignedCertificate({ names: ['sink.test'], fromMs: Date.now() - 1000, days: 1 })
  await using sink = await startSink({}, { tls })
  using talk = await greeted(sink.port)
  await talk.startTls()
  const hello = await talk.say('EHLO client.test', /^250/)
  assert.doesNotMatch(hello.text, /STARTTLS/)
  await talk.message({ from: '', to: ['b@dest.test'], content: 'x' })
  await talk.quit()
  assert.equal(sink.accepted[0]?.tls, true)
})

test('a sink comes back on its port, and refuses connections meanwhile', async () => {
  await using sink = await startSink()
  using talk = await greeted(sink.port)
  await sink.stop()
  await talk.expectClose()
  await assert.rejects(smtpTalk(sink.port), { code: 'ECONNREFUSED' })
  await sink.start()
  using again = await greeted(sink.port)
  await again.quit()
})

test('a failed expectation shows the dialogue', async () => {
  await using sink = await startSink({ noop: '250 2.0.0 nothing done' })
  using talk = await greeted(sink.port)
  await assert.rejects(talk.say('NOOP', /^500/), /expected \/\^500\/.*C: NOOP\nS: 250 2\.0\.0 nothing done/s)
})

test('a wait ends with the name of what did not come', async () => {
  const never = waitFor('godot', () => false, { msMax: 20, context: () => 'a country road' })
  await assert.rejects(never, /20 ms for godot, in vain\na country road/)
})

test('a child is heard, and ends with everything that it started', async () => {
  const port = await freePort()
  const grandchild = `require('net').createServer().listen(${port}, '127.0.0.1', () => console.log('up'))`
  const script = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: 'inherit' })`
  await using child = startChild(process.execPath, ['-e', script])
  await child.line(/^up$/)
  using _talk = await smtpTalk(port)
  assert.equal((await child.stop()).signal, 'SIGTERM')
  await assert.rejects(smtpTalk(port), { code: 'ECONNREFUSED' })
  await assert.rejects(child.line(/^never$/), /ended without a line/)
})

test('a program that is not there is an ending, not a hanging wait', async () => {
  await using child = startChild('/nowhere/program', [])
  await assert.rejects(child.line(/x/), /cannot start \/nowhere\/program/)
})
