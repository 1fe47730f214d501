/**
 * The protocol in dialogues: `C:` is a line from the client, `S:` the beginning of our next reply (its lines joined by
 * `|`), `…` stands for anything. Every reply must be accounted for. The greeting has been said before.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { permanent, transient } from '#mail/reply.ts'
import { reject } from '#mail/verdict.ts'
import { type Answers, acceptAll, Rehearsal, type RehearsalOptions, TLS } from '../../../fuzz/smtp-rehearsal.ts'
import { DEFAULT_LIMITS } from './limits.ts'

function play(script: string, options: RehearsalOptions = {}): Rehearsal {
  const rehearsal = new Rehearsal(options)
  for (const step of script.split('\n').map((line) => line.trim())) {
    if (step.startsWith('C:')) {
      const unread = rehearsal.reply()
      assert.equal(unread, undefined, `before ${step}`)
      rehearsal.lines(step.slice(3))
    } else if (step.startsWith('S:')) {
      const reply = rehearsal.reply() ?? ''
      assert.ok(reply.startsWith(step.slice(3)), `${step}\ncame: ${reply}`)
    }
  }
  assert.equal(rehearsal.reply(), undefined, 'at the end')
  return rehearsal
}

const limited = (limits: Partial<typeof DEFAULT_LIMITS>): RehearsalOptions => ({
  settings: { limits: { ...DEFAULT_LIMITS, ...limits } },
})

const EHLO = `C: EHLO client.example
              S: 250-mx.example.net|250-PIPELINING|`
const MAIL = `${EHLO}
              C: MAIL FROM:<a@client.example>
              S: 250 2.1.0`
const RCPT = `${MAIL}
              C: RCPT TO:<b@example.net>
              S: 250 2.1.5`

const DIALOGUES: Record<string, string> = {
  'commands that need no EHLO (RFC 5321 §4.1.4)': `
    C: NOOP whatever
    S: 250 2.0.0
    C: RSET
    S: 250 2.0.0
    C: VRFY postmaster
    S: 252 2.0.0
    C: HELP
    S: 214 2.0.0
    C: QUIT
    S: 221 2.0.0`,
  'commands that need EHLO': `
    C: MAIL FROM:<a@client.example>
    S: 503 5.5.1
    C: RCPT TO:<b@example.net>
    S: 503 5.5.1
    C: DATA
    S: 503 5.5.1
    C: STARTTLS
    S: 503 5.5.1
    ${MAIL}`,
  'unknown commands leave everything as it is (RFC 5321 §4.2.4)': `${MAIL}
    C: XYZZY
    S: 500 5.5.2
    C:
    S: 500 5.5.2
    C: MAILFROM:<a@client.example>
    S: 500 5.5.2
    C: RCPT TO:<b@example.net>
    S: 250 2.1.5`,
  'known, not offered': `${EHLO}
    C: EXPN staff
    S: 502 5.5.1
    C: TURN
    S: 502 5.5.1
    C: AUTH PLAIN
    S: 502 5.5.1
    C: ETRN example.net
    S: 502 5.5.1`,
  'out of order, state kept (RFC 5321 §4.1.4)': `${EHLO}
    C: RCPT TO:<b@example.net>
    S: 503 5.5.1
    C: DATA
    S: 503 5.5.1
    C: MAIL FROM:<a@client.example>
    S: 250 2.1.0
    C: MAIL FROM:<x@client.example>
    S: 503 5.5.1
    C: RCPT TO:<b@example.net>
    S: 250 2.1.5
    C: MAIL FROM:<x@client.example>
    S: 503 5.5.1
    C: AUTH PLAIN
    S: 503 5.5.1
    C: DATA
    S: 354`,
  'DATA without a valid recipient (RFC 2920 §3.1)': `${MAIL}
    C: DATA
    S: 554 5.5.1
    C: RCPT TO:<b@example.net>
    S: 250 2.1.5`,
  'arguments where none belong, and none where one belongs (RFC 5321 §4.1.1)': `${RCPT}
    C: DATA now
    S: 501 5.5.4
    C: RSET all
    S: 501 5.5.4
    C: QUIT please
    S: 501 5.5.4
    C: STARTTLS 1.3
    S: 501 5.5.4
    C: VRFY
    S: 501 5.5.4
    C: RCPT b@example.net
    S: 501 5.5.4 Syntax: RCPT TO:<forward-path> [parameters]
    C: DATA
    S: 354`,
  'case and white space at the end do not matter': `
    C: eHLo client.example\t 
    S: 250-mx.example.net
    C: mail from:<a@client.example>  
    S: 250 2.1.0
    C: rcpt To: <b@example.net>
    S: 250 2.1.5`,
  'HELO announces nothing, so nothing may be used': `
    C: HELO client.example
    S: 250 mx.example.net
    C: STARTTLS
    S: 503 5.5.1
    C: MAIL FROM:<a@client.example> SIZE=10
    S: 555 5.5.4
    C: MAIL FROM:<a@client.example>
    S: 250 2.1.0
    C: RCPT TO:<b@example.net> NOTIFY=NEVER
    S: 555 5.5.4`,
  'the name of the client': `
    C: EHLO
    S: 501 5.5.4 Syntax: EHLO hostname
    C: EHLO two words
    S: 501 5.5.4
    C: EHLO \x07.example
    S: 501 5.5.4
    C: EHLO [300.1.1.1]
    S: 501 5.5.4
    C: HELO under_score
    S: 250 mx
    C: HELO client.example.
    S: 250 mx
    C: HELO [IPv6:2001:db8::1]
    S: 250 mx
    C: HELO [2001:db8::1]
    S: 250 mx
    C: HELO 2001:db8::1
    S: 250 mx
    C: HELO bücher.example
    S: 250 mx`,
  paths: `${EHLO}
    C: MAIL FROM:a@client.example
    S: 501 5.1.7
    C: MAIL FROM:<a@>
    S: 501 5.1.7
    C: MAIL FROM:<a@client.example>SIZE=1
    S: 501 5.5.4
    C: MAIL FROM:<>
    S: 250 2.1.0
    C: RCPT TO:<>
    S: 501 5.1.3
    C: RCPT TO:<@relay.example:b@example.net>
    S: 250 2.1.5
    C: RCPT TO:<Postmaster>
    S: 250 2.1.5
    C: RCPT TO:<"a b"@example.net>
    S: 250 2.1.5`,
  'SIZE (RFC 1870)': `${EHLO}
    C: MAIL FROM:<a@client.example> SIZE=52428801
    S: 552 5.3.4
    C: MAIL FROM:<a@client.example> SIZE=99999999999999999999
    S: 552 5.3.4
    C: MAIL FROM:<a@client.example> SIZE=999999999999999999999
    S: 501 5.5.4
    C: MAIL FROM:<a@client.example> SIZE=-1
    S: 501 5.5.4
    C: MAIL FROM:<a@client.example> SIZE=52428800
    S: 250 2.1.0`,
  'SMTPUTF8 (RFC 6531)': `${EHLO}
    C: MAIL FROM:<bücher@client.example>
    S: 553 5.6.7
    C: MAIL FROM:<a@bücher.example>
    S: 553 5.6.7
    C: MAIL FROM:<a@client.example>
    S: 250 2.1.0
    C: RCPT TO:<grün@example.net>
    S: 553 5.6.7
    C: RSET
    S: 250 2.0.0
    C: MAIL FROM:<bücher@bücher.example> SMTPUTF8
    S: 250 2.1.0
    C: RCPT TO:<grün@example.net> ORCPT=utf-8;grün@example.net
    S: 250 2.1.5`,
  'other parameters': `${EHLO}
    C: MAIL FROM:<a@client.example> REQUIRETLS
    S: 555 5.5.4
    C: MAIL FROM:<a@client.example> BODY=9BIT
    S: 501 5.5.4
    C: MAIL FROM:<a@client.example> ENVID=a+0Db
    S: 501 5.5.4
    C: MAIL FROM:<a@client.example> RET=HDRS ENVID=a+2Bb BODY=8BITMIME
    S: 250 2.1.0
    C: RCPT TO:<b@example.net> NOTIFY=NEVER,DELAY
    S: 501 5.5.4
    C: RCPT TO:<b@example.net> ORCPT=rfc822;a+00b
    S: 501 5.5.4
    C: RCPT TO:<b@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@example.net
    S: 250 2.1.5`,
  'REQUIRETLS is no value and no clear text (RFC 8689 §2)': `${EHLO}
    C: MAIL FROM:<a@client.example> REQUIRETLS=yes
    S: 555 5.5.4`,
  'EHLO and RSET abandon (RFC 5321 §4.1.4)': `${RCPT}
    C: EHLO client.example
    S: 250-mx
    C: RCPT TO:<b@example.net>
    S: 503 5.5.1
    C: MAIL FROM:<a@client.example>
    S: 250 2.1.0
    C: RSET
    S: 250 2.0.0
    C: DATA
    S: 503 5.5.1`,
  'NOOP, VRFY and HELP change nothing (RFC 5321 §4.1.1)': `${RCPT}
    C: NOOP
    S: 250 2.0.0
    C: VRFY b
    S: 252 2.0.0
    C: HELP
    S: 214 2.0.0
    C: DATA
    S: 354`,
}

for (const [story, script] of Object.entries(DIALOGUES)) test(story, () => void play(script))

test('HTTP and header fields end the session at once', () => {
  for (const line of [
    'GET / HTTP/1.1',
    'post / HTTP/1.1',
    'CONNECT a:25 HTTP/1.0',
    'Host: example.net',
    'Subject: x',
  ]) {
    const rehearsal = play(`C: ${line}\nS: 554 5.5.1`)
    assert.equal(rehearsal.closed, 'error')
    rehearsal.lines('EHLO client.example')
    assert.equal(rehearsal.reply(), undefined, 'nothing is executed after the end')
  }
})

test('one error too many ends the session', () => {
  const rehearsal = play('C: A\nS: 500\nC: B\nS: 500\nC: C\nS: 500\nS: 421 4.7.0', limited({ errorsMax: 3 }))
  assert.equal(rehearsal.closed, 'error')
  assert.equal(rehearsal.machine.session.tally.errors, 3)
})

test('more recipients than the limit: 452, no error, the others stay (RFC 5321 §4.5.3.1.10)', () => {
  const script = `${RCPT}
    C: RCPT TO:<c@example.net>
    S: 452 4.5.3
    C: RCPT TO:<d@example.net>
    S: 452 4.5.3
    C: DATA
    S: 354
    C: .
    S: 250 2.0.0`
  const rehearsal = play(script, limited({ recipientsMax: 1, errorsMax: 1 }))
  assert.equal(rehearsal.received[0]?.transaction.envelope.recipients.length, 1)
})

test('more transactions than the limit: 421 (RFC 9422)', () => {
  const script = `${MAIL}\nC: RSET\nS: 250\nC: MAIL FROM:<a@client.example>\nS: 421 4.7.0`
  assert.equal(play(script, limited({ transactionsMax: 1 })).closed, 'refused')
})

test('what EHLO announces', () => {
  const rehearsal = new Rehearsal({ settings: { authMechanisms: ['PLAIN', 'LOGIN'], etrn: true } })
  const lines = rehearsal.lines('EHLO client.example').reply()?.split('|') ?? []
  assert.deepEqual(lines.map((line) => line.slice(4)).slice(1), [
    'PIPELINING',
    'SIZE 52428800',
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
    'DSN',
    'CHUNKING',
    'BINARYMIME',
    'STARTTLS',
    'ETRN',
    'LIMITS RCPTMAX=1000 MAILMAX=10000',
  ])
  rehearsal.lines('STARTTLS')
  rehearsal.reply()
  rehearsal.do((machine) => machine.secured(TLS)).lines('EHLO client.example')
  assert.match(rehearsal.reply() ?? '', /\|250-AUTH PLAIN LOGIN\|250-REQUIRETLS\|250-ETRN\|250 LIMITS /)
})

test('ETRN where the listener has it; AUTH not before TLS', () => {
  const answers: Answers = (question) =>
    question.kind === 'etrn' && question.argument !== 'example.net'
      ? reject(permanent(550, '5.7.1', 'no'), 'etrn-unknown', 'not a domain of ours')
      : acceptAll(question)
  const script = `${EHLO}
    C: AUTH PLAIN AAAA
    S: 538 5.7.11
    C: ETRN
    S: 501 5.5.4
    C: ETRN other.example
    S: 550 5.7.1 no
    C: ETRN example.net
    S: 250 2.0.0`
  play(script, { settings: { authMechanisms: ['PLAIN'], etrn: true }, answers })
})

test('where TLS is required, little is allowed before it (RFC 3207 §4)', () => {
  const script = `
    C: HELO client.example
    S: 530 5.7.0
    C: NOOP
    S: 250
    ${EHLO}
    C: MAIL FROM:<a@client.example>
    S: 530 5.7.0
    C: STARTTLS
    S: 220 2.0.0`
  assert.ok(play(script, { settings: { requireTls: true } }).securing)
})

test('the path refuses: its reply, and what becomes of the transaction', () => {
  const answers: Answers = (question) => {
    if (question.kind === 'mail' && question.transaction.envelope.reversePath.kind === 'null')
      return reject(permanent(550, '5.7.1', 'no null path'), 'no-null', 'test')
    if (question.kind === 'rcpt' && question.recipient.forwardPath.kind === 'postmaster')
      return { kind: 'defer', reply: transient(451, '4.4.1', 'later'), reasons: [] }
    if (question.kind === 'rcpt' && question.recipient.notify === 'never')
      return reject(permanent(550, '5.1.1', 'unknown'), 'unknown', 'test')
    return acceptAll(question)
  }
  const script = `${EHLO}
    C: MAIL FROM:<>
    S: 550 5.7.1 no null path
    C: MAIL FROM:<a@client.example>
    S: 250 2.1.0
    C: RCPT TO:<Postmaster>
    S: 451 4.4.1 later
    C: RCPT TO:<x@example.net> NOTIFY=NEVER
    S: 550 5.1.1 unknown
    C: DATA
    S: 554 5.5.1
    C: RCPT TO:<b@example.net>
    S: 250 2.1.5
    C: DATA
    S: 354
    C: .
    S: 250 2.0.0`
  const rehearsal = play(script, { answers })
  assert.equal(rehearsal.machine.session.tally.recipientsRefused, 1)
  assert.equal(rehearsal.machine.session.tally.transactions, 2)
  assert.equal(rehearsal.received[0]?.transaction.envelope.recipients.length, 1)
  assert.deepEqual(rehearsal.abandoned, [], 'what the path ended, it need not be told')
})
