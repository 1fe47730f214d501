/**
 * The embedded database: one SQLite file that the supervisor writes and all workers may read at the same time (WAL). Each
 * part of the store has its own tables and its own row of steps that make them; SQL stays inside this folder, so that
 * PostgreSQL can stand behind the same repositories.
 *
 * A commit is synced before it returns, unless it is said to be worth nothing yet (`beforehand`). A file of a newer
 * release is not opened: an old program would not keep its laws.
 */
import { DatabaseSync } from 'node:sqlite'

/** How long a writer waits for another one; there is one, so only a tool that looks at the file can be in its way. */
const BUSY_MS_MAX = 5_000

export type Database = DatabaseSync

/** What a part of the store needs. Steps are only ever added at the end; each is SQL that runs once. */
export interface Part {
  readonly name: string
  readonly steps: readonly string[]
}

export class NewerStore extends Error {
  constructor(path: string, part: string) {
    super(`${path} was written by a newer release of Vorposten (${part})`)
  }
}

/** For the one writer. Makes the file, and whatever the parts lack. Throws NewerStore, and SQLite's own errors. */
export function openStore(path: string, parts: readonly Part[]): Database {
  const database = new DatabaseSync(path, { timeout: BUSY_MS_MAX })
  try {
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    database.exec('CREATE TABLE IF NOT EXISTS parts (name TEXT PRIMARY KEY, steps INTEGER NOT NULL) STRICT')
    for (const part of parts) bringUp(database, path, part)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** For readers in other processes, while the writer has the store open. Throws where there is no store yet. */
export function readStore(path: string): Database {
  return new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS_MAX })
}

/** All or nothing: what `work` throws undoes what it wrote. */
export function inTransaction<T>(database: Database, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // A full disk, for example, has undone it already (lang_transaction.html of SQLite, "automatic rollback").
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/**
 * Writes what only a later commit makes count: it is not synced, since that commit will sync it too (the log of SQLite is
 * one file, in order), and what is lost before it is of no use to anybody. A sync may take seconds on a busy disk.
 */
export function beforehand<T>(database: Database, work: () => T): T {
  database.exec('PRAGMA synchronous = NORMAL')
  try {
    return work()
  } finally {
    database.exec('PRAGMA synchronous = FULL')
  }
}

function bringUp(database: Database, path: string, { name, steps }: Part): void {
  const found = database.prepare('SELECT steps FROM parts WHERE name = ?').get(name)
  const done = Number(found?.['steps'] ?? 0)
  if (done > steps.length) throw new NewerStore(path, name)
  if (done === steps.length) return
  inTransaction(database, () => {
    for (const step of steps.slice(done)) database.exec(step)
    const note = 'INSERT INTO parts (name, steps) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET steps = excluded.steps'
    database.prepare(note).run(name, steps.length)
  })
}
