/**
 * Findings in the store: one row for each server, prerequisite, symbol and day, with how often and the newest evidence.
 * A day is that of UTC. Bounded by days and rows; what goes first is the oldest.
 */
import type { Finding, FindingSymbol, Prerequisite } from '#mail/finding.ts'
import { parseTraceId } from '#mail/trace-id.ts'
import type { Database, Part } from './database.ts'

/** A quarter: long enough to show a customer that a problem comes back. */
export const FINDING_DAYS_MAX = 90
/** Rows; 10,000 servers with a finding on each of three days. */
export const FINDINGS_MAX = 30_000

const DAY_MS = 86_400_000

export const FINDINGS: Part = {
  name: 'findings',
  steps: [
    `CREATE TABLE findings (
      tenant TEXT NOT NULL,
      route TEXT NOT NULL,
      prerequisite TEXT NOT NULL,
      symbol TEXT NOT NULL,
      day INTEGER NOT NULL,
      count INTEGER NOT NULL,
      at_ms INTEGER NOT NULL,
      evidence TEXT NOT NULL,
      trace_id TEXT,
      PRIMARY KEY (tenant, route, symbol, day)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX findings_by_day ON findings (day)`,
  ],
}

/** What was found, and how often since the last time. */
export interface Counted {
  readonly finding: Finding
  readonly count: number
}

export interface FoundRow extends Finding {
  /** ISO 8601, UTC. */
  readonly day: string
  readonly count: number
  /** Wall clock, ms, of the newest. */
  readonly atMs: number
}

export interface FindingsQuery {
  readonly tenant?: string | undefined
  readonly rowsMax: number
}

export class FindingsStore {
  readonly #add
  readonly #read
  readonly #pruneDays
  readonly #pruneRows

  constructor(database: Database) {
    this.#add = database.prepare(
      `INSERT INTO findings (tenant, route, prerequisite, symbol, day, count, at_ms, evidence, trace_id)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (tenant, route, symbol, day) DO UPDATE SET count = count + excluded.count,
         at_ms = excluded.at_ms, evidence = excluded.evidence, trace_id = excluded.trace_id`,
    )
    this.#read = database.prepare(
      `SELECT * FROM findings WHERE ?1 IS NULL OR tenant = ?1 ORDER BY day DESC, tenant, route, symbol LIMIT ?2`,
    )
    this.#pruneDays = database.prepare('DELETE FROM findings WHERE day < ?')
    this.#pruneRows = database.prepare(
      `DELETE FROM findings WHERE day <= (SELECT day FROM findings ORDER BY day DESC LIMIT 1 OFFSET ${FINDINGS_MAX})`,
    )
  }

  add({ finding, count }: Counted, nowMs: number): void {
    const { tenant, route, prerequisite, symbol, evidence, id } = finding
    const day = Math.floor(nowMs / DAY_MS)
    this.#add.run(tenant, route, prerequisite, symbol, day, count, Math.round(nowMs), evidence, id ?? null)
  }

  /** Newest day first. */
  list({ tenant, rowsMax }: FindingsQuery): FoundRow[] {
    return this.#read.all(tenant ?? null, rowsMax).map(rowOf)
  }

  prune(nowMs: number): void {
    this.#pruneDays.run(Math.floor(nowMs / DAY_MS) - FINDING_DAYS_MAX)
    this.#pruneRows.run()
  }
}

function rowOf(row: Record<string, unknown>): FoundRow {
  const id = row['trace_id'] === null ? undefined : parseTraceId(String(row['trace_id']))
  return {
    tenant: String(row['tenant']),
    route: String(row['route']),
    prerequisite: row['prerequisite'] as Prerequisite,
    symbol: row['symbol'] as FindingSymbol,
    day: new Date(Number(row['day']) * DAY_MS).toISOString().slice(0, 10),
    count: Number(row['count']),
    atMs: Number(row['at_ms']),
    evidence: String(row['evidence']),
    ...(id && { id }),
  }
}
