/**
 * What is in quarantine: one row for each message, one for each of its recipients, what each tenant has there, and releases that
 * have begun and not ended. The content is not here: `hash` names it. Times are wall clock, ms. A list costs what it shows,
 * however much there is: each choice of tenant, class and recipient has an index that is in the order of the list.
 */
import { mailboxKey, pathText } from '#mail/address.ts'
import type { Envelope } from '#mail/envelope.ts'
import {
  QUARANTINE_CLASSES,
  QUARANTINE_FACTS_TEXT_MAX,
  QUARANTINE_TEXT_MAX,
  type QuarantineClass,
  type Quarantined,
} from '#mail/quarantine.ts'
import type { ScanFact } from '#mail/scan.ts'
import type { Service } from '#mail/session.ts'
import type { Reception } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Database, Part } from './database.ts'

/** Counted for each message beside its octets: its rows, and what a disk takes for the end of a file. */
export const ENTRY_OCTETS = 4096

export const QUARANTINE: Part = {
  name: 'quarantine',
  steps: [
    `CREATE TABLE quarantine_entries (
      id TEXT PRIMARY KEY, tenant TEXT NOT NULL, class TEXT NOT NULL, decided_by TEXT NOT NULL, at_ms INTEGER NOT NULL,
      expires_ms INTEGER NOT NULL, service TEXT NOT NULL, octets INTEGER NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL,
      reverse_path TEXT NOT NULL, facts TEXT NOT NULL, envelope TEXT NOT NULL, reception TEXT NOT NULL, trace BLOB NOT NULL
    ) STRICT;
    CREATE INDEX quarantine_by_time ON quarantine_entries (at_ms, id);
    CREATE INDEX quarantine_by_class ON quarantine_entries (class, at_ms, id);
    CREATE INDEX quarantine_by_tenant ON quarantine_entries (tenant, at_ms, id);
    CREATE INDEX quarantine_by_tenant_class ON quarantine_entries (tenant, class, at_ms, id);
    CREATE INDEX quarantine_by_end ON quarantine_entries (expires_ms);
    CREATE INDEX quarantine_by_hash ON quarantine_entries (hash);
    CREATE TABLE quarantine_recipients (
      id TEXT NOT NULL, position INTEGER NOT NULL, tenant TEXT NOT NULL, address TEXT NOT NULL, at_ms INTEGER NOT NULL,
      released_ms INTEGER, released_as TEXT,
      PRIMARY KEY (id, position)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX quarantine_by_recipient ON quarantine_recipients (address, at_ms, id);
    CREATE INDEX quarantine_by_tenant_recipient ON quarantine_recipients (tenant, address, at_ms, id);
    CREATE TABLE quarantine_usage (
      tenant TEXT NOT NULL, class TEXT NOT NULL, entries INTEGER NOT NULL, octets INTEGER NOT NULL,
      PRIMARY KEY (tenant, class)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE quarantine_releases (
      release TEXT PRIMARY KEY, id TEXT NOT NULL, positions TEXT NOT NULL, since_ms INTEGER NOT NULL, who TEXT NOT NULL,
      text TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX quarantine_releases_of ON quarantine_releases (id)`,
  ],
}

export interface QuarantineRecipient {
  /** In the envelope. */
  readonly position: number
  /** `anna@bakery.example`, or `postmaster`. */
  readonly address: string
  readonly releasedMs?: number
  /** Id of the message that it became. */
  readonly releasedAs?: string
}

/** What a list shows. */
export interface QuarantineRow {
  readonly id: TraceId
  readonly tenant: string
  readonly class: QuarantineClass
  readonly atMs: number
  readonly expiresMs: number
  readonly service: Service
  readonly octets: number
  readonly text: string
  readonly from: string
  readonly recipients: readonly QuarantineRecipient[]
}

/** All of it. */
export interface QuarantineEntry extends QuarantineRow {
  readonly by: Quarantined['by']
  readonly hash: string
  readonly facts: readonly ScanFact[]
  readonly envelope: Envelope
  readonly reception: Reception
  readonly trace: Uint8Array
}

/** Newest first. */
export interface QuarantineQuery {
  readonly tenant?: string | undefined
  readonly class?: QuarantineClass | undefined
  readonly sinceMs?: number | undefined
  /** As `mailboxKey` makes it, or `postmaster`. */
  readonly recipient?: string | undefined
  /** Those behind this one. */
  readonly after?: readonly [atMs: number, id: string] | undefined
  readonly rowsMax: number
}

export interface OpenRelease {
  /** Id of the message that it is to become. */
  readonly release: TraceId
  readonly id: TraceId
  /** Of the recipients it is for; empty: another address. */
  readonly positions: readonly number[]
  readonly who: string
  readonly text: string
}

const FOREVER = Number.MAX_SAFE_INTEGER
const SHOWN = 'e.id, e.tenant, e.class, e.at_ms, e.expires_ms, e.service, e.octets, e.text, e.reverse_path'

/** For whoever reads: the writer, and tools while the relay is down. */
export class QuarantineReader {
  readonly #database: Database
  readonly #entry
  readonly #recipients

  constructor(database: Database) {
    this.#database = database
    this.#entry = database.prepare('SELECT * FROM quarantine_entries WHERE id = ?')
    this.#recipients = database.prepare('SELECT * FROM quarantine_recipients WHERE id = ? ORDER BY position')
  }

  find(id: string): QuarantineEntry | undefined {
    const row = this.#entry.get(id)
    if (row === undefined) return undefined
    return {
      ...this.#row(row),
      by: row['decided_by'] as Quarantined['by'],
      hash: String(row['hash']),
      facts: JSON.parse(String(row['facts'])) as ScanFact[],
      envelope: JSON.parse(String(row['envelope'])) as Envelope,
      reception: JSON.parse(String(row['reception'])) as Reception,
      trace: row['trace'] as Uint8Array,
    }
  }

  list({
    tenant,
    class: of,
    sinceMs = 0,
    recipient,
    after = [FOREVER, ''],
    rowsMax,
  }: QuarantineQuery): QuarantineRow[] {
    const chosen: readonly (readonly [condition: string, value: string | undefined])[] = [
      ['r.address = ?', recipient],
      [recipient === undefined ? 'e.tenant = ?' : 'r.tenant = ?', tenant],
      ['e.class = ?', of],
    ]
    const used = chosen.filter(([, value]) => value !== undefined)
    // Left to itself the planner takes one that leaves it to filter.
    const others = recipient !== undefined ? '_recipient' : of !== undefined ? '_class' : ''
    const chosenBy = `${tenant === undefined ? '' : '_tenant'}${others}`
    const index = `quarantine_by${chosenBy || '_time'}`
    const from =
      recipient === undefined
        ? `quarantine_entries e INDEXED BY ${index}`
        : `quarantine_recipients r INDEXED BY ${index} CROSS JOIN quarantine_entries e ON e.id = r.id`
    const k = recipient === undefined ? 'e' : 'r'
    const where = [...used.map(([condition]) => condition), `${k}.at_ms >= ?`, `(${k}.at_ms, ${k}.id) < (?, ?)`]
    const sql = `SELECT ${SHOWN} FROM ${from} WHERE ${where.join(' AND ')} ORDER BY ${k}.at_ms DESC, ${k}.id DESC LIMIT ?`
    const values = [...used.map(([, value]) => String(value)), Math.floor(sinceMs), ...after, rowsMax]
    const rows = this.#database.prepare(sql).all(...values)
    // An envelope may name somebody twice.
    return rows.filter((row, i) => row['id'] !== rows[i - 1]?.['id']).map((row) => this.#row(row))
  }

  #row(row: Record<string, unknown>): QuarantineRow {
    return {
      id: row['id'] as TraceId,
      tenant: String(row['tenant']),
      class: row['class'] as QuarantineClass,
      atMs: Number(row['at_ms']),
      expiresMs: Number(row['expires_ms']),
      service: row['service'] as Service,
      octets: Number(row['octets']),
      text: String(row['text']),
      from: String(row['reverse_path']),
      recipients: this.#recipients.all(String(row['id'])).map(recipientOf),
    }
  }
}

/** For the one writer, within a transaction. */
export class QuarantineStore extends QuarantineReader {
  readonly #database: Database
  readonly #used
  readonly #needs
  readonly #ended
  readonly #released

  constructor(database: Database) {
    super(database)
    this.#database = database
    this.#used = database.prepare('SELECT sum(octets) AS octets FROM quarantine_usage WHERE tenant = ?')
    this.#needs = database.prepare('SELECT 1 FROM quarantine_entries WHERE hash = ? LIMIT 1')
    this.#released = database.prepare('SELECT 1 FROM quarantine_releases WHERE id = ? LIMIT 1')
    this.#ended = database.prepare(
      'SELECT id FROM quarantine_entries WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?',
    )
  }

  /** What the tenant has there. */
  octetsOf(tenant: string): number {
    return Number(this.#used.get(tenant)?.['octets'] ?? 0)
  }

  /** Some message has this content. */
  needs(hash: string): boolean {
    return this.#needs.get(hash) !== undefined
  }

  add(entry: Quarantined, atMs: number, expiresMs: number): void {
    const { id, tenant, service, octets, hash, envelope, reception, trace } = entry
    this.#database
      .prepare(
        `INSERT INTO quarantine_entries (id, tenant, class, decided_by, at_ms, expires_ms, service, octets, hash, text,
         reverse_path, facts, envelope, reception, trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        ...[id, tenant, entry.class, entry.by, Math.floor(atMs), Math.ceil(expiresMs), service, octets, hash],
        ...[entry.text.slice(0, QUARANTINE_TEXT_MAX), pathText(envelope.reversePath), factsText(entry.facts)],
        ...[JSON.stringify(envelope), JSON.stringify(reception), trace],
      )
    const one = this.#database.prepare(
      'INSERT INTO quarantine_recipients (id, position, tenant, address, at_ms) VALUES (?, ?, ?, ?, ?)',
    )
    for (const [position, { forwardPath }] of envelope.recipients.entries()) {
      const address = forwardPath.kind === 'postmaster' ? 'postmaster' : mailboxKey(forwardPath.mailbox)
      one.run(id, position, tenant, address, Math.floor(atMs))
    }
    this.#count(entry, 1)
  }

  /** Its entry as it was; undefined: it is not there. */
  remove(id: string): QuarantineEntry | undefined {
    const entry = this.find(id)
    if (entry === undefined) return undefined
    this.#database.prepare('DELETE FROM quarantine_recipients WHERE id = ?').run(id)
    this.#database.prepare('DELETE FROM quarantine_entries WHERE id = ?').run(id)
    this.#database.prepare('DELETE FROM quarantine_releases WHERE id = ?').run(id)
    this.#count(entry, -1)
    return entry
  }

  /** Whose time is over, the first `max` of them. */
  ended(nowMs: number, max: number): string[] {
    return this.#ended.all(Math.floor(nowMs), max).map((row) => String(row['id']))
  }

  begin({ release, id, positions, who, text }: OpenRelease, nowMs: number): void {
    this.#database
      .prepare(
        'INSERT INTO quarantine_releases (release, id, positions, since_ms, who, text) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(release, id, JSON.stringify(positions), Math.floor(nowMs), who, text)
  }

  /** It ended; `done`: the message is in the spool. */
  end({ release, id, positions }: OpenRelease, done: boolean, nowMs: number): void {
    this.#database.prepare('DELETE FROM quarantine_releases WHERE release = ?').run(release)
    const mark = this.#database.prepare(
      'UPDATE quarantine_recipients SET released_ms = ?, released_as = ? WHERE id = ? AND position = ?',
    )
    if (done) for (const position of positions) mark.run(Math.floor(nowMs), release, id, position)
  }

  isBeingReleased(id: string): boolean {
    return this.#released.get(id) !== undefined
  }

  openReleases(): OpenRelease[] {
    return this.#database
      .prepare('SELECT * FROM quarantine_releases ORDER BY since_ms')
      .all()
      .map((row) => ({
        release: row['release'] as TraceId,
        id: row['id'] as TraceId,
        positions: JSON.parse(String(row['positions'])) as number[],
        who: String(row['who']),
        text: String(row['text']),
      }))
  }

  /** Messages and octets by class. */
  totals(): { readonly class: QuarantineClass; readonly entries: number; readonly octets: number }[] {
    const rows = this.#database
      .prepare('SELECT class, sum(entries) AS entries, sum(octets) AS octets FROM quarantine_usage GROUP BY class')
      .all()
    return QUARANTINE_CLASSES.map((of) => {
      const row = rows.find((one) => one['class'] === of)
      return { class: of, entries: Number(row?.['entries'] ?? 0), octets: Number(row?.['octets'] ?? 0) }
    })
  }

  #count({ tenant, class: of, octets }: Pick<QuarantineRow, 'tenant' | 'class' | 'octets'>, by: 1 | -1): void {
    this.#database
      .prepare(
        `INSERT INTO quarantine_usage (tenant, class, entries, octets) VALUES (?, ?, ?, ?)
         ON CONFLICT (tenant, class) DO UPDATE SET entries = entries + excluded.entries, octets = octets + excluded.octets`,
      )
      .run(tenant, of, by, by * (octets + ENTRY_OCTETS))
  }
}

/** As JSON, with as many of them as fit. */
function factsText(facts: readonly ScanFact[]): string {
  let left = QUARANTINE_FACTS_TEXT_MAX
  const kept = facts.filter((fact) => {
    left -= JSON.stringify(fact).length + 1
    return left > 0
  })
  return JSON.stringify(kept)
}

function recipientOf(row: Record<string, unknown>): QuarantineRecipient {
  return {
    position: Number(row['position']),
    address: String(row['address']),
    ...(row['released_ms'] !== null && { releasedMs: Number(row['released_ms']) }),
    ...(row['released_as'] !== null && { releasedAs: String(row['released_as']) }),
  }
}
