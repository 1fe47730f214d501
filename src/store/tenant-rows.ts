/**
 * The rows of a table that each belong to a tenant and may be forgotten at some time: how many there are, room for one more,
 * and those whose time or tenant is over. The table has the columns `tenant`, `key` and `until_ms`, and an index on (tenant,
 * until_ms). Counts are kept in memory, since counting a million rows takes long.
 *
 * All within a transaction of the one writer; after one that was undone: `recount`.
 */
import type { Database } from './database.ts'

/** Rows that one pruning removes, so that it takes milliseconds. */
export const PRUNE_ROWS_MAX = 5_000

export class TenantRows {
  readonly #database: Database
  readonly #table: string
  readonly #everybody: string | undefined
  readonly #rows = new Map<string, number>()
  readonly #dropFirst
  readonly #dropEnded

  /** `table`: a name of ours, which goes into the SQL as it is. `everybody`: stands for no tenant, and is never erased. */
  constructor(database: Database, table: string, everybody?: string) {
    this.#database = database
    this.#table = table
    this.#everybody = everybody
    const some = (where: string) =>
      database.prepare(
        `DELETE FROM ${table} WHERE tenant = ?1 AND key IN (SELECT key FROM ${table} WHERE tenant = ?1 ${where} LIMIT ?2)`,
      )
    this.#dropFirst = some('ORDER BY until_ms')
    this.#dropEnded = some('AND until_ms <= ?3')
    this.recount()
  }

  /** Before a row is inserted: those that end first make room for it. */
  one(tenant: string, rowsMax: number): void {
    const rows = this.of(tenant)
    const tooMany = rows - rowsMax + 1
    const dropped = tooMany > 0 ? Number(this.#dropFirst.run(tenant, tooMany).changes) : 0
    this.#rows.set(tenant, rows - dropped + 1)
  }

  /** Those whose time is over. True: there may be more. */
  prune(nowMs: number): boolean {
    let more = false
    for (const [tenant, rows] of this.#rows) {
      const dropped = Number(this.#dropEnded.run(tenant, PRUNE_ROWS_MAX, Math.floor(nowMs)).changes)
      this.#rows.set(tenant, rows - dropped)
      more ||= dropped === PRUNE_ROWS_MAX
    }
    return more
  }

  /** Those of tenants that are no more. True: there may be more. */
  erase(exists: (tenant: string) => boolean): boolean {
    for (const [tenant, rows] of this.#rows) {
      if (tenant === this.#everybody || exists(tenant)) continue
      const dropped = Number(this.#dropFirst.run(tenant, PRUNE_ROWS_MAX).changes)
      if (dropped === PRUNE_ROWS_MAX) {
        this.#rows.set(tenant, rows - dropped)
        return true
      }
      this.#rows.delete(tenant)
    }
    return false
  }

  of(tenant: string): number {
    return this.#rows.get(tenant) ?? 0
  }

  /** Of all tenants. */
  get total(): number {
    return [...this.#rows.values()].reduce((sum, rows) => sum + rows, 0)
  }

  recount(): void {
    this.#rows.clear()
    const rows = this.#database.prepare(`SELECT tenant, count(*) AS n FROM ${this.#table} GROUP BY tenant`).all()
    for (const { tenant, n } of rows as { tenant: string; n: number }[]) this.#rows.set(tenant, n)
  }
}
