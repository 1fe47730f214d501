/**
 * Virtual time: a heap of events, carried out one after the other, in the order of time and then of asking. Between two
 * events everything runs that can run without time: all microtasks, and all turns that the relay asked for with
 * setImmediate. So the order of things depends on nothing but the seed.
 */
import type { Cancel, Clock } from '#sys/clock.ts'

interface Due {
  readonly dueMs: number
  readonly order: number
  call: (() => void) | undefined
}

const before = (a: Due, b: Due): boolean => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)

export class Timeline {
  nowMs = 0
  /** Events carried out. */
  events = 0
  readonly #heap: Due[] = []
  #order = 0

  after(ms: number, call: () => void): Cancel {
    const due: Due = { dueMs: this.nowMs + Math.max(ms, 0), order: this.#order++, call }
    this.#push(due)
    return () => {
      due.call = undefined
    }
  }

  /** Until `untilMs`, or until `stop` says so. */
  async run(untilMs: number, turns: Turns, stop: () => boolean = () => false): Promise<void> {
    await turns.settle()
    while (!stop() && this.#heap[0] !== undefined && this.#heap[0].dueMs <= untilMs) {
      const due = this.#pop()
      if (due.call === undefined) continue
      this.nowMs = due.dueMs
      this.events++
      due.call()
      await turns.settle()
    }
    this.nowMs = Math.max(this.nowMs, untilMs)
  }

  #push(due: Due): void {
    const heap = this.#heap
    let i = heap.push(due) - 1
    for (let parent = (i - 1) >> 1; i > 0 && before(due, heap[parent]!); parent = (i - 1) >> 1) {
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = due
  }

  #pop(): Due {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
    return first
  }
}

/** Turns of the real event loop: counts who waits for one, so that we know when nobody does any more. */
export class Turns {
  readonly #real = globalThis.setImmediate
  #waiting = 0

  /** Everybody's setImmediate is counted from here to `restore`. One simulation at a time in a process. */
  count(): void {
    const counted = (call: (...args: unknown[]) => void, ...args: unknown[]): NodeJS.Immediate => {
      this.#waiting++
      return this.#real(() => {
        this.#waiting--
        call(...args)
      })
    }
    globalThis.setImmediate = Object.assign(counted, { __promisify__: this.#real.__promisify__ }) as typeof setImmediate
  }

  restore(): void {
    globalThis.setImmediate = this.#real
  }

  /** One real turn lets all microtasks run; more are needed while somebody waits for one. */
  async settle(): Promise<void> {
    do await new Promise<void>((resolve) => void this.#real(resolve))
    while (this.#waiting > 0)
  }
}

/** Noon, 1 July 2026: where wall time begins. */
const WALL_START_MS = Date.UTC(2026, 6, 1, 12)
/** A process has run a little before it first looks at its clock. */
const MONOTONIC_START_MS = 50

/** The clock of one process. After its death nothing that it asked for happens. */
export class LifeClock implements Clock {
  alive = true
  readonly #timeline: Timeline
  readonly #bornMs: number
  readonly #wallSkewMs: () => number

  /** `wallSkewMs`: how wrong the machine's wall clock is now. */
  constructor(timeline: Timeline, wallSkewMs: () => number) {
    this.#timeline = timeline
    this.#bornMs = timeline.nowMs
    this.#wallSkewMs = wallSkewMs
  }

  /** A function of its own: some parts take it alone. */
  readonly wall = (): number => Math.floor(WALL_START_MS + this.#timeline.nowMs + this.#wallSkewMs())

  monotonic(): number {
    return MONOTONIC_START_MS + this.#timeline.nowMs - this.#bornMs
  }

  after(ms: number, call: () => void): Cancel {
    if (!this.alive) return () => undefined
    // As setTimeout has it: whole milliseconds, rounded down, one at least.
    return this.#timeline.after(Math.max(1, Math.trunc(ms)), () => {
      if (this.alive) call()
    })
  }
}
