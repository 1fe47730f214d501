import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecipientFact } from '#store/recipient-facts.ts'
import { domainStanding, type Lesson, standing, taught } from './lesson.ts'
import { KNOWLEDGE_LIMITS } from './limits.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const lesson = (state: Lesson['state'], source: Lesson['source'] = 'callout', route = 'bakery/main'): Lesson => ({
  key: 'anna@bakery.test',
  state,
  source,
  route,
})
const teach = (before: RecipientFact | undefined, what: Lesson, nowMs: number) =>
  taught(before, what, nowMs, KNOWLEDGE_LIMITS)
const says = (fact: RecipientFact, nowMs: number, route = 'bakery/main') =>
  standing(fact, route, nowMs, KNOWLEDGE_LIMITS)?.state

test('a good address: 31 days, stale after one, and the clock may say what it likes', () => {
  const fact = teach(undefined, lesson('known'), 1000)!
  assert.deepEqual(standing(fact, 'bakery/main', 1000 + DAY, KNOWLEDGE_LIMITS), {
    state: 'known',
    ageMs: DAY,
    stale: false,
  })
  assert.equal(standing(fact, 'bakery/main', 1001 + DAY, KNOWLEDGE_LIMITS)?.stale, true)
  assert.equal(says(fact, 1000 + 31 * DAY), 'known')
  assert.equal(says(fact, 1001 + 31 * DAY), undefined)
  assert.equal(says(fact, 0), 'known')
})

test('a refusal: 15 minutes, doubling up to two hours when it is confirmed after its time', () => {
  let fact = teach(undefined, lesson('unknown'), 0)!
  const lives: number[] = []
  for (let i = 0; i < 6; i++) {
    lives.push(fact.negativeMs / MINUTE)
    assert.equal(says(fact, fact.atMs + fact.negativeMs), 'unknown')
    assert.equal(says(fact, fact.atMs + fact.negativeMs + 1), undefined)
    fact = teach(fact, lesson('unknown'), fact.atMs + fact.negativeMs + 1)!
  }
  assert.deepEqual(lives, [15, 30, 60, 120, 120, 120])
  // Two workers that say it at one time confirm nothing.
  const again = teach(teach(undefined, lesson('unknown'), 0)!, lesson('unknown'), 100)!
  assert.equal(again.negativeMs, 15 * MINUTE)
  assert.equal(teach(fact, lesson('known'), fact.atMs + 1)?.state, 'known')
})

test('a delivery confirms once in an hour', () => {
  const fact = teach(undefined, lesson('known'), 0)!
  assert.equal(teach(fact, lesson('known', 'delivery'), HOUR - 1), undefined)
  assert.equal(teach(fact, lesson('known', 'delivery'), HOUR)?.atMs, HOUR)
})

test('outgoing mail shows a good address, but nothing against what its server has said', () => {
  const wrote = lesson('known', 'outgoing')
  const shown = teach(undefined, wrote, 0)!
  assert.deepEqual(standing(shown, 'bakery/main', MINUTE, KNOWLEDGE_LIMITS), {
    state: 'known',
    ageMs: MINUTE,
    stale: true,
  })
  assert.equal(teach(shown, wrote, HOUR - 1), undefined)
  assert.equal(teach(shown, wrote, HOUR)?.atMs, HOUR)
  // A refusal is on record although it holds no longer.
  const refused = teach(undefined, lesson('unknown'), 0)!
  assert.equal(teach(refused, wrote, MINUTE), undefined)
  assert.equal(teach(refused, wrote, 3 * HOUR), undefined)
  assert.equal(teach({ ...refused, route: 'butcher/main' }, wrote, MINUTE)?.state, 'known')
  const good = teach(undefined, lesson('known', 'delivery'), 0)!
  assert.equal(teach(good, wrote, 2 * HOUR), undefined)
  assert.equal(teach(good, wrote, 32 * DAY)?.source, 'outgoing')
  // And what the server says counts at once.
  assert.equal(teach(shown, lesson('known', 'delivery'), 1)?.source, 'delivery')
  assert.equal(teach(shown, lesson('unknown', 'delivery'), 1)?.state, 'unknown')
})

test('no refusal holds for more than two hours, whatever was written down', () => {
  const fact = { ...teach(undefined, lesson('unknown'), 0)!, negativeMs: 10 * HOUR }
  assert.equal(says(fact, 2 * HOUR), 'unknown')
  assert.equal(says(fact, 2 * HOUR + 1), undefined)
})

test('another tenant’s fact is none (law 7)', () => {
  const takesAll = { takesAll: true, atMs: 0, route: 'butcher/main' }
  assert.equal(domainStanding(takesAll, 'bakery/main', 0, KNOWLEDGE_LIMITS), undefined)
  assert.equal(domainStanding(takesAll, 'butcher/other', 0, KNOWLEDGE_LIMITS)?.takesAll, true)
  const fact = teach(undefined, lesson('unknown', 'callout', 'butcher/main'), 0)!
  assert.equal(says(fact, 0), undefined)
  assert.equal(says(fact, 0, 'butcher/other'), 'unknown')
  const longer = teach({ ...fact, negativeMs: 2 * HOUR }, lesson('unknown'), 10 * HOUR)!
  assert.equal(longer.negativeMs, 15 * MINUTE)
})
