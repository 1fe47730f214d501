/**
 * What teaches, and what a fact is worth now. Law 4 in two pure functions: a lesson is only ever "known" or "unknown"
 * (whoever could not be asked teaches none), and nothing but age or a lesson ends a good address.
 */
import type { DomainFact, FactSource, FactState, RecipientFact } from '#store/recipient-facts.ts'
import type { KnowledgeLimits } from './limits.ts'

export interface Lesson {
  /** As `mailboxKey` makes it. */
  readonly key: string
  readonly state: FactState
  readonly source: FactSource
  /** `tenant/name` */
  readonly route: string
}

/** What is known after a lesson; undefined: it changes nothing that is worth writing down. */
export function taught(
  before: RecipientFact | undefined,
  { state, source, route }: Lesson,
  nowMs: number,
  limits: KnowledgeLimits,
): RecipientFact | undefined {
  const now = before && standing(before, route, nowMs, limits)
  if (state === 'known') {
    if (source === 'outgoing' && knowsBetter(before, route, now)) return undefined
    const stronger = source !== 'outgoing' && before?.source === 'outgoing'
    if (now?.state === 'known' && !stronger && now.ageMs < limits.confirmMs) return undefined
    return { state, atMs: nowMs, negativeMs: limits.negativeFirstMs, source, route }
  }
  return { state, atMs: nowMs, negativeMs: negativeMs(before, route, nowMs, limits), source, route }
}

// A customer may write from an address that takes no mail (noreply), and whoever has stolen an account from any: what the
// server said counts more, even where it holds no longer.
function knowsBetter(before: RecipientFact | undefined, route: string, now: Standing | undefined): boolean {
  if (before === undefined || before.source === 'outgoing' || !sameTenant(before.route, route)) return false
  return before.state === 'unknown' || now !== undefined
}

// It doubles when asked again after its time; two answers at one time confirm nothing.
function negativeMs(
  before: RecipientFact | undefined,
  route: string,
  nowMs: number,
  { negativeFirstMs, negativeMaxMs }: KnowledgeLimits,
): number {
  if (before?.state !== 'unknown' || !sameTenant(before.route, route)) return negativeFirstMs
  const times = nowMs - before.atMs >= before.negativeMs / 2 ? 2 : 1
  return Math.min(before.negativeMs * times, negativeMaxMs)
}

export interface Standing {
  readonly state: FactState
  readonly ageMs: number
  /** Good, and to be confirmed when the server can be asked; what outgoing mail shows is so from the beginning. */
  readonly stale: boolean
}

/** What a fact says now about a mailbox behind this route; undefined: nothing. */
export function standing(
  fact: RecipientFact,
  route: string,
  nowMs: number,
  limits: KnowledgeLimits,
): Standing | undefined {
  if (!sameTenant(fact.route, route)) return undefined
  const { state, atMs, negativeMs, source } = fact
  const ageMs = Math.max(0, nowMs - atMs)
  const validMs = state === 'known' ? limits.positiveValidMs : Math.min(negativeMs, limits.negativeMaxMs)
  if (ageMs > validMs) return undefined
  return { state, ageMs, stale: state === 'known' && (source === 'outgoing' || ageMs > limits.positiveRefreshMs) }
}

/** Does the server take every address? As long as a good address holds, and tested again as one. */
export function domainStanding(
  fact: DomainFact | undefined,
  route: string,
  nowMs: number,
  limits: KnowledgeLimits,
): { readonly takesAll: boolean; readonly ageMs: number; readonly stale: boolean } | undefined {
  if (fact === undefined || !sameTenant(fact.route, route)) return undefined
  const ageMs = Math.max(0, nowMs - fact.atMs)
  if (ageMs > limits.positiveValidMs) return undefined
  return { takesAll: fact.takesAll, ageMs, stale: ageMs > limits.takesAllTestMs }
}

// Law 7: what another tenant's server said is nobody else's business. A tenant's routes lead to the same mailboxes.
const sameTenant = (one: string, other: string): boolean => tenantOf(one) === tenantOf(other)
const tenantOf = (route: string): string => route.slice(0, route.indexOf('/'))
