/**
 * Domains that tenants may send as although they are not served here, since their owners say so in DNS: what was seen there,
 * and when. A row is made at the first look; without one nothing was ever seen. The token that was found is kept, so that a
 * change of the key from which tokens are made takes nothing from anybody.
 */
import type { Database, Part } from './database.ts'

export const SENDER_DOMAINS: Part = {
  name: 'sender-domains',
  steps: [
    `CREATE TABLE sender_domains (
       tenant TEXT NOT NULL,
       domain TEXT NOT NULL,
       token TEXT,
       verified_ms INTEGER,
       missing_ms INTEGER,
       found TEXT NOT NULL,
       checked_ms INTEGER NOT NULL,
       PRIMARY KEY (domain, tenant)
     ) STRICT`,
  ],
}

export interface SenderDomainName {
  readonly tenant: string
  /** A-labels, lower case. */
  readonly domain: string
}

export interface StoredSenderDomain extends SenderDomainName {
  /** That was found when it was verified. */
  readonly token?: string
  /** Since when the tenant may send as it; absent: it may not. */
  readonly verifiedMs?: number
  /** Since when the token is gone for certain. */
  readonly missingMs?: number
  /** `there`, `missing`, or `unknown: ` and why. */
  readonly found: string
  readonly checkedMs: number
}

/** For every process; SQLite's errors are thrown. */
export class SenderDomainReader {
  readonly #database: Database
  readonly #one

  constructor(database: Database) {
    this.#database = database
    this.#one = database.prepare('SELECT * FROM sender_domains WHERE domain = ? AND tenant = ?')
  }

  find({ tenant, domain }: SenderDomainName): StoredSenderDomain | undefined {
    const row = this.#one.get(domain, tenant)
    return row && rowOf(row)
  }

  all(): StoredSenderDomain[] {
    return this.#database.prepare('SELECT * FROM sender_domains ORDER BY tenant, domain').all().map(rowOf)
  }
}

/** For the one writer. */
export class SenderDomains extends SenderDomainReader {
  readonly #put
  readonly #remove

  constructor(database: Database) {
    super(database)
    this.#put = database.prepare(
      `INSERT OR REPLACE INTO sender_domains (tenant, domain, token, verified_ms, missing_ms, found, checked_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#remove = database.prepare('DELETE FROM sender_domains WHERE domain = ? AND tenant = ?')
  }

  put({ tenant, domain, token, verifiedMs, missingMs, found, checkedMs }: StoredSenderDomain): void {
    const times = [verifiedMs, missingMs].map((ms) => (ms === undefined ? null : Math.round(ms)))
    this.#put.run(tenant, domain, token ?? null, ...times, found, Math.round(checkedMs))
  }

  remove({ tenant, domain }: SenderDomainName): void {
    this.#remove.run(domain, tenant)
  }
}

const rowOf = (row: Record<string, unknown>): StoredSenderDomain => ({
  tenant: String(row['tenant']),
  domain: String(row['domain']),
  ...(row['token'] !== null && { token: String(row['token']) }),
  ...(row['verified_ms'] !== null && { verifiedMs: Number(row['verified_ms']) }),
  ...(row['missing_ms'] !== null && { missingMs: Number(row['missing_ms']) }),
  found: String(row['found']),
  checkedMs: Number(row['checked_ms']),
})
