/**
 * What tenants have been told, in the store: up to which hold the last digest went, when it went, and how many other
 * notices went on a day, and when something was last told of that is told once. Times are those of a clock that never goes back.
 */
import type { Database, Part } from './database.ts'

const DAY_MS = 86_400_000
/** Longer than anything goes on that is told once. */
const SUBJECTS_KEPT_MS = 60 * DAY_MS

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
    `CREATE TABLE told_subjects (
      tenant TEXT NOT NULL,
      subject TEXT NOT NULL,
      at_ms INTEGER NOT NULL,
      PRIMARY KEY (tenant, subject)
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
  readonly #readSubject
  readonly #writeSubject
  readonly #forgetSubjects

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
    this.#readSubject = database.prepare('SELECT at_ms FROM told_subjects WHERE tenant = ? AND subject = ?')
    this.#writeSubject = database.prepare(
      `INSERT INTO told_subjects (tenant, subject, at_ms) VALUES (?, ?, ?)
       ON CONFLICT (tenant, subject) DO UPDATE SET at_ms = excluded.at_ms`,
    )
    this.#forgetSubjects = database.prepare('DELETE FROM told_subjects WHERE at_ms < ?')
  }

  digest(tenant: string): DigestMark | undefined {
    const row = this.#readDigest.get(tenant)
    return row && { toldMs: Number(row['told_ms']), atMs: Number(row['at_ms']) }
  }

  told(tenant: string, { toldMs, atMs }: DigestMark): void {
    this.#writeDigest.run(tenant, Math.round(toldMs), Math.round(atMs))
  }

  /** When the tenant was last told of this; undefined: never, or longer ago than `SUBJECTS_KEPT_MS`. */
  subject(tenant: string, subject: string): number | undefined {
    const row = this.#readSubject.get(tenant, subject)
    return row && Number(row['at_ms'])
  }

  toldSubject(tenant: string, subject: string, nowMs: number): void {
    this.#forgetSubjects.run(Math.round(nowMs - SUBJECTS_KEPT_MS))
    this.#writeSubject.run(tenant, subject, Math.round(nowMs))
  }

  /** How many notices this one makes today (UTC). */
  countOne(tenant: string, nowMs: number): number {
    const day = Math.floor(nowMs / DAY_MS)
    this.#forget.run(day - 1)
    return Number(this.#count.get(tenant, day)?.['count'])
  }
}
