import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENT_LIMITS } from './limits.ts'
import { Dialogue, ehloReply, job, LETTER, text } from './testing.ts'

const MAIL = 'MAIL FROM:<anna@sender.example>\r\n'
const rcpt = (name: string) => `RCPT TO:<${name}@customer.example>\r\n`
const A = 'a@customer.example'
const B = 'b@customer.example'
const C = 'c@customer.example'
const OK = '250 ok\r\n'

test('without PIPELINING every command waits for its reply', () => {
  const server = Dialogue.ready([])
  assert.equal(server.deliver(job([A, B])), MAIL)
  assert.equal(server.server(OK), rcpt('a'))
  assert.equal(server.server(OK), rcpt('b'))
  assert.equal(server.server(OK), 'DATA\r\n')
  assert.equal(server.server('354 go\r\n'), `${LETTER}.\r\n`)
  assert.equal(server.server('250 2.0.0 queued as 1\r\n'), '')
  assert.deepEqual(server.kinds, ['delivered', 'ready'])
  assert.deepEqual(server.results[1], {
    kind: 'delivered',
    reply: { code: 250, status: '2.0.0', lines: ['queued as 1'] },
  })
})

test('with PIPELINING the group is one write', () => {
  const server = Dialogue.ready(['PIPELINING'])
  server.machine.deliver(job([A, B]))
  const writes = server.machine.take()
  assert.deepEqual(writes, [{ kind: 'write', parts: [`${MAIL}${rcpt('a')}${rcpt('b')}DATA\r\n`], more: false }])
  server.server(`${OK}${OK}${OK}354 go\r\n`)
  server.server(OK)
  assert.deepEqual(server.summary, ['delivered', 'delivered'])
})

test('with CHUNKING small content goes in the same write', () => {
  const server = Dialogue.ready(['PIPELINING', 'CHUNKING'], { preferChunking: true })
  assert.equal(server.deliver(job([A], { content: text('.a\r\n') })), `${MAIL}${rcpt('a')}BDAT 4 LAST\r\n.a\r\n`)
  server.server(`${OK}${OK}${OK}`)
  assert.deepEqual(server.summary, ['delivered'])
  assert.deepEqual(server.kinds, ['delivered', 'ready'])
})

test('with CHUNKING large content waits for the recipients', () => {
  const server = Dialogue.ready(['PIPELINING', 'CHUNKING'], { preferChunking: true })
  const large = 'x'.repeat(998).concat('\r\n').repeat(300)
  assert.equal(server.deliver(job([A], { content: text(large) })), `${MAIL}${rcpt('a')}`)
  assert.equal(server.server(`${OK}${OK}`), `BDAT ${large.length} LAST\r\n${large}`)
  server.server(OK)
  assert.deepEqual(server.summary, ['delivered'])
})

test('content larger than a block leaves block by block, as the wire takes it', () => {
  const server = Dialogue.ready(['PIPELINING'], { limits: { ...CLIENT_LIMITS, dataBlockOctets: 10 } })
  server.machine.deliver(job([A], { content: text('0123456789abcdefghij\r\n') }))
  server.machine.take()
  server.machine.receive(Buffer.from(`${OK}${OK}354 go\r\n`))
  const blocks: string[] = []
  for (let effects = server.machine.take(); effects.length > 0; effects = server.machine.take()) {
    for (const effect of effects) if (effect.kind === 'write') blocks.push(effect.parts.join(''))
    server.machine.flowing()
  }
  assert.deepEqual(blocks, ['0123456789', 'abcdefghij', '\r\n.\r\n'])
})

test('mixed recipients, send: the accepted ones get it', () => {
  const server = Dialogue.ready(['PIPELINING'])
  server.deliver(job([A, B, C]))
  assert.equal(server.server(`${OK}250 ok\r\n550 5.1.1 no such user\r\n452 full\r\n354 go\r\n`), `${LETTER}.\r\n`)
  server.server(OK)
  assert.deepEqual(server.summary, ['delivered', 'failed/rcpt', 'refused-for-now'])
  assert.match(
    server.results[1]!.kind === 'failed' ? server.results[1]!.text : '',
    /^550 5\.1\.1 no such user \(in reply to RCPT TO\)$/,
  )
})

test('mixed recipients, abort: no content leaves, and RSET ends the transaction', () => {
  for (const keywords of [[], ['PIPELINING'], ['PIPELINING', 'CHUNKING']]) {
    const server = Dialogue.ready(keywords, { preferChunking: true })
    let said = server.deliver(job([A, B], { onMixed: 'abort' }))
    for (const reply of [OK, OK, '550 no\r\n']) said += server.server(reply)
    assert.equal(said, `${MAIL}${rcpt('a')}${rcpt('b')}RSET\r\n`)
    assert.deepEqual(server.summary, ['aborted', 'failed/rcpt'])
    assert.deepEqual(server.kinds, ['delivered'])
    server.server(OK)
    assert.deepEqual(server.kinds, ['delivered', 'ready'])
  }
})

test('all accepted, abort: the content leaves after the last reply to RCPT', () => {
  const server = Dialogue.ready(['PIPELINING'])
  assert.equal(server.deliver(job([A, B], { onMixed: 'abort' })), `${MAIL}${rcpt('a')}${rcpt('b')}`)
  assert.equal(server.server(`${OK}${OK}`), '')
  assert.equal(server.server(OK), 'DATA\r\n')
})

test('no recipient accepted, and 354 all the same: an empty content ends it (RFC 2920 §3.1)', () => {
  const server = Dialogue.ready(['PIPELINING'])
  server.deliver(job([A]))
  assert.equal(server.server(`${OK}550 no\r\n354 go\r\n`), '.\r\n')
  server.server('554 no valid recipients\r\n')
  assert.deepEqual(server.summary, ['failed/rcpt'])
  assert.deepEqual(server.kinds, ['delivered', 'ready'])
})

test('no recipient accepted and DATA refused: RSET', () => {
  const server = Dialogue.ready(['PIPELINING'])
  server.deliver(job([A]))
  assert.equal(server.server(`${OK}450 later\r\n503 no recipients\r\n`), 'RSET\r\n')
  assert.deepEqual(server.summary, ['refused-for-now'])
})

test('MAIL refused: every recipient shares that, and there is nothing to reset', () => {
  const server = Dialogue.ready(['PIPELINING'])
  server.deliver(job([A, B]))
  assert.equal(server.server('550 5.7.1 go away\r\n503 no\r\n503 no\r\n503 no\r\n'), '')
  assert.deepEqual(server.summary, ['failed/mail', 'failed/mail'])
  const slow = Dialogue.ready([])
  slow.deliver(job([A, B]))
  assert.equal(slow.server('451 later\r\n'), '')
  assert.deepEqual(slow.summary, ['refused-for-now', 'refused-for-now'])
  assert.deepEqual(slow.kinds, ['delivered', 'ready'])
})

test('MAIL refused, RCPT accepted, 354: no dot is sent, it might deliver an empty message', () => {
  const server = Dialogue.ready(['PIPELINING'])
  server.deliver(job([A]))
  assert.equal(server.server('451 no\r\n250 ok\r\n354 go\r\n'), '')
  assert.deepEqual(server.summary, ['refused-for-now'])
  assert.deepEqual(server.kinds, ['delivered', 'over', 'close'])
})

test('the content refused: stage content; after BDAT also RSET (RFC 3030 §2)', () => {
  const data = Dialogue.ready(['PIPELINING'])
  data.deliver(job([A]))
  data.server(`${OK}${OK}354 go\r\n`)
  assert.equal(data.server('554 5.7.1 spam\r\n'), '')
  assert.deepEqual(data.summary, ['failed/content'])
  const bdat = Dialogue.ready(['PIPELINING', 'CHUNKING'], { preferChunking: true })
  bdat.deliver(job([A]))
  assert.equal(bdat.server(`${OK}${OK}452 4.3.1 full\r\n`), 'RSET\r\n')
  assert.deepEqual(bdat.summary, ['refused-for-now'])
})

test('552 to a further recipient without a status means too many (RFC 5321 §4.5.3.1.10)', () => {
  const server = Dialogue.ready(['PIPELINING'])
  server.deliver(job([A, B, C]))
  server.server(`${OK}${OK}552 too many recipients\r\n552 5.2.2 mailbox full\r\n354 go\r\n${OK}`)
  assert.deepEqual(server.summary, ['delivered', 'refused-for-now', 'failed/rcpt'])
})

test('results align with the recipients that were asked for', () => {
  const server = Dialogue.ready(['PIPELINING'])
  assert.equal(server.deliver(job([A, B, C], { recipients: [2, 0] })), `${MAIL}${rcpt('c')}${rcpt('a')}DATA\r\n`)
  server.server(`${OK}550 no\r\n${OK}354 go\r\n${OK}`)
  assert.deepEqual(server.summary, ['failed/rcpt', 'delivered'])
})

test('LMTP: one reply for each accepted recipient (RFC 2033 §4.2)', () => {
  for (const preferChunking of [false, true]) {
    const keywords = preferChunking ? ['PIPELINING', 'CHUNKING'] : ['PIPELINING']
    const server = new Dialogue({ protocol: 'lmtp', preferChunking })
    assert.equal(server.server('220 lmtp\r\n'), 'LHLO relay.example\r\n')
    server.server(ehloReply(...keywords))
    server.deliver(job([A, B, C]))
    server.server(`${OK}${OK}550 no\r\n${OK}${preferChunking ? '' : '354 go\r\n'}`)
    server.server('250 taken\r\n')
    assert.deepEqual(server.kinds, ['ready'])
    server.server('452 4.2.2 full\r\n')
    assert.deepEqual(server.summary, ['delivered', 'failed/rcpt', 'refused-for-now'])
    assert.deepEqual(server.kinds, ['ready', 'delivered', 'ready'])
  }
})

test('LMTP: 354 without any accepted recipient ends the session', () => {
  const server = Dialogue.ready(['PIPELINING'], { protocol: 'lmtp' })
  server.deliver(job([A]))
  assert.equal(server.server(`${OK}550 no\r\n354 go\r\n`), '')
  assert.deepEqual(server.kinds, ['delivered', 'over', 'close'])
})

test('several jobs over one session, then QUIT', () => {
  const server = Dialogue.ready(['PIPELINING'])
  for (let i = 0; i < 3; i++) {
    server.deliver(job([A]))
    server.server(`${OK}${OK}354 go\r\n`)
    server.server(OK)
    assert.deepEqual(server.summary, ['delivered'])
    server.effects.length = 0
  }
  server.machine.quit()
  assert.equal(server.heard(), 'QUIT\r\n')
  server.server('221 bye\r\n')
  assert.deepEqual(server.effects, [{ kind: 'close', now: false }])
})
