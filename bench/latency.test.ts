import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LatencyHistogram } from './latency.ts'

test('a quantile is never below the true one, and at most 3.2 % above', () => {
  const histogram = new LatencyHistogram()
  for (let us = 1; us <= 100_000; us++) histogram.recordMs(us / 1000)
  for (const quantile of [0.01, 0.5, 0.95, 0.99, 1]) {
    const told = histogram.quantileMs(quantile) * 1000
    const exact = 100_000 * quantile
    assert.ok(told >= exact && told <= exact * 1.032, `${quantile}: ${told} for ${exact}`)
  }
})

test('the longest and the shortest time find a bucket', () => {
  const histogram = new LatencyHistogram()
  histogram.recordMs(0)
  histogram.recordMs(Number.MAX_SAFE_INTEGER)
  assert.equal(histogram.count, 2)
  assert.equal(histogram.quantileMs(0.5), 0)
  assert.equal(histogram.quantileMs(1), (2 ** 32 - 1) / 1000)
})

test('merging counts of another process gives what one histogram would have', () => {
  const [both, one, other] = [new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram()]
  for (let ms = 1; ms < 500; ms++) {
    both.recordMs(ms)
    ;(ms % 3 === 0 ? one : other).recordMs(ms)
  }
  one.merge([...other.counts])
  assert.deepEqual(one.summary(), both.summary())
})

test('an empty histogram says 0', () => {
  assert.deepEqual(new LatencyHistogram().summary(), { count: 0, p50: 0, p95: 0, p99: 0, max: 0 })
})
