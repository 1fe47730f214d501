import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '#mail/finding.ts'
import type { Counted } from '#store/findings.ts'
import { BATCH_MAX, FindingsBatch } from './findings-batch.ts'

const finding = (route: string, evidence = 'x'): Finding => ({
  tenant: 'bakery',
  route,
  prerequisite: 'R3',
  symbol: 'content-refused',
  evidence,
})

function batched(tell: (batch: readonly Counted[]) => Promise<unknown>) {
  const timers: (() => void)[] = []
  const after = (_ms: number, call: () => void) => {
    timers.push(call)
    return () => {}
  }
  return { timers, batch: new FindingsBatch({ wall: () => 0, monotonic: () => 0, after }, tell) }
}

test('a thousand equal findings are one, with the newest evidence; the next ones travel in the next batch', async () => {
  const told: (readonly Counted[])[] = []
  const { batch, timers } = batched(async (counted) => told.push(counted))
  for (let i = 0; i < 1000; i++) batch.add(finding('bakery/shop', `reply ${i}`))
  batch.add(finding('bakery/other'))
  assert.equal(timers.length, 1)
  timers[0]!()
  assert.deepEqual(told, [
    [
      { finding: finding('bakery/shop', 'reply 999'), count: 1000 },
      { finding: finding('bakery/other'), count: 1 },
    ],
  ])
  batch.add(finding('bakery/shop'))
  await batch.flush()
  assert.equal(told.length, 2)
  await batch.flush()
  assert.equal(told.length, 2)
})

test('a desk that is silent stops nothing, and memory is bounded', async () => {
  const { batch } = batched(() => Promise.reject(new Error('no answer')))
  for (let i = 0; i < BATCH_MAX + 10; i++) batch.add(finding(`bakery/${i}`))
  await batch.flush()
})
