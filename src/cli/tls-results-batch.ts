/**
 * What a worker saw of TLS on its way to the desk: counted together for a while, since one host is dialled again and again.
 * What a killed worker had not yet told is lost to the report of that day. Limit: `BATCH_MAX`.
 */
import type { CountedTlsResult, TlsSessionResult } from '#mail/tls-result.ts'
import type { Clock } from '#sys/clock.ts'

const BATCH_MS = 5_000
/** Kinds of results at a time; of more the new ones are not counted. */
export const BATCH_MAX = 5_000

export class TlsResultsBatch {
  readonly #clock: Clock
  readonly #tell: (batch: readonly CountedTlsResult[]) => Promise<unknown>
  #waiting = new Map<string, { result: TlsSessionResult; count: number }>()
  #isTimed = false

  constructor(clock: Clock, tell: (batch: readonly CountedTlsResult[]) => Promise<unknown>) {
    this.#clock = clock
    this.#tell = tell
  }

  readonly add = (result: TlsSessionResult): void => {
    const key = JSON.stringify(result)
    const before = this.#waiting.get(key)
    if (before === undefined && this.#waiting.size >= BATCH_MAX) return
    this.#waiting.set(key, { result, count: (before?.count ?? 0) + 1 })
    if (this.#isTimed) return
    this.#isTimed = true
    this.#clock.after(BATCH_MS, () => void this.flush())
  }

  /** Never rejects: a desk that is silent keeps no mail waiting. */
  async flush(): Promise<void> {
    this.#isTimed = false
    const batch = [...this.#waiting.values()].map(({ result, count }) => ({ ...result, count }))
    this.#waiting = new Map()
    if (batch.length > 0) await this.#tell(batch).catch(() => {})
  }
}
