import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HandClock } from '#deliver/testing.ts'
import type { Route } from '#tenant/directory.ts'
import { calloutTarget, type LeaseAnswer, Leases, takesAllQuestion } from './leases.ts'
import { KNOWLEDGE_LIMITS } from './limits.ts'
import { concerns } from './memory.ts'

const ANNA = { about: 'anna@bakery.test', target: 'bakery mx:25', route: 'bakery/main' }
const DOWN = { kind: 'unreachable', about: 'server', text: 'connection refused' } as const

function desk() {
  const clock = new HandClock()
  return { clock, leases: new Leases(clock, KNOWLEDGE_LIMITS) }
}

function granted(answer: LeaseAnswer): number {
  assert.equal(answer.kind, 'probe')
  return (answer as { lease: number }).lease
}

test('one asks, the others wait for it', async () => {
  const { leases } = desk()
  const lease = granted(leases.ask(0, ANNA))
  const others = [1, 2, 1].map((worker) => leases.ask(worker, ANNA))
  assert.deepEqual(others, Array(3).fill({ kind: 'wait', lease }))
  const heard = Promise.all([leases.wait(lease), leases.wait(lease)])
  assert.equal(leases.told(lease, { kind: 'known' }), true)
  assert.deepEqual(await heard, [{ kind: 'known' }, { kind: 'known' }])
  // Who comes too late asks anew.
  assert.deepEqual(await leases.wait(lease), { kind: 'again' })
  assert.equal(leases.open, 0)
})

test('the holder dies, or says nothing: those who wait ask again, and nobody is blamed for a death', async () => {
  const { leases, clock } = desk()
  const first = granted(leases.ask(0, ANNA))
  const waiting = leases.wait(first)
  leases.gone(1)
  assert.equal(leases.open, 1)
  leases.gone(0)
  assert.deepEqual(await waiting, { kind: 'again' })
  const second = granted(leases.ask(1, ANNA))
  const silent = leases.wait(second)
  await clock.pass(41_000)
  assert.deepEqual(await silent, { kind: 'again' })
  assert.match((leases.ask(1, ANNA) as { text: string }).text, /no answer to a callout/)
  assert.equal(leases.told(second, { kind: 'unknown' }), false)
  assert.equal(clock.timers, 0)
})

test('a server that answers the trial for one recipient with 4yz can be asked about others', async () => {
  const { leases, clock } = desk()
  leases.told(granted(leases.ask(0, ANNA)), DOWN)
  await clock.pass(61_000)
  leases.told(granted(leases.ask(0, ANNA)), { kind: 'unreachable', about: 'recipient', text: '450 mailbox full' })
  granted(leases.ask(0, { ...ANNA, about: 'bert@bakery.test' }))
  granted(leases.ask(0, { ...ANNA, about: 'carl@bakery.test' }))
  assert.equal(leases.trouble(ANNA.target), undefined)
})

test('a trial whose holder dies does not end all trials', async () => {
  const { leases, clock } = desk()
  leases.told(granted(leases.ask(0, ANNA)), DOWN)
  await clock.pass(61_000)
  granted(leases.ask(0, ANNA))
  assert.equal(leases.ask(1, { ...ANNA, about: 'bert@bakery.test' }).kind, 'not-now')
  leases.gone(0)
  granted(leases.ask(1, ANNA))
})

test('a server that is down is left alone for a minute, or until a delivery gets through; an operator may ask', () => {
  const { leases } = desk()
  leases.told(granted(leases.ask(0, ANNA)), DOWN)
  assert.equal(leases.trouble(ANNA.target), 'connection refused')
  const answer = leases.ask(0, { ...ANNA, about: 'bert@bakery.test' })
  assert.deepEqual(answer, {
    kind: 'not-now',
    text: 'not asked again yet: connection refused',
    retryMs: 60_000,
    wholeTarget: true,
  })
  granted(leases.ask(0, { ...ANNA, about: 'carl@bakery.test', target: 'butcher mx:25' }))
  granted(leases.ask(0, { ...ANNA, sinceMs: 0 }))
  leases.reached(ANNA.target)
  granted(leases.ask(0, { ...ANNA, about: 'bert@bakery.test' }))
})

test('what a server did not want to say about one recipient says nothing about others', async () => {
  const { leases, clock } = desk()
  leases.told(granted(leases.ask(0, ANNA)), { kind: 'unreachable', about: 'recipient', text: '450 greylisted' })
  assert.deepEqual(leases.ask(1, ANNA), {
    kind: 'not-now',
    text: '450 greylisted',
    retryMs: 60_000,
    wholeTarget: false,
  })
  leases.told(granted(leases.ask(0, { ...ANNA, about: 'bert@bakery.test' })), { kind: 'known' })
  await clock.pass(61_000)
  granted(leases.ask(1, ANNA))
})

test('never more than ten questions in any second, for each target', async () => {
  const { leases, clock } = desk()
  const askedMs: number[] = []
  for (let i = 0; i < 3_000; i++) {
    clock.nowMs += 1
    const answer = leases.ask(0, { ...ANNA, about: `name${i}@bakery.test` })
    if (answer.kind !== 'probe') {
      assert.ok(answer.kind === 'not-now' && answer.retryMs > 0 && answer.retryMs <= 1000)
      continue
    }
    askedMs.push(clock.nowMs)
    leases.told(answer.lease, { kind: 'unknown' })
  }
  assert.equal(askedMs.length, 30)
  for (const [i, ms] of askedMs.entries()) if (i >= 10) assert.ok(ms - askedMs[i - 10]! >= 1000)
})

test('a change takes leases back: what they bring may be out of date', async () => {
  const { leases } = desk()
  const anna = granted(leases.ask(0, ANNA))
  const other = granted(leases.ask(0, { ...ANNA, about: 'x@shop.test' }))
  const test = granted(leases.ask(0, { ...ANNA, about: takesAllQuestion('bakery.test') }))
  const waiting = leases.wait(anna)
  leases.takeBack((question) => concerns({ kind: 'domain', domain: 'bakery.test' }, question))
  assert.deepEqual(await waiting, { kind: 'again' })
  assert.deepEqual(
    [anna, test, other].map((lease) => leases.holds(lease)),
    [false, false, true],
  )
})

test('two routes of a tenant to the same servers have one budget, two tenants have two', () => {
  const hosts = [{ name: 'mx.test', port: 25, preference: 10 }]
  const route = (tenant: string, id: string) => ({ tenant, id, hosts }) as unknown as Route
  assert.equal(calloutTarget(route('a', 'a/one')), calloutTarget(route('a', 'a/two')))
  assert.notEqual(calloutTarget(route('a', 'a/one')), calloutTarget(route('b', 'b/one')))
})
