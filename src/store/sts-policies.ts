/**
 * MTA-STS policies that were fetched: one row for each domain, kept until they expire (RFC 8461 §3.3), over restarts too.
 * The body is kept as it came, and read again by whoever uses it. Bounded: what was used longest ago goes first.
 */
import type { Database, Part } from './database.ts'

/** Of some 300 octets mostly. */
export const STS_POLICIES_MAX = 100_000

export const STS_POLICIES: Part = {
  name: 'sts-policies',
  steps: [
    `CREATE TABLE sts_policies (
       domain TEXT PRIMARY KEY,
       id TEXT NOT NULL,
       body TEXT NOT NULL,
       fetched_ms INTEGER NOT NULL,
       expires_ms INTEGER NOT NULL,
       used_ms INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX sts_policies_by_use ON sts_policies (used_ms);
     CREATE INDEX sts_policies_by_end ON sts_policies (expires_ms)`,
  ],
}

export interface KeptPolicy {
  /** A-labels, lower case. */
  readonly domain: string
  /** Of the record that announced it. */
  readonly id: string
  readonly body: string
  /** Wall clock, ms. */
  readonly fetchedMs: number
  readonly expiresMs: number
  readonly usedMs: number
}

/** For every process; SQLite's errors are thrown. */
export class StsPolicyReader {
  readonly #one

  constructor(database: Database) {
    this.#one = database.prepare('SELECT * FROM sts_policies WHERE domain = ?')
  }

  /** Also one that has expired and was not yet removed. */
  of(domain: string): KeptPolicy | undefined {
    const row = this.#one.get(domain)
    return row && policyOf(row)
  }
}

/** For the one writer. */
export class StsPolicyStore extends StsPolicyReader {
  readonly #put
  readonly #used
  readonly #due
  readonly #prune
  readonly #shorten
  readonly #count

  constructor(database: Database) {
    super(database)
    this.#put = database.prepare(
      `INSERT INTO sts_policies (domain, id, body, fetched_ms, expires_ms, used_ms) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (domain) DO UPDATE SET id = excluded.id, body = excluded.body, fetched_ms = excluded.fetched_ms,
         expires_ms = excluded.expires_ms`,
    )
    this.#used = database.prepare('UPDATE sts_policies SET used_ms = ? WHERE domain = ? AND used_ms < ?')
    this.#due = database.prepare(
      `SELECT * FROM sts_policies WHERE used_ms > ?1 AND (fetched_ms < ?2 OR expires_ms - ?3 < (expires_ms - fetched_ms) / 2)
       ORDER BY expires_ms LIMIT ?4`,
    )
    this.#prune = database.prepare('DELETE FROM sts_policies WHERE expires_ms <= ?')
    this.#shorten = database.prepare(
      `DELETE FROM sts_policies WHERE domain IN (SELECT domain FROM sts_policies ORDER BY used_ms DESC LIMIT -1 OFFSET ${STS_POLICIES_MAX})`,
    )
    this.#count = database.prepare('SELECT count(*) AS n FROM sts_policies')
  }

  put({ domain, id, body, fetchedMs, expiresMs, usedMs }: KeptPolicy): void {
    this.#put.run(domain, id, body, Math.round(fetchedMs), Math.round(expiresMs), Math.round(usedMs))
  }

  /** Written only if it was last used before `sinceMs`. */
  used(domain: string, nowMs: number, sinceMs: number): void {
    this.#used.run(Math.round(nowMs), domain, Math.round(sinceMs))
  }

  /** Used after `usedMs`, and fetched before `fetchedMs` or half-way to their end; the next to expire first. */
  due(usedMs: number, fetchedMs: number, nowMs: number, max: number): KeptPolicy[] {
    return this.#due.all(Math.round(usedMs), Math.round(fetchedMs), Math.round(nowMs), max).map(policyOf)
  }

  prune(nowMs: number): void {
    this.#prune.run(Math.round(nowMs))
    this.#shorten.run()
  }

  get count(): number {
    return Number(this.#count.get()?.['n'])
  }
}

const policyOf = (row: Record<string, unknown>): KeptPolicy => ({
  domain: String(row['domain']),
  id: String(row['id']),
  body: String(row['body']),
  fetchedMs: Number(row['fetched_ms']),
  expiresMs: Number(row['expires_ms']),
  usedMs: Number(row['used_ms']),
})
