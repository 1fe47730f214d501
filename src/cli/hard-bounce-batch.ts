/**
 * Addresses that do not exist, on their way to the desk: each once in a while, since a list names many. What a killed worker
 * had not yet told is lost; the next refusal says it again. Limit: `BATCH_MAX`.
 */
import type { Clock } from '#sys/clock.ts'
import type { HardBounce } from '../relay/hard-bounces.ts'

const BATCH_MS = 500
/** At a time; more are told at once. */
export const BATCH_MAX = 2_000

export class HardBounceBatch {
  readonly #clock: Clock
  readonly #tell: (batch: readonly HardBounce[]) => Promise<unknown>
  #waiting = new Map<string, HardBounce>()
  #isTimed = false

  constructor(clock: Clock, tell: (batch: readonly HardBounce[]) => Promise<unknown>) {
    this.#clock = clock
    this.#tell = tell
  }

  readonly add = (bounce: HardBounce): void => {
    this.#waiting.set(`${bounce.tenant} ${bounce.address}`, bounce)
    if (this.#waiting.size >= BATCH_MAX) void this.flush()
    if (this.#isTimed) return
    this.#isTimed = true
    this.#clock.after(BATCH_MS, () => {
      this.#isTimed = false
      void this.flush()
    })
  }

  /** Never rejects: a desk that is silent keeps no mail waiting. */
  async flush(): Promise<void> {
    const batch = [...this.#waiting.values()]
    this.#waiting = new Map()
    if (batch.length > 0) await this.#tell(batch).catch(() => {})
  }
}
