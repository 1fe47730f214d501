/**
 * R7: what receivers say of a login's mail, as signs of theft: addresses that do not exist, whether their servers said so in
 * the session or by mail, and complaints; each against the recipients that the login sent to in the same time. Pure.
 *
 * A thief's list bounces by mail where servers accept first, and hours later. Receivers themselves draw the line for
 * complaints between 0.1% (good) and 0.3% (they begin to refuse); but only few receivers report any, so a few
 * of them stand for many. Every threshold has a minimum count: one annoyed reader is no sign.
 */
import type { SignSymbol } from '#mail/notice.ts'

const HOUR_MS = 3_600_000
export const BOUNCES_MS = 24 * HOUR_MS
/** Most people complain on the day; the reports of some receivers come a few days later. */
export const COMPLAINTS_MS = 7 * 24 * HOUR_MS

interface Threshold {
  readonly countMin: number
  /** Of the recipients. */
  readonly shareMin: number
  readonly points: number
}

/** The gravest first. */
export const BOUNCES: readonly Threshold[] = [
  { countMin: 50, shareMin: 0.25, points: 4 },
  { countMin: 30, shareMin: 0.12, points: 2 },
  { countMin: 20, shareMin: 0.06, points: 1 },
]
export const COMPLAINTS: readonly Threshold[] = [
  { countMin: 10, shareMin: 0.01, points: 4 },
  { countMin: 5, shareMin: 0.003, points: 2 },
  { countMin: 2, shareMin: 0.001, points: 1 },
]

export interface Rates {
  /** Recipients without a mailbox, within `BOUNCES_MS`. */
  readonly bounced: number
  /** Recipients sent to in the same time. */
  readonly sentForBounces: number
  /** Within `COMPLAINTS_MS`. */
  readonly complaints: number
  readonly sentForComplaints: number
}

export interface RateSign {
  readonly symbol: Extract<SignSymbol, 'bounces' | 'complaints'>
  readonly count: number
  readonly of: number
  readonly points: number
  readonly text: string
}

/** `unknownPoints`: of the sign for addresses that servers refused within the hour, so that nobody pays for them twice. */
export function rateSigns(rates: Rates, unknownPoints: number): RateSign[] {
  const { bounced, sentForBounces, complaints, sentForComplaints } = rates
  const signs: RateSign[] = []
  const further = pointsOf(BOUNCES, bounced, sentForBounces) - unknownPoints
  if (further > 0) {
    const of = Math.max(bounced, sentForBounces)
    const text = `${bounced} of ${of} recipients within a day do not exist`
    signs.push({ symbol: 'bounces', count: bounced, of, points: further, text })
  }
  const points = pointsOf(COMPLAINTS, complaints, sentForComplaints)
  if (points > 0) {
    const of = Math.max(complaints, sentForComplaints)
    const text = `${complaints} of ${of} recipients within a week complained`
    signs.push({ symbol: 'complaints', count: complaints, of, points, text })
  }
  return signs
}

const pointsOf = (thresholds: readonly Threshold[], count: number, sent: number): number =>
  thresholds.find(({ countMin, shareMin }) => count >= countMin && count >= shareMin * sent)?.points ?? 0
