/**
 * How many recipients of each domain a login and a tenant have sent to, for the limits that hold for one domain (R7). Only
 * what has such a limit is counted.
 *
 * In memory; the caller writes changed buckets down. Each tenant has room for `DOMAINS_PER_TENANT_MAX` pairs of a sender
 * and a domain, some 600 octets each; the one not used for longest is forgotten, and it is none that is near a limit.
 */
import { BURST_MS, BucketCount, DAY_MS, HOUR_MS, MINUTE_MS } from '#policy/abuse.ts'
import { type Limit, overLimit } from '#policy/sending-limits.ts'
import type { CountRow } from '#store/sending-counts.ts'
import type { QuotaAnswer } from '../../relay/outbound.ts'

export const DOMAINS_PER_TENANT_MAX = 10_000

const COUNTED = {
  minutes: { bucketMs: MINUTE_MS, keepMs: BURST_MS },
  hours: { bucketMs: HOUR_MS, keepMs: DAY_MS },
} as const
type What = keyof typeof COUNTED
type Counts = { readonly [what in What]: BucketCount }

export interface ToDomain {
  readonly tenant: string
  readonly login?: string
  readonly domain: string
}

export class DomainCounts {
  readonly #note: (row: CountRow) => void
  /** By tenant, then by sender and domain, the one used last at the end. */
  readonly #tenants = new Map<string, Map<string, Counts>>()

  constructor(note: (row: CountRow) => void) {
    this.#note = note
  }

  /** True: the row is one of ours. */
  load({ subject, what, startMs, count }: CountRow): boolean {
    const [prefix, tenant, key] = [subject.slice(0, 3), ...halves(subject.slice(3))]
    if (prefix !== 'to ') return false
    if (what in COUNTED) this.#counts(tenant, key)[what as What].add(count, startMs)
    return true
  }

  /** Undefined: there is room within all of these limits. */
  over(to: ToDomain, limits: readonly Limit[], nowMs: number): Extract<QuotaAnswer, { kind: 'over' }> | undefined {
    for (const { of, limit } of limits) {
      const over = overLimit(this.#counts(to.tenant, keyOf(of, to)), limit, nowMs)
      const who = of === 'login' ? to.login : `tenant ${to.tenant}`
      if (over !== undefined) return { kind: 'over', ...over, text: `${who} to ${to.domain}: ${over.text}` }
    }
    return undefined
  }

  add(to: ToDomain, limits: readonly Limit[], nowMs: number): void {
    for (const { of } of limits) {
      const key = keyOf(of, to)
      const counts = this.#counts(to.tenant, key)
      for (const what of ['minutes', 'hours'] as const) {
        const { bucketMs, keepMs } = COUNTED[what]
        const changed = counts[what].add(1, nowMs)
        this.#note({
          subject: `to ${to.tenant} ${key}`,
          what,
          ...changed,
          untilMs: changed.startMs + bucketMs + keepMs,
        })
      }
    }
  }

  #counts(tenant: string, key: string): Counts {
    const pairs = this.#tenants.get(tenant) ?? new Map<string, Counts>()
    this.#tenants.set(tenant, pairs)
    const { minutes, hours } = COUNTED
    const counts = pairs.get(key) ?? {
      minutes: new BucketCount(minutes.bucketMs, minutes.keepMs),
      hours: new BucketCount(hours.bucketMs, hours.keepMs),
    }
    pairs.delete(key)
    if (pairs.size >= DOMAINS_PER_TENANT_MAX) pairs.delete(pairs.keys().next().value ?? '')
    pairs.set(key, counts)
    return counts
  }
}

// Neither tenants, logins nor domains have spaces; a login is never `*`, since it would be one for all.
const keyOf = (of: Limit['of'], { login, domain }: ToDomain): string => `${of === 'login' ? login : '*'} ${domain}`

function halves(text: string): [string, string] {
  const space = text.indexOf(' ')
  return [text.slice(0, space), text.slice(space + 1)]
}
