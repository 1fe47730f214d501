import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from './database.ts'
import { NOTICE_MARKS, NoticeMarks } from './notice-marks.ts'

const DAY_MS = 86_400_000
const marks = () => new NoticeMarks(openStore(':memory:', [NOTICE_MARKS]))

test('a mark is that of the last digest, of one tenant', () => {
  const all = marks()
  assert.equal(all.digest('bakery'), undefined)
  all.told('bakery', { toldMs: 1, atMs: 2 })
  all.told('bakery', { toldMs: 3, atMs: 4.6 })
  assert.deepEqual(all.digest('bakery'), { toldMs: 3, atMs: 5 })
  assert.equal(all.digest('school'), undefined)
})

test('notices are counted for each tenant and day', () => {
  const all = marks()
  assert.deepEqual([all.countOne('bakery', 0), all.countOne('bakery', DAY_MS - 1)], [1, 2])
  assert.equal(all.countOne('school', 0), 1)
  assert.deepEqual([all.countOne('bakery', DAY_MS), all.countOne('bakery', DAY_MS)], [1, 2])
})

test('what is told once is marked for each tenant and subject, and forgotten in time', () => {
  const all = marks()
  all.toldSubject('bakery', 'one', 0.6)
  all.toldSubject('bakery', 'one', 5)
  all.toldSubject('bakery', 'two', 60 * DAY_MS)
  assert.deepEqual(
    [all.subject('bakery', 'one'), all.subject('bakery', 'two'), all.subject('school', 'one')],
    [5, 60 * DAY_MS, undefined],
  )
  all.toldSubject('bakery', 'two', 60 * DAY_MS + 6)
  assert.equal(all.subject('bakery', 'one'), undefined)
})
