/**
 * What tenants have been told, in the store: up to which hold the last digest went, when it went, and how many other
 * notices went on a day. Times are those of a clock that never goes back.
 */
import type { Database, Part } from './database.ts'

const DAY_MS = 86_400_000

export const NOTICE_MARKS: Part = {
  name: 'notice-marks',
  steps: [
    `CREATE TABLE digests (
      tenant TEXT PRIMARY KEY,
      told_ms INTEGER NOT NULL,
      at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE notice_counts (
      tenant TEXT NOT NULL,
      day INTEGER NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (tenant, day)
    ) STRICT, WITHOUT ROWID`,
  ],
}

export interface DigestMark {
  /** Holds that began later than this have not been told yet. */
  readonly toldMs: number
  /** When the last digest went. */
  readonly atMs: number
}

export class NoticeMarks {
  readonly #readDigest
  readonly #writeDigest
  readonly #count
  readonly #forget

  constructor(database: Database) {
    this.#readDigest = database.prepare('SELECT told_ms, at_ms FROM digests WHERE tenant = ?')
    this.#writeDigest = database.prepare(
      `INSERT INTO digests (tenant, told_ms, at_ms) VALUES (?, ?, ?)
       ON CONFLICT (tenant) DO UPDATE SET told_ms = excluded.told_ms, at_ms = excluded.at_ms`,
    )
    this.#count = database.prepare(
      `INSERT INTO notice_counts (tenant, day, count) VALUES (?, ?, 1)
       ON CONFLICT (tenant, day) DO UPDATE SET count = count + 1 RETURNING count`,
    )
    this.#forget = database.prepare('DELETE FROM notice_counts WHERE day < ?')
  }

  digest(tenant: string): DigestMark | undefined {
    const row = this.#readDigest.get(tenant)
    return row && { toldMs: Number(row['told_ms']), atMs: Number(row['at_ms']) }
  }

  told(tenant: string, { toldMs, atMs }: DigestMark): void {
    this.#writeDigest.run(tenant, Math.round(toldMs), Math.round(atMs))
  }

  /** How many notices this one makes today (UTC). */
  countOne(tenant: string, nowMs: number): number {
    const day = Math.floor(nowMs / DAY_MS)
    this.#forget.run(day - 1)
    return Number(this.#count.get(tenant, day)?.['count'])
  }
}
