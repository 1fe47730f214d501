/** The exchange of AUTH (RFC 4954), whatever the mechanism says in it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthAnswer, AuthStep } from '#mail/decisions.ts'
import { permanent, transient } from '#mail/reply.ts'
import { defer, reject } from '#mail/verdict.ts'
import { ANNA, type Answers, acceptAll, Rehearsal, TLS } from '../../../fuzz/smtp-rehearsal.ts'
import { AUTH_LINE_OCTETS_MAX } from './auth-commands.ts'
import { DEFAULT_LIMITS } from './limits.ts'

const EHLO = 'EHLO client.example'
const WRONG = reject(permanent(535, '5.7.8', 'Authentication failed'), 'auth-wrong', '')

/** A session under TLS after its EHLO; the steps that the path was asked for. */
function session(answers: readonly AuthAnswer[], tls = TLS) {
  const steps: AuthStep[] = []
  const given = [...answers]
  const answer: Answers = (question) => {
    if (question.kind !== 'auth') return acceptAll(question)
    steps.push(question.step)
    return given.shift() ?? { kind: 'authenticated', as: ANNA }
  }
  const settings = { authMechanisms: ['SCRAM-SHA-256-PLUS', 'PLAIN', 'LOGIN'], requireTls: true }
  const rehearsal = new Rehearsal({ settings, answers: answer, tls }).lines(EHLO)
  const say = (...lines: string[]): string[] => rehearsal.lines(...lines).replies()
  return { rehearsal, say, steps, ehlo: rehearsal.reply() ?? '' }
}
const challenge = (text: string): AuthAnswer => ({ kind: 'challenge', challenge: Buffer.from(text) })
const base64 = (text: string): string => Buffer.from(text).toString('base64')

test('one line: the initial response, decoded', () => {
  const { say, steps, rehearsal } = session([])
  assert.deepEqual(say(`AUTH plain ${base64('\0anna\0secret')}`), ['235 2.7.0 Authentication succeeded'])
  assert.deepEqual(steps, [{ kind: 'start', mechanism: 'PLAIN', initial: Buffer.from('\0anna\0secret') }])
  assert.equal(rehearsal.machine.session.authenticated?.login, 'anna')
  assert.match(say('MAIL FROM:<a@client.example> AUTH=<>')[0] ?? '', /^250/)
})

test('challenges and answers, in lines of base64', () => {
  const { say, steps } = session([challenge('Username:'), challenge('')])
  assert.deepEqual(say('AUTH LOGIN'), [`334 ${base64('Username:')}`])
  assert.deepEqual(say(base64('anna')), ['334'])
  assert.match(say('')[0] ?? '', /^235/)
  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ['start', 'response', 'response'],
  )
  assert.deepEqual(steps[2], { kind: 'response', response: Buffer.alloc(0) })
})

test('an initial response of no octets is an equals sign', () => {
  const { say, steps } = session([WRONG, WRONG])
  say('AUTH PLAIN =', 'AUTH PLAIN')
  assert.deepEqual(steps, [
    { kind: 'start', mechanism: 'PLAIN', initial: Buffer.alloc(0) },
    { kind: 'start', mechanism: 'PLAIN' },
  ])
})

test('what is no answer ends the exchange, and the session is as before', () => {
  for (const [line, reply] of [
    ['*', '501 5.7.0'],
    ['not base64!', '501 5.5.2'],
    ['QUJ', '501 5.5.2'],
    ['MAIL FROM:<a@client.example>', '501 5.5.2'],
    ['A'.repeat(AUTH_LINE_OCTETS_MAX), '500 5.5.6'],
  ] as const) {
    const { say, rehearsal, steps } = session([challenge('')])
    assert.match(say('AUTH PLAIN')[0] ?? '', /^334/)
    assert.ok(say(line)[0]?.startsWith(reply), line.slice(0, 40))
    assert.equal(steps.length, 1)
    assert.equal(rehearsal.machine.session.authenticated, undefined)
    assert.match(say('NOOP')[0] ?? '', /^250/)
  }
})

test('the longest line that RFC 4954 allows is an answer, although no command may be so long', () => {
  const { say, steps } = session([challenge('')])
  say('AUTH PLAIN')
  assert.match(say('A'.repeat(12_288))[0] ?? '', /^235/)
  assert.equal(steps[1]?.kind === 'response' && steps[1].response.length, 9_216)
})

test('refused before the path is asked', () => {
  const { say, steps } = session([])
  for (const [line, reply] of [
    ['AUTH', '501 5.5.4'],
    ['AUTH CRAM-MD5', '504 5.5.4'],
    ['AUTH PLAIN abc', '501 5.5.2'],
    ['AUTH PLAIN abcd abcd', '501 5.5.4'],
    ['AUTH SCRAM-SHA-256-PLUS', '504 5.5.4'],
  ] as const)
    assert.ok(say(line)[0]?.startsWith(reply), line)
  assert.equal(steps.length, 0)
})

test('PLUS is offered where the connection has something to bind to', () => {
  assert.match(session([]).ehlo, /250-?.AUTH PLAIN LOGIN/)
  const bound = session([], { ...TLS, channelBinding: () => Buffer.alloc(32) } as typeof TLS)
  assert.match(bound.ehlo, /AUTH SCRAM-SHA-256-PLUS PLAIN LOGIN/)
})

test('not twice, not in a transaction, not after HELO', () => {
  const { say } = session([])
  say('MAIL FROM:<a@client.example>')
  assert.match(say('AUTH PLAIN AAAA')[0] ?? '', /^503/)
  say('RSET')
  assert.match(say('AUTH PLAIN AAAA')[0] ?? '', /^235/)
  assert.match(say('AUTH PLAIN AAAA')[0] ?? '', /^503 5.5.1 Already/)
  const old = new Rehearsal({ settings: { authMechanisms: ['PLAIN'] }, tls: TLS }).lines('HELO x', 'AUTH PLAIN AAAA')
  assert.match(old.replies().at(-1) ?? '', /^503/)
})

test('a wrong password counts as an error, and too many end the session; a 454 does not', () => {
  const later = defer(transient(454, '4.7.0', 'later'), 'auth-unknown', '')
  const { say, rehearsal } = session([later, ...Array(DEFAULT_LIMITS.errorsMax).fill(WRONG)])
  say('AUTH PLAIN AAAA')
  assert.equal(rehearsal.machine.session.tally.errors, 0)
  for (let i = 0; i < DEFAULT_LIMITS.errorsMax - 1; i++) assert.equal(say('AUTH PLAIN AAAA').length, 1)
  assert.deepEqual(
    say('AUTH PLAIN AAAA').map((reply) => reply.slice(0, 3)),
    ['535', '421'],
  )
  assert.equal(rehearsal.closed, 'error')
})

test('TLS in the middle makes a stranger of everybody', () => {
  const rehearsal = new Rehearsal({ settings: { authMechanisms: ['PLAIN'] } })
  rehearsal.machine.session.authenticated = ANNA
  rehearsal.lines(EHLO, 'STARTTLS').do((machine) => machine.secured(TLS))
  assert.equal(rehearsal.machine.session.authenticated, undefined)
})

test('shutting down while a challenge is open: 421', () => {
  const { say, rehearsal } = session([challenge('')])
  say('AUTH PLAIN')
  rehearsal.do((machine) => machine.shutDown())
  assert.match(rehearsal.reply() ?? '', /^421/)
})
