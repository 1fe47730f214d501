/** The life of a session: greeting, waiting for the path, TLS, time, the end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { permanent, transient } from '#mail/reply.ts'
import { defer, reject } from '#mail/verdict.ts'
import { acceptAll, Rehearsal, TLS } from '../../../fuzz/smtp-rehearsal.ts'
import { DEFAULT_LIMITS } from './limits.ts'

const MINUTE_MS = 60_000
const HELLO = ['EHLO client.example', 'MAIL FROM:<a@client.example>', 'RCPT TO:<b@example.net>']

test('the greeting', () => {
  const rehearsal = new Rehearsal({ greet: false })
  rehearsal.do((machine) => machine.greet({ kind: 'accept' }))
  assert.equal(rehearsal.said, '220 mx.example.net ESMTP Vorposten\r\n')
})

test('a refused greeting (RFC 5321 §3.1): 554 or 421, and the end', () => {
  const greeted = (gate: ReturnType<typeof reject> | ReturnType<typeof defer>) => {
    const rehearsal = new Rehearsal({ greet: false }).do((machine) => machine.greet(gate)).lines('EHLO a.example')
    return [rehearsal.said, rehearsal.closed]
  }
  assert.deepEqual(greeted(reject(permanent(550, '5.7.1', 'no'), 'listed', '')), ['554 5.7.1 no\r\n', 'refused'])
  assert.deepEqual(greeted(reject(permanent(521, '5.3.2', 'no'), 'no-mail', '')), ['521 5.3.2 no\r\n', 'refused'])
  assert.deepEqual(greeted(defer(transient(450, '4.7.0', 'later'), 'busy', '')), ['421 4.7.0 later\r\n', 'refused'])
})

test('what comes before the greeting waits for it', () => {
  const rehearsal = new Rehearsal({ greet: false }).lines('NOOP')
  assert.equal(rehearsal.said, '')
  rehearsal.do((machine) => machine.greet({ kind: 'accept' }))
  assert.deepEqual(
    rehearsal.replies().map((reply) => reply.slice(0, 3)),
    ['220', '250'],
  )
})

test('nothing is executed while a question is open, nothing is lost, and the order is kept (RFC 2920)', () => {
  const rehearsal = new Rehearsal({ later: true })
  rehearsal.lines(...HELLO, 'DATA', 'x', '.', 'NOOP', 'QUIT')
  const open: string[] = []
  while (rehearsal.waiting !== undefined) {
    open.push(`${rehearsal.waiting.kind} ${rehearsal.replies().length}`)
    assert.equal(rehearsal.machine.idle, false)
    rehearsal.answerNow()
  }
  assert.deepEqual(open, ['mail 1', 'rcpt 1', 'data 1', 'content 1'])
  assert.deepEqual(
    rehearsal.replies().map((reply) => reply.slice(0, 3)),
    ['250', '250', '221'],
  )
  assert.equal(rehearsal.closed, 'quit')
})

test('replies of one round leave in one write (RFC 2920 §3.2)', () => {
  const rehearsal = new Rehearsal().lines('NOOP', 'NOOP', 'EHLO client.example', 'NOOP')
  assert.equal(rehearsal.story.length, 1)
  const machine = new Rehearsal().machine
  machine.receive(Buffer.from('NOOP\r\nNOOP\r\n'))
  assert.equal(machine.take().length, 1)
})

test('waiting input is bounded', () => {
  const limits = { ...DEFAULT_LIMITS, pendingOctetsMax: 100 }
  const rehearsal = new Rehearsal({ later: true, settings: { limits } }).lines(...HELLO.slice(0, 2))
  assert.ok(rehearsal.machine.wantsInput)
  rehearsal.send('NOOP\r\n'.repeat(17))
  assert.equal(rehearsal.machine.wantsInput, false)
  rehearsal.answerNow()
  assert.ok(rehearsal.machine.wantsInput)
})

test('STARTTLS: what is sent behind it in clear is thrown away, and all is forgotten (RFC 3207 §4.2)', () => {
  const rehearsal = new Rehearsal().lines(...HELLO, 'STARTTLS', 'MAIL FROM:<x@evil.example>')
  const { machine } = rehearsal
  assert.equal(rehearsal.replies().at(-1), '220 2.0.0 Ready to start TLS')
  assert.ok(rehearsal.securing)
  assert.equal(machine.wantsInput, false)
  assert.equal(rehearsal.abandoned.length, 1)
  rehearsal.lines('RSET').do(() => machine.secured(TLS))
  assert.deepEqual(rehearsal.replies(), [], 'nothing of it is executed')
  assert.deepEqual(
    [machine.session.greetingName, machine.session.extended, machine.session.tls],
    [undefined, false, TLS],
  )
  assert.ok(machine.wantsInput)
  rehearsal.lines('MAIL FROM:<>', 'EHLO client.example', 'STARTTLS')
  const [mail, ehlo, again] = rehearsal.replies()
  assert.match(mail ?? '', /^503/)
  assert.doesNotMatch(ehlo ?? '', /STARTTLS/)
  assert.match(again ?? '', /^503/)
})

test('time: a command, content, the session', () => {
  const after = (ms: number, ...lines: string[]) => {
    const rehearsal = new Rehearsal().lines(...lines).do((machine) => machine.tick(0))
    rehearsal.do((machine) => machine.tick(ms))
    return [rehearsal.replies().at(-1), rehearsal.closed, rehearsal.abandoned.length]
  }
  const timeout = '421 4.4.2 Timeout'
  assert.equal(after(5 * MINUTE_MS)[1], undefined)
  assert.deepEqual(after(5 * MINUTE_MS + 1), [timeout, 'timeout', 0])
  assert.deepEqual(after(5 * MINUTE_MS + 1, ...HELLO), [timeout, 'timeout', 1])
  assert.deepEqual(after(5 * MINUTE_MS + 1, ...HELLO, 'DATA', 'text'), [timeout, 'timeout', 1])
})

test('single octets do not keep a command waiting for ever, content may take its time', () => {
  const drip = (rehearsal: Rehearsal) => {
    for (let minute = 1; minute <= 119 && rehearsal.closed === undefined; minute++) {
      rehearsal.send('a').do((machine) => machine.tick(minute * MINUTE_MS))
    }
    return rehearsal
  }
  assert.equal(drip(new Rehearsal()).closed, 'timeout')
  const content = drip(new Rehearsal().lines(...HELLO, 'DATA'))
  assert.equal(content.closed, undefined)
  content.send('a').do((machine) => machine.tick(121 * MINUTE_MS))
  assert.equal(content.closed, 'timeout')
})

test('no time runs against the client while the path decides', () => {
  const rehearsal = new Rehearsal({ later: true }).lines(...HELLO.slice(0, 2))
  rehearsal
    .do((machine) => machine.tick(MINUTE_MS))
    .do((machine) => machine.tick(20 * MINUTE_MS))
    .answerNow()
  rehearsal.do((machine) => machine.tick(21 * MINUTE_MS)).do((machine) => machine.tick(25 * MINUTE_MS))
  assert.equal(rehearsal.closed, undefined)
})

test('a transaction knows when it began, by the monotonic clock', () => {
  const rehearsal = new Rehearsal().do((machine) => machine.tick(2500)).lines(...HELLO, 'DATA', '.')
  assert.equal(rehearsal.received[0]?.transaction.startedMs, 1_002_500)
})

test('shutting down: at once between commands, after the content otherwise (RFC 5321 §3.8)', () => {
  const idle = new Rehearsal().lines(...HELLO).do((machine) => machine.shutDown())
  assert.deepEqual([idle.replies().at(-1), idle.closed], ['421 4.3.2 Service is shutting down', 'shutdown'])
  assert.equal(idle.abandoned.length, 1)
  const busy = new Rehearsal().lines(...HELLO, 'DATA').do((machine) => machine.shutDown())
  assert.equal(busy.closed, undefined)
  busy.lines('x', '.', 'MAIL FROM:<>')
  assert.deepEqual(
    busy
      .replies()
      .slice(-2)
      .map((reply) => reply.slice(0, 9)),
    ['250 2.0.0', '421 4.3.2'],
  )
  const chunks = new Rehearsal().lines(...HELLO).send('BDAT 1\r\na')
  chunks.do((machine) => machine.shutDown()).send('BDAT 1 LAST\r\nb')
  assert.deepEqual([chunks.received.length, chunks.closed], [1, 'shutdown'])
  const asking = new Rehearsal({ later: true }).lines(...HELLO.slice(0, 2)).do((machine) => machine.shutDown())
  assert.equal(asking.closed, undefined)
  assert.equal(asking.answerNow().closed, 'shutdown')
})

test('a peer that vanishes: the path hears of an open transaction, a late answer is ignored', () => {
  const early = new Rehearsal({ later: true }).lines(...HELLO.slice(0, 2)).do((machine) => machine.lost())
  assert.deepEqual([early.abandoned.length, early.closed, early.said.includes('250 2.1.0')], [1, undefined, false])
  early.do((machine) => machine.answer({ kind: 'accept' })).do((machine) => machine.lost())
  assert.equal(early.abandoned.length, 1)
  const late = new Rehearsal({ answers: acceptAll, later: true }).lines(...HELLO, 'DATA', '.')
  while (late.waiting?.kind !== 'content') late.answerNow()
  late.do((machine) => machine.lost())
  assert.equal(late.abandoned.length, 0, 'content that the path has seen is its own to end')
})

test('421 from the path closes the session (RFC 5321 §4.2.3)', () => {
  const answers = () => defer(transient(421, '4.7.0', 'go away'), 'busy', '')
  const rehearsal = new Rehearsal({ answers }).lines(...HELLO)
  assert.deepEqual([rehearsal.replies().at(-1), rehearsal.closed], ['421 4.7.0 go away', 'refused'])
})

test('an answer without a question is a defect', () => {
  assert.throws(() => new Rehearsal().machine.answer({ kind: 'accept' }), /without a question/)
})
