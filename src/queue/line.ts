/**
 * Who is next at one destination. Three lanes: prompt mail (`mail/priority.ts`) and other fresh mail, each in the order in
 * which it came, and the backlog, oldest first. Of four turns prompt mail has three, as long as there is some; the others
 * take turns with what is left. So neither a backlog of 100,000 nor a newsletter stands before a message of this minute,
 * and nothing starves.
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

/** Of so many turns in a row the last is not for prompt mail. */
export const PROMPT_TURNS = 4

export class Line {
  readonly #prompt = new Fifo()
  readonly #fresh = new Fifo()
  readonly #backlog = new DueHeap<TraceId>()
  #backlogsTurn = true
  #turn = 0

  get length(): number {
    return this.#prompt.length + this.#others
  }

  get #others(): number {
    return this.#fresh.length + this.#backlog.size
  }

  get backlog(): number {
    return this.#backlog.size
  }

  push(id: TraceId, receivedMs: number, fresh: boolean, prompt = false): void {
    if (fresh) (prompt ? this.#prompt : this.#fresh).push(id, receivedMs)
    else this.#backlog.push(id, receivedMs)
  }

  shift(): TraceId | undefined {
    this.#turn = (this.#turn + 1) % PROMPT_TURNS
    if (this.#prompt.length > 0 && (this.#turn !== 0 || this.#others === 0)) return this.#prompt.shift()?.id
    const fromBacklog = this.#backlog.size > 0 && (this.#backlogsTurn || this.#fresh.length === 0)
    this.#backlogsTurn = !fromBacklog
    return fromBacklog ? this.#backlog.popDue(Number.POSITIVE_INFINITY) : this.#fresh.shift()?.id
  }

  /** The oldest of the backlog or the first of the fresh ones, if it was received by then. */
  takeReceivedBy(ms: number): TraceId | undefined {
    const old = this.#backlog.popDue(ms)
    if (old !== undefined) return old
    for (const lane of [this.#fresh, this.#prompt]) if (lane.firstReceivedMs <= ms) return lane.shift()?.id
    return undefined
  }

  /** The destination was away: nothing is fresh any more. */
  age(): void {
    for (const lane of [this.#prompt, this.#fresh]) {
      for (let one = lane.shift(); one !== undefined; one = lane.shift()) this.#backlog.push(one.id, one.receivedMs)
    }
  }
}
