/**
 * Who is next at one destination. Two lanes: fresh mail in the order in which it came, and the backlog, oldest first.
 * Where both wait they take turns, so that a backlog of 100,000 does not stand before a message of this minute, and
 * fresh mail cannot starve the backlog either.
 */
import type { TraceId } from '#mail/trace-id.ts'
import { DueHeap } from './due-heap.ts'

/** In the order in which they came. A deque on arrays with a moving head: shift() would copy half a million ids. */
class Fifo {
  #ids: (TraceId | undefined)[] = []
  #receivedMs: number[] = []
  #head = 0

  get length(): number {
    return this.#ids.length - this.#head
  }

  push(id: TraceId, receivedMs: number): void {
    this.#ids.push(id)
    this.#receivedMs.push(receivedMs)
  }

  get firstReceivedMs(): number {
    return this.length === 0 ? Number.POSITIVE_INFINITY : this.#receivedMs[this.#head]!
  }

  shift(): { id: TraceId; receivedMs: number } | undefined {
    const id = this.#ids[this.#head]
    if (id === undefined) return undefined
    const receivedMs = this.#receivedMs[this.#head]!
    this.#ids[this.#head++] = undefined
    if (this.#head > 1024 && this.#head * 2 > this.#ids.length) {
      this.#ids = this.#ids.slice(this.#head)
      this.#receivedMs = this.#receivedMs.slice(this.#head)
      this.#head = 0
    }
    return { id, receivedMs }
  }
}

export class Line {
  readonly #fresh = new Fifo()
  readonly #backlog = new DueHeap<TraceId>()
  #backlogsTurn = true

  get length(): number {
    return this.#fresh.length + this.#backlog.size
  }

  get backlog(): number {
    return this.#backlog.size
  }

  push(id: TraceId, receivedMs: number, fresh: boolean): void {
    if (fresh) this.#fresh.push(id, receivedMs)
    else this.#backlog.push(id, receivedMs)
  }

  shift(): TraceId | undefined {
    const fromBacklog = this.#backlog.size > 0 && (this.#backlogsTurn || this.#fresh.length === 0)
    this.#backlogsTurn = !fromBacklog
    return fromBacklog ? this.#backlog.popDue(Number.POSITIVE_INFINITY) : this.#fresh.shift()?.id
  }

  /** The oldest of the backlog or the first of the fresh ones, if it was received by then. */
  takeReceivedBy(ms: number): TraceId | undefined {
    return this.#backlog.popDue(ms) ?? (this.#fresh.firstReceivedMs <= ms ? this.#fresh.shift()?.id : undefined)
  }

  /** The destination was away: nothing is fresh any more. */
  age(): void {
    for (let one = this.#fresh.shift(); one !== undefined; one = this.#fresh.shift()) {
      this.#backlog.push(one.id, one.receivedMs)
    }
  }
}
