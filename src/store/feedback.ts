/**
 * What the feedback of receivers needs to be kept: the secret of the tokens in outgoing mail, and which answers were learned
 * already, so that a report which comes twice counts once. An answer is a text; what is kept is its digest (128 bits).
 *
 * Times are wall clock, ms. Limit: `LEARNED_PER_TENANT_MAX`; beyond, those that end first are forgotten.
 */
import { randomBytes } from 'node:crypto'
import type { Database, Part } from './database.ts'
import { digestOf } from './reply-limits.ts'

const DAY_MS = 86_400_000
/** Longer than a token is good: then the same answer can not come back after it was forgotten. */
export const LEARNED_MS = 32 * DAY_MS
/** Of 60 octets. A tenant with more answers than this in a month has other worries. */
export const LEARNED_PER_TENANT_MAX = 200_000
const SECRET_OCTETS = 32

export const FEEDBACK: Part = {
  name: 'feedback',
  steps: [
    `CREATE TABLE feedback_secret (id INTEGER PRIMARY KEY CHECK (id = 1), secret BLOB NOT NULL) STRICT;
    CREATE TABLE feedback_learned (
      tenant TEXT NOT NULL, digest BLOB NOT NULL, until_ms INTEGER NOT NULL, PRIMARY KEY (tenant, digest)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX feedback_learned_end ON feedback_learned (until_ms)`,
  ],
}

/** For workers. Undefined: the supervisor has made none yet. */
export function feedbackSecret(database: Database): Uint8Array | undefined {
  return database.prepare('SELECT secret FROM feedback_secret').get()?.['secret'] as Uint8Array | undefined
}

/** For the one writer. */
export class FeedbackStore {
  readonly #find
  readonly #put
  readonly #pruneEnded
  readonly #pruneMany

  constructor(database: Database) {
    database.prepare('INSERT OR IGNORE INTO feedback_secret VALUES (1, ?)').run(randomBytes(SECRET_OCTETS))
    this.#find = database.prepare('SELECT 1 FROM feedback_learned WHERE tenant = ? AND digest = ? AND until_ms > ?')
    this.#put = database.prepare('INSERT OR REPLACE INTO feedback_learned VALUES (?, ?, ?)')
    this.#pruneEnded = database.prepare('DELETE FROM feedback_learned WHERE until_ms <= ?')
    this.#pruneMany = database.prepare(
      `DELETE FROM feedback_learned WHERE (tenant, digest) IN (SELECT tenant, digest FROM
         (SELECT tenant, digest, row_number() OVER (PARTITION BY tenant ORDER BY until_ms DESC) AS n FROM feedback_learned)
       WHERE n > ?)`,
    )
  }

  /** Within a transaction. False: it was learned before. */
  learn(tenant: string, answer: string, nowMs: number): boolean {
    const digest = digestOf(answer)
    if (this.#find.get(tenant, digest, Math.floor(nowMs)) !== undefined) return false
    this.#put.run(tenant, digest, Math.ceil(nowMs + LEARNED_MS))
    return true
  }

  /** Within a transaction. */
  prune(nowMs: number, perTenantMax = LEARNED_PER_TENANT_MAX): void {
    this.#pruneEnded.run(Math.floor(nowMs))
    this.#pruneMany.run(perTenantMax)
  }
}
