/**
 * The clerk of TLS reports (RFC 8460): counts what all workers saw of TLS with the servers of other domains, and shows what
 * each domain would be told.
 */
import { z } from 'zod'
import type { Clerk } from '#cli/serve/desk.ts'
import type { Config } from '#config/config.ts'
import { mailboxText } from '#mail/address.ts'
import { domainText } from '#mail/domain.ts'
import type { CountedTlsResult } from '#mail/tls-result.ts'
import { buildReport, type Reporter } from '#report/tls/document.ts'
import { reportPlaces } from '#report/tls/record.ts'
import { type Database, inTransaction } from '#store/database.ts'
import { DAY_MS, TlsResultsStore } from '#store/tls-results.ts'
import type { Clock } from '#sys/clock.ts'
import type { LookUpTxt } from '#sys/txt-lookup.ts'
import { EXIT, UserError } from '../exit.ts'
import { asked } from './asked.ts'

const PRUNE_MS = 3_600_000

const LIST = z.strictObject({ yesterday: z.boolean(), rowsMax: z.number().int().positive().max(100_000) })
const SHOW = z.strictObject({ yesterday: z.boolean(), domain: z.string().max(255) })

/** The report as it stands, and where it would go. */
export interface TlsReportShown {
  readonly report: object
  /** Addresses; a text: why it would go nowhere. */
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
  readonly wallMs: () => number
  readonly clock: Clock
  readonly config: Config
  readonly lookUp: LookUpTxt
}

export class TlsReportsClerk implements Clerk<Config> {
  readonly subject = 'tls-reports'
  readonly #parts: TlsReportsParts
  readonly #results: TlsResultsStore
  #config: Config
  #cancel = (): void => {}

  constructor(parts: TlsReportsParts) {
    this.#parts = parts
    this.#config = parts.config
    this.#results = new TlsResultsStore(parts.store)
  }

  async answer(_what: string, body: unknown): Promise<undefined> {
    const nowMs = this.#parts.wallMs()
    inTransaction(this.#parts.store, () => {
      for (const counted of body as readonly CountedTlsResult[]) this.#results.add(counted, nowMs)
    })
  }

  async command(what: string, body: unknown): Promise<unknown> {
    const reporter = reporterOf(this.#config)
    if (reporter === undefined)
      throw new UserError(
        'TLS is not counted',
        'Set tls-reports in the configuration; see docs/tls-reports.md.',
        EXIT.config,
      )
    if (what === 'list') {
      const { yesterday, rowsMax } = asked(LIST, body)
      const day = this.#day(yesterday)
      return this.#results
        .domains(day)
        .slice(0, rowsMax)
        .map((domain) => dayOf(domain, this.#results.of(day, domain)))
    }
    const { yesterday, domain: written } = asked(SHOW, body)
    const [day, domain] = [this.#day(yesterday), written.toLowerCase()]
    const results = this.#results.of(day, domain)
    if (results.length > 0)
      return { report: buildReport(reporter, domain, day, results).json, places: await this.#places(domain) }
    const advice = 'See vorposten tls-reports list.'
    throw new UserError(`no session with a server of ${domain} was counted`, advice, EXIT.unavailable)
  }

  started(): void {
    try {
      this.#results.prune(this.#parts.wallMs())
    } catch {
      // A disk that is full is told by the spool; the next turn tries again.
    }
    this.#cancel = this.#parts.clock.after(PRUNE_MS, () => this.started())
  }

  async reload(config: Config): Promise<void> {
    this.#config = config
  }

  async close(): Promise<void> {
    this.#cancel()
  }

  async #places(domain: string): Promise<TlsReportShown['places']> {
    const answer = await this.#parts.lookUp(`_smtp._tls.${domain}`)
    if (answer.kind === 'unknown') return `nobody can say now: ${answer.text}`
    const places = answer.kind === 'found' ? reportPlaces(answer.records) : undefined
    if (places === undefined) return `${domain} asks for none (TXT at _smtp._tls.${domain})`
    return places.map((place) => (place.kind === 'mail' ? `mailto:${mailboxText(place.mailbox)}` : place.url.href))
  }

  #day(yesterday: boolean): number {
    return Math.floor(this.#parts.wallMs() / DAY_MS) - (yesterday ? 1 : 0)
  }
}

function reporterOf({ tlsReports }: Config): Reporter | undefined {
  if (tlsReports === undefined) return undefined
  const { organization, contact } = tlsReports
  return { organization, contact: mailboxText(contact), submitter: domainText(contact.domain) }
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
