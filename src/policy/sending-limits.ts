/**
 * R7: which limits of what leaves hold for a recipient: those of the login (its own, or the tenant's for each), of the
 * tenant's servers, of the tenant; and of each of them the one for a single recipient domain. Counts are of recipients.
 */
import type { OwnLimits, RecipientLimit, SendingLimits } from '#tenant/directory.ts'
import { BURST_MS, type BucketCount, DAY_MS } from './abuse.ts'

/** Without `login-max`: a shop's own limit may be so many times a person's, and no mistyped digit makes it a flood. */
export const LOGIN_MAX_TIMES = 10

export interface Limit {
  /** `login`, `servers` and `tenant` are counted for all recipients, or for those of one domain. */
  readonly of: 'login' | 'servers' | 'tenant'
  readonly limit: RecipientLimit
  /** Of which a login that is slowed down keeps a part: a limit that was raised for it is none for a thief. */
  readonly slowedFrom?: number
}

/** The most that an operator may give to one login. */
export const loginMax = ({ login, loginMax }: Pick<SendingLimits, 'login' | 'loginMax'>): RecipientLimit =>
  loginMax ?? { per10Minutes: login.per10Minutes * LOGIN_MAX_TIMES, perDay: login.perDay * LOGIN_MAX_TIMES }

/** For all recipients. `own`: undefined where one of the tenant's servers sends. */
export function limitsFor(limits: SendingLimits, own: OwnLimits | undefined): Limit[] {
  const { login, servers, tenant } = limits
  const shared: Limit[] = tenant === undefined ? [] : [{ of: 'tenant', limit: tenant }]
  if (own === undefined) return servers === undefined ? shared : [{ of: 'servers', limit: servers }, ...shared]
  // The tenant's ceiling may have come down since the operator gave more.
  const max = loginMax(limits)
  const limit = {
    per10Minutes: Math.min(own.per10Minutes ?? login.per10Minutes, max.per10Minutes),
    perDay: Math.min(own.perDay ?? login.perDay, max.perDay),
  }
  return [{ of: 'login', limit, slowedFrom: Math.min(limit.per10Minutes, login.per10Minutes) }, ...shared]
}

/** For the recipients of one domain. */
export function limitsToOneDomain(limits: SendingLimits, own: OwnLimits | undefined): Limit[] {
  const { loginToOneDomain: each, tenantToOneDomain } = limits
  const shared: Limit[] = tenantToOneDomain === undefined ? [] : [{ of: 'tenant', limit: tenantToOneDomain }]
  const per10Minutes = own?.toOneDomainPer10Minutes ?? each?.per10Minutes
  const perDay = own?.toOneDomainPerDay ?? each?.perDay
  if (own === undefined || (per10Minutes === undefined && perDay === undefined)) return shared
  const unlimited = Number.MAX_SAFE_INTEGER
  return [{ of: 'login', limit: { per10Minutes: per10Minutes ?? unlimited, perDay: perDay ?? unlimited } }, ...shared]
}

export interface Over {
  readonly window: 'burst' | 'day'
  /** The limit, for people. */
  readonly text: string
  /** So long nothing more is taken. */
  readonly waitMs: number
}

/** Undefined: there is room for one more. */
export function overLimit(
  { minutes, hours }: { readonly minutes: BucketCount; readonly hours: BucketCount },
  { per10Minutes, perDay }: RecipientLimit,
  nowMs: number,
): Over | undefined {
  if (minutes.sum(BURST_MS, nowMs) >= per10Minutes) {
    const waitMs = minutes.waitMs(per10Minutes, BURST_MS, nowMs)
    return { window: 'burst', text: `${per10Minutes} recipients in 10 minutes`, waitMs }
  }
  if (hours.sum(DAY_MS, nowMs) < perDay) return undefined
  return { window: 'day', text: `${perDay} recipients in 24 hours`, waitMs: hours.waitMs(perDay, DAY_MS, nowMs) }
}
