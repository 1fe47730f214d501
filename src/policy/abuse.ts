/**
 * R7: when a login sends too much, and when it looks stolen. Pure: counts in, a judgement out; the caller keeps the counts
 * and the time (wall clock, ms).
 *
 * Counts are of recipients, in buckets of time. A bucket counts until its end has left the window, so a window is
 * enforced up to one bucket too long and never too short. Each sign of theft has points; their sum says what to do.
 */

import type { LoginSign } from '#mail/notice.ts'
import { type Rates, rateSigns } from './feedback-rates.ts'
import { type Habit, habitSigns } from './habits.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const BURST_MS = 10 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
/** Hours are kept so long, to know what is usual for a login. */
export const HISTORY_MS = 7 * DAY_MS
/** What became of recipients is judged over this window. */
export const OUTCOMES_MS = HOUR_MS

/** Guessed and stale addresses come in hundreds; a person mistypes one in twenty at worst. */
export const UNKNOWN_LOCK = { recipientsMin: 20, shareMin: 0.3 } as const
export const UNKNOWN_SLOW = { recipientsMin: 10, shareMin: 0.15 } as const
/** This hour, against the busiest hour of the days before. */
export const VOLUME = { recipientsMin: 100, timesMin: 10 } as const
/** One may be a mistake, or a program that tries again; several are a machine that is not its owner's any more. */
export const MALWARE_LOCK_MIN = 3
/** The burst limit of a login that is slowed down is divided by this. */
export const SLOW_DIVISOR = 10
/** Who is slowed down and hears why stops after some; a program that works off a list does not. */
export const KEEPS_SENDING_MIN = 50

const POINTS_LOCK = 4
const POINTS_SLOW = 2

export interface Sign extends LoginSign {
  readonly points: number
  /** For the operator and the tenant. */
  readonly text: string
}

/** What is known of one login. */
export interface Conduct {
  /** Recipients of which a next hop has said yes or no within `OUTCOMES_MS`. */
  readonly answered: number
  /** Of these: refused, because there is no such mailbox. */
  readonly unknown: number
  /** Messages in which an engine named malware, within `OUTCOMES_MS`; each was refused. */
  readonly malware: number
  /** Recipients within the last hour. */
  readonly hour: number
  /** Recipients of the busiest hour before; 0: it has no history. */
  readonly busiestHour: number
  /** Recipients refused within `OUTCOMES_MS`, because the login is slowed down. */
  readonly braked: number
  readonly rates: Rates
  readonly habit: Habit
}

export function signsOf({ answered, unknown, malware, hour, busiestHour, braked, rates, habit }: Conduct): Sign[] {
  const reaches = ({ recipientsMin, shareMin }: typeof UNKNOWN_LOCK | typeof UNKNOWN_SLOW) =>
    unknown >= recipientsMin && unknown >= shareMin * answered
  const signs: Sign[] = []
  const points = reaches(UNKNOWN_LOCK) ? POINTS_LOCK : reaches(UNKNOWN_SLOW) ? POINTS_SLOW : 0
  if (points > 0) {
    const text = `${unknown} of ${answered} recipients within an hour do not exist`
    signs.push({ symbol: 'unknown-recipients', count: unknown, of: answered, points, text })
  }
  if (malware > 0) {
    const text = malware === 1 ? 'a message carried malware' : `${malware} messages within an hour carried malware`
    signs.push({
      symbol: 'malware',
      count: malware,
      points: malware >= MALWARE_LOCK_MIN ? POINTS_LOCK : POINTS_SLOW,
      text,
    })
  }
  if (busiestHour > 0 && hour >= VOLUME.recipientsMin && hour >= VOLUME.timesMin * busiestHour) {
    const text = `${hour} recipients within an hour, where ${busiestHour} were the most before`
    signs.push({ symbol: 'sudden-volume', count: hour, of: busiestHour, points: 1, text })
  }
  signs.push(...habitSigns(habit, signs))
  // Only beside another sign of this hour: a mail program that tries again must not keep itself slowed down.
  if (pointsOf(signs) >= POINTS_SLOW && braked >= KEEPS_SENDING_MIN) {
    const text = `${braked} recipients more within an hour, while it was slowed down`
    signs.push({ symbol: 'keeps-sending', count: braked, points: 2, text })
  }
  signs.push(...rateSigns(rates, points))
  return signs
}

const pointsOf = (signs: readonly Sign[]): number => signs.reduce((sum, sign) => sum + sign.points, 0)

export type Judgement = 'fine' | 'warn' | 'slow' | 'lock'

export function judge(signs: readonly Sign[]): Judgement {
  const points = pointsOf(signs)
  if (points >= POINTS_LOCK) return 'lock'
  if (points >= POINTS_SLOW) return 'slow'
  return points > 0 ? 'warn' : 'fine'
}

/** As the locked user hears it, so one line without names of hosts. */
export const lockReason = (signs: readonly Sign[]): string =>
  `it looks stolen: ${signs.map(({ text }) => text).join('; ')}. Change the password, then ask your provider to unlock it`

/** Counts of one thing in buckets of `bucketMs`; what is older than `keepMs` is forgotten. */
export class BucketCount {
  readonly bucketMs: number
  readonly #keepMs: number
  /** By start, oldest first: time does not go back. */
  readonly #buckets = new Map<number, number>()

  constructor(bucketMs: number, keepMs: number) {
    this.bucketMs = bucketMs
    this.#keepMs = keepMs
  }

  /** The bucket that has changed: its start, and what it counts now. */
  add(count: number, nowMs: number): { readonly startMs: number; readonly count: number } {
    for (const startMs of this.#buckets.keys()) {
      if (this.#counts(startMs, nowMs, this.#keepMs)) break
      this.#buckets.delete(startMs)
    }
    const startMs = nowMs - (nowMs % this.bucketMs)
    const sum = (this.#buckets.get(startMs) ?? 0) + count
    this.#buckets.set(startMs, sum)
    return { startMs, count: sum }
  }

  /** Within the window that ends now. */
  sum(windowMs: number, nowMs: number): number {
    let sum = 0
    for (const [startMs, count] of this.#buckets) if (this.#counts(startMs, nowMs, windowMs)) sum += count
    return sum
  }

  /** The fullest bucket that began before `beforeMs`. */
  most(beforeMs: number): number {
    let most = 0
    for (const [startMs, count] of this.#buckets) if (startMs < beforeMs) most = Math.max(most, count)
    return most
  }

  /** How long until the sum of the window is below `limit`, if nothing is added. */
  waitMs(limit: number, windowMs: number, nowMs: number): number {
    let sum = this.sum(windowMs, nowMs)
    for (const [startMs, count] of this.#buckets) {
      if (sum < limit) break
      if (!this.#counts(startMs, nowMs, windowMs)) continue
      sum -= count
      if (sum < limit) return startMs + this.bucketMs + windowMs - nowMs
    }
    return sum < limit ? 0 : windowMs
  }

  #counts(startMs: number, nowMs: number, windowMs: number): boolean {
    return startMs + this.bucketMs > nowMs - windowMs
  }
}
