import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { HandClock } from '#queue/testing.ts'
import { openStore } from '#store/database.ts'
import { MESSAGE_RECORDS } from '#store/message-records.ts'
import { REPLY_LIMITS } from '#store/reply-limits.ts'
import { keepMark, STEADY_WALL, steadyWallOf } from '#store/steady-wall.ts'
import type { Clock } from '#sys/clock.ts'
import { Desk } from '../serve/desk.ts'
import { outboundClerks, PRUNE_MS } from './outbound.ts'

const WEEK_MS = 7 * 86_400_000
const PARTS = [STEADY_WALL, REPLY_LIMITS, MESSAGE_RECORDS]

function open(path: string, clock: Clock = new HandClock()) {
  const database = openStore(path, PARTS)
  const wall = steadyWallOf(database, clock)
  const desk = new Desk(outboundClerks(database, () => wall.now(), clock))
  const take = async (worker = 0, counters = ['anna bob']) =>
    (await desk.answer(worker, 'limits/take', { tenant: 'bakery', counters, limit: 2, windowMs: WEEK_MS })) as boolean[]
  return { database, wall, desk, take }
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'clerks-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

test('fifty workers at once get two slots, written before any of them hears it', async () => {
  const { take, database } = open(':memory:')
  const seen: number[] = []
  const rows = () => Number(database.prepare('SELECT count(*) AS n FROM reply_slots').get()?.['n'])
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, worker) => {
      const [taken] = await take(worker)
      seen.push(rows())
      return taken
    }),
  )
  assert.equal(answers.filter(Boolean).length, 2)
  assert.ok(seen.every((n) => n === 2))
})

test('one question may name a counter twice', async () => {
  assert.deepEqual(await open(':memory:').take(0, ['a', 'a', 'b', 'a']), [true, true, true, false])
})

test('a clock that is set back, in the run or between two, resets nothing', async (t) => {
  const path = join(folder(t), 'store.db')
  const clock = new HandClock()
  const first = open(path, clock)
  assert.deepEqual(await first.take(), [true])
  clock.jumpMs -= 10 * WEEK_MS
  assert.deepEqual([...(await first.take()), ...(await first.take())], [true, false])
  keepMark(first.database, first.wall)
  await first.desk.close()
  first.database.close()
  clock.jumpMs -= WEEK_MS
  const second = open(path, clock)
  assert.deepEqual(await second.take(), [false])
  // And the window still ends.
  await clock.pass(WEEK_MS + 1)
  assert.deepEqual(await second.take(), [true])
})

test('where nothing can be written the question is refused, and later answered as if it had not been asked', async () => {
  const { take, database } = open(':memory:')
  await take()
  database.exec('PRAGMA query_only = ON')
  await assert.rejects(take(), /readonly/)
  database.exec('PRAGMA query_only = OFF')
  assert.deepEqual([...(await take()), ...(await take())], [true, false])
})

test('records: what was remembered is known, to all; unknown questions are refused', async () => {
  const { desk } = open(':memory:')
  const body = { tenant: 'bakery', kind: 'sent', facts: ['a', 'b'] }
  assert.equal(await desk.answer(0, 'records/remember', body), undefined)
  assert.deepEqual(await desk.answer(1, 'records/known', { ...body, facts: ['b', 'c'] }), [true, false])
  await assert.rejects(desk.answer(0, 'records/forget', body), /unknown question/)
  await assert.rejects(desk.answer(0, 'limits/give', {}), /unknown question/)
})

test('what has ended is forgotten now and then', async () => {
  const clock = new HandClock()
  const { take, desk, database } = open(':memory:', clock)
  await take()
  desk.started(
    async () => [],
    async () => undefined,
    async () => undefined,
  )
  const rows = () => Number(database.prepare('SELECT count(*) AS n FROM reply_slots').get()?.['n'])
  await new Promise(setImmediate)
  assert.equal(rows(), 1)
  clock.jumpMs += WEEK_MS
  await clock.pass(PRUNE_MS)
  assert.equal(rows(), 0)
  await desk.close()
})
