/**
 * When to try again: exponential from the route's first interval to its largest, with jitter, so that what failed
 * together does not come back together. RFC 5321 §4.5.4.1 asks for 30 minutes "in general" and leaves better
 * strategies open; the first steps are shorter because most outages are (greylisting, restarts).
 *
 * What the server said changes that, within bounds of ours (`mail/refusal-class.ts`):
 *
 * | class | next attempt |
 * |---|---|
 * | greylisted | when it says, else after 5 minutes; who still says so after three attempts is tried as any other |
 * | rate | when it says, if that is later |
 * | mailbox-full | after an hour, doubling to four |
 * | reputation | not before half an hour |
 * | others | as usual |
 *
 * With several recipients the one that should be tried first decides. The end of the lifetime is never put off.
 */
import { type RefusalClass, refusalClass, statedDelayMs } from '#mail/refusal-class.ts'
import type { RemoteReply } from '#mail/reply.ts'
import type { Route } from '#tenant/directory.ts'

/** Of the interval, up or down. */
export const RETRY_JITTER = 0.1

/** ms until the next attempt, after `attempts` (≥ 1) of them failed. `random` in [0, 1). */
export function retryDelayMs(
  route: Pick<Route, 'retryFirstMs' | 'retryMaxMs'>,
  attempts: number,
  random: number,
): number {
  // Beyond 2^30 the shift would overflow; every schedule has met its maximum long before.
  const doubled = route.retryFirstMs * 2 ** Math.min(Math.max(attempts, 1) - 1, 30)
  return Math.round(Math.min(doubled, route.retryMaxMs) * (1 - RETRY_JITTER + 2 * RETRY_JITTER * random))
}

const MINUTE_MS = 60_000
/** Many greylisters want five minutes. */
export const GREYLIST_MS = 5 * MINUTE_MS
/** Nothing is tried sooner because a server says so. */
export const STATED_MS_MIN = MINUTE_MS
/** Nothing waits longer because of what a server says, unless its route says so. */
export const STATED_MS_MAX = 4 * 60 * MINUTE_MS
/** Then a greylister means something else. */
export const GREYLISTED_ATTEMPTS_MAX = 3
export const MAILBOX_FULL_FIRST_MS = 60 * MINUTE_MS
export const REPUTATION_MS_MIN = 30 * MINUTE_MS

export interface Waiting {
  readonly route: Pick<Route, 'retryFirstMs' | 'retryMaxMs'>
  /** At least 1; all failed. */
  readonly attempts: number
  /** In [0, 1). */
  readonly random: number
  /** Until the message is given up. */
  readonly leftMs: number
}

/** ms until the next attempt. `refusals`: of each recipient that is tried again, the 4yz if there was one. */
export function nextDelayMs(refusals: readonly (RemoteReply | undefined)[], waiting: Waiting): number {
  const usualMs = retryDelayMs(waiting.route, waiting.attempts, waiting.random)
  if (refusals.length === 0) return usualMs
  const delayMs = Math.min(...refusals.map((reply) => afterRefusalMs(reply, usualMs, waiting)))
  return Math.round(Math.min(delayMs, Math.max(usualMs, waiting.leftMs)))
}

function afterRefusalMs(reply: RemoteReply | undefined, usualMs: number, { attempts, random }: Waiting): number {
  if (reply === undefined) return usualMs
  const found: RefusalClass = refusalClass(reply)
  // Never before the time that was named: later by the jitter.
  const later = 1 + RETRY_JITTER * random
  if (found === 'greylisted' && attempts <= GREYLISTED_ATTEMPTS_MAX) return boundedMs(statedDelayMs(reply)) * later
  if (found === 'rate') return Math.max(usualMs, boundedMs(statedDelayMs(reply) ?? 0) * later)
  if (found === 'reputation') return Math.max(usualMs, REPUTATION_MS_MIN * later)
  if (found !== 'mailbox-full') return usualMs
  return Math.max(usualMs, Math.min(MAILBOX_FULL_FIRST_MS * 2 ** Math.min(attempts - 1, 30), STATED_MS_MAX) * later)
}

const boundedMs = (ms = GREYLIST_MS): number => Math.min(Math.max(ms, STATED_MS_MIN), STATED_MS_MAX)
