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
  ],
}

/** A primary that is down. */
export interface StoredOutage {
  readonly route: string
  readonly sinceMs: number
  /** When its postmaster was last told; absent: not yet. */
  readonly toldMs?: number
}

export interface StoredMaintenance extends Maintenance {
  readonly id: number
  /** Its end was told. */
  readonly told: boolean
}

export class OutagesStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  outages(): StoredOutage[] {
    return this.#database
      .prepare('SELECT route, since_ms, told_ms FROM primaries')
      .all()
      .map((row) => ({
        route: String(row['route']),
        sinceMs: Number(row['since_ms']),
        ...(row['told_ms'] !== null && { toldMs: Number(row['told_ms']) }),
      }))
  }

  putOutage({ route, sinceMs, toldMs }: StoredOutage): void {
    const sql =
      'INSERT INTO primaries (route, since_ms, told_ms) VALUES (?, ?, ?) ON CONFLICT (route) DO UPDATE SET told_ms = excluded.told_ms'
    this.#database.prepare(sql).run(route, Math.round(sinceMs), toldMs === undefined ? null : Math.round(toldMs))
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
        ...(row['reason'] !== null && { reason: String(row['reason']) }),
      }))
  }

  beginMaintenance({ route, beginsMs, untilMs, reason }: Maintenance): void {
    const sql = 'INSERT INTO maintenance (route, begins_ms, until_ms, reason) VALUES (?, ?, ?, ?)'
    this.#database.prepare(sql).run(route, Math.round(beginsMs), Math.round(untilMs), reason ?? null)
  }

  changeMaintenance(id: number, change: { readonly untilMs?: number; readonly told?: boolean }): void {
    const sql = 'UPDATE maintenance SET until_ms = coalesce(?, until_ms), told = coalesce(?, told) WHERE id = ?'
    const untilMs = change.untilMs === undefined ? null : Math.round(change.untilMs)
    this.#database.prepare(sql).run(untilMs, change.told === undefined ? null : Number(change.told), id)
  }

  forgetMaintenance(beforeMs: number): void {
    this.#database.prepare('DELETE FROM maintenance WHERE until_ms < ?').run(Math.floor(beforeMs))
  }
}
