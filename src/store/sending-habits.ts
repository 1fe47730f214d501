/**
 * What is usual for each login, as far as it is learned from what it sends (R7): one row for each, some 60 octets. The
 * supervisor writes it now and then; a crash forgets the last second. Times are wall clock, ms. A login that has not sent
 * for `HABIT_KEEP_MS` has no habit any more.
 */
import type { Database, Part } from './database.ts'

export const HABIT_KEEP_MS = 180 * 86_400_000
/** Rows that one pruning removes, so that it takes milliseconds. */
const PRUNE_ROWS_MAX = 1_000

export const SENDING_HABITS: Part = {
  name: 'sending-habits',
  steps: [
    `CREATE TABLE sending_habits (
      login TEXT PRIMARY KEY,
      most REAL NOT NULL, most_ms INTEGER NOT NULL, today_ms INTEGER NOT NULL, today INTEGER NOT NULL,
      doubted INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX sending_habits_day ON sending_habits (today_ms)`,
  ],
}

export interface HabitRow {
  readonly most: number
  readonly mostMs: number
  readonly todayMs: number
  readonly today: number
  readonly isDoubted: boolean
}

export class SendingHabits {
  readonly #find
  readonly #put
  readonly #prune

  constructor(database: Database) {
    this.#find = database.prepare('SELECT * FROM sending_habits WHERE login = ?')
    this.#put = database.prepare(
      `INSERT INTO sending_habits (login, most, most_ms, today_ms, today, doubted) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (login) DO UPDATE SET most = excluded.most, most_ms = excluded.most_ms,
         today_ms = excluded.today_ms, today = excluded.today, doubted = excluded.doubted`,
    )
    this.#prune = database.prepare(
      `DELETE FROM sending_habits WHERE login IN (SELECT login FROM sending_habits WHERE today_ms < ? LIMIT ?)`,
    )
  }

  find(login: string): HabitRow | undefined {
    const row = this.#find.get(login)
    if (row === undefined) return undefined
    return {
      most: row['most'] as number,
      mostMs: row['most_ms'] as number,
      todayMs: row['today_ms'] as number,
      today: row['today'] as number,
      isDoubted: row['doubted'] !== 0,
    }
  }

  /** Within a transaction. */
  put(habits: Iterable<readonly [string, HabitRow]>, nowMs: number): void {
    for (const [login, { most, mostMs, todayMs, today, isDoubted }] of habits)
      this.#put.run(login, most, Math.floor(mostMs), Math.floor(todayMs), today, isDoubted ? 1 : 0)
    this.#prune.run(Math.floor(nowMs - HABIT_KEEP_MS), PRUNE_ROWS_MAX)
  }
}
