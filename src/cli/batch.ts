/**
 * What a worker has to tell the desk, gathered for a while: the same again becomes one entry, since a flood has many. What a
 * killed worker had not yet told is lost, so only what will be said again goes this way. A desk that is silent keeps no mail
 * waiting.
 */
import type { Clock } from '#sys/clock.ts'

export interface BatchParts<Item> {
  readonly clock: Clock
  readonly tell: (batch: readonly Item[]) => Promise<unknown>
  /** From the first entry to the telling. */
  readonly afterMs: number
  /** Entries at a time. */
  readonly max: number
  /** At `max`: all are told at once, or what is new is left out. */
  readonly whenFull: 'tell' | 'drop'
}

export class Batch<Item> {
  readonly #parts: BatchParts<Item>
  #waiting = new Map<string, Item>()
  #isTimed = false

  constructor(parts: BatchParts<Item>) {
    this.#parts = parts
  }

  /** `merged` makes the entry of what waits under this key already, if something does. */
  put(key: string, merged: (before: Item | undefined) => Item): void {
    const { clock, afterMs, max, whenFull } = this.#parts
    const before = this.#waiting.get(key)
    if (before === undefined && this.#waiting.size >= max && whenFull === 'drop') return
    this.#waiting.set(key, merged(before))
    if (this.#waiting.size >= max && whenFull === 'tell') void this.flush()
    if (this.#isTimed) return
    this.#isTimed = true
    clock.after(afterMs, () => {
      this.#isTimed = false
      void this.flush()
    })
  }

  /** Never rejects. */
  async flush(): Promise<void> {
    const batch = [...this.#waiting.values()]
    this.#waiting = new Map()
    if (batch.length > 0) await this.#parts.tell(batch).catch(() => {})
  }
}
