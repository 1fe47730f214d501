/** What a worker knows of a domain's MTA-STS policy, whatever DNS, store and desk say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dns } from '#sys/dns/answer.ts'
import { HandClock } from '../testing.ts'
import { REMEMBERED_MS, type StsAnswer, StsPolicies } from './sts-policies.ts'

const body = (mode: string) => `version: STSv1\nmode: ${mode}\nmx: mx.dest.test\nmax_age: 86400\n`

function world() {
  const clock = new HandClock()
  const state = {
    record: ['v=STSv1; id=1'] as readonly string[] | 'unknown',
    kept: undefined as string | undefined,
    desk: { body: body('enforce') } as StsAnswer | Error,
  }
  const asked: string[] = []
  const dns = {
    async lookup(name: string) {
      const common = { name, secure: false, ttlMs: 1000 }
      if (state.record === 'unknown') return { kind: 'unknown', text: 'SERVFAIL' }
      if (state.record.length === 0) return { kind: 'none', why: 'no-name', ...common }
      return { kind: 'found', records: state.record, ...common }
    },
  } as unknown as Dns
  const policies = new StsPolicies({
    dns,
    clock,
    kept: () => state.kept,
    async ask({ id }) {
      asked.push(id ?? 'none')
      if (state.desk instanceof Error) throw state.desk
      return state.desk
    },
  })
  const mode = async () => {
    const found = await policies.of('dest.test')
    return found.kind === 'policy' ? found.policy.mode : found.kind
  }
  return { state, asked, clock, policies, mode }
}

test('without record and kept policy the desk is not asked', async () => {
  const { state, asked, mode } = world()
  for (const record of [[], ['v=spf1 -all'], 'unknown'] as const) {
    state.record = record
    assert.equal(await mode(), 'none')
  }
  assert.deepEqual(asked, [])
})

test('an answer is remembered for a moment; a new id, a refresh and time ask again', async () => {
  const { state, asked, mode, clock, policies } = world()
  assert.deepEqual([await mode(), await mode()], ['enforce', 'enforce'])
  state.record = ['v=STSv1; id=2']
  await mode()
  policies.changed()
  await mode()
  await clock.pass(REMEMBERED_MS)
  await mode()
  assert.deepEqual(asked, ['1', '2', '2', '2'])
})

test('a kept policy holds although its record is gone, or nobody can say', async () => {
  const { state, asked, mode } = world()
  state.kept = body('enforce')
  for (const record of [[], 'unknown'] as const) {
    state.record = record
    assert.equal(await mode(), 'enforce')
  }
  assert.deepEqual(asked, ['none'])
})

test('a desk that is away: what is kept holds, else nobody knows and the mail waits', async () => {
  const { state, mode } = world()
  state.desk = new Error('nobody is there')
  assert.equal(await mode(), 'unknown')
  state.kept = body('enforce')
  assert.equal(await mode(), 'enforce')
})

test('a policy that cannot be had is none (RFC 8461 §3.3)', async () => {
  const { state, mode } = world()
  state.desk = {}
  assert.equal(await mode(), 'none')
})

test('what the desk says of a policy that cannot be had is passed on, and remembered', async () => {
  const { state, asked, policies } = world()
  const failure = { type: 'sts-policy-invalid', text: 'no mode' } as const
  state.desk = { failure }
  for (let i = 0; i < 2; i++) assert.deepEqual(await policies.of('dest.test'), { kind: 'none', failure })
  assert.equal(asked.length, 1)
})
