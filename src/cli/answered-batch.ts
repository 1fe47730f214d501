/** What next hops and the virus wall said of the mail of logins, on its way to the desk: added up for each. */
import type { Clock } from '#sys/clock.ts'
import type { AnsweredRecipients } from '../relay/answered-recipients.ts'
import { Batch } from './batch.ts'

const BATCH_MS = 500
/** Logins at a time; those of more are told at once. */
export const BATCH_MAX = 2_000

export class AnsweredBatch {
  readonly #batch: Batch<AnsweredRecipients>

  constructor(clock: Clock, tell: (batch: readonly AnsweredRecipients[]) => Promise<unknown>) {
    this.#batch = new Batch({ clock, tell, afterMs: BATCH_MS, max: BATCH_MAX, whenFull: 'tell' })
  }

  readonly add = (found: AnsweredRecipients): void => {
    if (found.answered === 0 && !found.malware) return
    this.#batch.put(found.login, (before) => ({
      ...found,
      answered: found.answered + (before?.answered ?? 0),
      unknown: found.unknown + (before?.unknown ?? 0),
      malware: (found.malware ?? 0) + (before?.malware ?? 0),
    }))
  }

  flush(): Promise<void> {
    return this.#batch.flush()
  }
}
