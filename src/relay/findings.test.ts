import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PathEvent } from '#mail/event.ts'
import type { Finding } from '#mail/finding.ts'
import type { Outcome } from '#mail/outcome.ts'
import { newTraceId } from '#mail/testing.ts'
import { findingsFor, findingsOf } from './findings.ts'

const id = newTraceId()
const failed = (stage: 'rcpt' | 'content' | 'mail', code: number, text: string): Outcome => ({
  kind: 'failed',
  stage,
  text,
  reply: { code, lines: [text] } as never,
})
const deferred = (text: string): Outcome => ({
  kind: 'deferred',
  obstacle: 'refused-for-now',
  text,
  reply: { code: 450, lines: [text] } as never,
})
const attempted = (outcomes: readonly Outcome[], inSession = false): PathEvent => ({
  kind: 'attempted',
  id,
  tenant: 'bakery',
  route: 'bakery/shop',
  recipients: [],
  attempt: { outcomes, relay: 'none', tls: false, delays: { queuedMs: 0, connectMs: 0, transferMs: 0 } },
  ageMs: 0,
  inSession,
})
const symbols = (event: PathEvent): string[] => findingsOf(event).map((f) => `${f.prerequisite} ${f.symbol}`)

test('a refusal at RCPT is a finding only after custody, and only where it speaks of the mailbox', () => {
  const noSuchUser = failed('rcpt', 550, 'no such user')
  assert.deepEqual(symbols(attempted([noSuchUser])), ['R1 refused-after-custody'])
  assert.deepEqual(symbols(attempted([noSuchUser], true)), [])
  assert.deepEqual(symbols(attempted([failed('rcpt', 554, 'go away')])), [])
  assert.deepEqual(symbols(attempted([failed('mail', 550, 'no such user')])), [])
})

test('a refusal at the dot is one against R3, in the session too, once for all recipients', () => {
  const virus = failed('content', 554, 'virus found')
  assert.deepEqual(symbols(attempted([virus, virus], true)), ['R3 content-refused'])
  const [finding] = findingsOf(attempted([virus]))
  assert.deepEqual(finding, {
    tenant: 'bakery',
    route: 'bakery/shop',
    prerequisite: 'R3',
    symbol: 'content-refused',
    evidence: 'virus found',
    id,
  })
})

test('a refused notice of ours is no evidence', () => {
  const refused = attempted([failed('content', 554, 'x')])
  assert.ok(refused.kind === 'attempted')
  assert.deepEqual(symbols({ ...refused, notice: true }), [])
})

test('greylisting is one against R4; a full mailbox, or no answer at all, is not', () => {
  assert.deepEqual(symbols(attempted([deferred('4.2.0 Greylisted, see http://postgrey.example')])), ['R4 delayed'])
  assert.deepEqual(symbols(attempted([deferred('graylisting in action')])), ['R4 delayed'])
  assert.deepEqual(symbols(attempted([deferred('mailbox full')])), [])
  assert.deepEqual(
    symbols(attempted([{ kind: 'deferred', obstacle: 'connect', text: 'greylist.example: refused' }])),
    [],
  )
})

test('an expiry is one against R5, a server that takes all is told for R1', () => {
  const entry = { id, tenant: 'bakery', route: 'bakery/shop' } as never
  const held = (reason: 'expired' | 'refused'): PathEvent => ({
    kind: 'held',
    entry,
    reason,
    recipients: [],
    text: 'x',
  })
  assert.deepEqual(symbols(held('expired')), ['R5 expired'])
  assert.deepEqual(symbols(held('refused')), [])
  const tested = { kind: 'takes-all-tested', tenant: 'bakery', route: 'bakery/shop', domain: 'bakery.example' } as const
  assert.deepEqual(symbols({ ...tested, takesAll: true }), ['R1 takes-every-address'])
  assert.deepEqual(symbols({ ...tested, takesAll: false }), [])
})

test('every event goes on to the report, and evidence is cut to what a person reads', () => {
  const found: Finding[] = []
  const events: PathEvent[] = []
  const report = findingsFor(
    (finding) => found.push(finding),
    (event) => events.push(event),
  )
  report({ kind: 'settled', id, tenant: 'bakery' })
  report(attempted([failed('content', 554, 'x'.repeat(5000))]))
  assert.equal(events.length, 2)
  assert.equal(found[0]?.evidence.length, 301)
})
