import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COLLECT_MS, DigestSchedule, INTERVAL_MS, REMIND_MS, type Told } from './digest-schedule.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** A tenant whose holds are looked at each minute; `sent` are the minutes at which a digest went. */
function looked(every: 'daily' | 'hourly' | 'off' = 'daily') {
  let schedule = new DigestSchedule()
  let told: Told | undefined
  const sent: [number, string][] = []
  return {
    sent,
    restart: () => void (schedule = new DigestSchedule()),
    look(nowMs: number, held: number, newestMs: number) {
      const due = schedule.due('bakery', { held, newestMs }, told, every, nowMs)
      if (due === 'no') return
      sent.push([nowMs, due])
      told = { toldMs: newestMs, atMs: nowMs }
      schedule.sent('bakery')
    },
  }
}

test('a flood of holds makes one digest, a while after the first', () => {
  const { look, sent } = looked()
  for (let minute = 0; minute < 60; minute++) look(minute * MINUTE_MS, minute * 1700, minute * MINUTE_MS)
  // The first look saw none.
  assert.deepEqual(sent, [[MINUTE_MS + COLLECT_MS, 'new']])
})

test('what is new comes with the next day, what is known not again before a week', () => {
  const { look, sent } = looked()
  for (let now = 0; now < 20 * DAY_MS; now += MINUTE_MS) look(now, 5, now < 3 * DAY_MS ? now : 3 * DAY_MS)
  const days = sent.map(([at, why]) => [Math.round(at / DAY_MS), why])
  assert.deepEqual(days, [
    [0, 'new'],
    [1, 'new'],
    [2, 'new'],
    [3, 'new'],
    [10, 'reminder'],
    [17, 'reminder'],
  ])
})

test('hourly is hourly, off is never', () => {
  const [hourly, off] = [looked('hourly'), looked('off')]
  for (let now = 0; now < DAY_MS; now += MINUTE_MS) {
    hourly.look(now, 1, now)
    off.look(now, 1, now)
  }
  // The first after the collecting, then each 59 minutes.
  assert.equal(hourly.sent.length, 25)
  assert.equal(off.sent.length, 0)
})

test('a restart sends nothing twice, and forgets nothing that is new', () => {
  const { look, sent, restart } = looked()
  for (let now = 0; now < 10 * MINUTE_MS; now += MINUTE_MS) look(now, 1, 0)
  restart()
  for (let now = 10 * MINUTE_MS; now < 40 * MINUTE_MS; now += MINUTE_MS) look(now, 1, 0)
  assert.deepEqual(sent, [[25 * MINUTE_MS, 'new']])
  restart()
  for (let now = 40 * MINUTE_MS; now < REMIND_MS; now += MINUTE_MS) look(now, 1, 0)
  assert.equal(sent.length, 1)
})

test('a hold that is decided in time makes no digest', () => {
  const { look, sent } = looked()
  look(0, 1, 0)
  look(MINUTE_MS, 0, 0)
  look(COLLECT_MS + MINUTE_MS, 1, COLLECT_MS + MINUTE_MS)
  assert.deepEqual(sent, [])
  assert.ok(INTERVAL_MS.daily < DAY_MS)
})
