/**
 * Addresses to which a tenant sends nothing for a while: they do not exist, their owner complained, or an operator said so.
 * The supervisor writes them, every worker reads them at RCPT: a change holds from its commit on.
 *
 * A server may say "no such mailbox" for an hour because its directory is broken. So the first refusal counts for a day, and
 * only one that comes again, after that day, for longer. Times are wall clock, ms. Limit: `SUPPRESSIONS_PER_TENANT_MAX`.
 */
import type { Database, Part } from './database.ts'

/** Some 200 octets each. Beyond, those that end first are forgotten. */
export const SUPPRESSIONS_PER_TENANT_MAX = 200_000
const TEXT_CHARACTERS_MAX = 300
const DAY_MS = 86_400_000
/** After the first, the second, and each further refusal. */
export const BOUNCED_MS: readonly number[] = [DAY_MS, 7 * DAY_MS, 90 * DAY_MS]
/** So long an end is remembered, to see that the next refusal is not the first. */
export const REMEMBERED_MS = 30 * DAY_MS
export const COMPLAINED_MS = 365 * DAY_MS
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER

export const SUPPRESSIONS: Part = {
  name: 'suppressions',
  steps: [
    `CREATE TABLE suppressions (
      tenant TEXT NOT NULL, address TEXT NOT NULL, reason TEXT NOT NULL, text TEXT NOT NULL,
      since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, times INTEGER NOT NULL, forget_ms INTEGER NOT NULL,
      PRIMARY KEY (tenant, address)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX suppressions_forget ON suppressions (forget_ms)`,
    `ALTER TABLE suppressions ADD COLUMN source TEXT NOT NULL DEFAULT '';
    ALTER TABLE suppressions ADD COLUMN evidence TEXT NOT NULL DEFAULT ''`,
  ],
}

export type SuppressionReason = 'bounced' | 'complained' | 'operator'
/** `session`: a server said so to us; `dsn`: one said so by mail; `feedback`: a report of a feedback loop. */
export type SuppressionSource = 'session' | 'dsn' | 'feedback' | 'operator'

export interface Suppression {
  readonly tenant: string
  /** `mailboxKey`. */
  readonly address: string
  readonly reason: SuppressionReason
  /** The server's words, or the operator's. */
  readonly text: string
  readonly source: SuppressionSource
  /** The message that was refused or that said so, and who wrote it; empty if nobody has said. */
  readonly evidence: string
  readonly sinceMs: number
  /** Absent: until somebody removes it. */
  readonly untilMs?: number
  /** How often it came to this. */
  readonly times: number
}

/** What a server said of an address, or its owner. */
export type Said = Pick<Suppression, 'tenant' | 'address' | 'text' | 'source' | 'evidence'>

/** For workers: a look takes some microseconds. */
export class SuppressionReader {
  readonly #find

  constructor(database: Database) {
    this.#find = database.prepare('SELECT * FROM suppressions WHERE tenant = ? AND address = ? AND until_ms > ?')
  }

  find(tenant: string, address: string, nowMs: number): Suppression | undefined {
    const row = this.#find.get(tenant, address, Math.floor(nowMs))
    return row && suppressionOf(row)
  }
}

/** For the one writer, within a transaction. */
export class SuppressionStore extends SuppressionReader {
  readonly #put
  readonly #times
  readonly #remove
  readonly #page
  readonly #pruneEnded
  readonly #pruneMany

  constructor(database: Database) {
    super(database)
    this.#put = database.prepare(
      `INSERT INTO suppressions (tenant, address, reason, text, source, evidence, since_ms, until_ms, times, forget_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (tenant, address) DO UPDATE SET reason = excluded.reason, text = excluded.text,
         source = excluded.source, evidence = excluded.evidence, since_ms = excluded.since_ms, until_ms = excluded.until_ms, times = excluded.times, forget_ms = excluded.forget_ms`,
    )
    this.#times = database.prepare('SELECT times FROM suppressions WHERE tenant = ? AND address = ? AND forget_ms > ?')
    this.#remove = database.prepare('DELETE FROM suppressions WHERE tenant = ? AND address = ?')
    this.#page = database.prepare(
      `SELECT * FROM suppressions WHERE (?1 IS NULL OR tenant = ?1) AND (tenant, address) > (?2, ?3) AND until_ms > ?4
       ORDER BY tenant, address LIMIT ?5`,
    )
    this.#pruneEnded = database.prepare('DELETE FROM suppressions WHERE forget_ms <= ?')
    this.#pruneMany = database.prepare(
      `DELETE FROM suppressions WHERE (tenant, address) IN (SELECT tenant, address FROM
         (SELECT tenant, address, row_number() OVER (PARTITION BY tenant ORDER BY forget_ms DESC) AS n FROM suppressions)
       WHERE n > ?)`,
    )
  }

  /** A server said that there is no such mailbox. False: it stands there already. */
  bounced(said: Said, nowMs: number): boolean {
    const { tenant, address } = said
    if (this.find(tenant, address, nowMs) !== undefined) return false
    const times = this.#timesOf(tenant, address, nowMs) + 1
    const forMs = BOUNCED_MS[Math.min(times, BOUNCED_MS.length) - 1]!
    this.#write({ ...said, reason: 'bounced', sinceMs: nowMs, untilMs: nowMs + forMs, times })
    return true
  }

  /** Its owner wants no more. False: it stands there already, for as long. */
  complained(said: Said, nowMs: number): boolean {
    const { tenant, address } = said
    const untilMs = nowMs + COMPLAINED_MS
    const found = this.find(tenant, address, nowMs)
    if (found?.reason === 'complained' || (found?.reason === 'operator' && (found.untilMs ?? untilMs) >= untilMs))
      return false
    const times = this.#timesOf(tenant, address, nowMs) + 1
    this.#write({ ...said, reason: 'complained', sinceMs: nowMs, untilMs, times })
    return true
  }

  /** By order; without an end, unless there is one. */
  add(of: Omit<Suppression, 'times' | 'source' | 'evidence'>): void {
    this.#write({
      ...of,
      source: 'operator',
      evidence: '',
      times: this.#timesOf(of.tenant, of.address, of.sinceMs) + 1,
    })
  }

  /** False: it did not stand there. What was remembered of it is forgotten too. */
  remove(tenant: string, address: string): boolean {
    return Number(this.#remove.run(tenant, address).changes) > 0
  }

  /** In the order of tenants and addresses, behind `after`. */
  page(tenant: string | undefined, after: readonly [string, string], rowsMax: number, nowMs: number): Suppression[] {
    return this.#page.all(tenant ?? null, ...after, Math.floor(nowMs), rowsMax).map(suppressionOf)
  }

  prune(nowMs: number, perTenantMax = SUPPRESSIONS_PER_TENANT_MAX): void {
    this.#pruneEnded.run(Math.floor(nowMs))
    this.#pruneMany.run(perTenantMax)
  }

  #timesOf(tenant: string, address: string, nowMs: number): number {
    return Number(this.#times.get(tenant, address, Math.floor(nowMs))?.['times'] ?? 0)
  }

  #write({ tenant, address, reason, text, source, evidence, sinceMs, untilMs, times }: Suppression): void {
    const endMs = untilMs === undefined ? FOR_EVER_MS : Math.ceil(untilMs)
    const forgetMs = untilMs === undefined ? FOR_EVER_MS : endMs + REMEMBERED_MS
    const [said, shown] = [text.slice(0, TEXT_CHARACTERS_MAX), evidence.slice(0, TEXT_CHARACTERS_MAX)]
    this.#put.run(tenant, address, reason, said, source, shown, Math.floor(sinceMs), endMs, times, forgetMs)
  }
}

function suppressionOf(row: Record<string, unknown>): Suppression {
  const untilMs = Number(row['until_ms'])
  return {
    tenant: String(row['tenant']),
    address: String(row['address']),
    reason: row['reason'] as SuppressionReason,
    text: String(row['text']),
    source: (row['source'] || (row['reason'] === 'operator' ? 'operator' : 'session')) as SuppressionSource,
    evidence: String(row['evidence']),
    sinceMs: Number(row['since_ms']),
    ...(untilMs < FOR_EVER_MS && { untilMs }),
    times: Number(row['times']),
  }
}
