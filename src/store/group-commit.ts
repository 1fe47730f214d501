/**
 * Group commit: what is asked for at the same time is written in one transaction and synced once. The answer comes after
 * the sync, or not at all: if the transaction fails, all of its works reject, and nothing of them was written.
 */
import { type Database, inTransaction } from './database.ts'

interface Waiting {
  readonly work: () => unknown
  readonly resolve: (result: never) => void
  readonly reject: (error: unknown) => void
}

export class GroupCommit {
  readonly #database: Database
  readonly #soon: (call: () => void) => void
  #waiting: Waiting[] = []

  /** `soon`: after what has arrived by now; `setImmediate` in the program. */
  constructor(database: Database, soon: (call: () => void) => void = setImmediate) {
    this.#database = database
    this.#soon = soon
  }

  /** `work` runs once, synchronously, inside the transaction; it sees what the works before it wrote. */
  run<T>(work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting.push({ work, resolve: resolve as Waiting['resolve'], reject })
    if (this.#waiting.length === 1) this.#soon(() => this.flush())
    return promise
  }

  /** Now; also before the database is closed. */
  flush(): void {
    const batch = this.#waiting
    if (batch.length === 0) return
    this.#waiting = []
    try {
      const results = inTransaction(this.#database, () => batch.map(({ work }) => work()))
      for (const [i, { resolve }] of batch.entries()) resolve(results[i] as never)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}
