/** A wait on the clock that the end of the process can cut short. */
import type { Clock } from '#sys/clock.ts'

export class Nap {
  readonly #clock: Clock
  #wake: (() => void) | undefined
  #over = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True once `endAll` was called. */
  get over(): boolean {
    return this.#over
  }

  /** One at a time. */
  sleep(ms: number): Promise<void> {
    if (this.#over) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }

  /** Ends the present wait and all later ones. */
  endAll(): void {
    this.#over = true
    this.#wake?.()
  }
}
