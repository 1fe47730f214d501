import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FORGET_MS, HEADROOM, ONE_COMPLAINT_MS, Pace, RAMP_FIRST_PER_SECOND, RAMP_STEP_MS } from './pace.ts'

/** Starts as often as the pace allows for `ms`; each one succeeds. The moments of the starts. */
function run(pace: Pace, fromMs: number, ms: number, max?: number, lateMs = () => 0): number[] {
  const starts: number[] = []
  for (let nowMs = fromMs; nowMs < fromMs + ms; ) {
    const waitMs = pace.waitMs(nowMs)
    if (waitMs > 0) nowMs += waitMs + lateMs()
    else {
      starts.push(nowMs)
      pace.started(nowMs, max)
      pace.succeeded(nowMs, max)
      if (max === undefined && pace.allowedPerSecond === Number.POSITIVE_INFINITY) break
    }
  }
  return starts
}

describe('pace', () => {
  it('without a limit and without an outage holds nothing back', () => {
    const pace = new Pace()
    for (let i = 0; i < 100; i++) {
      assert.equal(pace.waitMs(5), 0)
      pace.started(5)
    }
  })

  it('keeps a configured rate in every second, however late the timers are', () => {
    const lateness = fc.array(fc.double({ min: 0, max: 40, noNaN: true }), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), lateness, (max, late) => {
        let i = 0
        const starts = run(new Pace(), 0, 20_000, max, () => late[i++ % late.length]!)
        // The catching up of late timers is at most 10 ms: in ten seconds less than the headroom.
        for (let a = 0, b = 0; b < starts.length; b++) {
          while (starts[b]! - starts[a]! >= 10_000) a++
          assert.ok(b - a + 1 <= Math.ceil(10 * max * (1 - HEADROOM) + max * 0.01 + 1), `${b - a + 1} in 10 s`)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('doubles after an outage, step by step', () => {
    const pace = new Pace()
    pace.recovered(0)
    let nowMs = 0
    for (let expected = RAMP_FIRST_PER_SECOND; expected < 100; expected *= 2) {
      assert.equal(pace.allowedPerSecond, expected)
      const starts = run(pace, nowMs, RAMP_STEP_MS - 1)
      assert.ok(Math.abs(starts.length - (expected * RAMP_STEP_MS) / 1000) <= 2, `${starts.length} at ${expected}/s`)
      nowMs += RAMP_STEP_MS
      pace.succeeded(nowMs)
    }
  })

  it('ends the ramp at the configured rate', () => {
    const pace = new Pace()
    pace.recovered(0)
    for (let step = 1; step <= 4; step++) pace.succeeded(step * RAMP_STEP_MS, 50)
    assert.equal(pace.allowedPerSecond, Number.POSITIVE_INFINITY)
  })

  it('halves when the server complains, once for a burst of complaints, then grows slowly', () => {
    const pace = new Pace()
    pace.recovered(0)
    for (let step = 1; step <= 4; step++) pace.succeeded(step * RAMP_STEP_MS)
    assert.equal(pace.allowedPerSecond, 80)
    let nowMs = 5 * RAMP_STEP_MS
    for (let i = 0; i < 200; i++) pace.started(nowMs - 500)
    for (let i = 0; i < 10; i++) pace.congested(nowMs + i)
    assert.equal(pace.allowedPerSecond, 40)
    for (let step = 1; step <= 5; step++) pace.succeeded((nowMs += RAMP_STEP_MS))
    assert.equal(pace.allowedPerSecond, 50)
    for (let i = 0; i < 50; i++) pace.started(nowMs)
    pace.congested(nowMs)
    assert.equal(pace.allowedPerSecond, 25)
    for (let i = 0; i < 20; i++) pace.congested((nowMs += ONE_COMPLAINT_MS))
    assert.equal(pace.allowedPerSecond, 1)
  })

  it('is silent for longer with each complaint in a row, and for a second again once a message got through', () => {
    const pace = new Pace()
    pace.congested(0)
    assert.equal(pace.waitMs(0), 1_000)
    pace.congested(10_000)
    assert.equal(pace.waitMs(10_000), 2_000)
    pace.congested(20_000)
    assert.equal(pace.waitMs(20_000), 4_000)
    pace.succeeded(25_000)
    pace.congested(30_000)
    assert.equal(pace.waitMs(30_000), 1_000)
  })

  it('goes by what went out lately, not by a burst of long ago', () => {
    const pace = new Pace()
    for (let i = 0; i < 500; i++) pace.started(i)
    pace.started(60_000)
    pace.congested(60_000)
    assert.equal(pace.allowedPerSecond, RAMP_FIRST_PER_SECOND)
  })

  it('forgets a rate that held nothing back for a while', () => {
    const pace = new Pace()
    pace.recovered(0)
    assert.equal(pace.waitMs(FORGET_MS + 1), 0)
    assert.equal(pace.allowedPerSecond, Number.POSITIVE_INFINITY)
  })
})
