/**
 * Who is told what of a stored message (RFC 3461 §4.1, §5.2; law 2). Pure: the caller knows the message, what was told
 * before, and how much today's cap leaves.
 *
 * Three answers: send one report, hold (somebody should have been told and may not be: the customer's postmaster
 * decides), or nothing. A failure is never lost: what is not in the report stands in `unreported` or in `hold`.
 */
import { mailboxKey } from '#mail/address.ts'
import { type DsnAction, type DsnClass, type DsnKind, dsnClass, kindOfAction, type RecipientReport } from '#mail/dsn.ts'
import type { Recipient } from '#mail/envelope.ts'
import type { VerifiedReturnPath } from '#mail/return-path.ts'
import { parseStatus, type Status } from '#mail/status.ts'
import type { RecipientState, StoredMessage } from '#mail/stored.ts'

/** What the caller knows of the content: automatic mail (RFC 3834 §2) and malware are never answered. */
export type NeverAnswered = 'automatic' | 'spam' | 'virus'
export type WhyNot = NeverAnswered | 'null-reverse-path' | 'not-verified' | 'domain-cap' | 'notify-excludes-it'

export interface Told {
  readonly index: number
  readonly kind: DsnKind
}

/** Reports sent today to a domain; whoever sends counts. */
export interface SentToday {
  reportsTo(domain: string): number
}

/** `final` is LMTP; `dsn` is an SMTP server that reports success itself. */
export type NextHopKind = 'final' | 'dsn' | 'no-dsn'

export interface DsnQuestion {
  readonly message: Pick<StoredMessage, 'envelope' | 'reception' | 'recipients' | 'lastText'>
  readonly returnPath: VerifiedReturnPath | undefined
  readonly neverAnswered?: NeverAnswered
  readonly told: readonly Told[]
  readonly nowMs: number
  /** Tell of a delay after so long; absent: never. */
  readonly delayNoticeAfterMs?: number
  /** The route's. */
  readonly lifetimeMs: number
  /** Where the delivered mail of one recipient went, by his index. */
  nextHop(index: number): NextHopKind
  readonly sentToday: SentToday
  readonly perDomainAndDayMax: number
}

export type DsnDecision =
  | {
      readonly kind: 'send'
      readonly to: VerifiedReturnPath
      readonly class: DsnClass
      readonly reports: readonly RecipientReport[]
      /** Indices of recipients that failed and whose sender asked not to be told: to be held. */
      readonly unreported: readonly number[]
    }
  | { readonly kind: 'hold'; readonly why: WhyNot; readonly recipients: readonly number[] }
  | { readonly kind: 'nothing'; readonly why: WhyNot | 'nothing-to-tell' }

export function decide(question: DsnQuestion): DsnDecision {
  const { message, told } = question
  const news = message.recipients.flatMap((state, index): RecipientReport[] => {
    const recipient = message.envelope.recipients[index]
    const report = recipient && reportOf(question, recipient, state, index)
    return report && !told.some((one) => one.index === index && one.kind === kindOfAction(report.action))
      ? [report]
      : []
  })
  const wanted = news.filter(({ recipient, action }) => isWanted(recipient, kindOfAction(action)))
  const failed = news.filter(({ action }) => action === 'failed').map(({ index }) => index)
  if (wanted.length === 0) return without(failed, failed.length > 0 ? 'notify-excludes-it' : undefined)
  const to = mayTell(question)
  if (typeof to === 'string') return without(failed, to)
  const unreported = failed.filter((index) => !wanted.some((report) => report.index === index))
  return { kind: 'send', to, class: dsnClass(to), reports: wanted, unreported }
}

function without(failed: readonly number[], why: WhyNot | undefined): DsnDecision {
  if (why === undefined) return { kind: 'nothing', why: 'nothing-to-tell' }
  return failed.length > 0 ? { kind: 'hold', why, recipients: failed } : { kind: 'nothing', why }
}

function mayTell(question: DsnQuestion): VerifiedReturnPath | WhyNot {
  const { message, returnPath, neverAnswered, sentToday, perDomainAndDayMax } = question
  const { reversePath } = message.envelope
  if (reversePath.kind === 'null') return 'null-reverse-path'
  if (neverAnswered !== undefined) return neverAnswered
  if (returnPath === undefined) return 'not-verified'
  // A path that was verified for another message proves nothing for this one.
  if (mailboxKey(returnPath.mailbox) !== mailboxKey(reversePath.mailbox)) return 'not-verified'
  const { domain } = returnPath.mailbox
  const name = domain.kind === 'name' ? domain.ascii : domain.address
  return sentToday.reportsTo(name) < perDomainAndDayMax ? returnPath : 'domain-cap'
}

// RFC 3461 §4.1: without NOTIFY, failures, and delays where the server reports them at all.
const isWanted = ({ notify = ['failure', 'delay'] }: Recipient, kind: DsnKind): boolean =>
  notify !== 'never' && notify.includes(kind)

function reportOf(
  question: DsnQuestion,
  recipient: Recipient,
  state: RecipientState,
  index: number,
): RecipientReport | undefined {
  const { message, nowMs, delayNoticeAfterMs, lifetimeMs } = question
  const said = (action: DsnAction, status: Status, text: string, atMs?: number): RecipientReport => {
    const attempt = atMs === undefined ? {} : { lastAttemptMs: atMs }
    return { index, recipient, action, status, text, ...attempt }
  }
  const { receivedMs } = message.reception
  switch (state.kind) {
    case 'held':
      // A person decides, and it may yet be delivered.
      if (state.reason === 'operator' || state.reason === 'policy' || state.reason === 'locked') return undefined
      return said('failed', statusIn(state.text, '45') ?? DEFAULT_STATUS[state.reason], state.text, state.atMs)
    case 'delivered': {
      // RFC 3461 §5.2.2: a next hop with DSN has taken the duty over.
      const where = question.nextHop(index)
      if (where === 'dsn') return undefined
      const relay = where === 'no-dsn' ? state.relay.replace(/[[:].*$/, '') : ''
      const status = statusIn(state.text, '2') ?? '2.0.0'
      const report = said(where === 'final' ? 'delivered' : 'relayed', status, state.text, state.atMs)
      return relay === '' ? report : { ...report, remoteMta: relay }
    }
    case 'pending': {
      if (delayNoticeAfterMs === undefined || nowMs - receivedMs < delayNoticeAfterMs) return undefined
      const text = message.lastText ?? ''
      const status = statusIn(text, '4') ?? '4.4.1'
      return { ...said('delayed', status, text), willRetryUntilMs: receivedMs + lifetimeMs }
    }
    case 'returned':
    case 'dropped':
      return undefined
  }
}

// RFC 3463 §3.5: expired, loop.
const DEFAULT_STATUS = { refused: '5.0.0', expired: '4.4.7', loop: '5.4.6' } as const

/**
 * The enhanced status of a reply such as `550 5.1.1 no such user`, or of our own finding such as `5.1.10 takes no mail`, when
 * its class agrees with the code and is one of `classes`.
 */
function statusIn(text: string, classes: string): Status | undefined {
  const status = /^[245]\d\d /.test(text) ? parseStatus(text.slice(4)) : parseStatus(text)
  return status?.[0] === text[0] && classes.includes(text[0]!) ? status : undefined
}
