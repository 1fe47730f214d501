/** Addresses that do not exist, on their way to the desk: each once in a while, since a list names many. */
import type { Clock } from '#sys/clock.ts'
import type { HardBounce } from '../relay/hard-bounces.ts'
import { Batch } from './batch.ts'

const BATCH_MS = 500
/** At a time; more are told at once. */
export const BATCH_MAX = 2_000

export class HardBounceBatch {
  readonly #batch: Batch<HardBounce>

  constructor(clock: Clock, tell: (batch: readonly HardBounce[]) => Promise<unknown>) {
    this.#batch = new Batch({ clock, tell, afterMs: BATCH_MS, max: BATCH_MAX, whenFull: 'tell' })
  }

  readonly add = (bounce: HardBounce): void => this.#batch.put(`${bounce.tenant} ${bounce.address}`, () => bounce)

  flush(): Promise<void> {
    return this.#batch.flush()
  }
}
