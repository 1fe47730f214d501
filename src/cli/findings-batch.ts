/**
 * A worker's findings on their way to the desk: counted together for a while, because a server that refuses one message
 * refuses a thousand. What a killed worker had not yet told is lost; the next refusal says it again.
 */
import type { Finding } from '#mail/finding.ts'
import type { Counted } from '#store/findings.ts'
import type { Clock } from '#sys/clock.ts'

const BATCH_MS = 2_000
/** Servers and symbols at a time; more are counted in the next batch. */
export const BATCH_MAX = 2_000

export class FindingsBatch {
  readonly #clock: Clock
  readonly #tell: (batch: readonly Counted[]) => Promise<unknown>
  #waiting = new Map<string, { finding: Finding; count: number }>()
  #isTimed = false

  constructor(clock: Clock, tell: (batch: readonly Counted[]) => Promise<unknown>) {
    this.#clock = clock
    this.#tell = tell
  }

  readonly add = (finding: Finding): void => {
    const key = `${finding.route} ${finding.symbol}`
    const before = this.#waiting.get(key)
    if (before === undefined && this.#waiting.size >= BATCH_MAX) return
    this.#waiting.set(key, { finding, count: (before?.count ?? 0) + 1 })
    if (this.#isTimed) return
    this.#isTimed = true
    this.#clock.after(BATCH_MS, () => void this.flush())
  }

  /** Never rejects: a desk that is silent keeps no mail waiting. */
  async flush(): Promise<void> {
    this.#isTimed = false
    const batch = [...this.#waiting.values()]
    this.#waiting = new Map()
    if (batch.length > 0) await this.#tell(batch).catch(() => {})
  }
}
