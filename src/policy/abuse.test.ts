import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BucketCount, type Conduct, judge, signsOf } from './abuse.ts'

const RATES = { bounced: 0, sentForBounces: 0, complaints: 0, sentForComplaints: 0 }
const NOTHING: Conduct = {
  ...{ answered: 0, unknown: 0, malware: 0, hour: 0, busiestHour: 0, braked: 0 },
  rates: RATES,
  habit: { domains: 0, usualDomains: 0, strange: 0 },
}
const judged = (conduct: Partial<Conduct>) => judge(signsOf({ ...NOTHING, ...conduct }))

test('each sign has its threshold, and the strongest locks alone', () => {
  assert.equal(judged({ answered: 100, unknown: 9 }), 'fine')
  assert.equal(judged({ answered: 60, unknown: 10 }), 'slow')
  assert.equal(judged({ answered: 100, unknown: 14 }), 'fine')
  assert.equal(judged({ answered: 19, unknown: 19 }), 'slow')
  assert.equal(judged({ answered: 20, unknown: 20 }), 'lock')
  assert.equal(judged({ answered: 100, unknown: 29 }), 'slow')
  assert.equal(judged({ answered: 100, unknown: 30 }), 'lock')
  assert.equal(judged({ malware: 1 }), 'slow')
  assert.equal(judged({ malware: 2 }), 'slow')
  assert.equal(judged({ malware: 3 }), 'lock')
  assert.equal(judged({ hour: 100, busiestHour: 10 }), 'warn')
  assert.equal(judged({ hour: 99, busiestHour: 1 }), 'fine')
  assert.equal(judged({ answered: 60, unknown: 10, braked: 49 }), 'slow')
  assert.equal(judged({ answered: 60, unknown: 10, braked: 50 }), 'lock')
  assert.equal(judged({ rates: { ...RATES, complaints: 5, sentForComplaints: 100 } }), 'slow')
  assert.equal(
    judged({ rates: { ...RATES, complaints: 5, sentForComplaints: 100 }, braked: 50 }),
    'slow',
    'a week is long',
  )
  assert.equal(judged({ rates: { ...RATES, bounced: 50, sentForBounces: 100 }, answered: 60, unknown: 10 }), 'lock')
  assert.equal(judged({ braked: 5000 }), 'fine', 'who only tries again keeps himself in no trouble')
  assert.equal(judged({ hour: 5000 }), 'fine', 'nothing is sudden for whom nobody knows')
})

test('a window never forgets too early, and tells when it will have room', () => {
  const event = fc.record({ stepMs: fc.integer({ min: 0, max: 700 }), count: fc.integer({ min: 1, max: 5 }) })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (events, limit) => {
      const windowMs = 1000
      const counted = new BucketCount(100, windowMs)
      const seen: { atMs: number; count: number }[] = []
      let nowMs = 1_000_000
      for (const { stepMs, count } of events) {
        nowMs += stepMs
        counted.add(count, nowMs)
        seen.push({ atMs: nowMs, count })
        const least = seen.filter(({ atMs }) => atMs > nowMs - windowMs).reduce((sum, one) => sum + one.count, 0)
        const sum = counted.sum(windowMs, nowMs)
        const most = seen.filter(({ atMs }) => atMs > nowMs - windowMs - 100).reduce((all, one) => all + one.count, 0)
        assert.ok(sum >= least && sum <= most, `${least} ≤ ${sum} ≤ ${most}`)
        const waitMs = counted.waitMs(limit, windowMs, nowMs)
        assert.equal(waitMs === 0, sum < limit)
        assert.ok(counted.sum(windowMs, nowMs + waitMs) < limit)
      }
    }),
  )
})
