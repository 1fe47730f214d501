/**
 * Wall time that never goes back, neither within a process nor across restarts: for everything that is stored with a
 * time and must end at its limit. Milliseconds; close to the wall clock, but only differences of it mean anything.
 *
 * Within a process it runs with the monotonic clock. A wall clock set back changes nothing. One that jumps forward is
 * followed (the machine slept, or was off), by `JUMP_MS_MAX` at most for each jump: a clock that is wrong by years for a
 * minute must not make us forget everything. While the program is down only the wall clock can tell; if that was set
 * back meanwhile, the down time counts as nothing, so something may live longer by that time and no more.
 *
 * The supervisor keeps the mark in the store once in `KEEP_MS`; workers read it when they start.
 */
import type { Clock } from '#sys/clock.ts'
import type { Database, Part } from './database.ts'

/** The longest jump forward that is believed: a machine that was off for a week. */
export const JUMP_MS_MAX = 7 * 24 * 3_600_000
/** The two clocks may differ by so much before it is called a jump; time servers slew less than this in an hour. */
export const TOLERANCE_MS = 1_000
/** How often the mark is kept. */
export const KEEP_MS = 60_000

/** What the wall clock said when the steady one stood at `steadyMs`. */
export interface Mark {
  readonly steadyMs: number
  readonly wallMs: number
}

export class SteadyWall {
  readonly #clock: Clock
  #steadyMs: number
  #wallMs: number
  #monotonicMs: number

  /** Without a mark it begins with the wall clock. */
  constructor(clock: Clock, mark?: Mark) {
    this.#clock = clock
    this.#wallMs = clock.wall()
    this.#monotonicMs = clock.monotonic()
    this.#steadyMs = mark === undefined ? this.#wallMs : mark.steadyMs + believed(this.#wallMs - mark.wallMs)
  }

  now(): number {
    const passedMs = this.#clock.monotonic() - this.#monotonicMs
    const wallMs = this.#clock.wall()
    const aheadMs = wallMs - this.#wallMs - passedMs
    if (Math.abs(aheadMs) <= TOLERANCE_MS) return this.#steadyMs + passedMs
    // Counted from here on, so that small differences never add up.
    this.#steadyMs += passedMs + believed(aheadMs)
    this.#wallMs = wallMs
    this.#monotonicMs += passedMs
    return this.#steadyMs
  }

  /** Another process is so far already. */
  atLeast(steadyMs: number): void {
    const behindMs = steadyMs - this.now()
    if (behindMs > 0) this.#steadyMs += believed(behindMs)
  }

  mark(): Mark {
    const steadyMs = this.now()
    return { steadyMs, wallMs: this.#clock.wall() }
  }
}

const believed = (jumpMs: number): number => Math.min(Math.max(0, jumpMs), JUMP_MS_MAX)

export const STEADY_WALL: Part = {
  name: 'steady-wall',
  steps: [
    `CREATE TABLE steady_wall (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      steady_ms INTEGER NOT NULL,
      wall_ms INTEGER NOT NULL
    ) STRICT`,
  ],
}

/** The clock as the store knows it; for the supervisor, and for workers that only read. */
export function steadyWallOf(store: Database, clock: Clock): SteadyWall {
  const row = store.prepare('SELECT steady_ms, wall_ms FROM steady_wall').get()
  if (row === undefined) return new SteadyWall(clock)
  return new SteadyWall(clock, { steadyMs: Number(row['steady_ms']), wallMs: Number(row['wall_ms']) })
}

/** For the supervisor: now, once in `KEEP_MS`, and at the end. Throws SQLite's errors. */
export function keepMark(store: Database, wall: SteadyWall): void {
  const { steadyMs, wallMs } = wall.mark()
  const sql = `INSERT INTO steady_wall (id, steady_ms, wall_ms) VALUES (1, ?, ?)
    ON CONFLICT (id) DO UPDATE SET steady_ms = excluded.steady_ms, wall_ms = excluded.wall_ms`
  store.prepare(sql).run(Math.ceil(steadyMs), Math.floor(wallMs))
}
