import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from './database.ts'
import { FEEDBACK, FeedbackStore, feedbackSecret, LEARNED_MS } from './feedback.ts'

test('an answer is learned once, by each tenant, until its time is over', () => {
  const database = openStore(':memory:', [FEEDBACK])
  const store = new FeedbackStore(database)
  assert.deepEqual(
    ['bakery', 'bakery', 'smith'].map((tenant) => store.learn(tenant, 'token 1 bob', 1000)),
    [true, false, true],
  )
  store.prune(1000 + LEARNED_MS - 1)
  assert.equal(store.learn('bakery', 'token 1 bob', 1000 + LEARNED_MS - 1), false)
  assert.equal(store.learn('bakery', 'token 1 bob', 1000 + LEARNED_MS), true)
})

test('of many answers of a tenant the oldest are forgotten', () => {
  const store = new FeedbackStore(openStore(':memory:', [FEEDBACK]))
  for (let i = 0; i < 5; i++) store.learn('bakery', `${i}`, i)
  store.learn('smith', 'one', 0)
  store.prune(10, 3)
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((i) => store.learn('bakery', `${i}`, 10)),
    [true, true, false, false, false],
  )
  assert.equal(store.learn('smith', 'one', 10), false)
})

test('the secret is made once', () => {
  const database = openStore(':memory:', [FEEDBACK])
  assert.equal(feedbackSecret(database), undefined)
  new FeedbackStore(database)
  const secret = feedbackSecret(database)
  assert.equal(secret?.length, 32)
  new FeedbackStore(database)
  assert.deepEqual(feedbackSecret(database), secret)
})
