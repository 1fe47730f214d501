/**
 * What became of the TLS reports of each day, in the store: so that each is sent once, whatever restarts and crashes come.
 * One row for a domain, by which it is asked where it wants reports (the empty place), and one for each place.
 *
 * | state | means |
 * |---|---|
 * | `waiting` | is due at `dueMs` |
 * | `handing` | is being handed over; who finds this at a start cannot know whether it was taken |
 * | `sent` | was taken: by the receiver (HTTPS), or by our own queue (mail) |
 * | `unclear` | may have been taken, nobody knows: it is not sent again |
 * | `given-up` | was refused until its time was over |
 * | `unwanted` | the domain wants no reports |
 * | `asked` | the domain has said where; rows of its places follow |
 *
 * Bounded by days; a day has as many rows as it has domains with results, and as many again as these name places.
 */
import { type Database, inTransaction, type Part } from './database.ts'

export type ReportState = 'waiting' | 'handing' | 'sent' | 'unclear' | 'given-up' | 'unwanted' | 'asked'

/** To look at what was sent. */
export const REPORT_MARK_DAYS_MAX = 14

export const TLS_REPORT_MARKS: Part = {
  name: 'tls-report-marks',
  steps: [
    `CREATE TABLE tls_report_marks (
      day INTEGER NOT NULL,
      domain TEXT NOT NULL,
      place TEXT NOT NULL,
      state TEXT NOT NULL,
      attempts INTEGER NOT NULL,
      first_ms INTEGER NOT NULL,
      due_ms INTEGER NOT NULL,
      said TEXT NOT NULL,
      PRIMARY KEY (day, domain, place)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tls_report_marks_due ON tls_report_marks (state, due_ms)`,
  ],
}

export interface ReportMark {
  /** Days since 1970, UTC. */
  readonly day: number
  readonly domain: string
  /** `mailto:` and `https:` URIs; empty: the question where. */
  readonly place: string
  readonly state: ReportState
  readonly attempts: number
  /** Wall clock, ms: of the first attempt; 0: there was none. */
  readonly firstMs: number
  /** Wall clock, ms: when it is due, or when it came to its end. */
  readonly dueMs: number
  /** For people: what the other side said, or a trace id. */
  readonly said: string
}

type Key = Pick<ReportMark, 'day' | 'domain' | 'place'>

export class TlsReportMarks {
  readonly #database: Database
  readonly #unplanned
  readonly #insert
  readonly #due
  readonly #begin
  readonly #end
  readonly #list

  constructor(database: Database) {
    this.#database = database
    this.#unplanned = database.prepare(
      `SELECT DISTINCT domain FROM tls_results AS r WHERE day = ?1 AND NOT EXISTS
       (SELECT 1 FROM tls_report_marks AS m WHERE m.day = ?1 AND m.domain = r.domain AND m.place = '') LIMIT ?2`,
    )
    this.#insert = database.prepare(
      `INSERT INTO tls_report_marks (day, domain, place, state, attempts, first_ms, due_ms, said)
       VALUES (?, ?, ?, 'waiting', 0, 0, ?, '') ON CONFLICT DO NOTHING`,
    )
    this.#due = database.prepare(
      `SELECT * FROM tls_report_marks WHERE state = 'waiting' AND due_ms <= ? ORDER BY due_ms LIMIT ?`,
    )
    this.#begin = database.prepare(
      `UPDATE tls_report_marks SET state = ?1, attempts = attempts + 1,
         first_ms = CASE first_ms WHEN 0 THEN ?2 ELSE first_ms END
       WHERE day = ?3 AND domain = ?4 AND place = ?5 AND state = 'waiting'`,
    )
    this.#end = database.prepare(
      'UPDATE tls_report_marks SET state = ?, due_ms = ?, said = ? WHERE day = ? AND domain = ? AND place = ?',
    )
    this.#list = database.prepare(
      `SELECT * FROM tls_report_marks WHERE day = ?1 AND (?2 = '' OR domain = ?2) ORDER BY domain, place LIMIT ?3`,
    )
  }

  /** Domains of that day that have no mark yet become due; how many there were. */
  plan(day: number, max: number, dueMs: () => number): number {
    const domains = this.#unplanned.all(day, max).map((row) => String(row['domain']))
    inTransaction(this.#database, () => {
      for (const domain of domains) this.#insert.run(day, domain, '', Math.round(dueMs()))
    })
    return domains.length
  }

  due(nowMs: number, max: number): ReportMark[] {
    return this.#due.all(Math.round(nowMs), max).map(markOf)
  }

  /** False: it is not waiting any more. A question is none that could be handed over twice. */
  begin({ day, domain, place }: Key, nowMs: number): boolean {
    const state = place === '' ? 'waiting' : 'handing'
    return this.#begin.run(state, Math.round(nowMs), day, domain, place).changes === 1
  }

  /** `atMs`: now, or when it is due again. */
  end({ day, domain, place }: Key, state: ReportState, atMs: number, said: string): void {
    this.#end.run(state, Math.round(atMs), said, day, domain, place)
  }

  /** The domain has said where. */
  found(mark: Key, places: readonly string[], nowMs: number): void {
    inTransaction(this.#database, () => {
      for (const place of places) this.#insert.run(mark.day, mark.domain, place, Math.round(nowMs))
      this.end(mark, 'asked', nowMs, '')
    })
  }

  /** Nothing is under way now: what the store says of it, nobody knows. How many there were. */
  interrupted(nowMs: number, said: string): number {
    const ended = this.#database.prepare(
      `UPDATE tls_report_marks SET state = 'unclear', due_ms = ?, said = ? WHERE state = 'handing'`,
    )
    return Number(ended.run(Math.round(nowMs), said).changes)
  }

  /** An operator wants the report to go once more, to wherever the domain wants it now. */
  again(day: number, domain: string, nowMs: number): void {
    inTransaction(this.#database, () => {
      this.#database.prepare('DELETE FROM tls_report_marks WHERE day = ? AND domain = ?').run(day, domain)
      this.#insert.run(day, domain, '', Math.round(nowMs))
    })
  }

  /** `domain`: absent: all of the day. */
  list(day: number, max: number, domain = ''): ReportMark[] {
    return this.#list.all(day, domain, max).map(markOf)
  }

  count(state: ReportState): number {
    const row = this.#database.prepare('SELECT count(*) AS n FROM tls_report_marks WHERE state = ?').get(state)
    return Number(row?.['n'])
  }

  /** `silentDay`: before it only what was sent, or should have been, is kept: most domains want no reports. */
  prune(day: number, silentDay: number): void {
    const silent = "day < ? AND state IN ('unwanted', 'asked')"
    this.#database.prepare(`DELETE FROM tls_report_marks WHERE day < ? OR (${silent})`).run(day, silentDay)
  }
}

const markOf = (row: Record<string, unknown>): ReportMark => ({
  day: Number(row['day']),
  domain: String(row['domain']),
  place: String(row['place']),
  state: String(row['state']) as ReportState,
  attempts: Number(row['attempts']),
  firstMs: Number(row['first_ms']),
  dueMs: Number(row['due_ms']),
  said: String(row['said']),
})
