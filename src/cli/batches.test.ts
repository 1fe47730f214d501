/** What workers tell the desk of mail that leaves: added up, each once, at once when there is much, and never in the way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HandClock } from '#queue/testing.ts'
import { AnsweredBatch, BATCH_MAX } from './answered-batch.ts'
import { Batch } from './batch.ts'
import { HardBounceBatch } from './hard-bounce-batch.ts'

test('answers of one login are added up, told after a while, and nothing is told of none', async () => {
  const clock = new HandClock()
  const told: unknown[] = []
  const batch = new AnsweredBatch(clock, async (all) => told.push(all))
  const of = (login: string, answered: number, unknown: number, malware?: number) =>
    batch.add({ tenant: 'bakery', login, answered, unknown, ...(malware !== undefined && { malware }) })
  of('anna', 2, 1)
  of('bernd', 1, 0)
  of('anna', 3, 0)
  of('anna', 0, 0, 1)
  of('anna', 0, 0, 1)
  of('carla', 0, 0)
  assert.deepEqual(told, [])
  await clock.pass(1000)
  const expected = [
    { tenant: 'bakery', login: 'anna', answered: 5, unknown: 1, malware: 2 },
    { tenant: 'bakery', login: 'bernd', answered: 1, unknown: 0, malware: 0 },
  ]
  assert.deepEqual(told, [expected])
  await clock.pass(10_000)
  assert.equal(told.length, 1)
  of('anna', 1, 1)
  await clock.pass(1000)
  assert.deepEqual(told[1], [{ tenant: 'bakery', login: 'anna', answered: 1, unknown: 1, malware: 0 }])
})

test('many logins are told at once', () => {
  const told: number[] = []
  const batch = new AnsweredBatch(new HandClock(), async (all) => told.push(all.length))
  for (let i = 0; i < BATCH_MAX; i++) batch.add({ tenant: 'bakery', login: `l${i}`, answered: 1, unknown: 0 })
  assert.deepEqual(told, [BATCH_MAX])
})

test('a desk that is silent keeps nothing waiting', async () => {
  const clock = new HandClock()
  const silent = () => Promise.reject(new Error('no supervisor'))
  const answered = new AnsweredBatch(clock, silent)
  const bounces = new HardBounceBatch(clock, silent)
  answered.add({ tenant: 'bakery', login: 'anna', answered: 1, unknown: 1 })
  bounces.add({ tenant: 'bakery', address: 'bob@far.test', text: 'no', evidence: '' })
  await Promise.all([answered.flush(), bounces.flush()])
})

test('an address that was refused often is told once, of each tenant', async () => {
  const clock = new HandClock()
  const told: unknown[] = []
  const batch = new HardBounceBatch(clock, async (all) => told.push(all))
  for (const tenant of ['bakery', 'smith', 'bakery'])
    batch.add({ tenant, address: 'bob@far.test', text: 'no', evidence: '' })
  await clock.pass(1000)
  assert.equal((told[0] as unknown[]).length, 2)
})

test('a batch that drops leaves out what is new when it is full, goes on adding up what it has, and survives a silent desk', async () => {
  const clock = new HandClock()
  const told: (readonly number[])[] = []
  const tell = async (all: readonly number[]): Promise<void> => {
    told.push(all)
    throw new Error('no desk')
  }
  const batch = new Batch<number>({ clock, tell, afterMs: 1000, max: 2, whenFull: 'drop' })
  for (const key of ['a', 'b', 'c', 'a']) batch.put(key, (before = 0) => before + 1)
  await clock.pass(1000)
  assert.deepEqual(told, [[2, 1]])
  batch.put('c', () => 7)
  await clock.pass(1000)
  assert.deepEqual(told, [[2, 1], [7]])
})
