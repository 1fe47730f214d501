/**
 * What one attempt means for a stored message: each recipient's new state, when to try again, and what it says about
 * the site. Pure: the queue carries it out.
 *
 * Nothing here ever makes a bounce. A 5yz after we took custody, and the end of the lifetime, make a hold (law 2). Our own
 * notices are not held: nobody would want them back, and a notice about a notice would never end.
 */
import type { Attempt, Obstacle, Outcome, RefusalStage } from '#mail/outcome.ts'
import { refusalClass } from '#mail/refusal-class.ts'
import { type RemoteReply, remoteReplyLine } from '#mail/reply.ts'
import type { Change, HoldReason, RecipientState, StoredMessage } from '#mail/stored.ts'
import type { Route } from '#tenant/directory.ts'
import { nextDelayMs } from './schedule.ts'

type Deferred = Extract<Outcome, { kind: 'deferred' }>

export type SiteSignal = 'succeeded' | 'congested' | 'unreachable'

export interface Aftermath {
  readonly change: Extract<Change, { kind: 'attempted' }>
  readonly site: SiteSignal
  /** Indices of recipients that got an end without delivery: held, or of a notice dropped. */
  readonly undelivered: ReadonlyMap<number, Undelivered>
  readonly settled: boolean
  /** The server had enough, whatever the message: it need not wait for its schedule. */
  readonly early: boolean
}

/** A server that says 421 again and again to one message means the message. */
const EARLY_MAX = 5

export interface Undelivered {
  readonly as: 'held' | 'dropped'
  readonly reason: Extract<HoldReason, 'refused' | 'expired'>
  readonly text: string
  readonly stage?: RefusalStage
  readonly reply?: RemoteReply
}

export interface Moment {
  readonly wallMs: number
  /** In [0, 1). */
  readonly random: number
}

/** `tried` are recipient indices of `message`, aligned with `attempt.outcomes`. */
export function aftermath(
  message: Pick<StoredMessage, 'recipients' | 'attempts' | 'reception' | 'redirected' | 'notice'>,
  tried: readonly number[],
  attempt: Attempt,
  route: Pick<Route, 'retryFirstMs' | 'retryMaxMs' | 'lifetimeMs'>,
  { wallMs, random }: Moment,
): Aftermath {
  const leftMs = startedMs(message) + route.lifetimeMs - wallMs
  const expired = leftMs <= 0
  const states = new Map<number, RecipientState>()
  const undelivered = new Map<number, Undelivered>()
  const deferrals: Deferred[] = []
  tried.forEach((index, i) => {
    const outcome = attempt.outcomes[i]!
    if (outcome.kind === 'deferred') deferrals.push(outcome)
    const end = undeliveredBy(outcome, expired, message.notice === true)
    states.set(index, stateAfter(outcome, end, attempt.relay, wallMs))
    if (end) undelivered.set(index, end)
  })
  const [firstDeferral] = deferrals
  const waiting = { route, attempts: message.attempts + 1, random, leftMs }
  const delayMs = nextDelayMs(
    deferrals.map(({ reply }) => reply),
    waiting,
  )
  const pending = message.recipients.some((old, i) => (states.get(i) ?? old).kind === 'pending')
  const kept = message.recipients.some((old, i) => (states.get(i) ?? old).kind === 'held')
  return {
    change: {
      kind: 'attempted',
      atMs: wallMs,
      recipients: states,
      nextAttemptMs: wallMs + delayMs,
      ...(firstDeferral && { obstacle: firstDeferral.obstacle, text: firstDeferral.text }),
    },
    site: siteSignal(attempt),
    undelivered,
    settled: !pending && !kept,
    early: message.attempts < EARLY_MAX && attempt.outcomes.every(isEnough),
  }
}

/** A message that an operator sent elsewhere gets the time that a new one has. */
export const startedMs = ({ reception, redirected = [] }: Pick<StoredMessage, 'reception' | 'redirected'>): number =>
  Math.max(reception.receivedMs, ...redirected.map(({ atMs }) => atMs))

function undeliveredBy(outcome: Outcome, expired: boolean, isNotice: boolean): Undelivered | undefined {
  if (outcome.kind === 'delivered') return undefined
  const { text, reply } = outcome
  const common = { as: isNotice ? 'dropped' : 'held', text, ...(reply && { reply }) } as const
  if (outcome.kind === 'failed') return { ...common, reason: 'refused', stage: outcome.stage }
  // A message expires only after an attempt has just failed: a clock that jumped cannot expire a queue.
  return expired ? { ...common, reason: 'expired' } : undefined
}

function stateAfter(outcome: Outcome, end: Undelivered | undefined, relay: string, atMs: number): RecipientState {
  if (outcome.kind === 'delivered') {
    return { kind: 'delivered', atMs, relay, text: remoteReplyLine(outcome.receipt.reply) }
  }
  if (end === undefined) return { kind: 'pending' }
  const { as: kind, reason, text } = end
  return kind === 'held' ? { kind, atMs, reason, text } : { kind, atMs, text: `${reason}: ${text}` }
}

// RFC 5321 §3.8: 421 ends the session, not the message's chances.
const isEnough = (outcome: Outcome): boolean => outcome.kind === 'deferred' && outcome.reply?.code === 421

export const pendingOf = ({ recipients }: Pick<StoredMessage, 'recipients'>): number[] =>
  recipients.flatMap((state, i) => (state.kind === 'pending' ? [i] : []))

/** The same end for as many recipients of another message; undefined without any, or where the failure is not the site's. */
export function sharing(failed: Attempt, recipients: readonly number[]): Attempt | undefined {
  const outcome = failed.outcomes.find(({ kind }) => kind === 'deferred')
  return outcome === undefined || recipients.length === 0
    ? undefined
    : { ...failed, outcomes: recipients.map(() => outcome) }
}

const SITE_OBSTACLES: ReadonlySet<Obstacle> = new Set(['connect', 'dns', 'tls', 'login'])
const CONGESTION: ReadonlySet<Obstacle> = new Set(['timeout', 'closed', 'protocol', 'lost', 'busy', 'aborted'])

/** What an attempt says of the whole site. One odd message must not stop its neighbours: only failures to get into a session do. */
export function siteSignal(attempt: Attempt): SiteSignal {
  let signal: SiteSignal = 'succeeded'
  for (const outcome of attempt.outcomes) {
    if (outcome.kind !== 'deferred') return 'succeeded'
    if (SITE_OBSTACLES.has(outcome.obstacle)) signal = 'unreachable'
    else if (signal !== 'unreachable' && (CONGESTION.has(outcome.obstacle) || enough(outcome))) signal = 'congested'
  }
  return signal
}

// "Not now, not so many": 421 (RFC 5321 §3.8), what says so in words, and 4.7.x, 4.3.2, 4.4.5 (RFC 3463 §3) where the words
// are not about the recipient, the content, or a sender that shall come again.
function enough({ reply }: Deferred): boolean {
  if (reply === undefined) return false
  if (reply.code === 421) return true
  const found = refusalClass(reply)
  if (found === 'rate' || found === 'reputation') return true
  return (found === 'local' || found === 'other') && /^4\.(7\.\d+|3\.2|4\.5)$/.test(reply.status ?? '')
}
