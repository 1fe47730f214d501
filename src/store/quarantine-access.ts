/**
 * Who looked at what is in quarantine, and who did what with it: one row for each, kept longer than the messages themselves.
 * Bounded by `ACCESS_KEPT_MS` and `ACCESS_ROWS_MAX`; what goes first is the oldest. Times are wall clock, ms.
 */
import type { QuarantineAction } from '#mail/quarantine.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Database, Part } from './database.ts'

/** A year and a month, so that a yearly audit sees all of its year. */
export const ACCESS_KEPT_MS = 400 * 86_400_000
/** Some 200 octets each. */
export const ACCESS_ROWS_MAX = 1_000_000

export const QUARANTINE_ACCESS: Part = {
  name: 'quarantine-access',
  steps: [
    `CREATE TABLE quarantine_access (
      number INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
      id TEXT NOT NULL, tenant TEXT NOT NULL, text TEXT NOT NULL
    ) STRICT;
    CREATE INDEX quarantine_access_by_message ON quarantine_access (id, number);
    CREATE INDEX quarantine_access_by_tenant ON quarantine_access (tenant, number)`,
  ],
}

export interface AccessRow {
  readonly number: number
  readonly atMs: number
  /** A user of this machine; `vorposten` for what time does. */
  readonly who: string
  readonly action: QuarantineAction
  readonly id: TraceId
  readonly tenant: string
  readonly text: string
}

/** Newest first. */
export interface AccessQuery {
  readonly tenant?: string | undefined
  readonly id?: string | undefined
  /** Older than this one. */
  readonly before?: number | undefined
  readonly rowsMax: number
}

export class AccessLog {
  readonly #database: Database
  readonly #add
  readonly #pruneOld
  readonly #pruneMany

  constructor(database: Database) {
    this.#database = database
    this.#add = database.prepare(
      'INSERT INTO quarantine_access (at_ms, who, action, id, tenant, text) VALUES (?, ?, ?, ?, ?, ?)',
    )
    // Rows are in the order of time: so it stops at the first that is young enough.
    this.#pruneOld = database.prepare(
      `DELETE FROM quarantine_access WHERE number <
       coalesce((SELECT number FROM quarantine_access WHERE at_ms > ? ORDER BY number LIMIT 1), (SELECT max(number) + 1 FROM quarantine_access))`,
    )
    this.#pruneMany = database.prepare(
      'DELETE FROM quarantine_access WHERE number <= (SELECT max(number) FROM quarantine_access) - ?',
    )
  }

  /** Within a transaction. */
  add({ atMs, who, action, id, tenant, text }: Omit<AccessRow, 'number'>): void {
    this.#add.run(Math.floor(atMs), who, action, id, tenant, text)
  }

  list({ tenant, id, before = Number.MAX_SAFE_INTEGER, rowsMax }: AccessQuery): AccessRow[] {
    const chosen = [...(id === undefined ? [] : [['id', id]]), ...(tenant === undefined ? [] : [['tenant', tenant]])]
    const where = [...chosen.map(([column]) => `${column} = ?`), 'number < ?'].join(' AND ')
    return this.#database
      .prepare(`SELECT * FROM quarantine_access WHERE ${where} ORDER BY number DESC LIMIT ?`)
      .all(...chosen.map(([, value]) => value!), before, rowsMax)
      .map(rowOf)
  }

  prune(nowMs: number): void {
    this.#pruneOld.run(Math.floor(nowMs - ACCESS_KEPT_MS))
    this.#pruneMany.run(ACCESS_ROWS_MAX)
  }
}

const rowOf = (row: Record<string, unknown>): AccessRow => ({
  number: Number(row['number']),
  atMs: Number(row['at_ms']),
  who: String(row['who']),
  action: row['action'] as QuarantineAction,
  id: row['id'] as TraceId,
  tenant: String(row['tenant']),
  text: String(row['text']),
})
