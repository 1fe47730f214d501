/**
 * Sends the TLS reports of the days that are over (RFC 8460 §4.1, §5.5): each domain at a moment of its own in the hours after
 * midnight (UTC), asked where it wants its report, then to each place. Marks in the store say what became of it.
 *
 * **Once.** A mark says `handing` before a report leaves our hands. What was refused for certain is tried again, later and
 * later, for a day. What may have been taken is not sent again: neither after a connection that broke behind the question,
 * nor after a crash. A report that is lost is a day without figures; one that counts twice tells its reader something wrong.
 *
 * Limits: domains that are planned in a look, marks that are taken in a look, and reports under way at a time.
 */
import type { CountedTlsResult } from '#mail/tls-result.ts'
import { buildReport, type Reporter, type TlsReport } from '#report/tls/document.ts'
import { packReport } from '#report/tls/message.ts'
import type { Handed } from '#report/tls/post.ts'
import { placeOf, placeText, type ReportPlace, reportPlaces } from '#report/tls/record.ts'
import type { ReportMark, TlsReportMarks } from '#store/tls-report-marks.ts'
import { DAY_MS, TLS_RESULT_DAYS_MAX } from '#store/tls-results.ts'
import type { LookUpTxt } from '#sys/txt-lookup.ts'

/** RFC 8460 §4.1 spreads reports over four hours. */
export const SPREAD_MS = 4 * 3_600_000
/** RFC 8460 §5.5: up to a day, at growing distances. */
export const RETRY_FIRST_MS = 900_000
const RETRY_MAX_MS = 6 * 3_600_000
export const GIVE_UP_MS = 24 * 3_600_000
/** A hundred thousand in two hours. */
const PLANS_PER_LOOK_MAX = 1000
const MARKS_PER_LOOK_MAX = 1000
const AT_A_TIME = 10

export interface Packed {
  readonly report: TlsReport
  readonly octets: Buffer
}

export interface SenderParts {
  readonly marks: TlsReportMarks
  readonly results: (day: number, domain: string) => readonly CountedTlsResult[]
  /** Never goes back. */
  readonly wallMs: () => number
  /** In [0, 1). */
  readonly random: () => number
  readonly lookUp: LookUpTxt
  /** Neither rejects. */
  readonly mail: (to: Extract<ReportPlace, { kind: 'mail' }>, packed: Packed) => Promise<Handed>
  readonly post: (url: URL, packed: Packed) => Promise<Handed>
  /** Hears of each attempt: `retry` is one that failed and comes again. */
  readonly count: (way: 'mail' | 'https', result: 'sent' | 'retry' | 'given-up' | 'unclear') => void
  readonly log: (line: string) => void
}

export class TlsReportSender {
  readonly #parts: SenderParts
  #looking: Promise<void> | undefined
  #isEnded = false

  constructor(parts: SenderParts) {
    this.#parts = parts
  }

  /** Once, before the first look: what a process that is no more had in its hands. */
  begin(): void {
    const { marks, wallMs, log } = this.#parts
    const count = marks.interrupted(wallMs(), 'the program ended while it was handed over')
    if (count > 0)
      log(`warning: tls-reports: ${count} reports may have been sent or not: see vorposten tls-reports sent`)
  }

  /** One look; the clock calls it. Rejects if the store does. */
  look(reporter: Reporter): Promise<void> {
    this.#looking ??= this.#look(reporter).finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Nothing more is begun; resolves when nothing is under way. Never rejects. */
  async end(): Promise<void> {
    this.#isEnded = true
    await this.#looking?.catch(() => {})
  }

  async #look(reporter: Reporter): Promise<void> {
    this.#plan()
    await this.#takeDue(reporter)
  }

  #plan(): void {
    const { marks, wallMs, random } = this.#parts
    const today = Math.floor(wallMs() / DAY_MS)
    let left = PLANS_PER_LOOK_MAX
    for (let day = today - TLS_RESULT_DAYS_MAX + 1; day < today && left > 0; day++)
      left -= marks.plan(day, left, () => (day + 1) * DAY_MS + 1000 + random() * SPREAD_MS)
  }

  // Places that a domain names are due at once, and taken in the same look.
  async #takeDue(reporter: Reporter): Promise<void> {
    const { marks, wallMs } = this.#parts
    for (let taken = 0; taken < MARKS_PER_LOOK_MAX && !this.#isEnded; ) {
      const due = marks.due(wallMs(), AT_A_TIME)
      if (due.length === 0) return
      taken += due.length
      await Promise.all(due.map((mark) => (mark.place === '' ? this.#ask(mark) : this.#send(mark, reporter))))
    }
  }

  async #ask(mark: ReportMark): Promise<void> {
    const { marks, wallMs, lookUp, log } = this.#parts
    const { domain } = mark
    const answer = await lookUp(`_smtp._tls.${domain}`)
    if (!marks.begin(mark, wallMs())) return
    if (answer.kind === 'unknown') {
      const end = this.#failed(mark, answer.text)
      if (end === 'given-up')
        log(`warning: tls-reports: nobody can say where ${domain} wants its report: ${answer.text}`)
      return
    }
    const places = answer.kind === 'found' ? reportPlaces(answer.records) : undefined
    if (places === undefined) marks.end(mark, 'unwanted', wallMs(), '')
    else marks.found(mark, places.map(placeText), wallMs())
  }

  async #send(mark: ReportMark, reporter: Reporter): Promise<void> {
    const { marks, results, wallMs, count, log } = this.#parts
    const { day, domain, place } = mark
    const to = placeOf(place)
    const counted = results(day, domain)
    if (to === undefined || counted.length === 0) return marks.end(mark, 'given-up', wallMs(), 'its day is forgotten')
    const report = buildReport(reporter, domain, day, counted)
    const octets = await packReport(report)
    // Written before anything leaves: whoever finds it after a crash does not send again.
    if (!marks.begin(mark, wallMs())) return
    const { kind, text } = await this.#hand(to, { report, octets })
    if (kind !== 'failed') marks.end(mark, kind, wallMs(), text)
    const end = kind === 'failed' ? this.#failed(mark, text) : kind
    count(to.kind, end)
    if (end === 'sent') log(`tls-reports: ${report.id} sent to ${place}: ${text}`)
    else if (end !== 'retry') log(`warning: tls-reports: ${report.id} to ${place} is ${end}: ${text}`)
  }

  #hand(to: ReportPlace, packed: Packed): Promise<Handed> {
    return to.kind === 'mail' ? this.#parts.mail(to, packed) : this.#parts.post(to.url, packed)
  }

  #failed(mark: ReportMark, text: string): 'retry' | 'given-up' {
    const nowMs = this.#parts.wallMs()
    const firstMs = mark.firstMs === 0 ? nowMs : mark.firstMs
    const delayMs = Math.min(RETRY_FIRST_MS * 2 ** Math.min(mark.attempts, 10), RETRY_MAX_MS)
    const isOver = nowMs + delayMs > firstMs + GIVE_UP_MS
    this.#parts.marks.end(mark, isOver ? 'given-up' : 'waiting', isOver ? nowMs : nowMs + delayMs, text)
    return isOver ? 'given-up' : 'retry'
  }
}
