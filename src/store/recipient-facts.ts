/**
 * What was learned about recipients, in the store: one row for each mailbox, one for each domain whose server was tested
 * for taking every address. Workers read by prepared statements (one look-up takes microseconds); only the supervisor
 * writes. Times are those of the steady clock (steady-wall.ts), ms.
 *
 * Bounded: `prune` ends what is too old and, above the limit, the oldest, refusals first. All methods throw SQLite's
 * errors; what they mean for the path is the caller's to say.
 */
import { type Database, inTransaction, type Part } from './database.ts'

export type FactState = 'known' | 'unknown'
/** Who said so: our own question, a delivery, or that the customer wrote from this address. */
export type FactSource = 'callout' | 'delivery' | 'outgoing'

export interface RecipientFact {
  readonly state: FactState
  readonly atMs: number
  /** How long a refusal holds; doubles each time it is confirmed. */
  readonly negativeMs: number
  readonly source: FactSource
  /** `tenant/name`: whose server said so. A fact of another tenant's is none (law 7). */
  readonly route: string
}

export interface DomainFact {
  /** A made-up address was taken: what this server says about others is worth nothing. */
  readonly takesAll: boolean
  readonly atMs: number
  readonly route: string
}

export interface PruneLimits {
  readonly knownMs: number
  readonly unknownMs: number
  readonly rowsMax: number
  /** Deleted in one call at most, so that the supervisor does nothing else for some 100 ms and no longer. */
  readonly deletedMax: number
}

export const RECIPIENT_FACTS: Part = {
  name: 'recipient-facts',
  steps: [
    `CREATE TABLE recipient_facts (
      domain TEXT NOT NULL,
      local_part TEXT NOT NULL,
      state TEXT NOT NULL,
      at_ms INTEGER NOT NULL,
      negative_ms INTEGER NOT NULL,
      source TEXT NOT NULL,
      route TEXT NOT NULL,
      PRIMARY KEY (domain, local_part)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX recipient_facts_by_age ON recipient_facts (state, at_ms);
    CREATE TABLE recipient_domains (
      domain TEXT PRIMARY KEY,
      takes_all INTEGER NOT NULL,
      at_ms INTEGER NOT NULL,
      route TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`,
  ],
}

type Row = { [column: string]: unknown }

/** Keys are those of `mailboxKey`: what follows the last @ is the domain. */
export function partsOfKey(key: string): { localPart: string; domain: string } {
  const at = key.lastIndexOf('@')
  return { localPart: key.slice(0, at), domain: key.slice(at + 1) }
}

export class RecipientFacts {
  readonly #get
  readonly #domain
  readonly #count
  readonly #ofDomain

  constructor(store: Database) {
    const columns = 'state, at_ms, negative_ms, source, route'
    this.#get = store.prepare(`SELECT ${columns} FROM recipient_facts WHERE domain = ? AND local_part = ?`)
    this.#domain = store.prepare('SELECT takes_all, at_ms, route FROM recipient_domains WHERE domain = ?')
    this.#count = store.prepare('SELECT state, count(*) AS facts FROM recipient_facts GROUP BY state')
    this.#ofDomain = store.prepare(
      'SELECT state, count(*) AS facts, max(at_ms) AS at_ms FROM recipient_facts WHERE domain = ? GROUP BY state',
    )
  }

  get(key: string): RecipientFact | undefined {
    const { domain, localPart } = partsOfKey(key)
    const row = this.#get.get(domain, localPart)
    return row === undefined ? undefined : factOf(row)
  }

  domain(name: string): DomainFact | undefined {
    const row = this.#domain.get(name)
    if (row === undefined) return undefined
    return { takesAll: row['takes_all'] === 1, atMs: Number(row['at_ms']), route: String(row['route']) }
  }

  /** Reads an index from end to end: 30 ms for a million. */
  counts(): Record<FactState, number> {
    return countsOf(this.#count.all())
  }

  countsOfDomain(name: string): Record<FactState, number> {
    return countsOf(this.#ofDomain.all(name))
  }
}

export class RecipientFactsWriter extends RecipientFacts {
  readonly #store: Database
  readonly #put
  readonly #putDomain

  constructor(store: Database) {
    super(store)
    this.#store = store
    this.#put = store.prepare(
      `INSERT INTO recipient_facts (domain, local_part, state, at_ms, negative_ms, source, route)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (domain, local_part) DO UPDATE SET state = excluded.state, at_ms = excluded.at_ms,
         negative_ms = excluded.negative_ms, source = excluded.source, route = excluded.route`,
    )
    this.#putDomain = store.prepare(
      `INSERT INTO recipient_domains (domain, takes_all, at_ms, route) VALUES (?, ?, ?, ?)
       ON CONFLICT (domain) DO UPDATE SET takes_all = excluded.takes_all, at_ms = excluded.at_ms, route = excluded.route`,
    )
  }

  /** All that `work` writes is one commit. */
  together<T>(work: () => T): T {
    return inTransaction(this.#store, work)
  }

  put(key: string, { state, atMs, negativeMs, source, route }: RecipientFact): void {
    const { domain, localPart } = partsOfKey(key)
    this.#put.run(domain, localPart, state, Math.round(atMs), Math.round(negativeMs), source, route)
  }

  putDomain(name: string, { takesAll, atMs, route }: DomainFact): void {
    this.#putDomain.run(name, takesAll ? 1 : 0, Math.round(atMs), route)
  }

  /** Each of these says how many mailboxes were forgotten. */
  forget(key: string): number {
    const { domain, localPart } = partsOfKey(key)
    return this.#run('DELETE FROM recipient_facts WHERE domain = ? AND local_part = ?', domain, localPart)
  }

  forgetDomain(name: string): number {
    this.#run('DELETE FROM recipient_domains WHERE domain = ?', name)
    return this.#run('DELETE FROM recipient_facts WHERE domain = ?', name)
  }

  forgetAll(): number {
    this.#run('DELETE FROM recipient_domains')
    return this.#run('DELETE FROM recipient_facts')
  }

  /** Refusals, of one domain or of all; what was learned about whole domains goes too. */
  forgetUnknown(domain?: string): number {
    if (domain === undefined) {
      this.#run('DELETE FROM recipient_domains')
      return this.#run("DELETE FROM recipient_facts WHERE state = 'unknown'")
    }
    this.#run('DELETE FROM recipient_domains WHERE domain = ?', domain)
    return this.#run("DELETE FROM recipient_facts WHERE domain = ? AND state = 'unknown'", domain)
  }

  /** How many went. As many as `deletedMax`: there may be more. */
  prune(nowMs: number, { knownMs, unknownMs, rowsMax, deletedMax }: PruneLimits): number {
    let left = deletedMax
    left -= this.#deleteOldest('unknown', nowMs - unknownMs, left)
    left -= this.#deleteOldest('known', nowMs - knownMs, left)
    const { known, unknown } = this.counts()
    const tooMany = Math.min(left, Math.max(0, known + unknown - rowsMax))
    const refusals = this.#deleteOldest('unknown', Number.MAX_SAFE_INTEGER, tooMany)
    left -= refusals
    left -= this.#deleteOldest('known', Number.MAX_SAFE_INTEGER, tooMany - refusals)
    return deletedMax - left
  }

  #deleteOldest(state: FactState, beforeMs: number, max: number): number {
    const sql = `DELETE FROM recipient_facts WHERE (domain, local_part) IN (
      SELECT domain, local_part FROM recipient_facts WHERE state = ? AND at_ms < ? ORDER BY at_ms LIMIT ?)`
    return max <= 0 ? 0 : this.#run(sql, state, Math.round(beforeMs), max)
  }

  #run(sql: string, ...values: (string | number)[]): number {
    return Number(this.#store.prepare(sql).run(...values).changes)
  }
}

const factOf = (row: Row): RecipientFact => ({
  state: row['state'] as FactState,
  atMs: Number(row['at_ms']),
  negativeMs: Number(row['negative_ms']),
  source: row['source'] as FactSource,
  route: String(row['route']),
})

function countsOf(rows: readonly Row[]): Record<FactState, number> {
  const counts = { known: 0, unknown: 0 }
  for (const row of rows) counts[row['state'] as FactState] = Number(row['facts'])
  return counts
}
