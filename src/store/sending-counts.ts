/**
 * How many recipients were sent to, in buckets of time, for the limits of what leaves (R7). The counts are kept in memory
 * by their clerk, which writes changed buckets here now and then: a crash forgets the last seconds, and a restart nothing.
 *
 * A subject is a login, a tenant, or a tenant's servers. Times are the caller's, ms. Limit: the clerk's `SUBJECTS_MAX`.
 */
import type { Database, Part } from './database.ts'

/** Rows that one pruning removes, so that it takes milliseconds. */
export const PRUNE_ROWS_MAX = 5_000

export const SENDING_COUNTS: Part = {
  name: 'sending-counts',
  steps: [
    `CREATE TABLE sending_counts (
      subject TEXT NOT NULL,
      what TEXT NOT NULL,
      start_ms INTEGER NOT NULL,
      count INTEGER NOT NULL,
      until_ms INTEGER NOT NULL,
      PRIMARY KEY (subject, what, start_ms)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sending_counts_end ON sending_counts (until_ms)`,
  ],
}

export interface CountRow {
  readonly subject: string
  readonly what: string
  readonly startMs: number
  readonly count: number
  /** Then it may be forgotten. */
  readonly untilMs: number
}

export class SendingCounts {
  readonly #database: Database
  readonly #put

  constructor(database: Database) {
    this.#database = database
    this.#put = database.prepare(
      `INSERT INTO sending_counts (subject, what, start_ms, count, until_ms) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (subject, what, start_ms) DO UPDATE SET count = excluded.count`,
    )
  }

  /** Oldest first; those that may be forgotten are left out. */
  all(nowMs: number): CountRow[] {
    return this.#database
      .prepare('SELECT * FROM sending_counts WHERE until_ms > ? ORDER BY start_ms')
      .all(Math.floor(nowMs))
      .map((row) => ({
        subject: row['subject'] as string,
        what: row['what'] as string,
        startMs: row['start_ms'] as number,
        count: row['count'] as number,
        untilMs: row['until_ms'] as number,
      }))
  }

  /** Within a transaction. */
  put(rows: Iterable<CountRow>, nowMs: number): void {
    for (const { subject, what, startMs, count, untilMs } of rows)
      this.#put.run(subject, what, startMs, count, Math.ceil(untilMs))
    this.#database
      .prepare(
        `DELETE FROM sending_counts WHERE (subject, what, start_ms) IN
           (SELECT subject, what, start_ms FROM sending_counts WHERE until_ms <= ? LIMIT ?)`,
      )
      .run(Math.floor(nowMs), PRUNE_ROWS_MAX)
  }
}
