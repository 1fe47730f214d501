/**
 * What is remembered of senders, for the spam filter: of each, decaying counts of good and bad. The supervisor writes, every
 * worker reads. What the counts mean, and how they decay, is the spam filter's own (scan/spam/memory/reputation.ts).
 *
 * A sender is a keyed digest (`RememberedNames`); the tenant is empty where it is the knowledge of all. Times are wall clock,
 * ms. Limit: `SENDERS_MAX` of all tenants, `SENDERS_PER_TENANT_MAX` of each; beyond, the row that would be forgotten first goes:
 * a flood of new names drives out what was seen as rarely, and nothing that counts.
 */
import type { Database, Part } from './database.ts'
import { TenantRows } from './tenant-rows.ts'

/** Some 110 octets each, with their index. */
export const SENDERS_MAX = 1_000_000
export const SENDERS_PER_TENANT_MAX = 200_000
/** Knowledge of all tenants. */
export const EVERYBODY = ''

export const SPAM_SENDERS: Part = {
  name: 'spam-senders',
  steps: [
    `CREATE TABLE spam_senders (
      tenant TEXT NOT NULL, key BLOB NOT NULL,
      good REAL NOT NULL, bad REAL NOT NULL, sure_good REAL NOT NULL, sure_bad REAL NOT NULL,
      shared_good REAL NOT NULL, shared_bad REAL NOT NULL,
      since_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
      PRIMARY KEY (tenant, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX spam_senders_end ON spam_senders (tenant, until_ms)`,
  ],
}

/** Counts as they stood at `atMs`. */
export interface SenderCounts {
  /** By verdicts of the filter. */
  readonly good: number
  readonly bad: number
  /** By people, and by facts. */
  readonly sureGood: number
  readonly sureBad: number
  /** Of a tenant's: what of it all tenants have heard. */
  readonly sharedGood: number
  readonly sharedBad: number
  /** First heard of. */
  readonly sinceMs: number
  readonly atMs: number
}

/** For workers. */
export class SpamSenderReader {
  readonly #find

  constructor(database: Database) {
    this.#find = database.prepare('SELECT * FROM spam_senders WHERE tenant = ? AND key = ?')
  }

  find(tenant: string, key: Uint8Array): SenderCounts | undefined {
    const row = this.#find.get(tenant, key)
    if (row === undefined) return undefined
    return {
      good: row['good'] as number,
      bad: row['bad'] as number,
      sureGood: row['sure_good'] as number,
      sureBad: row['sure_bad'] as number,
      sharedGood: row['shared_good'] as number,
      sharedBad: row['shared_bad'] as number,
      sinceMs: row['since_ms'] as number,
      atMs: row['at_ms'] as number,
    }
  }
}

export class SpamSenderStore extends SpamSenderReader {
  /** Changed by `put` alone. */
  readonly rows: TenantRows
  readonly #limits: { readonly everybody: number; readonly tenant: number }
  readonly #update
  readonly #insert

  constructor(database: Database, limits = { everybody: SENDERS_MAX, tenant: SENDERS_PER_TENANT_MAX }) {
    super(database)
    this.rows = new TenantRows(database, 'spam_senders', EVERYBODY)
    this.#limits = limits
    this.#update = database.prepare(
      `UPDATE spam_senders SET good = ?, bad = ?, sure_good = ?, sure_bad = ?, shared_good = ?, shared_bad = ?,
         since_ms = ?, at_ms = ?, until_ms = ?
       WHERE tenant = ? AND key = ?`,
    )
    this.#insert = database.prepare(
      `INSERT INTO spam_senders (good, bad, sure_good, sure_bad, shared_good, shared_bad, since_ms, at_ms, until_ms,
         tenant, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
  }

  /** Within a transaction. `untilMs`: then it may be forgotten. */
  put(tenant: string, key: Uint8Array, counts: SenderCounts, untilMs: number): void {
    const { good, bad, sureGood, sureBad, sharedGood, sharedBad } = counts
    const times = [counts.sinceMs, counts.atMs, untilMs].map(Math.ceil)
    const values = [good, bad, sureGood, sureBad, sharedGood, sharedBad, ...times]
    if (this.#update.run(...values, tenant, key).changes > 0) return
    this.rows.one(tenant, tenant === EVERYBODY ? this.#limits.everybody : this.#limits.tenant)
    this.#insert.run(...values, tenant, key)
  }
}
