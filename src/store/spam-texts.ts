/**
 * Texts about which people have said that they are spam, or are not, as fingerprints of 64 bits
 * (scan/spam/memory/simhash.ts): no word can be read out of one. By tenant; few, since people are few. The supervisor writes
 * them, and tells the workers.
 */
import type { Database, Part } from './database.ts'

export const TEXTS_KEPT_MS = 30 * 86_400_000
/** Of one tenant; beyond, those judged first are forgotten. */
export const TEXTS_PER_TENANT_MAX = 2_000
/** Of all tenants: what every worker holds in memory. */
export const TEXTS_MAX = 20_000

export const SPAM_TEXTS: Part = {
  name: 'spam-texts',
  steps: [
    `CREATE TABLE spam_texts (
      tenant TEXT NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL, spam INTEGER NOT NULL, at_ms INTEGER NOT NULL,
      PRIMARY KEY (tenant, high, low)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX spam_texts_at ON spam_texts (at_ms)`,
  ],
}

export interface JudgedText {
  readonly tenant: string
  readonly high: number
  readonly low: number
  readonly isSpam: boolean
  readonly atMs: number
}

export class SpamTextStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The last judged ones, the oldest of them first. */
  all(nowMs: number): JudgedText[] {
    return this.#database
      .prepare('SELECT * FROM (SELECT * FROM spam_texts WHERE at_ms > ? ORDER BY at_ms DESC LIMIT ?) ORDER BY at_ms')
      .all(Math.floor(nowMs - TEXTS_KEPT_MS), TEXTS_MAX)
      .map((row) => ({
        tenant: row['tenant'] as string,
        high: row['high'] as number,
        low: row['low'] as number,
        isSpam: row['spam'] !== 0,
        atMs: row['at_ms'] as number,
      }))
  }

  /** Within a transaction. The last word counts. */
  put({ tenant, high, low, isSpam, atMs }: JudgedText): void {
    this.#database
      .prepare(
        `INSERT INTO spam_texts (tenant, high, low, spam, at_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (tenant, high, low) DO UPDATE SET spam = excluded.spam, at_ms = excluded.at_ms`,
      )
      .run(tenant, high, low, isSpam ? 1 : 0, Math.floor(atMs))
    this.#database
      .prepare(
        `DELETE FROM spam_texts WHERE tenant = ?1 AND (high, low) IN
           (SELECT high, low FROM spam_texts WHERE tenant = ?1 ORDER BY at_ms DESC LIMIT -1 OFFSET ?2)`,
      )
      .run(tenant, TEXTS_PER_TENANT_MAX)
  }

  /** Within a transaction. */
  prune(nowMs: number): void {
    this.#database.prepare('DELETE FROM spam_texts WHERE at_ms <= ?').run(Math.floor(nowMs - TEXTS_KEPT_MS))
  }

  /** Forgets tenants that are no more; within a transaction. */
  erase(exists: (tenant: string) => boolean): void {
    const tenants = this.#database.prepare('SELECT DISTINCT tenant FROM spam_texts').all() as { tenant: string }[]
    const remove = this.#database.prepare('DELETE FROM spam_texts WHERE tenant = ?')
    for (const { tenant } of tenants) if (!exists(tenant)) remove.run(tenant)
  }
}
