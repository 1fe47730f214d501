/** Messages that wait for their time, and the one timer for all of them. Times are monotonic ms. */
import type { TraceId } from '#mail/trace-id.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import { DueHeap } from './due-heap.ts'

/** setTimeout wakes up to 1 ms early; what is due within this is due. */
export const DUE_SLACK_MS = 2

export class Later {
  readonly #clock: Clock
  readonly #due: (ids: readonly TraceId[]) => void
  readonly #heap = new DueHeap<TraceId>()
  #timer: { dueMs: number; cancel: Cancel } | undefined
  #stopped = false

  constructor(clock: Clock, due: (ids: readonly TraceId[]) => void) {
    this.#clock = clock
    this.#due = due
  }

  get size(): number {
    return this.#heap.size
  }

  push(id: TraceId, dueMs: number): void {
    this.#heap.push(id, dueMs)
    this.#wakeAt(dueMs)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #wakeAt(dueMs: number): void {
    if (this.#stopped || (this.#timer !== undefined && this.#timer.dueMs <= dueMs)) return
    this.#timer?.cancel()
    const waitMs = dueMs - this.#clock.monotonic()
    this.#timer = { dueMs, cancel: this.#clock.after(waitMs, () => this.#wake()) }
  }

  #wake(): void {
    this.#timer = undefined
    const nowMs = this.#clock.monotonic() + DUE_SLACK_MS
    const ids: TraceId[] = []
    for (let id = this.#heap.popDue(nowMs); id !== undefined; id = this.#heap.popDue(nowMs)) ids.push(id)
    this.#due(ids)
    if (this.#heap.size > 0) this.#wakeAt(this.#heap.firstDueMs)
  }
}
