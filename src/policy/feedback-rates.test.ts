import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rateSigns } from './feedback-rates.ts'

const NONE = { bounced: 0, sentForBounces: 0, complaints: 0, sentForComplaints: 0 }
const points = (of: Partial<typeof NONE>, unknownPoints = 0) =>
  Object.fromEntries(rateSigns({ ...NONE, ...of }, unknownPoints).map((sign) => [sign.symbol, sign.points]))

test('bounces warn, then slow down, then lock, by count and by share', () => {
  const at = (bounced: number, sentForBounces: number) => points({ bounced, sentForBounces })['bounces']
  assert.equal(at(19, 19), undefined)
  assert.deepEqual([at(20, 333), at(20, 334)], [1, undefined])
  assert.deepEqual([at(30, 250), at(30, 251), at(29, 29)], [2, 1, 1])
  assert.deepEqual([at(50, 200), at(50, 201), at(49, 49)], [4, 2, 2])
})

test('complaints warn, then slow down, then lock, by count and by share', () => {
  const at = (complaints: number, sentForComplaints: number) => points({ complaints, sentForComplaints })['complaints']
  assert.equal(at(1, 1), undefined)
  assert.deepEqual([at(2, 2000), at(2, 2001)], [1, undefined])
  assert.deepEqual([at(5, 1666), at(5, 1667), at(4, 4)], [2, 1, 1])
  assert.deepEqual([at(10, 1000), at(10, 1001), at(9, 9)], [4, 2, 2])
})

test('an address that was refused in the session counts in one sign, the graver one', () => {
  assert.deepEqual(points({ bounced: 30, sentForBounces: 100 }, 2), {})
  assert.deepEqual(points({ bounced: 50, sentForBounces: 100 }, 2), { bounces: 2 })
  assert.deepEqual(points({ bounced: 50, sentForBounces: 100, complaints: 2 }, 4), { complaints: 1 })
})

test('it says how many of how many', () => {
  const [bounces, complaints] = rateSigns({ bounced: 60, sentForBounces: 100, complaints: 12, sentForComplaints: 4 }, 0)
  assert.equal(bounces?.text, '60 of 100 recipients within a day do not exist')
  assert.equal(complaints?.text, '12 of 12 recipients within a week complained')
})
