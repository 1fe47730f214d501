/**
 * Whom a tenant wrote to, and the Message-IDs that it wrote, for the spam filter: mail from there, and answers, are expected.
 * The supervisor writes, every worker reads. Keyed digests (`RememberedNames`); nothing of one tenant is found by another.
 *
 * Kept for `CORRESPONDENTS_KEPT_MS` from the last time, Message-IDs for `WRITTEN_KEPT_MS`. Limit: `ROWS_PER_TENANT_MAX`; beyond, those
 * that end first are forgotten.
 */
import type { Database, Part } from './database.ts'

const DAY_MS = 86_400_000
/** Half a year: people write to the same ones again within it, or do not know them any more. */
export const CORRESPONDENTS_KEPT_MS = 180 * DAY_MS
/** An answer that comes later than after a month is rare. */
export const WRITTEN_KEPT_MS = 30 * DAY_MS
/** Some 70 octets each. */
export const ROWS_PER_TENANT_MAX = 300_000
/** Rows that one pruning removes, so that it takes milliseconds. */
export const PRUNE_ROWS_MAX = 5_000

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
  readonly #database: Database
  readonly #rowsMax: number
  readonly #rows = new Map<string, number>()
  readonly #again
  readonly #insert
  readonly #dropFirst
  readonly #dropEnded

  constructor(database: Database, rowsMax = ROWS_PER_TENANT_MAX) {
    super(database)
    this.#database = database
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
    const some = (where: string) =>
      database.prepare(
        `DELETE FROM spam_correspondents WHERE tenant = ?1 AND key IN
           (SELECT key FROM spam_correspondents WHERE tenant = ?1 ${where} LIMIT ?2)`,
      )
    this.#dropFirst = some('ORDER BY until_ms')
    this.#dropEnded = some('AND until_ms <= ?3')
    this.recount()
  }

  /** Within a transaction. */
  remember(tenant: string, key: Uint8Array, nowMs: number, keptMs: number): void {
    const atMs = Math.floor(nowMs)
    if (this.#again.run(atMs + keptMs, atMs, tenant, key).changes > 0) return
    const rows = this.#rows.get(tenant) ?? 0
    const tooMany = rows - this.#rowsMax + 1
    const dropped = tooMany > 0 ? Number(this.#dropFirst.run(tenant, tooMany).changes) : 0
    this.#insert.run(tenant, key, atMs, atMs + keptMs)
    this.#rows.set(tenant, rows - dropped + 1)
  }

  /** Within a transaction. True: there may be more. */
  prune(nowMs: number): boolean {
    let more = false
    for (const [tenant, rows] of this.#rows) {
      const dropped = Number(this.#dropEnded.run(tenant, PRUNE_ROWS_MAX, Math.floor(nowMs)).changes)
      this.#rows.set(tenant, rows - dropped)
      more ||= dropped === PRUNE_ROWS_MAX
    }
    return more
  }

  /** Forgets tenants that are no more; within a transaction. True: there may be more. */
  erase(exists: (tenant: string) => boolean): boolean {
    for (const [tenant, rows] of this.#rows) {
      if (exists(tenant)) continue
      const dropped = Number(this.#dropFirst.run(tenant, PRUNE_ROWS_MAX).changes)
      if (dropped === PRUNE_ROWS_MAX) {
        this.#rows.set(tenant, rows - dropped)
        return true
      }
      this.#rows.delete(tenant)
    }
    return false
  }

  rows(tenant: string): number {
    return this.#rows.get(tenant) ?? 0
  }

  /** Of all tenants. */
  get total(): number {
    return [...this.#rows.values()].reduce((sum, rows) => sum + rows, 0)
  }

  /** After a transaction that was undone. */
  recount(): void {
    this.#rows.clear()
    const rows = this.#database.prepare('SELECT tenant, count(*) AS n FROM spam_correspondents GROUP BY tenant').all()
    for (const { tenant, n } of rows as { tenant: string; n: number }[]) this.#rows.set(tenant, n)
  }
}
