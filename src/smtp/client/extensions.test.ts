import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Dialogue, envelope, job, mailbox, recipient, text } from './testing.ts'

const A = 'a@customer.example'
const UTF8 = 'jörg@customer.example'
const OK = '250 ok\r\n'
const firstLine = (server: Dialogue, ...[to, more]: Parameters<typeof job>): string =>
  server.deliver(job(to, more)).split('\r\n')[0]!
const failure = (server: Dialogue): string => {
  const [result] = server.results
  return result?.kind === 'failed' ? `${result.stage}: ${result.text}` : `${result?.kind}`
}

test('SIZE is said when offered (RFC 1870), and too much is known before anything is sent', () => {
  assert.equal(firstLine(Dialogue.ready([]), [A]), 'MAIL FROM:<anna@sender.example>')
  assert.equal(firstLine(Dialogue.ready(['SIZE 0']), [A]), 'MAIL FROM:<anna@sender.example> SIZE=25')
  assert.equal(firstLine(Dialogue.ready(['size 25']), [A]), 'MAIL FROM:<anna@sender.example> SIZE=25')
  const small = Dialogue.ready(['SIZE 24'])
  assert.equal(small.deliver(job([A])), '')
  assert.equal(failure(small), 'mail: 5.3.4 25 octets are more than the next hop takes (24)')
  assert.deepEqual(small.kinds, ['delivered', 'ready'])
})

test('8BITMIME: labelled when offered; sent as it is, without a label, when not', () => {
  const envelope8 = envelope([A], { body: '8bitmime' })
  const content = text('Subject: a\r\n\r\n\xc3\xbc\r\n')
  const offered = Dialogue.ready(['8BITMIME'])
  assert.equal(
    firstLine(offered, [A], { envelope: envelope8, content }),
    'MAIL FROM:<anna@sender.example> BODY=8BITMIME',
  )
  const plain = Dialogue.ready([])
  assert.equal(firstLine(plain, [A], { envelope: envelope8, content }), 'MAIL FROM:<anna@sender.example>')
  assert.equal(plain.server(`${OK}${OK}`), `RCPT TO:<${A}>\r\nDATA\r\n`)
  assert.equal(plain.server('354 go\r\n'), 'Subject: a\r\n\r\n\xc3\xbc\r\n.\r\n')
})

test('BINARYMIME goes untouched by BDAT, or not at all (RFC 3030 §3)', () => {
  const binary = envelope([A], { body: 'binarymime' })
  const content = text('Subject: a\r\n\r\n\r\n.\n\r\0')
  const server = Dialogue.ready(['PIPELINING', 'CHUNKING', 'BINARYMIME'])
  assert.equal(
    server.deliver(job([A], { envelope: binary, content })),
    `MAIL FROM:<anna@sender.example> BODY=BINARYMIME\r\nRCPT TO:<${A}>\r\nBDAT 20 LAST\r\nSubject: a\r\n\r\n\r\n.\n\r\0`,
  )
  for (const keywords of [[], ['CHUNKING'], ['BINARYMIME']]) {
    const other = Dialogue.ready(keywords)
    assert.equal(other.deliver(job([A], { envelope: binary, content })), '')
    assert.equal(failure(other), 'content: 5.6.1 BINARYMIME is needed and not offered by the next hop')
  }
})

test('BDAT of text still repairs bare line ends, and announces the repaired octets', () => {
  const server = Dialogue.ready(['PIPELINING', 'CHUNKING'], { preferChunking: true })
  const said = server.deliver(job([A], { content: text('a\nb\rc') }))
  assert.equal(said.slice(said.indexOf('BDAT')), 'BDAT 7 LAST\r\na\r\nb\r\nc')
})

test('SMTPUTF8 is passed on when offered (RFC 6531 §3.4)', () => {
  const wanted = envelope([A], { smtputf8: true })
  assert.equal(
    firstLine(Dialogue.ready(['SMTPUTF8']), [A], { envelope: wanted }),
    'MAIL FROM:<anna@sender.example> SMTPUTF8',
  )
  assert.equal(firstLine(Dialogue.ready(['SMTPUTF8']), [UTF8]), 'MAIL FROM:<anna@sender.example> SMTPUTF8')
})

test('SMTPUTF8 not offered: only what is plain ASCII goes, nothing is downgraded', () => {
  const wanted = envelope([A], { smtputf8: true })
  const no = '5.6.7 SMTPUTF8 is needed and not offered by the next hop'
  const ascii = Dialogue.ready([])
  assert.equal(
    firstLine(ascii, [A], { envelope: wanted, content: text('Subject: a\r\n\r\n\xc3\xbc\r\n') }),
    'MAIL FROM:<anna@sender.example>',
  )
  const header = Dialogue.ready([])
  assert.equal(header.deliver(job([A], { envelope: wanted, content: text('Subject: \xc3\xbc\r\n', '\r\na\r\n') })), '')
  assert.equal(failure(header), `content: ${no}`)
  const from = Dialogue.ready([])
  const reversePath = { kind: 'mailbox' as const, mailbox: mailbox('jörg@sender.example') }
  assert.equal(from.deliver(job([A], { envelope: envelope([A], { reversePath, smtputf8: true }) })), '')
  assert.equal(failure(from), `mail: ${no}`)
  const to = Dialogue.ready(['PIPELINING'])
  assert.equal(to.deliver(job([UTF8, A])), `MAIL FROM:<anna@sender.example>\r\nRCPT TO:<${A}>\r\nDATA\r\n`)
  to.server(`${OK}${OK}354 go\r\n`)
  to.server(OK)
  assert.deepEqual(to.summary, ['failed/rcpt', 'delivered'])
  const strict = Dialogue.ready(['PIPELINING'])
  assert.equal(strict.deliver(job([UTF8, A], { onMixed: 'abort' })), '')
  assert.deepEqual(strict.summary, ['failed/rcpt', 'aborted'])
  assert.deepEqual(strict.kinds, ['delivered', 'ready'])
})

test('DSN parameters only where DSN is offered (RFC 3461 §5)', () => {
  const to = [
    recipient(A, { notify: ['success', 'delay'], orcpt: 'rfc822;b+2Bc@x.example' }),
    recipient('b@customer.example', { notify: 'never' }),
  ]
  const asked = envelope(to, { ret: 'hdrs', envid: 'QQ+2B1' })
  const server = Dialogue.ready(['PIPELINING', 'DSN'])
  assert.equal(
    server.deliver(job([], { envelope: asked })),
    `MAIL FROM:<anna@sender.example> RET=HDRS ENVID=QQ+2B1\r\n` +
      `RCPT TO:<${A}> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bc@x.example\r\n` +
      'RCPT TO:<b@customer.example> NOTIFY=NEVER\r\nDATA\r\n',
  )
  const other = Dialogue.ready(['PIPELINING'])
  assert.doesNotMatch(other.deliver(job([], { envelope: asked })), /RET|ENVID|NOTIFY|ORCPT/)
})

test('REQUIRETLS goes only over verified TLS to a server that offers it (RFC 8689 §4.2.1)', () => {
  const asked = envelope([A], { requireTls: true })
  const clear = Dialogue.ready(['REQUIRETLS'])
  assert.equal(clear.deliver(job([A], { envelope: asked })), '')
  assert.match(failure(clear), /^mail: 5\.7\.30 /)
  const server = new Dialogue({ tls: 'verified' })
  server.server('220 a\r\n')
  server.server('250-a\r\n250 STARTTLS\r\n')
  server.server('220 a\r\n')
  server.machine.secured()
  server.server('250-a\r\n250 REQUIRETLS\r\n')
  assert.equal(firstLine(server, [A], { envelope: asked }), 'MAIL FROM:<anna@sender.example> REQUIRETLS')
})

test('nothing that could end a command gets into one', () => {
  const evil = { kind: 'mailbox' as const, mailbox: { ...mailbox(A), localPart: 'a>\r\nRCPT TO:<x' } }
  const server = Dialogue.ready(['PIPELINING', 'DSN'])
  const to = [{ forwardPath: evil }, recipient('b@customer.example', { orcpt: 'rfc822;a\r\nQUIT' })]
  const said = server.deliver(job([], { envelope: envelope(to, { envid: 'a b\r\nQUIT' }) }))
  assert.equal(said, 'MAIL FROM:<anna@sender.example>\r\nRCPT TO:<b@customer.example>\r\nDATA\r\n')
  const from = Dialogue.ready([])
  assert.equal(from.deliver(job([A], { envelope: envelope([A], { reversePath: evil }) })), '')
  assert.match(failure(from), /^mail: 5\.1\.7 /)
  assert.throws(() => new Dialogue({ greetingName: 'a\r\nQUIT' }), TypeError)
})
