/**
 * Reports to senders: what an attempt means for a submitted message goes to `report/dsn`, which decides; what it says is
 * stored as a message of ours, to the sender's own server or, where we do not serve his domain, by the way that his mail takes.
 *
 * A report is synced before the failure that it tells of is written down. A crash between the two tells twice, never not at
 * all. Whatever prevents a report (the day's cap, a full disk, a silent supervisor) makes a hold with the reason.
 */
import type { ForwardPath, Mailbox } from '#mail/address.ts'
import { domainText } from '#mail/domain.ts'
import { dsnClass } from '#mail/dsn.ts'
import type { Report } from '#mail/event.ts'
import type { NewMessage, StoredMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Telling, Tried } from '#queue/contract.ts'
import type { Queue } from '#queue/queue.ts'
import { type BuiltDsn, buildDsn } from '#report/dsn/build.ts'
import { type DsnDecision, type DsnQuestion, decide, type Told, type WhyNot } from '#report/dsn/decide.ts'
import { type Spool, SpoolError } from '#spool/contract.ts'
import { towards } from '#tenant/destination.ts'
import type { Directory, ServedDomain } from '#tenant/directory.ts'

import type { ReplyLimits } from './outbound.ts'
import type { SignOwn } from './own-signing.ts'
import { returnPathOf } from './return-path.ts'

/** What the cap of a domain counts in; it slides. */
export const CAP_WINDOW_MS = 24 * 3_600_000
/** The cap is one for all tenants: no tenant has this name. */
const ALL_TENANTS = '*'

export interface DsnSettings {
  /** Absent: delays are not told. */
  readonly delayAfterMs?: number
  /** Reports to one domain in `CAP_WINDOW_MS`. */
  readonly perDomainAndDayMax: number
}

export interface StatusReportsParts {
  readonly hostname: string
  readonly settings: () => DsnSettings
  readonly directory: () => Directory
  readonly newTraceId: () => TraceId
  readonly limits: ReplyLimits
  /** The path of a bounce-protected mailbox as its server knows it. */
  readonly plain: (path: ForwardPath, domain: ServedDomain) => ForwardPath
  /** Absent: reports leave as they are. */
  readonly sign?: SignOwn
  readonly spool: Pick<Spool, 'append' | 'get'>
  readonly queue: Pick<Queue, 'nowMs' | 'add'>
  readonly report: Report
}

type Sending = Extract<DsnDecision, { kind: 'send' }>

export class StatusReports {
  readonly #parts: StatusReportsParts

  constructor(parts: StatusReportsParts) {
    this.#parts = parts
  }

  async tell(message: StoredMessage, tried: Tried): Promise<Telling> {
    const decision = decide(this.#question(message, tried, 0))
    if (decision.kind !== 'send') return notTold(decision)
    const mayBe = await this.#withinCap(decision)
    if (typeof mayBe === 'string') return { returned: NOBODY, delay: false, why: mayBe }
    if (!mayBe) return notTold(decide(this.#question(message, tried, Number.POSITIVE_INFINITY)))
    return this.#send(message, decision)
  }

  #question(message: StoredMessage, tried: Tried, sentToday: number): DsnQuestion {
    const { settings, queue, directory } = this.#parts
    const { delayAfterMs, perDomainAndDayMax } = settings()
    const { protocol } = directory().route(message.route) ?? {}
    return {
      message,
      returnPath: returnPathOf(message),
      ...(message.submission?.automatic && { neverAnswered: 'automatic' }),
      told: toldBefore(message, tried),
      nowMs: queue.nowMs(),
      ...(delayAfterMs !== undefined && { delayNoticeAfterMs: delayAfterMs }),
      lifetimeMs: tried.lifetimeMs,
      nextHop: () => (protocol === 'lmtp' ? 'final' : tried.attempt.dsn ? 'dsn' : 'no-dsn'),
      sentToday: { reportsTo: () => sentToday },
      perDomainAndDayMax,
    }
  }

  // A text: nobody could count, so nobody is told.
  async #withinCap({ to }: Sending): Promise<boolean | string> {
    const { limits, settings } = this.#parts
    const counter = `dsn ${domainText(to.mailbox.domain)}`
    try {
      const [taken] = await limits.take(ALL_TENANTS, [counter], settings().perDomainAndDayMax, CAP_WINDOW_MS)
      return taken === true
    } catch (error) {
      return `reports cannot be counted now: ${(error as Error).message}`
    }
  }

  async #send(message: StoredMessage, decision: Sending): Promise<Telling> {
    const { report, queue, spool, sign } = this.#parts
    const id = this.#parts.newTraceId()
    const built = this.#build(id, message, decision)
    const stored = this.#toStore(id, message, decision.to.mailbox, built)
    const content = (await sign?.(built.content)) ?? built.content
    const nowMs = queue.nowMs()
    try {
      await spool.append(stored, content, nowMs)
    } catch (error) {
      if (!(error instanceof SpoolError)) throw error
      return { returned: NOBODY, delay: false, why: `the report could not be stored: ${error.message}` }
    }
    const { tenant } = message
    report({
      kind: 'dsn-sent',
      id: message.id,
      report: id,
      tenant,
      class: dsnClass(decision.to),
      dsnKind: built.kind,
      to: decision.to.mailbox,
    })
    const entry = spool.get(id)
    if (entry !== undefined) {
      report({ kind: 'notice-queued', entry, recipient: stored.envelope.recipients[0]!, about: message.id })
      queue.add(entry)
    }
    return tellingOf(id, decision)
  }

  #build(id: TraceId, message: StoredMessage, { to, reports }: Sending): BuiltDsn {
    const { hostname, directory, queue } = this.#parts
    const hosts = directory().route(message.route)?.hosts ?? []
    return buildDsn({
      to,
      reports,
      message,
      id,
      hostname,
      language: directory().tenant(message.tenant)?.language ?? 'en',
      innerHosts: hosts.map(({ name }) => name),
      nowMs: queue.nowMs(),
    })
  }

  // The sender's domain is another destination than the recipient's.
  #wayTo(route: string, { domain }: Mailbox): string {
    const taken = this.#parts.directory().route(route)
    return taken === undefined ? route : towards(taken, domain)
  }

  #toStore(id: TraceId, message: StoredMessage, to: Mailbox, { envelope }: BuiltDsn): NewMessage {
    const { directory, plain, queue } = this.#parts
    const own = directory().domain(domainText(to.domain))
    const path: ForwardPath = { kind: 'mailbox', mailbox: to }
    const isOwn = own?.tenant.name === message.tenant
    const recipients = [{ ...envelope.recipients[0]!, forwardPath: isOwn ? plain(path, own) : path }]
    return {
      id,
      tenant: message.tenant,
      route: isOwn ? own.route.id : this.#wayTo(message.route, to),
      envelope: { ...envelope, recipients },
      reception: { clientAddress: '', greetingName: '', protocol: '', receivedMs: queue.nowMs() },
      notice: true,
    }
  }
}

const NOBODY: ReadonlyMap<number, TraceId> = new Map()

/** What a sender has heard, or is no longer told: all of those who were not tried, and of whom an operator redirected. */
function toldBefore({ recipients, delayTold, redirected = [] }: StoredMessage, { tried }: Tried): Told[] {
  const elsewhere = new Set(redirected.map(({ recipient }) => recipient))
  return recipients.flatMap((_, index): Told[] => {
    if (tried.includes(index) && !elsewhere.has(index)) return delayTold ? [{ index, kind: 'delay' }] : []
    return (['failure', 'delay', 'success'] as const).map((kind) => ({ index, kind }))
  })
}

function tellingOf(id: TraceId, { reports, unreported }: Sending): Telling {
  const returned = new Map(reports.flatMap(({ action, index }) => (action === 'failed' ? [[index, id] as const] : [])))
  const delay = reports.some(({ action }) => action === 'delayed')
  return { returned, delay, ...(unreported.length > 0 && { why: WHY['notify-excludes-it'] }) }
}

function notTold(decision: DsnDecision): Telling {
  const isSilent = decision.kind === 'send' || decision.why === 'nothing-to-tell'
  return { returned: NOBODY, delay: false, ...(!isSilent && { why: WHY[decision.why] }) }
}

const WHY: Readonly<Record<WhyNot, string>> = {
  automatic: 'the message is automatic mail (RFC 3834)',
  spam: 'the message is spam',
  virus: 'the message is malware',
  'null-reverse-path': 'the reverse-path is <>',
  'not-verified': 'nothing proves that the reverse-path is his',
  'domain-cap': 'the reports that one domain gets in a day are used up',
  'notify-excludes-it': 'he asked not to be told (NOTIFY)',
}
