/**
 * Places for work that is limited in number: who finds none waits in a line, which is limited too. `undefined` instead of a
 * place: the line was full, or the wait too long. Units: ms of the clock.
 */
import type { Clock } from '#sys/clock.ts'

export interface PlacesLimits {
  readonly placesMax: number
  readonly waitingMax: number
  readonly waitMsMax: number
}

/** Gives the place back; once. */
export type Leave = () => void

export class Places {
  readonly #limits: PlacesLimits
  readonly #clock: Pick<Clock, 'after'>
  readonly #line = new Set<(leave: Leave | undefined) => void>()
  #placesMax: number
  #taken = 0

  constructor(limits: PlacesLimits, clock: Pick<Clock, 'after'>) {
    this.#limits = limits
    this.#placesMax = limits.placesMax
    this.#clock = clock
  }

  get waiting(): number {
    return this.#line.size
  }

  /** For places that are taken from now on; at least one. */
  resize(placesMax: number): void {
    this.#placesMax = Math.max(1, placesMax)
    while (this.#taken < this.#placesMax) {
      const [next] = this.#line
      if (next === undefined) return
      this.#taken++
      next(this.#leave())
    }
  }

  take(): Promise<Leave | undefined> {
    const { waitingMax, waitMsMax } = this.#limits
    if (this.#taken < this.#placesMax) {
      this.#taken++
      return Promise.resolve(this.#leave())
    }
    if (this.#line.size >= waitingMax) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const served = (leave: Leave | undefined) => {
        cancel()
        this.#line.delete(served)
        resolve(leave)
      }
      this.#line.add(served)
      const cancel = this.#clock.after(waitMsMax, () => served(undefined))
    })
  }

  #leave(): Leave {
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      const [next] = this.#line
      if (next === undefined || this.#taken > this.#placesMax) this.#taken--
      else next(this.#leave())
    }
  }
}
