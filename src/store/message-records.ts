/**
 * Facts about a tenant's mail that a later message is held against: what it sent (`sent`), and with which verified
 * reversePath mail came to it (`return-path`). A fact is a text; what is kept is its digest (128 bits) and its end.
 *
 * Limit: `FACTS_PER_TENANT_MAX` of each kind. What does not fit leaves a gap, and until the gap has ended nobody is told
 * that something is not on record: unknown is not no.
 */
import type { Database, Part } from './database.ts'
import { digestOf } from './reply-limits.ts'

export type FactKind = 'sent' | 'return-path'

const DAY_MS = 86_400_000
/** Bounces come within the 5 days that servers try (RFC 5321 §4.5.4.1), some after a person looked at a queue. */
export const KEPT_MS: Readonly<Record<FactKind, number>> = { sent: 14 * DAY_MS, 'return-path': 7 * DAY_MS }
/** Three or four facts for each message with one recipient; 60 octets each. */
export const FACTS_PER_TENANT_MAX = 3_000_000
export const PRUNE_FACTS_MAX = 5_000

export const MESSAGE_RECORDS: Part = {
  name: 'message-records',
  steps: [
    `CREATE TABLE message_facts (
      kind TEXT NOT NULL,
      tenant TEXT NOT NULL,
      digest BLOB NOT NULL,
      until_ms INTEGER NOT NULL,
      PRIMARY KEY (kind, tenant, digest)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX message_facts_end ON message_facts (until_ms);
    CREATE TABLE message_gaps (
      kind TEXT NOT NULL,
      tenant TEXT NOT NULL,
      until_ms INTEGER NOT NULL,
      PRIMARY KEY (kind, tenant)
    ) STRICT, WITHOUT ROWID`,
  ],
}

export class MessageRecordsStore {
  readonly #database: Database
  readonly #factsMax: number
  readonly #facts = new Map<string, number>()
  readonly #find
  readonly #insert
  readonly #extend
  readonly #gap

  constructor(database: Database, factsPerTenantMax = FACTS_PER_TENANT_MAX) {
    this.#database = database
    this.#factsMax = factsPerTenantMax
    const of = 'WHERE kind = ? AND tenant = ? AND digest = ?'
    this.#find = database.prepare(`SELECT until_ms FROM message_facts ${of}`)
    this.#insert = database.prepare('INSERT INTO message_facts (until_ms, kind, tenant, digest) VALUES (?, ?, ?, ?)')
    this.#extend = database.prepare(`UPDATE message_facts SET until_ms = max(until_ms, ?) ${of}`)
    this.#gap = database.prepare('SELECT until_ms FROM message_gaps WHERE kind = ? AND tenant = ? AND until_ms > ?')
    this.recount()
  }

  /** Within a transaction. */
  remember(tenant: string, kind: FactKind, facts: readonly string[], nowMs: number): void {
    const untilMs = Math.ceil(nowMs + KEPT_MS[kind])
    for (const fact of facts) {
      const digest = digestOf(fact)
      if (this.#extend.run(untilMs, kind, tenant, digest).changes > 0) continue
      const name = `${kind} ${tenant}`
      const count = this.#facts.get(name) ?? 0
      if (count >= this.#factsMax) this.#leaveGap(kind, tenant, untilMs)
      else {
        this.#insert.run(untilMs, kind, tenant, digest)
        this.#facts.set(name, count + 1)
      }
    }
  }

  /** Undefined: not there, but the record has a gap. */
  known(tenant: string, kind: FactKind, facts: readonly string[], nowMs: number): (boolean | undefined)[] {
    const otherwise = this.#gap.get(kind, tenant, Math.floor(nowMs)) === undefined ? false : undefined
    return facts.map((fact) => {
      const row = this.#find.get(kind, tenant, digestOf(fact))
      return row !== undefined && Number(row['until_ms']) > nowMs ? true : otherwise
    })
  }

  /** Within a transaction. True: there may be more. */
  prune(nowMs: number): boolean {
    const ended = this.#database.prepare(
      'SELECT kind, tenant, digest FROM message_facts WHERE until_ms <= ? ORDER BY until_ms LIMIT ?',
    )
    const remove = this.#database.prepare('DELETE FROM message_facts WHERE kind = ? AND tenant = ? AND digest = ?')
    const rows = ended.all(Math.floor(nowMs), PRUNE_FACTS_MAX)
    for (const { kind, tenant, digest } of rows as { kind: string; tenant: string; digest: Uint8Array }[]) {
      remove.run(kind, tenant, digest)
      const name = `${kind} ${tenant}`
      this.#facts.set(name, (this.#facts.get(name) ?? 1) - 1)
    }
    this.#database.prepare('DELETE FROM message_gaps WHERE until_ms <= ?').run(Math.floor(nowMs))
    return rows.length === PRUNE_FACTS_MAX
  }

  /** After a transaction that was undone. */
  recount(): void {
    this.#facts.clear()
    const rows = this.#database.prepare('SELECT kind, tenant, count(*) AS n FROM message_facts GROUP BY kind, tenant')
    for (const { kind, tenant, n } of rows.all() as { kind: string; tenant: string; n: number }[]) {
      this.#facts.set(`${kind} ${tenant}`, n)
    }
  }

  #leaveGap(kind: FactKind, tenant: string, untilMs: number): void {
    const sql = `INSERT INTO message_gaps (kind, tenant, until_ms) VALUES (?, ?, ?)
      ON CONFLICT (kind, tenant) DO UPDATE SET until_ms = max(until_ms, excluded.until_ms)`
    this.#database.prepare(sql).run(kind, tenant, untilMs)
  }
}
