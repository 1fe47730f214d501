import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PathEvent } from '#mail/event.ts'
import type { Outcome } from '#mail/outcome.ts'
import { attempted, deferred, delivered, failed, newTraceId, session, transaction } from '#mail/testing.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { type AnsweredRecipients, answeredFor } from './answered-recipients.ts'

const AS = { tenant: 'bakery', login: 'anna@bakery.test', mechanism: 'PLAIN', senders: [] }

function bench() {
  const found: AnsweredRecipients[] = []
  let passed = 0
  const tell = answeredFor(
    (one) => found.push(one),
    () => passed++,
  )
  const accepted = (authenticated?: typeof AS): TraceId => {
    const sent = transaction(['x@far.test'], 'anna@bakery.test', session(authenticated && { authenticated }))
    const event = { kind: 'accepted', ...sent, tenant: 'bakery', route: 'bakery/world', octets: 1, custody: 'spool' }
    tell({ ...event, receptionMs: 1 } as unknown as PathEvent)
    return sent.id
  }
  const attempt = (id: TraceId, ...outcomes: Outcome[]) => {
    const recipients = transaction(outcomes.map(() => 'x@far.test')).envelope.recipients
    const of = { id, tenant: 'bakery', route: 'bakery/world', recipients, ageMs: 1, inSession: false }
    tell({ kind: 'attempted', ...of, attempt: attempted(...outcomes) })
  }
  return { found, tell, accepted, attempt, passed: () => passed }
}

test('final answers are counted for the login whose message it is, and for nobody else', () => {
  const { found, accepted, attempt, passed } = bench()
  const no = failed('550 5.1.1 no such user')
  attempt(accepted(AS), delivered(), no, no, failed('550 5.7.1 no'), deferred('refused-for-now', '450 4.2.0 later'))
  attempt(accepted(), no)
  assert.deepEqual(found, [{ tenant: 'bakery', login: AS.login, answered: 4, unknown: 2 }])
  assert.equal(passed(), 4)
})

test('a part of a message is its login’s too; what is settled is forgotten', () => {
  const { found, tell, accepted, attempt } = bench()
  const [id, part] = [accepted(AS), newTraceId()]
  tell({ kind: 'split', id, part, tenant: 'bakery', route: 'bakery/world', recipients: [] })
  tell({ kind: 'settled', id, tenant: 'bakery' })
  attempt(part, failed('550 5.1.1 no such user'))
  attempt(id, failed('550 5.1.1 no such user'))
  assert.equal(found.length, 1)
})

test('malware in a message counts for the login that sent it, and for nobody else', () => {
  const { found, tell } = bench()
  const scanned = (kind: 'malware' | 'encrypted', authenticated?: typeof AS) => {
    const by = session(authenticated && { authenticated })
    const fact = { kind, engine: 'clamd', name: 'Eicar', container: 'zip', where: 'message' }
    const event = { kind: 'scanned', id: newTraceId(), tenant: 'bakery', session: by, decision: 'reject', cleanBy: [] }
    tell({ ...event, facts: [fact], durationMs: 1 } as unknown as PathEvent)
  }
  scanned('malware')
  scanned('encrypted', AS)
  assert.equal(found.length, 0)
  scanned('malware', AS)
  assert.deepEqual(found, [{ tenant: 'bakery', login: AS.login, answered: 0, unknown: 0, malware: 1 }])
})
