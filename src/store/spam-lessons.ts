/**
 * Lessons of the spam filter: which messages somebody called spam or wanted, as the features of each. They are the truth;
 * what the classifier knows is made from them. No text of a message is kept, and from its features none can be read.
 *
 * Limits: lessons and octets of a tenant; beyond them the oldest are forgotten. Lessons of a source and day; beyond them it is
 * not heard. Times are wall clock, ms.
 */
import type { Database, Part } from './database.ts'

/** A tenant who teaches more has taught what he knows; a lesson has some 5 KB. */
export const LESSONS_MAX = 2_000
export const LESSONS_OCTETS_MAX = 16 * 1024 * 1024
/** What the provider teaches, for everybody. */
export const GLOBAL_LESSONS_MAX = 10_000
export const GLOBAL_OCTETS_MAX = 80 * 1024 * 1024
/** A person releases some a day. The operator has no such limit. */
export const SOURCE_LESSONS_PER_DAY_MAX = 100
const DAY_MS = 86_400_000
/** In place of a tenant's name: for everybody. No tenant can be called so. */
export const GLOBAL = '*'

export const SPAM_LESSONS: Part = {
  name: 'spam-lessons',
  steps: [
    `CREATE TABLE spam_lessons (
      id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, hash TEXT NOT NULL, spam INTEGER NOT NULL,
      teacher TEXT NOT NULL, source TEXT NOT NULL, at_ms INTEGER NOT NULL, features BLOB NOT NULL,
      UNIQUE (tenant, hash, teacher, source)
    ) STRICT;
    CREATE TABLE spam_changed (tenant TEXT PRIMARY KEY) STRICT;
    CREATE INDEX spam_lessons_source ON spam_lessons (tenant, teacher, source, at_ms)`,
  ],
}

export interface StoredLesson {
  /** Or `GLOBAL`. */
  readonly tenant: string
  readonly hash: string
  readonly isSpam: boolean
  readonly teacher: string
  readonly source: string
  readonly atMs: number
  readonly features: Uint8Array
}

export type LessonAnswer =
  | 'learned'
  /** The same source said the same of the same message. */
  | 'known'
  /** That source has taught enough today. */
  | 'too-many'

export interface TaughtBy {
  readonly teacher: string
  readonly source: string
  readonly ham: number
  readonly spam: number
  readonly lastMs: number
}

/** For whoever reads. */
export class LessonReader {
  readonly #all
  readonly #sources
  readonly #tenants

  constructor(database: Database) {
    this.#all = database.prepare('SELECT * FROM spam_lessons WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?')
    this.#sources = database.prepare(
      `SELECT teacher, source, sum(1 - spam) AS ham, sum(spam) AS spam, max(at_ms) AS last_ms FROM spam_lessons
       WHERE tenant = ? GROUP BY teacher, source ORDER BY count(*) DESC, source`,
    )
    this.#tenants = database.prepare('SELECT DISTINCT tenant FROM spam_lessons ORDER BY tenant')
  }

  /** In their order, those behind this one. */
  page(tenant: string, after: number, rowsMax: number): (StoredLesson & { readonly id: number })[] {
    return this.#all.all(tenant, after, rowsMax).map((row) => ({ ...lessonOf(row), id: Number(row['id']) }))
  }

  sources(tenant: string): TaughtBy[] {
    return this.#sources.all(tenant).map((row) => ({
      teacher: String(row['teacher']),
      source: String(row['source']),
      ham: Number(row['ham']),
      spam: Number(row['spam']),
      lastMs: Number(row['last_ms']),
    }))
  }

  /** That have any; `GLOBAL` among them. */
  tenants(): string[] {
    return this.#tenants.all().map((row) => String(row['tenant']))
  }
}

/** For the one writer, within a transaction. */
export class LessonStore extends LessonReader {
  readonly #find
  readonly #today
  readonly #drop
  readonly #put
  readonly #size
  readonly #oldest
  readonly #undo
  readonly #changed
  readonly #made
  readonly #toMake

  constructor(database: Database) {
    super(database)
    const key = 'tenant = ? AND hash = ? AND teacher = ? AND source = ?'
    this.#find = database.prepare(`SELECT spam FROM spam_lessons WHERE ${key}`)
    this.#today = database.prepare(
      'SELECT count(*) AS n FROM spam_lessons WHERE tenant = ? AND teacher = ? AND source = ? AND at_ms > ?',
    )
    this.#drop = database.prepare(`DELETE FROM spam_lessons WHERE ${key}`)
    this.#put = database.prepare(
      'INSERT INTO spam_lessons (tenant, hash, spam, teacher, source, at_ms, features) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    this.#size = database.prepare(
      'SELECT count(*) AS n, sum(length(features)) AS octets FROM spam_lessons WHERE tenant = ?',
    )
    this.#oldest = database.prepare(
      `DELETE FROM spam_lessons WHERE id = (SELECT min(id) FROM spam_lessons WHERE tenant = ?)
       RETURNING length(features) AS octets`,
    )
    this.#changed = database.prepare('INSERT OR IGNORE INTO spam_changed VALUES (?)')
    this.#made = database.prepare('DELETE FROM spam_changed WHERE tenant = ?')
    this.#toMake = database.prepare('SELECT tenant FROM spam_changed ORDER BY tenant')
    this.#undo = database.prepare(
      `DELETE FROM spam_lessons WHERE tenant = ? AND source = ? AND at_ms >= ? AND (teacher = ? OR ? = '')`,
    )
  }

  /** Who changes his mind about a message has said the last thing. */
  learn({ tenant, hash, isSpam, teacher, source, atMs, features }: StoredLesson, isImport = false): LessonAnswer {
    const key = [tenant, hash, teacher, source] as const
    const before = this.#find.get(...key)
    if (before !== undefined && Number(before['spam']) === Number(isSpam)) return 'known'
    const today = Number(this.#today.get(tenant, teacher, source, Math.floor(atMs - DAY_MS))?.['n'])
    if (teacher !== 'operator' && !isImport && today >= SOURCE_LESSONS_PER_DAY_MAX) return 'too-many'
    this.#drop.run(...key)
    this.#put.run(tenant, hash, Number(isSpam), teacher, source, Math.floor(atMs), features)
    return 'learned'
  }

  /** All that a source taught, since then; how many those were. */
  undo(tenant: string, source: string, teacher = '', sinceMs = 0): number {
    return Number(this.#undo.run(tenant, source, Math.floor(sinceMs), teacher, teacher).changes)
  }

  /** Its layer has to be made again. Written with the lessons, so that it is not forgotten in a crash. */
  changed(tenant: string): void {
    this.#changed.run(tenant)
  }

  /** Its layer was made from all lessons that there are. */
  made(tenant: string): void {
    this.#made.run(tenant)
  }

  /** Tenants whose layer has to be made. */
  toMake(): string[] {
    return this.#toMake.all().map((row) => String(row['tenant']))
  }

  /** After a batch: the oldest go, until what is left is within the limits. */
  evict(tenant: string): void {
    const [lessonsMax, octetsMax] =
      tenant === GLOBAL ? [GLOBAL_LESSONS_MAX, GLOBAL_OCTETS_MAX] : [LESSONS_MAX, LESSONS_OCTETS_MAX]
    const size = this.#size.get(tenant)
    let [lessons, octets] = [Number(size?.['n']), Number(size?.['octets'])]
    while (lessons > lessonsMax || octets > octetsMax) {
      octets -= Number(this.#oldest.get(tenant)?.['octets'])
      lessons--
    }
  }
}

const lessonOf = (row: Record<string, unknown>): StoredLesson => ({
  tenant: String(row['tenant']),
  hash: String(row['hash']),
  isSpam: Number(row['spam']) === 1,
  teacher: String(row['teacher']),
  source: String(row['source']),
  atMs: Number(row['at_ms']),
  features: row['features'] as Uint8Array,
})
