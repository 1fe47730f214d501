import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, type Sign, signsOf } from './abuse.ts'
import {
  HABIT_HALVES_MS,
  HABIT_NETWORKS_MAX,
  habitAt,
  isStrange,
  NETWORK_SETTLES_MS,
  NO_HABIT,
  usualAt,
} from './habits.ts'

const DAY_MS = 86_400_000
const NOW_MS = 200 * DAY_MS

const NOTHING = {
  ...{ answered: 0, unknown: 0, malware: 0, hour: 0, busiestHour: 0, braked: 0 },
  rates: { bounced: 0, sentForBounces: 0, complaints: 0, sentForComplaints: 0 },
}
const usual = { domains: 5, usualDomains: 5, strange: 0 }
const judged = (habit: Partial<typeof usual>, more: object = {}) =>
  judge(signsOf({ ...NOTHING, habit: { ...usual, ...habit }, ...more }))

test('many domains are a warning, from a new network they slow down, and no network does it alone', () => {
  assert.equal(judged({ domains: 29 }), 'fine')
  assert.equal(judged({ domains: 30 }), 'warn')
  assert.equal(judged({ domains: 30, usualDomains: 8 }), 'fine')
  assert.equal(judged({ domains: 32, usualDomains: 8 }), 'warn')
  assert.equal(judged({ domains: 200, usualDomains: 0 }), 'fine', 'no history, no habit')
  assert.equal(judged({ strange: 10_000 }), 'fine')
  assert.equal(judged({ domains: 30, strange: 9 }), 'warn')
  assert.equal(judged({ domains: 30, strange: 10 }), 'slow')
})

test('volume and domains weigh as one; a new network makes what else is seen heavier, and what is done while slowed locks', () => {
  const volume = { hour: 200, busiestHour: 20 }
  assert.equal(judged({ domains: 100 }, volume), 'warn')
  assert.equal(judged({ domains: 100, strange: 50 }, volume), 'slow')
  assert.equal(judged({ domains: 100, strange: 50 }, { ...volume, braked: 50 }), 'lock')
  assert.equal(judged({}, { answered: 60, unknown: 10 }), 'slow')
  assert.equal(judged({ strange: 50 }, { answered: 60, unknown: 10 }), 'slow')
  assert.equal(judged({ strange: 50 }, { answered: 60, unknown: 10, ...volume }), 'lock')
  const rates = { bounced: 30, sentForBounces: 200, complaints: 0, sentForComplaints: 0 }
  assert.equal(judged({ strange: 50 }, { rates }), 'slow', 'what was found out in days is not of this network')
  assert.deepEqual(signsOf({ ...NOTHING, rates, habit: { ...usual, strange: 50 } })[0]?.points, 0)
  const symbols = (signs: readonly Sign[]) => signs.map(({ symbol, points }) => [symbol, points])
  assert.deepEqual(symbols(signsOf({ ...NOTHING, ...volume, habit: { domains: 100, usualDomains: 5, strange: 50 } })), [
    ['sudden-volume', 1],
    ['many-domains', 0],
    ['new-network', 1],
  ])
})

test('strange is who comes from no neighbourhood that has settled', () => {
  const at = (network: string, firstDays: number, lastDays = 0) => ({
    network,
    firstAtMs: NOW_MS - firstDays * DAY_MS,
    lastAtMs: NOW_MS - lastDays * DAY_MS,
  })
  const home = [at('198.51.100.0/24', 90), at('2001:db8:1::/48', 90)]
  const strange = (known: ReturnType<typeof at>[], client: string) => isStrange(known, client, NOW_MS)
  assert.ok(strange(home, '203.0.113.9'))
  for (const near of ['198.51.7.1', '::ffff:198.51.7.1', '2001:db8:ffff::1']) assert.ok(!strange(home, near), near)
  assert.ok(strange(home, '2001:db9::1'))
  const settled = NETWORK_SETTLES_MS / DAY_MS
  assert.ok(strange([...home, at('203.0.113.0/24', settled - 0.01)], '203.0.113.9'), 'its own log-in makes it no habit')
  assert.ok(!strange([...home, at('203.0.113.0/24', settled)], '203.0.113.9'))
  assert.ok(strange([...home, at('203.0.113.0/24', 90, 60)], '203.0.113.9'), 'forgotten')
  assert.ok(!strange([], '203.0.113.9'), 'who has no habit is nowhere a stranger')
  assert.ok(!strange([at('198.51.100.0/24', 1)], '203.0.113.9'))
  const roaming = Array.from({ length: HABIT_NETWORKS_MAX + 1 }, (_, n) => at(`10.${n}.0.0/24`, 30))
  assert.ok(!strange(roaming, '203.0.113.9'))
  assert.ok(strange(roaming.slice(1), '203.0.113.9'))
})

test('a day teaches when it is over, unless it was doubted; what was learned fades', () => {
  const first = { ...habitAt(NO_HABIT, NOW_MS), today: 12 }
  assert.equal(usualAt(habitAt(first, NOW_MS + DAY_MS - 1), NOW_MS), 0)
  const learned = habitAt(first, NOW_MS + DAY_MS)
  assert.equal(usualAt(learned, NOW_MS), 12)
  assert.equal(learned.today, 0)
  assert.ok(Math.abs(usualAt(learned, NOW_MS + HABIT_HALVES_MS) - 6) < 1e-9)
  const less = habitAt({ ...learned, today: 3 }, NOW_MS + 2 * DAY_MS)
  assert.ok(usualAt(less, NOW_MS + 2 * DAY_MS) > 11)
  const thief = { ...learned, today: 100, isDoubted: true }
  const after = habitAt(thief, NOW_MS + 2 * DAY_MS)
  assert.deepEqual([after.most, after.isDoubted], [12, false])
  const later = habitAt({ ...learned, today: 4 }, NOW_MS + 100 * DAY_MS)
  assert.equal(later.most, 12, 'the day is compared with what was usual then')
  assert.equal(habitAt({ ...later, today: 4 }, NOW_MS + 101 * DAY_MS).most, 4, 'faded below it')
})
