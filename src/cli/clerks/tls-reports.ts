/**
 * The clerk of TLS reports (RFC 8460): counts what all workers saw of TLS with the servers of other domains, sends each day's
 * reports when the day is over, and shows both.
 *
 * By mail a report is given to one worker, whose queue delivers it from the null path: nobody can answer it, so it makes no
 * loop, and one that cannot be delivered is dropped there.
 */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { AskOnce, Clerk } from '#cli/serve/desk.ts'
import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { mailboxText } from '#mail/address.ts'
import { domainText } from '#mail/domain.ts'
import type { CountedTlsResult } from '#mail/tls-result.ts'
import { composedBytes } from '#mime/compose.ts'
import type { Snapshot } from '#report/metrics.ts'
import { buildReport, type Reporter } from '#report/tls/document.ts'
import { reportMessage } from '#report/tls/message.ts'
import { type Handed, postReport } from '#report/tls/post.ts'
import { placeText, type ReportPlace, reportPlaces } from '#report/tls/record.ts'
import { type Database, inTransaction } from '#store/database.ts'
import { REPORT_MARK_DAYS_MAX, type ReportMark, TlsReportMarks } from '#store/tls-report-marks.ts'
import { DAY_MS, TLS_RESULT_DAYS_MAX, TlsResultsStore } from '#store/tls-results.ts'
import { addressGuard } from '#sys/address-guard.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Dns } from '#sys/dns/answer.ts'
import type { Directory } from '#tenant/directory.ts'
import { reportWay } from '#tenant/report-way.ts'
import { EXIT, UserError } from '../exit.ts'
import type { NoticeQuestion } from '../notices.ts'
import { asked } from './asked.ts'
import { type Packed, TlsReportSender } from './tls-report-sender.ts'

export const LOOK_MS = 60_000
const PRUNE_MS = 3_600_000
const MAIL_ANSWER_MS_MAX = 30_000
/** What is under way at the end; the rest counts as unclear. */
const END_MS_MAX = 5_000

const day = z.union([z.enum(['today', 'yesterday']), z.iso.date()])
const LIST = z.strictObject({ day, rowsMax: z.number().int().positive().max(100_000) })
const SENT = LIST.extend({ domain: z.string().max(255).optional() })
const ONE = z.strictObject({ day, domain: z.string().max(255) })

/** The report as it stands, and where it would go. */
export interface TlsReportShown {
  readonly report: object
  /** URIs; a text: why it would go nowhere. */
  readonly places: readonly string[] | string
}

/** Of one domain and day. */
export interface TlsDay {
  readonly domain: string
  readonly policies: readonly string[]
  readonly succeeded: number
  readonly failed: number
  /** Each kind of failure once. */
  readonly failures: readonly string[]
}

export interface TlsReportsParts {
  readonly store: Database
  /** Never goes back. */
  readonly wallMs: () => number
  readonly clock: Clock
  readonly config: Config
  readonly dns: Dns
  /** In [0, 1). */
  readonly random: () => number
  readonly log: (line: string) => void
}

export class TlsReportsClerk implements Clerk<Config> {
  readonly subject = 'tls-reports'
  readonly #parts: TlsReportsParts
  readonly #results: TlsResultsStore
  readonly #marks: TlsReportMarks
  readonly #sender: TlsReportSender
  readonly #counts = new Map<string, number>()
  #config: Config
  #directory: Directory
  #once: AskOnce = async () => undefined
  #cancel: Cancel = () => {}
  #isEnded = false
  #prunedMs = Number.NEGATIVE_INFINITY

  constructor(parts: TlsReportsParts) {
    const { store, wallMs, random, log, config, dns } = parts
    this.#parts = parts
    this.#config = config
    this.#directory = directoryFrom(config)
    this.#results = new TlsResultsStore(store)
    this.#marks = new TlsReportMarks(store)
    this.#sender = new TlsReportSender({
      ...{ marks: this.#marks, wallMs, random, log },
      lookUp: (name) => dns.lookup(name, 'TXT'),
      results: (of, domain) => this.#results.of(of, domain),
      mail: (to, packed) => this.#mail(to, packed),
      post: (url, { octets }) => postReport(url, octets, { dns, guard: this.#guard() }),
      count: (way, result) => {
        const sample = `vorposten_tls_reports_total{way="${way}",result="${result}"}`
        this.#counts.set(sample, (this.#counts.get(sample) ?? 0) + 1)
      },
    })
  }

  async answer(_what: string, body: unknown): Promise<undefined> {
    const nowMs = this.#parts.wallMs()
    inTransaction(this.#parts.store, () => {
      for (const counted of body as readonly CountedTlsResult[]) this.#results.add(counted, nowMs)
    })
  }

  async command(what: string, body: unknown): Promise<unknown> {
    const reporter = this.#reporter()
    if (reporter === undefined)
      throw new UserError(
        'TLS is not counted',
        'Set tls-reports in the configuration; see docs/tls-reports.md.',
        EXIT.config,
      )
    if (what === 'list') return this.#list(asked(LIST, body))
    if (what === 'sent') {
      const { day: of, rowsMax, domain = '' } = asked(SENT, body)
      return this.#marks.list(this.#day(of), rowsMax, domain.toLowerCase())
    }
    const { day: of, domain } = asked(ONE, body)
    return what === 'send'
      ? this.#again(this.#day(of), domain.toLowerCase(), reporter)
      : this.#show(this.#day(of), domain.toLowerCase(), reporter)
  }

  started(_workers: unknown, _one: unknown, once: AskOnce): void {
    this.#once = once
    this.#sender.begin()
    this.#lookLater(0)
  }

  async reload(config: Config): Promise<void> {
    this.#config = config
    this.#directory = directoryFrom(config)
  }

  async close(): Promise<void> {
    this.#isEnded = true
    this.#cancel()
    const late = new Promise<void>((resolve) => this.#parts.clock.after(END_MS_MAX, resolve))
    await Promise.race([this.#sender.end(), late])
  }

  metrics(): Snapshot {
    return {
      vorposten_tls_reports_total: {
        kind: 'counter',
        help: 'Attempts to hand over a TLS report (RFC 8460)',
        samples: Object.fromEntries(this.#counts),
      },
    }
  }

  /** One look at what is due; the clock calls it. */
  async look(): Promise<void> {
    const nowMs = this.#parts.wallMs()
    if (nowMs - this.#prunedMs >= PRUNE_MS) {
      const today = Math.floor(nowMs / DAY_MS)
      this.#results.prune(nowMs)
      this.#marks.prune(today - REPORT_MARK_DAYS_MAX, today - TLS_RESULT_DAYS_MAX)
      this.#prunedMs = nowMs
    }
    const reporter = this.#reporter()
    if (reporter !== undefined) await this.#sender.look(reporter)
  }

  #lookLater(afterMs: number): void {
    const { clock, log } = this.#parts
    this.#cancel = clock.after(afterMs, () => {
      this.look()
        // A store that fails is told by those who need an answer; the next look comes all the same.
        .catch((error: Error) => log(`warning: tls-reports: ${error.message}`))
        .finally(() => this.#isEnded || this.#lookLater(LOOK_MS))
    })
  }

  #reporter(): Reporter | undefined {
    const { tlsReports } = this.#config
    if (tlsReports === undefined) return undefined
    const { organization, contact } = tlsReports
    return { organization, contact: mailboxText(contact), submitter: domainText(contact.domain) }
  }

  #guard() {
    return addressGuard(this.#config.destinations.allowNetworks)
  }

  async #mail(to: Extract<ReportPlace, { kind: 'mail' }>, { report, octets }: Packed): Promise<Handed> {
    const { tlsReports, notices } = this.#config
    const reporter = this.#reporter()
    if (tlsReports === undefined || reporter === undefined) return { kind: 'failed', text: 'tls-reports is not set' }
    const named = { reports: tlsReports.route, notices: notices.route }
    const way = reportWay(tlsReports.contact, to.mailbox, named, this.#directory)
    if (way === undefined) return { kind: 'failed', text: 'reports by mail have no way: set tls-reports.route' }
    const message = reportMessage({
      ...{ report, octets, reporter, from: tlsReports.contact, to: to.mailbox },
      messageId: `tls-report.${randomUUID()}@${reporter.submitter}`,
      wallMs: this.#parts.clock.wall(),
    })
    const question: NoticeQuestion = {
      ...way,
      recipient: mailboxText(to.mailbox),
      content: composedBytes(message),
      smtputf8: false,
      tlsOptional: true,
      onlySigned: true,
    }
    const answer = await this.#once('notices/send', question, MAIL_ANSWER_MS_MAX)
    if (answer?.kind === 'answer') return { kind: 'sent', text: `queued as ${String(answer.body)}` }
    return { kind: answer?.unclear ? 'unclear' : 'failed', text: answer?.text ?? 'no worker takes it' }
  }

  #list({ day: of, rowsMax }: z.infer<typeof LIST>): TlsDay[] {
    const on = this.#day(of)
    return this.#results
      .domains(on)
      .slice(0, rowsMax)
      .map((domain) => dayOf(domain, this.#results.of(on, domain)))
  }

  async #show(of: number, domain: string, reporter: Reporter): Promise<TlsReportShown> {
    const report = buildReport(reporter, domain, of, this.#counted(of, domain)).json
    return { report, places: await this.#places(domain) }
  }

  /** Waits until what is due now was tried. */
  async #again(of: number, domain: string, reporter: Reporter): Promise<readonly ReportMark[]> {
    this.#counted(of, domain)
    const nowMs = this.#parts.wallMs()
    if ((of + 1) * DAY_MS > nowMs)
      throw new UserError('that day is not over', 'A report tells of a whole day (UTC): see --day.', EXIT.config)
    const before = this.#marks.list(of, 100, domain)
    if (before.some(({ state }) => state === 'handing'))
      throw new UserError('it is being sent just now', 'See vorposten tls-reports sent.', EXIT.unavailable)
    this.#marks.again(of, domain, nowMs)
    await this.#sender.look(reporter)
    return this.#marks.list(of, 100, domain)
  }

  #counted(of: number, domain: string): readonly CountedTlsResult[] {
    const results = this.#results.of(of, domain)
    if (results.length > 0) return results
    const advice = `See vorposten tls-reports list; days are kept for ${TLS_RESULT_DAYS_MAX} days.`
    throw new UserError(`no session with a server of ${domain} was counted`, advice, EXIT.unavailable)
  }

  async #places(domain: string): Promise<TlsReportShown['places']> {
    const answer = await this.#parts.dns.lookup(`_smtp._tls.${domain}`, 'TXT')
    if (answer.kind === 'unknown') return `nobody can say now: ${answer.text}`
    const places = answer.kind === 'found' ? reportPlaces(answer.records) : undefined
    return places?.map(placeText) ?? `${domain} asks for none (TXT at _smtp._tls.${domain})`
  }

  #day(written: z.infer<typeof day>): number {
    const today = Math.floor(this.#parts.wallMs() / DAY_MS)
    if (written === 'today') return today
    return written === 'yesterday' ? today - 1 : Math.floor(Date.parse(written) / DAY_MS)
  }
}

function dayOf(domain: string, results: readonly CountedTlsResult[]): TlsDay {
  const sum = (some: readonly CountedTlsResult[]) => some.reduce((total, { count }) => total + count, 0)
  const failed = results.filter(({ failure }) => failure !== undefined)
  return {
    domain,
    policies: [...new Set(results.map(({ policy }) => policy.type))],
    succeeded: sum(results) - sum(failed),
    failed: sum(failed),
    failures: [...new Set(failed.map(({ failure }) => failure!.type))],
  }
}
