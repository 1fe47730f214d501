/**
 * What a worker saw of TLS on its way to the desk: counted together for a while, since one host is dialled again and again.
 * What a killed worker had not yet told is lost to the report of that day. Limit: `BATCH_MAX`.
 */
import type { CountedTlsResult, TlsSessionResult } from '#mail/tls-result.ts'
import type { Clock } from '#sys/clock.ts'
import { Batch } from './batch.ts'

const BATCH_MS = 5_000
/** Kinds of results at a time; of more the new ones are not counted. */
export const BATCH_MAX = 5_000

export class TlsResultsBatch {
  readonly #batch: Batch<CountedTlsResult>

  constructor(clock: Clock, tell: (batch: readonly CountedTlsResult[]) => Promise<unknown>) {
    this.#batch = new Batch({ clock, tell, afterMs: BATCH_MS, max: BATCH_MAX, whenFull: 'drop' })
  }

  readonly add = (result: TlsSessionResult): void =>
    this.#batch.put(JSON.stringify(result), (before) => ({ ...result, count: (before?.count ?? 0) + 1 }))

  flush(): Promise<void> {
    return this.#batch.flush()
  }
}
