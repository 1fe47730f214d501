/**
 * Whom a tenant wrote to, and the Message-IDs that it wrote, for the spam filter: mail from there, and answers, are expected.
 * The supervisor writes, every worker reads. Keyed digests (`RememberedNames`); nothing of one tenant is found by another.
 *
 * Kept for `CORRESPONDENTS_KEPT_MS` from the last time, Message-IDs for `WRITTEN_KEPT_MS`. Limit: `ROWS_PER_TENANT_MAX`; beyond, those
 * that end first are forgotten.
 */
import type { Database, Part } from './database.ts'
import { TenantRows } from './tenant-rows.ts'

const DAY_MS = 86_400_000
/** Half a year: people write to the same ones again within it, or do not know them any more. */
export const CORRESPONDENTS_KEPT_MS = 180 * DAY_MS
/** An answer that comes later than after a month is rare. */
export const WRITTEN_KEPT_MS = 30 * DAY_MS
/** Some 70 octets each. */
export const ROWS_PER_TENANT_MAX = 300_000

export const SPAM_CORRESPONDENTS: Part = {
  name: 'spam-correspondents',
  steps: [
    `CREATE TABLE spam_correspondents (
      tenant TEXT NOT NULL, key BLOB NOT NULL,
      days INTEGER NOT NULL, day_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
      PRIMARY KEY (tenant, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX spam_correspondents_end ON spam_correspondents (tenant, until_ms)`,
  ],
}

export class CorrespondentReader {
  readonly #find

  constructor(database: Database) {
    this.#find = database.prepare('SELECT days FROM spam_correspondents WHERE tenant = ? AND key = ? AND until_ms > ?')
  }

  /** On how many days the tenant wrote there; 0: none that is remembered. */
  days(tenant: string, key: Uint8Array, nowMs: number): number {
    return Number(this.#find.get(tenant, key, Math.floor(nowMs))?.['days'] ?? 0)
  }
}

export class CorrespondentStore extends CorrespondentReader {
  /** Changed by `remember` alone. */
  readonly rows: TenantRows
  readonly #rowsMax: number
  readonly #again
  readonly #insert

  constructor(database: Database, rowsMax = ROWS_PER_TENANT_MAX) {
    super(database)
    this.rows = new TenantRows(database, 'spam_correspondents')
    this.#rowsMax = rowsMax
    this.#again = database.prepare(
      `UPDATE spam_correspondents SET until_ms = max(until_ms, ?1),
         days = CASE WHEN until_ms <= ?2 THEN 1 WHEN day_ms <= ?2 - ${DAY_MS} THEN days + 1 ELSE days END,
         day_ms = CASE WHEN day_ms <= ?2 - ${DAY_MS} THEN ?2 ELSE day_ms END
       WHERE tenant = ?3 AND key = ?4`,
    )
    this.#insert = database.prepare(
      'INSERT INTO spam_correspondents (tenant, key, days, day_ms, until_ms) VALUES (?, ?, 1, ?, ?)',
    )
  }

  /** Within a transaction. */
  remember(tenant: string, key: Uint8Array, nowMs: number, keptMs: number): void {
    const atMs = Math.floor(nowMs)
    if (this.#again.run(atMs + keptMs, atMs, tenant, key).changes > 0) return
    this.rows.one(tenant, this.#rowsMax)
    this.#insert.run(tenant, key, atMs, atMs + keptMs)
  }
}
