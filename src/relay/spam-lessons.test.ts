import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PathEvent } from '#mail/event.ts'
import type { Session } from '#mail/session.ts'
import { recipient, session, transaction } from '#mail/testing.ts'
import type { SenderEvidence, Written } from '#scan/spam/memory/spam-memory.ts'
import * as refusals from './refusals.ts'
import { spamLessonsFor, UNKNOWN_MIN } from './spam-lessons.ts'

function ear() {
  const wrote: Written[] = []
  const evidence: SenderEvidence[] = []
  const told: PathEvent[] = []
  const learner = {
    wrote: (one: Written) => void wrote.push(one),
    evidence: (one: SenderEvidence) => void evidence.push(one),
  }
  return { wrote, evidence, told, report: spamLessonsFor(learner, (event) => void told.push(event)) }
}

const { envelope, id } = transaction(['Bob@far.test', 'carla@far.test'], 'anna@bakery.test')

function accepted(more: Partial<Extract<PathEvent, { kind: 'accepted' }>>): PathEvent {
  return {
    kind: 'accepted',
    id,
    session: session({ service: 'submission' }),
    envelope,
    tenant: 'bakery',
    route: 'bakery/out',
    octets: 1,
    messageId: '<1@bakery.test>',
    custody: 'spool',
    receptionMs: 1,
    submission: { credential: 'anna' },
    ...more,
  }
}

test('whom a tenant writes to is a correspondent, and its message may be answered', () => {
  const { wrote, told, report } = ear()
  report(accepted({}))
  assert.deepEqual(wrote, [
    { tenant: 'bakery', addresses: ['bob@far.test', 'carla@far.test'], messageId: '1@bakery.test' },
  ])
  assert.equal(told.length, 1)
})

test('automatic mail, mail to many, mail of nobody, mail in quarantine and mail that comes in make none', () => {
  const { wrote, told, report } = ear()
  report(accepted({ submission: { credential: 'anna', automatic: true } }))
  report(accepted({ submission: { credential: 'anna', bulk: true } }))
  const { submission, ...unowned } = accepted({}) as Extract<PathEvent, { kind: 'accepted' }>
  report(unowned)
  report(accepted({ custody: 'quarantine' }))
  report(accepted({ session: session({ service: 'inbound' }) }))
  assert.deepEqual(wrote, [])
  assert.equal(told.length, 5)
})

const network = { kind: 'network', name: '192.0.2.0/24' }

function refused(of: Session, refusal = refusals.unknownRecipient('listed', 0)): PathEvent {
  const { reply, reasons } = refusal
  return { kind: 'refused', id, at: 'rcpt', session: of, recipient: recipient('x@dest.test'), reply, reasons }
}

test('a session that asks for many who do not exist counts against its network, once', () => {
  const { evidence, report } = ear()
  const client = { address: '192.0.2.9', port: 1 }
  const one = session({ service: 'inbound', client })
  for (let i = 1; i < UNKNOWN_MIN; i++) report(refused(one))
  report(refused(session({ service: 'inbound', client })))
  report(refused(one, refusals.relayDenied('x.test')))
  assert.deepEqual(evidence, [])
  for (let i = 0; i < 20; i++) report(refused(one))
  assert.deepEqual(
    evidence.map(({ sender, tenant }) => [sender, tenant]),
    [[network, undefined]],
  )
})

test('malware that comes in counts against the network that brought it', () => {
  const { evidence, report } = ear()
  const scanned = (service: Session['service'], kind: 'malware' | 'macros'): PathEvent => ({
    kind: 'scanned',
    id,
    tenant: 'bakery',
    session: session({ service, client: { address: '192.0.2.9', port: 1 } }),
    decision: 'reject',
    facts: [{ kind, name: 'x', engine: 'y' } as never],
    policy: [],
    cleanBy: [],
    durationMs: 1,
  })
  report(scanned('submission', 'malware'))
  report(scanned('inbound', 'macros'))
  assert.deepEqual(evidence, [])
  report(scanned('inbound', 'malware'))
  assert.deepEqual(
    evidence.map(({ sender, tenant }) => [sender, tenant]),
    [[network, 'bakery']],
  )
})
