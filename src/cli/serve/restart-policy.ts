/**
 * When to replace a worker that died. One that had lived a while is replaced almost at once; one that dies quickly waits
 * longer each time. `hopeless` after `QUICK_DEATHS_MAX` in a row: the same cause will kill the next one too.
 */
export const QUICK_DEATHS_MAX = 8
/** A worker that lived this long had started well. */
export const QUICK_DEATH_MS = 10_000
const DELAY_FIRST_MS = 100
const DELAY_MS_MAX = 30_000

export interface Restart {
  readonly delayMs: number
  readonly hopeless: boolean
}

export class RestartPolicy {
  #quickDeaths = 0

  died(livedMs: number): Restart {
    this.#quickDeaths = livedMs < QUICK_DEATH_MS ? this.#quickDeaths + 1 : 0
    const delayMs = Math.min(DELAY_FIRST_MS * 2 ** Math.max(0, this.#quickDeaths - 1), DELAY_MS_MAX)
    return { delayMs, hopeless: this.#quickDeaths >= QUICK_DEATHS_MAX }
  }
}
