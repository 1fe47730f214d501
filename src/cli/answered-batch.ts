/**
 * What next hops said of the recipients of logins, on its way to the desk: added up for a while, since a flood has many.
 * What a killed worker had not yet told is lost; the next recipients say it again. Limit: `BATCH_MAX`.
 */
import type { Clock } from '#sys/clock.ts'
import type { AnsweredRecipients } from '../relay/answered-recipients.ts'

const BATCH_MS = 500
/** Logins at a time; those of more are told at once. */
export const BATCH_MAX = 2_000

export class AnsweredBatch {
  readonly #clock: Clock
  readonly #tell: (batch: readonly AnsweredRecipients[]) => Promise<unknown>
  #waiting = new Map<string, AnsweredRecipients>()
  #isTimed = false

  constructor(clock: Clock, tell: (batch: readonly AnsweredRecipients[]) => Promise<unknown>) {
    this.#clock = clock
    this.#tell = tell
  }

  readonly add = (found: AnsweredRecipients): void => {
    if (found.answered === 0 && !found.malware) return
    const before = this.#waiting.get(found.login)
    const answered = found.answered + (before?.answered ?? 0)
    const malware = (found.malware ?? 0) + (before?.malware ?? 0)
    const unknown = found.unknown + (before?.unknown ?? 0)
    this.#waiting.set(found.login, { ...found, answered, unknown, malware })
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
