import assert from 'node:assert/strict'
import { test } from 'node:test'
import { caughtAbove, caughtAtRate, curve, oneMinusAuc, type Scored } from './measures.ts'

const scored = (spam: readonly number[], ham: readonly number[]): Scored[] => [
  ...spam.map((score) => ({ isSpam: true, score })),
  ...ham.map((score) => ({ isSpam: false, score })),
]

test('1 - AUC is the share of pairs in the wrong order; ties count half', () => {
  assert.equal(oneMinusAuc(scored([2, 3], [0, 1])), 0)
  assert.equal(oneMinusAuc(scored([0, 1], [2, 3])), 1)
  assert.equal(oneMinusAuc(scored([1, 1], [1, 1])), 0.5)
  assert.equal(oneMinusAuc(scored([3, 1], [2, 0])), 0.25)
  assert.equal(oneMinusAuc(scored([3, 2], [2, 0])), 0.125)
})

test('at a rate the threshold lies on a ham, and never flags more than that share', () => {
  const mail = scored([5, 4, 3, 2], [0, 1, 2, 3.5])
  assert.deepEqual(caughtAtRate(mail, 0), { spam: 2, ofSpam: 4, ham: 0, ofHam: 4 })
  assert.deepEqual(caughtAtRate(mail, 0.25), { spam: 3, ofSpam: 4, ham: 1, ofHam: 4 })
  assert.deepEqual(caughtAtRate(mail, 0.49), { spam: 3, ofSpam: 4, ham: 1, ofHam: 4 })
  assert.deepEqual(caughtAtRate(mail, 1), { spam: 4, ofSpam: 4, ham: 4, ofHam: 4 })
  assert.deepEqual(caughtAbove(mail, 3), { spam: 2, ofSpam: 4, ham: 1, ofHam: 4 })
})

test('the curve has a point for each score, from the strictest', () => {
  const scored = [
    { isSpam: true, score: 3 },
    { isSpam: true, score: 2 },
    { isSpam: false, score: 2 },
    { isSpam: false, score: 1 },
  ]
  const points = curve(scored).map(({ threshold, spam, ham }) => [threshold, spam, ham])
  assert.deepEqual(points, [
    [3, 1, 0],
    [2, 2, 1],
    [1, 2, 2],
  ])
})
