/**
 * The clerk of notices: tells tenants' postmasters by mail what they should know. A notice is written here and given to one
 * worker, whose queue delivers it from the null path. One that cannot be delivered is dropped there: it is told nobody.
 *
 * Digests of held mail have their schedule; of other notices a tenant gets `NOTICES_PER_DAY_MAX` at most.
 */
import { randomUUID } from 'node:crypto'
import type { AskOne, AskWorkers, Clerk } from '#cli/serve/desk.ts'
import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { mailboxText } from '#mail/address.ts'
import type { HeldMessage, Notice, Notify } from '#mail/notice.ts'
import { composedBytes } from '#mime/compose.ts'
import { DigestSchedule, type HeldSummary } from '#report/digest-schedule.ts'
import type { Snapshot } from '#report/metrics.ts'
import { renderNotice } from '#report/notices/notices.ts'
import type { Database } from '#store/database.ts'
import { NoticeMarks } from '#store/notice-marks.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Directory, Tenant } from '#tenant/directory.ts'
import { noticeWay } from '#tenant/notice-way.ts'

/** More than any outage makes; what comes after tells nothing new. */
export const NOTICES_PER_DAY_MAX = 20
/** A digest shows fifty; the rest is counted. */
const DIGEST_ROWS_MAX = 100
/** What comes and goes, as a record does where name servers disagree, is not told again sooner. */
export const QUIET_MS = 24 * 3_600_000
const LOOK_MS = 60_000
const HELD_ANSWER_MS_MAX = 60_000
const SEND_ANSWER_MS_MAX = 30_000

/** What the workers are asked. Counts and rows are of one worker; the clerk adds them up. */
export interface NoticeQuestions {
  'holds/summary': { body: undefined; answer: Readonly<Record<string, HeldSummary>> }
  /** Oldest first, holds that began after `afterMs`; `found` is how many there are. */
  'holds/list': {
    body: { tenant: string; afterMs: number; rowsMax: number }
    answer: { readonly rows: readonly HeldMessage[]; readonly found: number }
  }
  'notices/send': {
    body: { tenant: string; route: string; recipient: string; content: Uint8Array; smtputf8: boolean }
    /** The trace id. */
    answer: string
  }
}

export interface NoticesClerkParts {
  readonly store: Database
  /** Never goes back. */
  readonly wallMs: () => number
  readonly clock: Clock
  readonly config: Config
  readonly log: (line: string) => void
}

type Result = 'sent' | 'no-way' | 'limited' | 'failed'

export class NoticesClerk implements Clerk<Config> {
  readonly subject = 'notices'
  readonly #parts: NoticesClerkParts
  readonly #marks: NoticeMarks
  readonly #schedule = new DigestSchedule()
  readonly #counts = new Map<string, number>()
  /** Said once for each tenant, until the configuration changes. */
  readonly #saidNoWay = new Set<string>()
  #config: Config
  #directory: Directory
  #workers: AskWorkers = async () => []
  #one: AskOne = async () => undefined
  #cancel: Cancel = () => {}

  constructor(parts: NoticesClerkParts) {
    this.#parts = parts
    this.#config = parts.config
    this.#directory = directoryFrom(parts.config)
    this.#marks = new NoticeMarks(parts.store)
  }

  started(workers: AskWorkers, one: AskOne): void {
    this.#workers = workers
    this.#one = one
    this.#lookLater()
  }

  async reload(config: Config): Promise<void> {
    this.#config = config
    this.#directory = directoryFrom(config)
    this.#saidNoWay.clear()
  }

  async close(): Promise<void> {
    this.#cancel()
  }

  /** For other clerks. */
  readonly notify: Notify = (notice) => void this.#tell(notice)

  metrics(): Snapshot {
    const samples: Record<string, number> = {}
    for (const [key, count] of this.#counts) {
      const [kind, result] = key.split(' ')
      samples[`vorposten_notices_total{kind="${kind}",result="${result}"}`] = count
    }
    const help = "Notices to tenants' postmasters"
    return {
      vorposten_notices_total: { kind: 'counter', help, samples },
    }
  }

  /** One look at what is held; the clock calls it. */
  async look(): Promise<void> {
    const summaries = await this.#summaries()
    for (const [name, summary] of summaries) {
      const tenant = this.#directory.tenant(name)
      if (tenant === undefined) continue
      const nowMs = this.#parts.wallMs()
      const told = this.#marks.digest(name)
      const { digest, collectMs } = this.#config.notices
      const due = this.#schedule.due(name, summary, told, tenant.digest ?? digest, nowMs, collectMs)
      if (due !== 'no') await this.#digest(tenant, summary, due === 'new' ? (told?.toldMs ?? 0) : 0)
    }
  }

  #lookLater(): void {
    const everyMs = Math.min(LOOK_MS, Math.max(1000, this.#config.notices.collectMs / 2))
    this.#cancel = this.#parts.clock.after(everyMs, () => {
      // A store that fails is told by those who need an answer; the next look comes all the same.
      this.look()
        .catch((error: Error) => this.#parts.log(`held mail could not be looked at: ${error.message}`))
        .finally(() => this.#lookLater())
    })
  }

  async #summaries(): Promise<Map<string, HeldSummary>> {
    const all = new Map<string, HeldSummary>()
    for (const answer of await this.#workers('holds/summary', undefined, HELD_ANSWER_MS_MAX)) {
      for (const [tenant, { held, newestMs }] of Object.entries(answer as Record<string, HeldSummary>)) {
        const before = all.get(tenant)
        all.set(tenant, { held: held + (before?.held ?? 0), newestMs: Math.max(newestMs, before?.newestMs ?? 0) })
      }
    }
    return all
  }

  async #digest(tenant: Tenant, summary: HeldSummary, afterMs: number): Promise<void> {
    const body = { tenant: tenant.name, afterMs, rowsMax: DIGEST_ROWS_MAX }
    const answers = (await this.#workers(
      'holds/list',
      body,
      HELD_ANSWER_MS_MAX,
    )) as NoticeQuestions['holds/list']['answer'][]
    const messages = answers
      .flatMap(({ rows }) => rows)
      .sort((a, b) => a.receivedMs - b.receivedMs)
      .slice(0, DIGEST_ROWS_MAX)
    if (messages.length === 0) return
    const newHeld = answers.reduce((sum, { found }) => sum + found, 0)
    const atMs = this.#parts.wallMs()
    const notice = { kind: 'held-digest', tenant: tenant.name, atMs, messages, newHeld, allHeld: summary.held } as const
    const result = await this.#send(notice, tenant)
    // What nobody can be told is not tried each minute.
    if (result === 'failed') return
    this.#marks.told(tenant.name, { toldMs: summary.newestMs, atMs })
    this.#schedule.sent(tenant.name)
  }

  async #tell(notice: Notice): Promise<void> {
    const tenant = this.#directory.tenant(notice.tenant)
    if (tenant === undefined) return
    try {
      const nowMs = this.#parts.wallMs()
      const subject = onceSubject(notice)
      if (subject !== undefined && this.#wasTold(notice.tenant, subject, nowMs)) return
      if (this.#marks.countOne(tenant.name, nowMs) > NOTICES_PER_DAY_MAX) {
        this.#count(notice, 'limited')
        return
      }
      const result = await this.#send(notice, tenant)
      if (subject !== undefined && result !== 'failed') this.#marks.toldSubject(tenant.name, subject.name, nowMs)
    } catch (error) {
      this.#count(notice, 'failed')
      this.#parts.log(`a notice to tenant ${tenant.name} (${notice.kind}) failed: ${(error as Error).message}`)
    }
  }

  #wasTold(tenant: string, { name, sinceMs }: Once, nowMs: number): boolean {
    const toldMs = this.#marks.subject(tenant, name)
    return toldMs !== undefined && (toldMs >= sinceMs || nowMs - toldMs < QUIET_MS)
  }

  async #send(notice: Notice, tenant: Tenant): Promise<Result> {
    const way = noticeWay(tenant, this.#directory, this.#config.notices.route)
    if (way.kind === 'none') {
      if (!this.#saidNoWay.has(tenant.name)) this.#parts.log(`a notice (${notice.kind}) was not sent: ${way.why}`)
      this.#saidNoWay.add(tenant.name)
      return this.#count(notice, 'no-way')
    }
    const { subject, composed } = renderNotice(notice, {
      language: tenant.language,
      timeZone: tenant.timeZone ?? this.#config.notices.timeZone,
      hostname: this.#config.hostname,
      to: way.to,
      wallMs: this.#parts.clock.wall(),
      newMessageId: () => `notice.${randomUUID()}`,
    })
    const body: NoticeQuestions['notices/send']['body'] = {
      tenant: tenant.name,
      route: way.route.id,
      recipient: mailboxText(way.to),
      content: composedBytes(composed),
      smtputf8: composed.smtputf8,
    }
    const id = await this.#one('notices/send', body, SEND_ANSWER_MS_MAX)
    if (id === undefined) {
      this.#parts.log(`a notice to tenant ${tenant.name} (${notice.kind}) found no worker that takes it`)
      return this.#count(notice, 'failed')
    }
    this.#parts.log(`${id}: told <${body.recipient}> (tenant ${tenant.name}): ${subject}`)
    return this.#count(notice, 'sent')
  }

  #count({ kind }: Notice, result: Result): Result {
    const key = `${kind} ${result}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    return result
  }
}

/** Told once for each time that it begins; who reports it may do so again and again, until somebody was told. */
interface Once {
  readonly name: string
  readonly sinceMs: number
}

function onceSubject(notice: Notice): Once | undefined {
  switch (notice.kind) {
    case 'sender-domain-going':
    case 'sender-domain-revoked':
      return { name: `${notice.kind} ${notice.domain}`, sinceMs: notice.sinceMs }
    default:
      return undefined
  }
}
