/**
 * How often something was done lately, counted in a window that slides: at most so many times within so many
 * milliseconds, whoever asks, in whatever order, and after any restart. Used for automatic replies (R2).
 *
 * A slot that was taken stays taken although what it was for may then fail: one reply too few, never one too many. The
 * time is the caller's; where it goes back, slots last longer, and none comes free early.
 *
 * Names are kept as digests (128 bits): the store tells nobody who wrote to whom. Limit: `SLOTS_PER_TENANT_MAX`.
 */
import { createHash } from 'node:crypto'
import type { Database, Part } from './database.ts'

/** Slots of one tenant at a time, about 100 octets each. A tenant that is there is refused, and nobody else. */
export const SLOTS_PER_TENANT_MAX = 200_000
/** Rows that one pruning removes, so that it takes milliseconds. */
export const PRUNE_ROWS_MAX = 5_000

export const REPLY_LIMITS: Part = {
  name: 'reply-limits',
  steps: [
    `CREATE TABLE reply_slots (
      tenant TEXT NOT NULL,
      counter BLOB NOT NULL,
      taken_ms INTEGER NOT NULL,
      until_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX reply_slots_of ON reply_slots (tenant, counter, taken_ms);
    CREATE INDEX reply_slots_end ON reply_slots (until_ms)`,
  ],
}

export class ReplyLimitsStore {
  readonly #database: Database
  readonly #slotsMax: number
  readonly #slots = new Map<string, number>()
  readonly #count
  readonly #insert
  readonly #ended

  constructor(database: Database, slotsPerTenantMax = SLOTS_PER_TENANT_MAX) {
    this.#database = database
    this.#slotsMax = slotsPerTenantMax
    const taken = 'SELECT count(*) AS n FROM reply_slots WHERE tenant = ? AND counter = ? AND taken_ms > ?'
    this.#count = database.prepare(taken)
    this.#insert = database.prepare('INSERT INTO reply_slots (tenant, counter, taken_ms, until_ms) VALUES (?, ?, ?, ?)')
    this.#ended = database.prepare('SELECT rowid, tenant FROM reply_slots WHERE until_ms <= ? LIMIT ?')
    this.recount()
  }

  /** Within a transaction. True: the slot is taken. */
  take(tenant: string, counter: string, limit: number, windowMs: number, nowMs: number): boolean {
    const key = digestOf(counter)
    const taken = Number(this.#count.get(tenant, key, Math.floor(nowMs - windowMs))?.['n'])
    const slots = this.#slots.get(tenant) ?? 0
    if (taken >= limit || slots >= this.#slotsMax) return false
    this.#insert.run(tenant, key, Math.floor(nowMs), Math.ceil(nowMs + windowMs))
    this.#slots.set(tenant, slots + 1)
    return true
  }

  /** Forgets slots whose window is over; within a transaction. True: there may be more. */
  prune(nowMs: number): boolean {
    const rows = this.#ended.all(Math.floor(nowMs), PRUNE_ROWS_MAX)
    const remove = this.#database.prepare('DELETE FROM reply_slots WHERE rowid = ?')
    for (const { rowid, tenant } of rows as { rowid: number; tenant: string }[]) {
      remove.run(rowid)
      this.#slots.set(tenant, (this.#slots.get(tenant) ?? 1) - 1)
    }
    return rows.length === PRUNE_ROWS_MAX
  }

  /** After a transaction that was undone. */
  recount(): void {
    this.#slots.clear()
    const rows = this.#database.prepare('SELECT tenant, count(*) AS n FROM reply_slots GROUP BY tenant').all()
    for (const { tenant, n } of rows as { tenant: string; n: number }[]) this.#slots.set(tenant, n)
  }
}

export const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest().subarray(0, 16)
