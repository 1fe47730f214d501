import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NULL_PATH } from '#mail/address.ts'
import type { ProbeJob } from './contract.ts'
import { Dialogue, recipient } from './testing.ts'

const OK = '250 ok\r\n'
const PROBE: ProbeJob = { reversePath: NULL_PATH, forwardPath: recipient('a@customer.example').forwardPath }

function ask(server: Dialogue, probe = PROBE): string {
  server.machine.probe(probe)
  return server.heard()
}
/** The answer to a probe that is answered with these replies to MAIL, RCPT and RSET. */
function answer(keywords: readonly string[], ...replies: string[]): string {
  const server = Dialogue.ready(keywords)
  ask(server)
  for (const reply of replies) server.server(`${reply}\r\n`)
  const { answer: found } = server.of('probed')
  return found.kind === 'unreachable' ? found.obstacle : found.kind
}

test('MAIL, RCPT, RSET leave as one group, or one by one', () => {
  const group = Dialogue.ready(['PIPELINING'])
  assert.equal(ask(group), 'MAIL FROM:<>\r\nRCPT TO:<a@customer.example>\r\nRSET\r\n')
  group.server(`${OK}250 2.1.5 ok\r\n`)
  assert.deepEqual(group.of('probed').answer, { kind: 'known', reply: { code: 250, status: '2.1.5', lines: ['ok'] } })
  assert.deepEqual(group.kinds, ['probed'], 'not ready before RSET is answered')
  group.server(OK)
  assert.deepEqual(group.kinds, ['probed', 'ready'])
  const steps = Dialogue.ready([])
  assert.equal(ask(steps), 'MAIL FROM:<>\r\n')
  assert.equal(steps.server(OK), 'RCPT TO:<a@customer.example>\r\n')
  assert.equal(steps.server('550 5.1.1 no\r\n'), 'RSET\r\n')
  assert.equal(steps.of('probed').answer.kind, 'unknown')
  steps.server(OK)
  assert.deepEqual(steps.kinds, ['probed', 'ready'])
})

test('only a 5yz to RCPT that speaks of the mailbox says unknown (law 4)', () => {
  for (const keywords of [[], ['PIPELINING']]) {
    assert.equal(answer(keywords, '250 ok', '250 ok', '250 ok'), 'known')
    assert.equal(answer(keywords, '250 ok', '251 forwarded', '250 ok'), 'known')
    for (const code of [550, 551, 553]) assert.equal(answer(keywords, '250 ok', `${code} no`, '250 ok'), 'unknown')
    for (const code of [450, 451, 452, 421, 500, 502, 503, 530, 521, 552, 554]) {
      assert.equal(answer(keywords, '250 ok', `${code} no`, '250 ok'), 'refused-for-now', `${code}`)
    }
    for (const code of [550, 554, 451, 421]) {
      assert.equal(answer(keywords, `${code} no`, '550 no', '250 ok'), 'refused-for-now', `MAIL ${code}`)
    }
    assert.equal(answer(keywords, '250 ok', '354 what'), 'protocol')
    assert.equal(answer(keywords, '250 ok', '221 bye'), 'protocol')
    assert.equal(answer(keywords, 'nonsense'), 'protocol')
  }
})

test('a status says whether the refusal is about the mailbox, or the sender, a full mailbox, a block list', () => {
  for (const refusal of ['550 5.1.1', '554 5.1.1', '553 5.1.0', '550 5.1.10', '550 5.2.1', '550 5.4.1', '550 5.0.0']) {
    assert.equal(answer([], '250 ok', `${refusal} no`, '250 ok'), 'unknown', refusal)
  }
  const others = ['5.1.7', '5.1.8', '5.2.2', '5.2.3', '5.3.2', '5.3.4', '5.4.4', '5.4.14', '5.5.0', '5.7.1', '5.7.25']
  for (const status of others) {
    for (const code of [550, 552, 553, 554])
      assert.equal(answer([], '250 ok', `${code} ${status} no`, '250 ok'), 'refused-for-now', `${code} ${status}`)
  }
})

test('a lost connection, a silence: unreachable', () => {
  const lost = Dialogue.ready(['PIPELINING'])
  ask(lost)
  lost.machine.fail({ obstacle: 'closed', text: 'gone' })
  lost.heard()
  assert.deepEqual(lost.of('probed'), {
    kind: 'probed',
    answer: { kind: 'unreachable', obstacle: 'closed', text: 'gone' },
    untouched: true,
  })
  const silent = Dialogue.ready(['PIPELINING'])
  ask(silent)
  silent.server(OK)
  silent.machine.tick(0)
  silent.machine.tick(5 * 60_000)
  silent.heard()
  assert.deepEqual(silent.of('probed').answer, {
    kind: 'unreachable',
    obstacle: 'timeout',
    text: 'no reply to RCPT TO for 300 s',
  })
  assert.equal(silent.of('probed').untouched, false)
})

test('an answer stands, whatever happens to RSET', () => {
  const server = Dialogue.ready(['PIPELINING'])
  ask(server)
  server.server(`${OK}550 no\r\n`)
  server.machine.fail({ obstacle: 'closed', text: 'gone' })
  server.heard()
  assert.equal(server.of('probed').answer.kind, 'unknown')
  assert.deepEqual(server.kinds, ['probed', 'over', 'close'])
})

test('an address in UTF-8 is asked for only with SMTPUTF8', () => {
  const probe = { ...PROBE, forwardPath: recipient('jörg@customer.example').forwardPath }
  const server = Dialogue.ready(['PIPELINING', 'SMTPUTF8'])
  assert.match(ask(server, probe), /^MAIL FROM:<> SMTPUTF8\r\nRCPT TO:<j/)
  const other = Dialogue.ready([])
  assert.equal(ask(other, probe), '')
  assert.equal(other.of('probed').answer.kind, 'unreachable')
  assert.deepEqual(other.kinds, ['probed', 'ready'])
})
