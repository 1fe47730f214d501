/** Each row of the table in commit.ts, and what happens when the spool refuses. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { content } from '#mail/content.ts'
import { NextHopReceipt, SpoolReceipt } from '#mail/custody.ts'
import type { ContentAnswer } from '#mail/decisions.ts'
import type { Outcome } from '#mail/outcome.ts'
import { replyLine } from '#mail/reply.ts'
import { attempted, deferred, delivered, failed, transaction } from '#mail/testing.ts'
import { settle } from '#queue/testing.ts'
import { SpoolError, type SpoolErrorKind } from '#spool/contract.ts'
import { CUT_THROUGH_PATIENCE_MS, CUT_THROUGH_WAIT_MS, type Ready } from './commit.ts'
import { withEnvelope } from './outbound.ts'
import { commitBench, served } from './testing.ts'

const CONTENT = content([Buffer.from('Subject: hello\r\n\r\nhello\r\n')])
const ready = (more: Partial<Ready> = {}): Ready => ({
  transaction: transaction(['bob@bakery.test', 'eve@bakery.test']),
  domain: served(),
  content: CONTENT,
  messageId: '<1@sender.example>',
  ...more,
})

/** What the sender hears. */
function heard(answer: ContentAnswer): string {
  if (answer.kind === 'accept') return `250 ${SpoolReceipt.is(answer.custody) ? 'spool' : 'next hop'}`
  return 'reply' in answer ? replyLine(answer.reply) : answer.kind
}

async function after(...outcomes: Outcome[]) {
  const bench = commitBench()
  bench.trying.resolve(attempted(...outcomes))
  const answer = await bench.commit.take(ready())
  return { ...bench, answer, heard: heard(answer) }
}

const yes = delivered()
const no = failed('550 5.1.1 no such user')
const virus = failed('554 5.7.1 we do not like it', 'content')
const later = deferred('refused-for-now', '450 4.2.0 later')

describe('the next hop says to all recipients', () => {
  it('250: custody is its own, and nothing is stored', async () => {
    const { answer, keep, kinds, seen } = await after(yes, yes)
    assert.ok(answer.kind === 'accept' && NextHopReceipt.is(answer.custody))
    assert.deepEqual(kinds(), ['attempted', 'accepted'])
    assert.deepEqual([keep.messages.size, seen.observed.length, seen.adopted.length], [0, 1, 0])
    assert.deepEqual(seen.options, { onMixed: 'abort', waitMsMax: CUT_THROUGH_WAIT_MS })
  })

  it('5yz: the sender hears it, and nothing is stored', async () => {
    for (const outcome of [no, virus]) {
      const { heard, keep, kinds } = await after(outcome, outcome)
      assert.equal(heard, outcome.kind === 'failed' ? outcome.text : '')
      assert.deepEqual(kinds(), ['attempted'])
      assert.equal(keep.messages.size, 0)
    }
  })

  it('what we can never send is a 5yz of our own', async () => {
    const never: Outcome = { kind: 'failed', text: 'SMTPUTF8 is not offered', stage: 'mail' }
    assert.match((await after(never, never)).heard, /^554 5\.6\.7 /)
  })

  it('5yz to some, others fine: 451, and nothing is stored', async () => {
    const fine = deferred('aborted')
    const { heard, keep, kinds } = await after(no, fine)
    assert.match(heard, /^451 4\.5\.0 /)
    assert.deepEqual([keep.messages.size, kinds()], [0, ['attempted']])
  })

  it('5yz to some that says nothing of the mailbox: a retry would not help; stored, due now', async () => {
    const { heard, seen, clock } = await after(failed('550 5.7.1 not from this sender'), deferred('aborted'))
    assert.equal(heard, '250 spool')
    assert.equal(seen.queued[0]?.nextAttemptMs, clock.wall())
  })

  it('4yz or nothing, with REQUIRETLS from a stranger: 451, since nobody could be told later (RFC 8689)', async () => {
    const asked = (from?: string) => {
      const one = transaction(['bob@bakery.test', 'eve@bakery.test'], from)
      return ready({ transaction: withEnvelope(one, { requireTls: true }) })
    }
    for (const down of [false, true]) {
      const bench = commitBench()
      bench.seen.down = down
      bench.trying.resolve(attempted(later, later))
      assert.match(heard(await bench.commit.take(asked())), /^451 4\.4\.1 /)
      assert.equal(bench.keep.messages.size, 0)
      assert.equal(heard(await bench.commit.take(asked(''))), '250 spool')
    }
    const bench = commitBench()
    const unfit: Outcome = { kind: 'failed', status: '5.7.30', text: '5.7.30 not offered', stage: 'connect' }
    bench.trying.resolve(attempted(unfit, unfit))
    assert.match(heard(await bench.commit.take(asked())), /^550 5\.7\.30 /)
  })

  it('4yz, silence, no connection: custody is the spool’s, next attempt by the schedule', async () => {
    for (const outcome of [later, deferred('timeout'), deferred('connect'), deferred('busy')]) {
      const { heard, kinds, seen, clock, events } = await after(outcome, outcome)
      assert.equal(heard, '250 spool')
      assert.deepEqual(kinds(), ['attempted', 'accepted'])
      assert.equal(seen.queued[0]?.nextAttemptMs, clock.wall() + served().route.retryFirstMs)
      const accepted = events.find((event) => event.kind === 'accepted')
      assert.deepEqual([accepted?.custody, accepted?.note], ['spool', outcome.kind === 'deferred' ? outcome.text : ''])
    }
  })

  it('some took it at the dot, some not: stored, and the queue hears who has it', async () => {
    for (const rest of [no, later, deferred('lost')]) {
      const { heard, seen, kinds } = await after(yes, rest)
      assert.equal(heard, '250 spool')
      assert.deepEqual(kinds(), ['accepted'])
      assert.deepEqual([seen.adopted.length, seen.queued.length, seen.observed.length], [1, 0, 0])
      assert.deepEqual((await seen.adopted[0]?.attempt)?.outcomes, [yes, rest])
    }
  })
})

describe('when the patience is over', () => {
  it('the spool has it, and the attempt goes on as the queue’s first', async () => {
    const { commit, clock, trying, seen, kinds, keep } = commitBench()
    const one = ready()
    const answered = Promise.resolve(commit.take(one))
    await clock.pass(CUT_THROUGH_PATIENCE_MS - 1000)
    assert.equal(keep.messages.size, 0)
    await clock.pass(2000)
    assert.equal(heard(await answered), '250 spool')
    const [adopted] = seen.adopted
    assert.deepEqual([adopted?.id, adopted?.route.id], [one.transaction.id, 'bakery/main'])
    assert.deepEqual([seen.queued.length, kinds()], [0, ['accepted']])
    trying.resolve(attempted(yes, yes))
    assert.equal((await adopted?.attempt)?.outcomes.length, 2)
  })

  it('an attempt that ends in time leaves no timer behind', async () => {
    const { clock } = await after(yes, yes)
    await settle()
    assert.equal(clock.timers, 0)
  })

  it('a defect of the attempt is a defect: it is thrown, and nothing waits', async () => {
    const { commit, clock, trying, keep } = commitBench()
    trying.reject(new Error('a defect'))
    await assert.rejects(async () => commit.take(ready()), /a defect/)
    await settle()
    assert.deepEqual([clock.timers, keep.messages.size], [0, 0])
  })
})

describe('the spool at once', () => {
  it('where the domain says so: due now', async () => {
    const { commit, seen, clock, kinds } = commitBench()
    assert.equal(heard(await commit.take(ready({ domain: served({ commit: 'spool' }) }))), '250 spool')
    assert.equal(seen.queued[0]?.nextAttemptMs, clock.wall())
    assert.deepEqual([kinds(), seen.options], [['accepted'], undefined])
  })

  it('where the site is down: the session does not wait for it', async () => {
    const { commit, seen, events } = commitBench()
    seen.down = true
    assert.equal(heard(await commit.take(ready())), '250 spool')
    assert.equal(seen.options, undefined)
    assert.ok(events[0]?.kind === 'accepted' && events[0].note === 'the next hop does not answer')
  })

  it('a wall clock set back does not make a new message old', async () => {
    const { commit, seen, clock, keep } = commitBench()
    const rightMs = clock.wall()
    clock.jumpMs = -100 * 86_400_000
    const one = { ...transaction(['bob@bakery.test']), startedMs: clock.wall() - 500 }
    await commit.take(ready({ transaction: one, domain: served({ commit: 'spool' }) }))
    assert.equal(keep.get(one.id)?.receivedMs, rightMs - 500)
    assert.equal(seen.queued.length, 1)
  })
})

describe('the spool refuses', () => {
  const rows: [SpoolErrorKind, RegExp][] = [
    ['full', /^452 4\.3\.1 /],
    ['broken', /^451 4\.3\.0 /],
    ['closing', /^421 4\.3\.2 /],
    ['uncertain', /^vanish$/],
  ]
  for (const [kind, expected] of rows) {
    it(`${kind}: no 250, no accepted, nothing queued`, async () => {
      for (const commitBy of ['spool', 'cut-through'] as const) {
        const { commit, trying, seen, events } = commitBench()
        trying.resolve(attempted(later, later))
        seen.spoolError = new SpoolError(kind, 'test')
        assert.match(heard(await commit.take(ready({ domain: served({ commit: commitBy }) }))), expected)
        assert.ok(!events.some((event) => event.kind === 'accepted'))
        assert.equal(seen.queued.length, 0)
      }
    })

    it(`${kind} after the patience is over: nothing is adopted`, async () => {
      const { commit, clock, seen, trying } = commitBench()
      seen.spoolError = new SpoolError(kind, 'test')
      const answered = Promise.resolve(commit.take(ready()))
      await clock.pass(CUT_THROUGH_PATIENCE_MS)
      trying.resolve(attempted(later, later))
      assert.match(heard(await answered), expected)
      assert.equal(seen.adopted.length, 0)
    })
  }

  for (const [outcome, expected] of [
    [yes, '250 next hop'],
    [deferred('lost'), 'vanish'],
  ] as const) {
    it(`and the slow next hop ends with ${outcome.kind}: ${expected}`, async () => {
      const { commit, clock, seen, trying } = commitBench()
      seen.spoolError = new SpoolError('full', 'test')
      const answered = Promise.resolve(commit.take(ready()))
      await clock.pass(CUT_THROUGH_PATIENCE_MS)
      trying.resolve(attempted(outcome, outcome))
      assert.equal(heard(await answered), expected)
    })
  }

  it('an error that is none of the spool’s is a defect', async () => {
    const { commit, seen } = commitBench()
    seen.spoolError = new TypeError('a defect')
    await assert.rejects(async () => commit.take(ready({ domain: served({ commit: 'spool' }) })), /a defect/)
  })
})

it('what a policy holds goes into the spool and is not tried', async () => {
  const { commit, events, keep, seen } = commitBench()
  assert.equal(heard(await commit.take(ready({ hold: 'non-delivery message' }))), '250 spool')
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['accepted', 'held'],
  )
  assert.equal(seen.queued.length + seen.adopted.length, 0)
  const [id] = events.flatMap((event) => (event.kind === 'accepted' ? [event.id] : []))
  assert.equal(keep.get(id!)?.state, 'held')
})

it('who submitted is kept with the message', async () => {
  const { commit, keep } = commitBench()
  const submission = { credential: 'network' }
  await commit.take(ready({ domain: served({ commit: 'spool' }), submission }))
  const [stored] = keep.messages.values()
  assert.deepEqual(stored?.submission, submission)
})

it('so is the login, where no submission names it', async () => {
  const anna = { tenant: 'bakery', login: 'anna@bakery.test', mechanism: 'PLAIN', senders: [] }
  for (const submission of [undefined, { credential: anna.login }]) {
    const { commit, keep } = commitBench()
    const made = ready({ domain: served({ commit: 'spool' }), submission })
    made.transaction.session.authenticated = anna
    await commit.take(made)
    const [stored] = keep.messages.values()
    assert.equal(stored?.login, submission === undefined ? anna.login : undefined)
  }
})
