/** TLS from the first octet (RFC 8314 §3): the handshake comes before the greeting, and nothing is said in clear. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENT_LIMITS } from './limits.ts'
import { Dialogue, ehloReply } from './testing.ts'

const SETTINGS = { tls: 'verified', implicitTls: true } as const

test('the handshake first, then greeting and EHLO; STARTTLS that is offered is not used', () => {
  const dialogue = new Dialogue(SETTINGS)
  assert.equal(dialogue.heard(), '')
  assert.deepEqual(dialogue.kinds, ['start-tls'])
  dialogue.machine.secured({ verified: true })
  assert.equal(dialogue.heard(), '')
  assert.equal(dialogue.server('220 mx.example ESMTP\r\n'), 'EHLO relay.example\r\n')
  assert.equal(dialogue.server(ehloReply('STARTTLS', 'PIPELINING')), '')
  assert.deepEqual(dialogue.kinds, ['start-tls', 'ready'])
  assert.equal(dialogue.machine.tls, true)
})

test('what comes in clear, or a handshake that does not end, ends the session', () => {
  const greeted = new Dialogue(SETTINGS)
  assert.equal(greeted.server('220 mx.example ESMTP\r\n'), '')
  assert.equal(greeted.of('over').fault.obstacle, 'tls')
  const slow = new Dialogue(SETTINGS)
  const { tlsHandshakeMsMax } = CLIENT_LIMITS
  slow.machine.tick(0)
  slow.machine.tick(tlsHandshakeMsMax)
  slow.heard()
  assert.deepEqual(
    [slow.of('over').fault.obstacle, slow.of('over').fault.text],
    ['tls', 'the TLS handshake took too long'],
  )
})

test('the time for the greeting begins after the handshake', () => {
  const dialogue = new Dialogue(SETTINGS)
  const { tlsHandshakeMsMax, greetingMsMax } = CLIENT_LIMITS
  dialogue.machine.tick(0)
  dialogue.machine.tick(tlsHandshakeMsMax - 1)
  dialogue.machine.secured({ verified: true })
  dialogue.machine.tick(tlsHandshakeMsMax)
  dialogue.machine.tick(tlsHandshakeMsMax + greetingMsMax - 1)
  dialogue.heard()
  assert.deepEqual(dialogue.kinds, ['start-tls'])
  dialogue.machine.tick(tlsHandshakeMsMax + greetingMsMax)
  dialogue.heard()
  assert.equal(dialogue.of('over').fault.obstacle, 'timeout')
})
