/**
 * Results of TLS sessions in the store: one row for each day (UTC), domain, policy and failure, with how often. Bounded by
 * days and by rows of a day; a new kind of result that finds no room is not counted.
 */
import type { AppliedPolicy, CountedTlsResult, TlsFailure } from '#mail/tls-result.ts'
import type { Database, Part } from './database.ts'

/** Today, yesterday to report, and a day for a relay that was down. */
export const TLS_RESULT_DAYS_MAX = 3
/** Rows of one day: some 300 octets each. */
export const TLS_RESULTS_MAX = 100_000

export const DAY_MS = 86_400_000

export const TLS_RESULTS: Part = {
  name: 'tls-results',
  steps: [
    `CREATE TABLE tls_results (
      day INTEGER NOT NULL,
      domain TEXT NOT NULL,
      policy TEXT NOT NULL,
      failure TEXT NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (day, domain, policy, failure)
    ) STRICT, WITHOUT ROWID`,
  ],
}

export class TlsResultsStore {
  readonly #database: Database
  readonly #update
  readonly #insert
  readonly #read

  constructor(database: Database) {
    this.#database = database
    this.#update = database.prepare(
      'UPDATE tls_results SET count = count + ? WHERE day = ? AND domain = ? AND policy = ? AND failure = ?',
    )
    this.#insert = database.prepare(
      `INSERT INTO tls_results (count, day, domain, policy, failure) SELECT ?1, ?2, ?3, ?4, ?5
       WHERE (SELECT count(*) FROM tls_results WHERE day = ?2) < ${TLS_RESULTS_MAX}`,
    )
    this.#read = database.prepare('SELECT * FROM tls_results WHERE day = ? AND domain = ? ORDER BY policy, failure')
  }

  /** Within a transaction. */
  add({ domain, policy, failure, count }: CountedTlsResult, nowMs: number): void {
    const key = [Math.floor(nowMs / DAY_MS), domain, JSON.stringify(policy), JSON.stringify(failure ?? null)] as const
    if (this.#update.run(count, ...key).changes === 0) this.#insert.run(count, ...key)
  }

  domains(day: number): string[] {
    const rows = this.#database
      .prepare('SELECT DISTINCT domain FROM tls_results WHERE day = ? ORDER BY domain')
      .all(day)
    return rows.map((row) => String(row['domain']))
  }

  of(day: number, domain: string): CountedTlsResult[] {
    return this.#read.all(day, domain).map((row) => {
      const failure = JSON.parse(String(row['failure'])) as TlsFailure | null
      return {
        domain,
        policy: JSON.parse(String(row['policy'])) as AppliedPolicy,
        count: Number(row['count']),
        ...(failure && { failure }),
      }
    })
  }

  prune(nowMs: number): void {
    this.#database
      .prepare('DELETE FROM tls_results WHERE day <= ?')
      .run(Math.floor(nowMs / DAY_MS) - TLS_RESULT_DAYS_MAX)
  }
}
