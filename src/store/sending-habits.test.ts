import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from './database.ts'
import { HABIT_KEEP_MS, type HabitRow, SENDING_HABITS, SendingHabits } from './sending-habits.ts'

test('habits are kept as they are, the last one of each login; old ones are forgotten', () => {
  const habits = new SendingHabits(openStore(':memory:', [SENDING_HABITS]))
  const row = (todayMs: number): HabitRow => ({ most: 12.5, mostMs: 7, todayMs, today: 3, isDoubted: true })
  const put = (todayMs: number, login = 'anna') => habits.put([[login, row(todayMs)]], todayMs)
  put(10)
  put(20)
  assert.deepEqual(habits.find('anna'), row(20))
  assert.equal(habits.find('bernd'), undefined)
  put(20 + HABIT_KEEP_MS, 'bernd')
  assert.deepEqual(habits.find('anna'), row(20))
  put(21 + HABIT_KEEP_MS, 'bernd')
  assert.equal(habits.find('anna'), undefined)
})
