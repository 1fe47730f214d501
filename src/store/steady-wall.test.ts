import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Clock } from '#sys/clock.ts'
import { type Database, openStore } from './database.ts'
import { JUMP_MS_MAX, keepMark, STEADY_WALL, SteadyWall, steadyWallOf, TOLERANCE_MS } from './steady-wall.ts'

const HOUR = 3_600_000
const START = 1_800_000_000_000

/** Two clocks that the test turns; monotonic time also passes on the wall. */
class Hands implements Clock {
  #wallMs = START
  #monotonicMs = 0
  wall = () => Math.floor(this.#wallMs)
  monotonic = () => this.#monotonicMs
  after = () => () => {}
  pass(ms: number): void {
    this.#monotonicMs += ms
    this.#wallMs += ms
  }
  setWall(byMs: number): void {
    this.#wallMs += byMs
  }
}

const store = (): Database => openStore(':memory:', [STEADY_WALL])

test('it runs with time', () => {
  const hands = new Hands()
  const steady = new SteadyWall(hands)
  for (let i = 0; i < 10_000; i++) {
    hands.pass(0.37)
    steady.now()
  }
  assert.ok(Math.abs(steady.now() - START - 3_700) < 2, `${steady.now() - START}`)
})

test('a wall clock set back changes nothing, one set forward is followed as far as it is believed', () => {
  const hands = new Hands()
  const steady = new SteadyWall(hands)
  hands.setWall(-10 * HOUR)
  hands.pass(HOUR)
  assert.equal(steady.now(), START + HOUR)
  hands.setWall(2 * HOUR)
  assert.equal(steady.now(), START + 3 * HOUR)
  hands.setWall(9_000 * HOUR)
  assert.equal(steady.now(), START + 3 * HOUR + JUMP_MS_MAX)
  hands.pass(HOUR)
  assert.equal(steady.now(), START + 4 * HOUR + JUMP_MS_MAX)
})

test('it goes on after a restart: with the down time, and without going back', () => {
  const hands = new Hands()
  const database = store()
  const before = steadyWallOf(database, hands)
  hands.pass(HOUR)
  keepMark(database, before)
  hands.setWall(HOUR)
  assert.equal(steadyWallOf(database, hands).now(), START + 2 * HOUR)
  hands.setWall(-20 * HOUR)
  const after = steadyWallOf(database, hands)
  assert.equal(after.now(), START + HOUR)
  keepMark(database, after)
  hands.setWall(HOUR)
  assert.equal(steadyWallOf(database, hands).now(), START + 2 * HOUR)
})

test('a process that is behind another follows it', () => {
  const steady = new SteadyWall(new Hands())
  steady.atLeast(START + HOUR)
  assert.equal(steady.now(), START + HOUR)
  steady.atLeast(START)
  assert.equal(steady.now(), START + HOUR)
})

test('whatever is done to the wall clock, no time is lost, none is taken back, and no jump costs more than its limit', () => {
  const step = fc.oneof(
    fc.record({ pass: fc.double({ min: 0, max: 100 * HOUR, noNaN: true }) }),
    fc.record({ set: fc.integer({ min: -(10 ** 12), max: 10 ** 12 }) }),
    fc.constant({ restart: true as const }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const hands = new Hands()
      const database = store()
      let steady = steadyWallOf(database, hands)
      let last = steady.now()
      let passedMs = 0
      let jumps = 0
      for (const each of steps) {
        if ('pass' in each) {
          hands.pass(each.pass)
          passedMs += each.pass
        } else if ('set' in each) {
          hands.setWall(each.set)
          jumps++
        } else {
          keepMark(database, steady)
          steady = steadyWallOf(database, hands)
          jumps++
        }
        const now = steady.now()
        assert.ok(now >= last - 0.01, `went back by ${last - now}`)
        last = now
      }
      const gained = last - START - passedMs
      assert.ok(gained >= -TOLERANCE_MS * (jumps + 1), `lost ${-gained}`)
      assert.ok(gained <= (JUMP_MS_MAX + TOLERANCE_MS) * (jumps + 1))
    }),
  )
})
