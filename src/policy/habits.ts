/**
 * R7: what is usual for a login, and what is not. Two signs of a thief who has good addresses, so that nobody refuses his
 * mail: he comes from elsewhere, and he writes to many domains. Pure; times are wall clock, ms.
 *
 * A network by itself is no reason for anything: people travel. It makes another sign heavier. Volume and domains are two
 * looks at the same thing, since a first newsletter shows both, so together they weigh as one.
 */
import { neighbourhoodOf } from '#auth/client-networks.ts'
import { NETWORK_FADES_MS, type StoredNetwork } from '#store/credentials.ts'
import type { Sign } from './abuse.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** A network is a habit from its third day on: longer than a thief waits, shorter than a week in a new flat. */
export const NETWORK_SETTLES_MS = 3 * DAY_MS
/** Neighbourhoods; home, office, phone and a few relatives. Who has more is always on the way, and nothing is new for him. */
export const HABIT_NETWORKS_MAX = 8
/** Recipients within an hour: a person on a journey answers a letter or two, and that is no sign of anything. */
export const STRANGE_MIN = 10

/** Recipient domains within an hour, against the most that an hour of the days before had. */
export const MANY_DOMAINS = { domainsMin: 30, timesMin: 4 } as const
export const DOMAINS_MS = HOUR_MS
/** What was usual is half as much after so long: a newsletter of every month stays a habit, a mailing of last year does not. */
export const HABIT_HALVES_MS = 30 * DAY_MS

export interface Habit {
  /** Recipient domains within `DOMAINS_MS`. */
  readonly domains: number
  /** The most of them in an hour of the days before; 0: it has no history. */
  readonly usualDomains: number
  /** Recipients within an hour, from networks where the login was never used, while others are its habit. */
  readonly strange: number
}

/** `others`: the signs that are seen already. */
export function habitSigns({ domains, usualDomains, strange }: Habit, others: readonly Sign[]): Sign[] {
  const signs: Sign[] = []
  const { domainsMin, timesMin } = MANY_DOMAINS
  if (usualDomains > 0 && domains >= domainsMin && domains >= timesMin * usualDomains) {
    const usual = Math.ceil(usualDomains)
    const text = `recipients of ${domains} domains within an hour, where ${usual} were the most before`
    const points = others.some(({ symbol }) => symbol === 'sudden-volume') ? 0 : 1
    signs.push({ symbol: 'many-domains', count: domains, of: usual, points, text })
  }
  if (strange >= STRANGE_MIN) {
    const text = `${strange} recipients within an hour from networks where it was never used before`
    const points = [...others, ...signs].some((sign) => sign.points > 0) ? 1 : 0
    signs.push({ symbol: 'new-network', count: strange, points, text })
  }
  return signs
}

/** Does the login have networks that are its habit, and none of them near this client? */
export function isStrange(known: readonly StoredNetwork[], client: string, nowMs: number): boolean {
  const habit = new Set<string>()
  for (const { network, firstAtMs, lastAtMs } of known) {
    const isSettled = firstAtMs <= nowMs - NETWORK_SETTLES_MS && lastAtMs > nowMs - NETWORK_FADES_MS
    if (isSettled) habit.add(neighbourhoodOf(network))
  }
  return habit.size > 0 && habit.size <= HABIT_NETWORKS_MAX && !habit.has(neighbourhoodOf(client))
}

/** What is learned of a login, by days (UTC): a day teaches when it is over. */
export interface DomainHabit {
  readonly most: number
  /** When that was. */
  readonly mostMs: number
  /** The day that is under way: its start, and the most domains that an hour of it had. */
  readonly todayMs: number
  readonly today: number
  /** The login looked stolen today: what a thief does is no habit. */
  readonly isDoubted: boolean
}

export const NO_HABIT: DomainHabit = { most: 0, mostMs: 0, todayMs: 0, today: 0, isDoubted: false }

export const usualAt = ({ most, mostMs }: DomainHabit, nowMs: number): number =>
  most * 2 ** (-Math.max(0, nowMs - mostMs) / HABIT_HALVES_MS)

/** With the days that are over by now. */
export function habitAt(habit: DomainHabit, nowMs: number): DomainHabit {
  const { todayMs, today, isDoubted } = habit
  const dayMs = nowMs - (nowMs % DAY_MS)
  if (dayMs <= todayMs) return habit
  const isMore = !isDoubted && today > usualAt(habit, todayMs)
  const most = isMore ? { most: today, mostMs: todayMs } : { most: habit.most, mostMs: habit.mostMs }
  return { ...most, todayMs: dayMs, today: 0, isDoubted: false }
}
