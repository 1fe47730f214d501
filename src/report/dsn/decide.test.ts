import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { NULL_PATH } from '#mail/address.ts'
import type { Recipient } from '#mail/envelope.ts'
import { VerifiedReturnPath } from '#mail/return-path.ts'
import type { RecipientState } from '#mail/stored.ts'
import { mailbox, recipient, WALL_MS } from '#mail/testing.ts'
import { type DsnQuestion, decide, type NextHopKind } from './decide.ts'

const reversePath = { kind: 'mailbox', mailbox: mailbox('anna@sender.example') } as const
const proof = { kind: 'submission', tenant: 'bakery', credential: 'anna' } as const
const verified = VerifiedReturnPath.from(reversePath, proof)!
const other = VerifiedReturnPath.from({ kind: 'mailbox', mailbox: mailbox('eve@sender.example') }, proof)!
const refused: RecipientState = { kind: 'held', atMs: WALL_MS, reason: 'refused', text: '550 5.1.1 no such user' }
const done: RecipientState = { kind: 'delivered', atMs: WALL_MS, relay: 'mx.far.example[192.0.2.9]:25', text: '250 Ok' }

function question(
  states: RecipientState[],
  more: Partial<DsnQuestion> = {},
  notify?: Recipient['notify'],
): DsnQuestion {
  const recipients = states.map((_, i) => ({ ...recipient(`b${i}@far.example`), ...(notify && { notify }) }))
  const envelope = { reversePath, recipients, body: '7bit', smtputf8: false } as const
  const reception = { clientAddress: '192.0.2.1', greetingName: 'x', protocol: 'ESMTP', receivedMs: WALL_MS }
  return {
    message: { envelope, reception, recipients: states },
    returnPath: verified,
    told: [],
    nowMs: WALL_MS + 1000,
    lifetimeMs: 5000,
    nextHop: () => 'no-dsn',
    sentToday: { reportsTo: () => 0 },
    perDomainAndDayMax: 10,
    ...more,
  }
}

it('a failure is told once, to a verified path', () => {
  const answer = decide(question([refused, done]))
  assert.ok(answer.kind === 'send')
  assert.deepEqual(
    [answer.class, answer.reports.map((r) => [r.index, r.action, r.status])],
    ['submission', [[0, 'failed', '5.1.1']]],
  )
  assert.equal(decide(question([refused], { told: [{ index: 0, kind: 'failure' }] })).kind, 'nothing')
})

it('what may not be told is held, with the reason', () => {
  const base = question([refused])
  const toNull = { message: { ...base.message, envelope: { ...base.message.envelope, reversePath: NULL_PATH } } }
  const cases: [Partial<DsnQuestion>, string][] = [
    [toNull, 'null-reverse-path'],
    [{ returnPath: undefined }, 'not-verified'],
    [{ returnPath: other }, 'not-verified'],
    [{ neverAnswered: 'automatic' }, 'automatic'],
    [{ neverAnswered: 'spam' }, 'spam'],
    [{ neverAnswered: 'virus' }, 'virus'],
    [{ perDomainAndDayMax: 0 }, 'domain-cap'],
  ]
  for (const [more, why] of cases)
    assert.deepEqual(decide({ ...base, ...more }), { kind: 'hold', why, recipients: [0] })
  const never = decide(question([refused], {}, 'never'))
  assert.deepEqual(never, { kind: 'hold', why: 'notify-excludes-it', recipients: [0] })
})

it('success: only when asked, and only where nobody behind us tells it', () => {
  const action = (kind: NextHopKind, notify?: Recipient['notify']) => {
    const answer = decide(question([done], { nextHop: () => kind }, notify))
    return answer.kind === 'send' ? answer.reports[0]!.action : answer.kind
  }
  assert.equal(action('no-dsn'), 'nothing')
  assert.equal(action('no-dsn', ['success']), 'relayed')
  assert.equal(action('final', ['success']), 'delivered')
  assert.equal(action('dsn', ['success']), 'nothing')
})

it('success has the status that the next hop gave, and each recipient its own next hop', () => {
  const taken: RecipientState = { ...done, text: '250 2.1.5 Ok' }
  const nextHop = (index: number) => (index === 0 ? 'dsn' : 'no-dsn') as NextHopKind
  const answer = decide(question([taken, taken], { nextHop }, ['success']))
  assert.ok(answer.kind === 'send')
  assert.deepEqual(
    answer.reports.map((r) => [r.index, r.action, r.status, r.remoteMta]),
    [[1, 'relayed', '2.1.5', 'mx.far.example']],
  )
})

it('what a person has to decide is no failure yet', () => {
  for (const reason of ['operator', 'policy'] as const)
    assert.equal(decide(question([{ ...refused, reason } as RecipientState])).kind, 'nothing')
})

it('delay: only when switched on, after its time', () => {
  const pending = { kind: 'pending' } as const
  assert.equal(decide(question([pending])).kind, 'nothing')
  assert.equal(decide(question([pending], { delayNoticeAfterMs: 1001 })).kind, 'nothing')
  const answer = decide(question([pending], { delayNoticeAfterMs: 1000 }))
  assert.ok(answer.kind === 'send')
  assert.equal(answer.reports[0]!.willRetryUntilMs, WALL_MS + 5000)
})

it('no failure is lost, and nothing goes to a path that is not verified, whatever the question', () => {
  const state = fc.constantFrom<RecipientState>(refused, done, { kind: 'pending' })
  const notify = fc.constantFrom<Recipient['notify']>(undefined, 'never', ['success'], ['failure', 'delay'])
  const more = fc.record({
    returnPath: fc.constantFrom(undefined, verified, other),
    perDomainAndDayMax: fc.nat(1),
    nextHop: fc.func(fc.constantFrom('final' as const, 'dsn' as const, 'no-dsn' as const)),
  })
  fc.assert(
    fc.property(fc.array(state, { maxLength: 5 }), notify, more, (states, on, rest) => {
      const answer = decide(question(states, rest, on))
      if (answer.kind === 'send') assert.equal(answer.to, verified)
      const kept = answer.kind === 'hold' ? answer.recipients : answer.kind === 'send' ? answer.unreported : []
      const told = answer.kind === 'send' ? answer.reports.map((r) => r.index) : []
      for (const [i, one] of states.entries()) assert.ok(one !== refused || kept.includes(i) || told.includes(i))
    }),
    { numRuns: 1000 },
  )
})
