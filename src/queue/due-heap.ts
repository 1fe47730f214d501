/** A binary heap of ids by the time at which they are due. Flat arrays: a million entries cost 16 MB, not 100. */
export class DueHeap<T> {
  readonly #items: T[] = []
  readonly #dueMs: number[] = []

  get size(): number {
    return this.#items.length
  }

  get firstDueMs(): number {
    return this.#dueMs[0] ?? Number.POSITIVE_INFINITY
  }

  push(item: T, dueMs: number): void {
    let i = this.#items.length
    this.#items.push(item)
    this.#dueMs.push(dueMs)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (this.#dueMs[parent]! <= dueMs) break
      this.#move(parent, i)
      i = parent
    }
    this.#place(i, item, dueMs)
  }

  /** The first item, if it is due at `nowMs`. */
  popDue(nowMs: number): T | undefined {
    if (this.firstDueMs > nowMs) return undefined
    const first = this.#items[0]
    const item = this.#items.pop()!
    const dueMs = this.#dueMs.pop()!
    if (this.#items.length > 0) this.#sink(item, dueMs)
    return first
  }

  #sink(item: T, dueMs: number): void {
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= this.#items.length) break
      if (child + 1 < this.#items.length && this.#dueMs[child + 1]! < this.#dueMs[child]!) child++
      if (this.#dueMs[child]! >= dueMs) break
      this.#move(child, i)
      i = child
    }
    this.#place(i, item, dueMs)
  }

  #move(from: number, to: number): void {
    this.#items[to] = this.#items[from]!
    this.#dueMs[to] = this.#dueMs[from]!
  }

  #place(at: number, item: T, dueMs: number): void {
    this.#items[at] = item
    this.#dueMs[at] = dueMs
  }
}
