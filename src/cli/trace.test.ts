import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueueEntry } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { traceRecord } from '#report/trace-record.ts'
import { story } from './trace.ts'

const TIME = '2026-11-24T08:00:00.000Z'
const entry = { id: '1M8693VGX006S6W' as TraceId, tenant: 'bakery' } as QueueEntry

test('held by the operator and held by the queue are told apart', () => {
  const byOperator = traceRecord({ kind: 'operator', entry, action: 'held', text: 'queue hold' }, TIME)
  assert.equal(story(byOperator!), `${TIME}  held by operator: queue hold`)
  const byQueue = traceRecord({ kind: 'held', entry, reason: 'expired', recipients: [], text: 'too old' }, TIME)
  assert.match(story(byQueue!), /held for : expired\n +too old$/)
})

test('a complaint says whose mail it is about, and what was learned', () => {
  const event = { kind: 'feedback', id: entry.id, tenant: 'bakery', about: 'complaint', text: 'abuse report' } as const
  const learned = { ...event, decision: 'suppressed', address: 'bob@far.test', login: 'anna', proof: 'token' } as const
  const [first, second] = story(traceRecord(learned, TIME)!).split('\n')
  assert.match(first!, /complaint of mail of bakery, sent by anna to <bob@far\.test>: suppressed, proved by token$/)
  assert.match(second!, /^ +abuse report$/)
  const not = traceRecord({ ...event, decision: 'not-proven' }, TIME)!
  assert.match(story(not), /complaint of mail of bakery to nobody who is named: not-proven\n/)
})

test('an attempt that reached no server names none', () => {
  const attempt = { time: TIME, event: 'attempted', relay: 'none', inSession: true, ageMs: 2, recipients: [] }
  assert.equal(story(attempt), `${TIME}  attempt in the session, no server reached, 2 ms after reception`)
  const reached = { ...attempt, relay: 'mail.bakery.example[192.0.2.1]:25', tls: true }
  assert.match(story(reached), /to mail\.bakery\.example\[192\.0\.2\.1\]:25 with TLS, 2 ms/)
})
