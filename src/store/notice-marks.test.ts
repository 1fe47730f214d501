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
