/**
 * Lists of recipients, one for each domain that has one: imported by an operator, read from a file, or fetched from LDAP.
 * The supervisor writes them, every worker reads them.
 *
 * A list is replaced as a whole. The new entries are staged beside the old ones in small transactions that are not
 * synced, so that a million of them never hold up the supervisor; one switch, which is, then puts the new generation in the place of the old. Readers see
 * all of the one or all of the other, also when the machine loses power in between.
 *
 * Keys are those of `mailboxKey`. Times are wall clock, ms.
 */
import { setImmediate as pause } from 'node:timers/promises'
import { beforehand, type Database, inTransaction, type Part } from './database.ts'
import { SortedEntries } from './sorted-entries.ts'

/** Rows of one transaction or of one comparison: about 20 ms of the supervisor's time. */
export const ROWS_PER_STEP = 2_000

/** Entries that wait in memory to be written in order; about 12 MB. */
const WAITING_MAX = 250_000

export type ListSource = 'imported' | 'file' | 'ldap'

/** Whose list it is and where it comes from. */
export interface ListOrigin {
  readonly tenant: string
  readonly source: ListSource
  /** Of a file: which one, and when it was last changed. */
  readonly stamp?: string
}

export interface ListState {
  readonly domain: string
  readonly tenant: string
  readonly source: ListSource
  readonly entries: number
  /** Undefined: tried, and never loaded. */
  readonly loadedAtMs?: number
  readonly triedAtMs: number
  /** In a row, up to now. */
  readonly failures: number
  /** Why the last try changed nothing. */
  readonly error?: string
  /** What the list in force was read from, if that can be compared. */
  readonly stamp?: string
}

export interface ListEntry {
  readonly key: string
  readonly note?: string
}

export interface Listed {
  readonly listed: boolean
  /** Whose list it is: a domain that goes to another tenant does not take its list along. */
  readonly tenant: string
  readonly source: ListSource
  readonly loadedAtMs: number
}

export const RECIPIENT_LISTS: Part = {
  name: 'recipient-lists',
  steps: [
    `CREATE TABLE recipient_lists (
       domain TEXT PRIMARY KEY, tenant TEXT NOT NULL, source TEXT NOT NULL, generation INTEGER, entries INTEGER NOT NULL,
       loaded_at INTEGER, tried_at INTEGER NOT NULL, failures INTEGER NOT NULL, error TEXT
     ) STRICT;
     CREATE TABLE recipient_generations (id INTEGER PRIMARY KEY AUTOINCREMENT, domain TEXT NOT NULL) STRICT;
     CREATE TABLE recipient_entries (
       generation INTEGER NOT NULL, key TEXT NOT NULL, note TEXT, PRIMARY KEY (generation, key)
     ) STRICT, WITHOUT ROWID`,
    'ALTER TABLE recipient_lists ADD COLUMN stamp TEXT',
  ],
}

type Row = Record<string, unknown>

/** For workers: an answer takes some microseconds. */
export class ListReader {
  readonly #find

  constructor(database: Database) {
    this.#find = database.prepare(
      `SELECT tenant, source, loaded_at, EXISTS (
         SELECT 1 FROM recipient_entries e WHERE e.generation = l.generation AND e.key = ?
       ) AS listed FROM recipient_lists l WHERE domain = ? AND generation IS NOT NULL`,
    )
  }

  /** Undefined: no list was ever loaded for this domain, so nothing is known of anyone in it. */
  has(domain: string, key: string): Listed | undefined {
    const row = this.#find.get(key, domain)
    if (row === undefined) return undefined
    return {
      listed: row['listed'] === 1,
      tenant: row['tenant'] as string,
      source: row['source'] as ListSource,
      loadedAtMs: row['loaded_at'] as number,
    }
  }
}

/** For the one writer. */
export class RecipientLists {
  readonly #database: Database
  readonly #staged = new Set<number>()

  constructor(database: Database) {
    this.#database = database
  }

  state(domain: string): ListState | undefined {
    const row = this.#database.prepare('SELECT * FROM recipient_lists WHERE domain = ?').get(domain)
    return row && stateOf(row)
  }

  states(): ListState[] {
    return this.#database.prepare('SELECT * FROM recipient_lists ORDER BY domain').all().map(stateOf)
  }

  /** Begins a new list for the domain; nothing of it is seen until `commit`. */
  stage(domain: string): StagedList {
    const insert = this.#database.prepare('INSERT INTO recipient_generations (domain) VALUES (?)')
    const { lastInsertRowid } = beforehand(this.#database, () => insert.run(domain))
    const generation = Number(lastInsertRowid)
    this.#staged.add(generation)
    return new StagedList(this.#database, domain, generation, () => this.#staged.delete(generation))
  }

  /** A try that changed nothing: what there was stays. */
  failed(
    of: { readonly domain: string; readonly tenant: string; readonly source: ListSource },
    at: number,
    why: string,
  ) {
    this.#database
      .prepare(
        `INSERT INTO recipient_lists (domain, tenant, source, entries, tried_at, failures, error) VALUES (?, ?, ?, 0, ?, 1, ?)
         ON CONFLICT (domain) DO UPDATE SET tried_at = excluded.tried_at, failures = failures + 1, error = excluded.error`,
      )
      .run(of.domain, of.tenant, of.source, at, why)
  }

  /** The list in force is still right. */
  confirmed(domain: string, atMs: number, stamp?: string): void {
    this.#database
      .prepare(
        `UPDATE recipient_lists SET loaded_at = ?1, tried_at = ?1, failures = 0, error = NULL, stamp = ?3
         WHERE domain = ?2`,
      )
      .run(atMs, domain, stamp ?? null)
  }

  /** In the order of the keys, behind `after`. */
  page(domain: string, after: string, rowsMax: number): ListEntry[] {
    return this.#database
      .prepare(
        `SELECT key, note FROM recipient_entries WHERE generation = (SELECT generation FROM recipient_lists WHERE domain = ?)
         AND key > ? ORDER BY key LIMIT ?`,
      )
      .all(domain, after, rowsMax)
      .map(entryOf)
  }

  /** The list is gone, and the domain is as if it never had one. Its entries go with `sweep`. */
  drop(domain: string): void {
    this.#database.prepare('DELETE FROM recipient_lists WHERE domain = ?').run(domain)
  }

  /** Removes the entries of generations that nobody needs any more: replaced, dropped, or staged by a process that died. */
  async sweep(): Promise<void> {
    const unused = this.#database
      .prepare(
        'SELECT id FROM recipient_generations WHERE id NOT IN (SELECT generation FROM recipient_lists WHERE generation IS NOT NULL)',
      )
      .all()
      .map((row) => Number(row['id']))
    for (const generation of unused)
      if (!this.#staged.has(generation)) await removeGeneration(this.#database, generation)
  }
}

/** What would change, or did. */
export interface Difference {
  readonly before: number
  readonly after: number
  readonly added: number
  readonly removed: number
  /** The first ones, by key. */
  readonly firstAdded: readonly string[]
  readonly firstRemoved: readonly string[]
}

/** How many of the added and of the removed keys a difference names. */
const NAMED_MAX = 20

/** A list in the making. Ends with `commit` or `discard`. */
export class StagedList {
  readonly #database: Database
  readonly #domain: string
  readonly #generation: number
  readonly #end: () => void
  #entries = 0
  readonly #waiting = new SortedEntries()

  constructor(database: Database, domain: string, generation: number, end: () => void) {
    this.#database = database
    this.#domain = domain
    this.#generation = generation
    this.#end = end
  }

  /** Different keys, after `difference` or `commit`. */
  get entries(): number {
    return this.#entries
  }

  /** Of a key that stands twice the first one counts. One call after the other; pauses now and then. */
  async add(entries: readonly ListEntry[]): Promise<void> {
    for (const entry of entries) this.#waiting.push(entry)
    if (this.#waiting.size >= WAITING_MAX) await this.#write()
  }

  // In the order of the keys: in any other, each row would rewrite a page of its own.
  async #write(): Promise<void> {
    while (this.#waiting.size > 0) {
      this.#insert(this.#waiting.take(ROWS_PER_STEP))
      await pause()
    }
  }

  #insert(entries: readonly ListEntry[]): void {
    const insert = this.#database.prepare(
      'INSERT OR IGNORE INTO recipient_entries (generation, key, note) VALUES (?, ?, ?)',
    )
    const add = (): number => {
      let added = 0
      for (const { key, note } of entries) added += Number(insert.run(this.#generation, key, note ?? null).changes)
      return added
    }
    this.#entries += beforehand(this.#database, () => inTransaction(this.#database, add))
  }

  /** Against the list in force. Pauses now and then. */
  async difference(): Promise<Difference> {
    await this.#write()
    const current = this.#database
      .prepare('SELECT generation, entries FROM recipient_lists WHERE domain = ?')
      .get(this.#domain)
    const old = (current?.['generation'] as number | null | undefined) ?? -1
    const before = old < 0 ? 0 : Number(current?.['entries'])
    const { count: added, named: firstAdded } = await this.#only(this.#generation, old, Infinity)
    const removed = before + added - this.#entries
    // Their number is known, so the search ends with the last one that is to be named.
    const { named: firstRemoved } = await this.#only(old, this.#generation, Math.min(removed, NAMED_MAX))
    return { before, after: this.#entries, added, removed, firstAdded, firstRemoved }
  }

  /** From now on this is the list of the domain. What it replaces is to be swept. */
  async commit({ tenant, source, stamp }: ListOrigin, atMs: number): Promise<void> {
    await this.#write()
    this.#database
      .prepare(
        `INSERT INTO recipient_lists
           (domain, tenant, source, generation, entries, loaded_at, tried_at, failures, error, stamp)
         VALUES (?, ?, ?, ?, ?, ?, ?, 0, NULL, ?)
         ON CONFLICT (domain) DO UPDATE SET tenant = excluded.tenant, source = excluded.source,
           generation = excluded.generation, entries = excluded.entries, loaded_at = excluded.loaded_at,
           tried_at = excluded.tried_at, failures = 0, error = NULL, stamp = excluded.stamp`,
      )
      .run(this.#domain, tenant, source, this.#generation, this.#entries, atMs, atMs, stamp ?? null)
    this.#end()
  }

  /** Nothing has happened. */
  async discard(): Promise<void> {
    await removeGeneration(this.#database, this.#generation)
    this.#end()
  }

  // How many keys the one has and the other not, and the first of them. Looks no further than `countMax`.
  async #only(one: number, other: number, countMax: number): Promise<{ count: number; named: string[] }> {
    const step = this.#database.prepare(
      `SELECT key, EXISTS (SELECT 1 FROM recipient_entries o WHERE o.generation = ? AND o.key = e.key) AS both
       FROM recipient_entries e WHERE generation = ? AND key > ? ORDER BY key LIMIT ?`,
    )
    const named: string[] = []
    let count = 0
    for (let after = ''; count < countMax; ) {
      const rows = step.all(other, one, after, ROWS_PER_STEP)
      for (const row of rows) {
        if (row['both'] === 1) continue
        count++
        if (named.length < NAMED_MAX) named.push(row['key'] as string)
      }
      if (rows.length < ROWS_PER_STEP) break
      after = rows.at(-1)!['key'] as string
      await pause()
    }
    return { count, named }
  }
}

async function removeGeneration(database: Database, generation: number): Promise<void> {
  const step = database.prepare(
    `DELETE FROM recipient_entries WHERE generation = ?1 AND key IN (
       SELECT key FROM recipient_entries WHERE generation = ?1 ORDER BY key LIMIT ?2)`,
  )
  // Half of it gone is as good as all of it there: nobody looks at it.
  while (beforehand(database, () => Number(step.run(generation, ROWS_PER_STEP).changes)) > 0) await pause()
  database.prepare('DELETE FROM recipient_generations WHERE id = ?').run(generation)
}

const entryOf = (row: Row): ListEntry => ({
  key: row['key'] as string,
  ...(row['note'] === null ? {} : { note: row['note'] as string }),
})

function stateOf(row: Row): ListState {
  const {
    loaded_at: loadedAtMs,
    error,
    stamp,
  } = row as {
    loaded_at: number | null
    error: string | null
    stamp: string | null
  }
  return {
    domain: row['domain'] as string,
    tenant: row['tenant'] as string,
    source: row['source'] as ListSource,
    entries: row['entries'] as number,
    triedAtMs: row['tried_at'] as number,
    failures: row['failures'] as number,
    ...(loadedAtMs === null ? {} : { loadedAtMs }),
    ...(error === null ? {} : { error }),
    ...(stamp === null ? {} : { stamp }),
  }
}
