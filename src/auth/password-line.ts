/**
 * Checks of passwords wait here: a few at a time, since each takes a core, 19 MiB and one of the threads that sync the
 * spool; and so many at most in all.
 */

/** Of four threads in a worker, two are left for the spool. */
export const CHECKS_AT_A_TIME = 2
/** About two seconds of checks. Who comes then is told to come again. */
export const WAITING_CHECKS_MAX = 64

export class PasswordLine {
  readonly #atATime: number
  readonly #waitingMax: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(atATime = CHECKS_AT_A_TIME, waitingMax = WAITING_CHECKS_MAX) {
    this.#atATime = atATime
    this.#waitingMax = waitingMax
  }

  /** Undefined: too many wait. */
  run<T>(work: () => Promise<T>): Promise<T> | undefined {
    if (this.#running < this.#atATime) return this.#start(work)
    if (this.#waiting.length >= this.#waitingMax) return undefined
    return new Promise((resolve) => this.#waiting.push(() => resolve(this.#start(work))))
  }

  async #start<T>(work: () => Promise<T>): Promise<T> {
    this.#running++
    try {
      return await work()
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }
}
