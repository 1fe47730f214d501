/**
 * Outages in the store: what the tenants were told about their servers, and maintenance. Small tables: a row for each
 * watched route, and one for each maintenance of the last two months.
 */
import type { Maintenance } from '#tenant/maintenance.ts'
import type { Database, Part } from './database.ts'

export const OUTAGES_PART: Part = {
  name: 'outages',
  steps: [
    `CREATE TABLE primaries (
       route TEXT PRIMARY KEY,
       since_ms INTEGER NOT NULL,
       told_ms INTEGER
     ) STRICT;
     CREATE TABLE maintenance (
       id INTEGER PRIMARY KEY,
       route TEXT NOT NULL,
       begins_ms INTEGER NOT NULL,
       until_ms INTEGER NOT NULL,
       told INTEGER NOT NULL DEFAULT 0,
       reason TEXT
     ) STRICT;
     CREATE INDEX maintenance_by_route ON maintenance (route, until_ms)`,
    `ALTER TABLE primaries ADD COLUMN up_ms INTEGER;
     ALTER TABLE primaries ADD COLUMN backlog INTEGER;
     ALTER TABLE primaries ADD COLUMN up_told INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE maintenance ADD COLUMN ending_told_ms INTEGER`,
  ],
}

/** A primary that is down, or up again while its postmaster has still something to hear of it. */
export interface StoredOutage {
  readonly route: string
  readonly sinceMs: number
  /** When its postmaster was last told; absent: not yet. */
  readonly toldMs?: number
  /** Absent: it is down. */
  readonly up?: StoredReturn
}

export interface StoredReturn {
  readonly atMs: number
  /** Messages that waited at that moment. */
  readonly backlog: number
  /** The postmaster knows that it is up, not yet that the backlog is gone. */
  readonly told: boolean
}

export interface StoredMaintenance extends Maintenance {
  readonly id: number
  /** Its end was told. */
  readonly told: boolean
  /** The end that was told beforehand; it may have been moved since. */
  readonly endingToldMs?: number
}

export class OutagesStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  outages(): StoredOutage[] {
    return this.#database
      .prepare('SELECT * FROM primaries')
      .all()
      .map((row) => ({
        route: String(row['route']),
        sinceMs: Number(row['since_ms']),
        ...(row['told_ms'] !== null && { toldMs: Number(row['told_ms']) }),
        ...(row['up_ms'] !== null && {
          up: { atMs: Number(row['up_ms']), backlog: Number(row['backlog']), told: row['up_told'] === 1 },
        }),
      }))
  }

  /** In the place of what was known of it. */
  putOutage({ route, sinceMs, toldMs, up }: StoredOutage): void {
    const sql =
      'INSERT OR REPLACE INTO primaries (route, since_ms, told_ms, up_ms, backlog, up_told) VALUES (?, ?, ?, ?, ?, ?)'
    const told = toldMs === undefined ? null : Math.round(toldMs)
    const back =
      up === undefined ? ([null, null, 0] as const) : ([Math.round(up.atMs), up.backlog, Number(up.told)] as const)
    this.#database.prepare(sql).run(route, Math.round(sinceMs), told, ...back)
  }

  endOutage(route: string): void {
    this.#database.prepare('DELETE FROM primaries WHERE route = ?').run(route)
  }

  /** All that end after this moment. */
  maintenance(afterMs: number): StoredMaintenance[] {
    return this.#database
      .prepare('SELECT * FROM maintenance WHERE until_ms > ? ORDER BY begins_ms')
      .all(Math.floor(afterMs))
      .map((row) => ({
        id: Number(row['id']),
        route: String(row['route']),
        beginsMs: Number(row['begins_ms']),
        untilMs: Number(row['until_ms']),
        told: row['told'] === 1,
        ...(row['ending_told_ms'] !== null && { endingToldMs: Number(row['ending_told_ms']) }),
        ...(row['reason'] !== null && { reason: String(row['reason']) }),
      }))
  }

  beginMaintenance({ route, beginsMs, untilMs, reason }: Maintenance): void {
    const sql = 'INSERT INTO maintenance (route, begins_ms, until_ms, reason) VALUES (?, ?, ?, ?)'
    this.#database.prepare(sql).run(route, Math.round(beginsMs), Math.round(untilMs), reason ?? null)
  }

  changeMaintenance(id: number, change: Partial<Pick<StoredMaintenance, 'untilMs' | 'told' | 'endingToldMs'>>): void {
    const sql =
      'UPDATE maintenance SET until_ms = coalesce(?, until_ms), told = coalesce(?, told), ' +
      'ending_told_ms = coalesce(?, ending_told_ms) WHERE id = ?'
    const rounded = (ms: number | undefined) => (ms === undefined ? null : Math.round(ms))
    const { untilMs, told, endingToldMs } = change
    this.#database
      .prepare(sql)
      .run(rounded(untilMs), told === undefined ? null : Number(told), rounded(endingToldMs), id)
  }

  forgetMaintenance(beforeMs: number): void {
    this.#database.prepare('DELETE FROM maintenance WHERE until_ms < ?').run(Math.floor(beforeMs))
  }
}
