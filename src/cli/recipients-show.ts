/**
 * What is known about one address or one domain, for people: put together by the running program's clerk, or from the
 * store's file while nothing runs.
 */

import { type Mailbox, mailboxKey, parseMailbox } from '#mail/address.ts'
import { parseDomainName } from '#mail/domain.ts'
import type { ListReader } from '#recipients/knowledge.ts'
import { calloutTarget } from '#recipients/leases.ts'
import { domainStanding, standing } from '#recipients/lesson.ts'
import { KNOWLEDGE_LIMITS } from '#recipients/limits.ts'
import type { FactState, RecipientFact, RecipientFacts } from '#store/recipient-facts.ts'
import type { Directory, RecipientSource, ServedDomain } from '#tenant/directory.ts'
import { EXIT, UserError } from './exit.ts'

export type Subject =
  | { readonly kind: 'mailbox'; readonly mailbox: Mailbox; readonly domain: string }
  | { readonly kind: 'domain'; readonly domain: string }

/** Throws UserError. */
export function subjectOf(text: string): Subject {
  if (!text.includes('@')) {
    const domain = parseDomainName(text)
    if (domain !== undefined) return { kind: 'domain', domain }
    throw new UserError(
      `${text} is neither an address nor a domain`,
      'Write anna@bakery.example or bakery.example.',
      EXIT.config,
    )
  }
  const parsed = parseMailbox(text)
  if (!parsed.ok || parsed.value.domain.kind !== 'name') {
    throw new UserError(`${text} is not an address`, 'Write it as anna@bakery.example.', EXIT.config)
  }
  return { kind: 'mailbox', mailbox: parsed.value, domain: parsed.value.domain.ascii }
}

/** All ages and durations in ms. */
export interface Shown {
  readonly domain: string
  readonly address?: string
  /** Absent: a domain that is not served. */
  readonly served?: {
    readonly tenant: string
    readonly route: string
    readonly source: RecipientSource['kind']
    /** Why its servers are not asked now. */
    readonly trouble?: string
  }
  /** Is the address on the list that the domain has? */
  readonly listed?: boolean
  readonly learned?: {
    readonly state: FactState
    readonly source: RecipientFact['source']
    readonly route: string
    readonly ageMs: number
    /** False: it is too old, or of another tenant's server, and says nothing any more. */
    readonly holds: boolean
    readonly stale: boolean
    readonly holdsForMs: number
  }
  readonly takesAll?: { readonly takesAll: boolean; readonly ageMs: number; readonly stale: boolean }
  /** Of a domain. */
  readonly counts?: Record<FactState, number>
}

export interface LookUpParts {
  readonly directory: Directory
  readonly facts: RecipientFacts
  readonly nowMs: number
  readonly lists?: ListReader
  readonly trouble?: (target: string) => string | undefined
}

export function lookUp(subject: Subject, parts: LookUpParts): Shown {
  const { directory, facts, nowMs } = parts
  const served = directory.domain(subject.domain)
  const takesAll = served && domainStanding(facts.domain(subject.domain), served.route.id, nowMs, KNOWLEDGE_LIMITS)
  const common = {
    domain: subject.domain,
    ...(served && { served: servedOf(served, parts) }),
    ...(takesAll && { takesAll }),
  }
  if (subject.kind === 'domain') return { ...common, counts: facts.countsOfDomain(subject.domain) }
  const key = mailboxKey(subject.mailbox)
  const fact = facts.get(key)
  const listed = served && isListed(served, key, parts.lists)
  return {
    ...common,
    address: key,
    ...(listed !== undefined && { listed }),
    ...(fact && { learned: learnedOf(fact, served, nowMs) }),
  }
}

function servedOf({ tenant, route, recipients }: ServedDomain, { trouble }: LookUpParts): NonNullable<Shown['served']> {
  const why = trouble?.(calloutTarget(route))
  return { tenant: tenant.name, route: route.id, source: recipients.kind, ...(why !== undefined && { trouble: why }) }
}

function isListed({ name, recipients }: ServedDomain, key: string, lists: ListReader | undefined): boolean | undefined {
  if (recipients.kind === 'listed') return recipients.keys.has(key)
  return recipients.kind === 'directory' ? lists?.has(name, key)?.listed : undefined
}

function learnedOf(
  fact: RecipientFact,
  served: ServedDomain | undefined,
  nowMs: number,
): NonNullable<Shown['learned']> {
  const { state, source, route } = fact
  const now = standing(fact, served?.route.id ?? route, nowMs, KNOWLEDGE_LIMITS)
  const ageMs = Math.max(0, nowMs - fact.atMs)
  const validMs = state === 'known' ? KNOWLEDGE_LIMITS.positiveValidMs : fact.negativeMs
  const holds = now !== undefined
  return { state, source, route, ageMs, holds, stale: now?.stale ?? false, holdsForMs: holds ? validMs - ageMs : 0 }
}
