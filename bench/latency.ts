/**
 * A histogram of times in microseconds, log-linear: 32 steps in each power of two, so a figure read from it is at
 * most 3.2 % above the true one. Its memory does not grow with what it is told. Times above 2^32 µs (71 minutes)
 * count as that. Counts can be sent to another process and merged there.
 */
const STEP_BITS = 5
const STEPS = 1 << STEP_BITS
const VALUE_MAX = 2 ** 32 - 1
const BUCKETS = (32 - STEP_BITS + 1) * STEPS

export interface LatencySummary {
  readonly count: number
  /** Milliseconds; 0 where nothing was recorded. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

function bucketOf(us: number): number {
  if (us < STEPS) return us
  const shift = 31 - Math.clz32(us) - STEP_BITS
  return (shift + 1) * STEPS + (us >>> shift) - STEPS
}

/** The largest value that falls into the bucket. */
function upperEdge(bucket: number): number {
  if (bucket < STEPS) return bucket
  const shift = Math.floor(bucket / STEPS) - 1
  return ((bucket % STEPS) + STEPS + 1) * 2 ** shift - 1
}

export class LatencyHistogram {
  readonly counts = new Float64Array(BUCKETS)
  count = 0

  recordMs(ms: number): void {
    const us = Math.min(Math.max(Math.round(ms * 1000), 0), VALUE_MAX)
    this.counts[bucketOf(us)]!++
    this.count++
  }

  /** Adds what another histogram (perhaps of another process) has counted. */
  merge(counts: ArrayLike<number>): void {
    for (let i = 0; i < BUCKETS; i++) {
      const more = counts[i] ?? 0
      this.counts[i]! += more
      this.count += more
    }
  }

  /** Milliseconds below which the share `quantile` (0 to 1) of the records lies; 0 if there are none. */
  quantileMs(quantile: number): number {
    const rank = Math.max(1, Math.ceil(this.count * quantile))
    let seen = 0
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.counts[i]!
      if (seen >= rank) return upperEdge(i) / 1000
    }
    return 0
  }

  summary(): LatencySummary {
    return {
      count: this.count,
      p50: this.quantileMs(0.5),
      p95: this.quantileMs(0.95),
      p99: this.quantileMs(0.99),
      max: this.quantileMs(1),
    }
  }
}
