/**
 * What a worker remembers about recipients, and whom it asks before it asks a customer's server. `OwnMemory` is that of
 * one process alone: the simulator's, the tools', the tests'. The workers of the running program share theirs
 * (shared-memory.ts).
 */
import type { DomainFact, RecipientFact } from '#store/recipient-facts.ts'
import type { Clock } from '#sys/clock.ts'
import { type CalloutAnswer, type LeaseAnswer, type LeaseRequest, Leases, type WaitAnswer } from './leases.ts'
import { type Lesson, taught } from './lesson.ts'
import type { KnowledgeLimits } from './limits.ts'

/** What a change concerns: one mailbox, a domain, or everything. */
export type Concern =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'domain'; readonly domain: string }
  | { readonly kind: 'all' }

/** The question that a callout answered. */
export type Question =
  | { readonly kind: 'recipient'; readonly key: string }
  /** A made-up address: does the server take every one? */
  | { readonly kind: 'takes-all'; readonly domain: string }

export interface CalloutResult {
  readonly question: Question
  readonly route: string
  readonly answer: CalloutAnswer
}

/** Never throws and never rejects: what cannot be remembered is not known. */
export interface Memory {
  /** Of the facts' times. */
  nowMs(): number
  get(key: string): RecipientFact | undefined
  domain(name: string): DomainFact | undefined
  /** What a delivery, or outgoing mail, teaches. */
  learn(lesson: Lesson): void
  lease(request: LeaseRequest): Promise<LeaseAnswer>
  wait(lease: number): Promise<WaitAnswer>
  /** How a callout ended, under its lease. */
  told(lease: number, result: CalloutResult): void
  /** A delivery reached the server. */
  reached(target: string): void
  /** The directory changed, or an operator said so: refusals that this process remembers by itself are forgotten. */
  changed(concern: Concern): void
  /** Facts that this process holds by itself. */
  readonly size: number
}

export const domainOf = (key: string): string => key.slice(key.lastIndexOf('@') + 1)

/** Does it concern this mailbox, or this question of a lease? */
export function concerns(concern: Concern, question: string): boolean {
  if (concern.kind === 'all') return true
  if (concern.kind === 'key') return question === concern.key
  return question.endsWith(`@${concern.domain}`) || question === `takes-all ${concern.domain}`
}

/** The lesson of a callout, if there is one. */
export function lessonOf({ question, route, answer }: CalloutResult): Lesson | undefined {
  if (question.kind !== 'recipient' || answer.kind === 'unreachable') return undefined
  return { key: question.key, state: answer.kind, source: 'callout', route }
}

/**
 * What an answer says about the domain as a whole; undefined: nothing new. Who refuses one recipient does not take all,
 * unless that is a rare exception: then the next test says so again.
 */
export function domainLesson(
  { question, answer, route }: CalloutResult,
  before: DomainFact | undefined,
  nowMs: number,
): { readonly domain: string; readonly fact: DomainFact } | undefined {
  if (answer.kind === 'unreachable') return undefined
  const takesAll = answer.kind === 'known'
  if (question.kind === 'takes-all') return { domain: question.domain, fact: { takesAll, atMs: nowMs, route } }
  if (takesAll || (before !== undefined && !before.takesAll && before.route === route)) return undefined
  return { domain: domainOf(question.key), fact: { takesAll: false, atMs: nowMs, route } }
}

/** A delivery was refused where every address is taken, they say: the next occasion is one for a test. */
export function doubted(
  { state, source }: Lesson,
  before: DomainFact | undefined,
  nowMs: number,
  { takesAllTestMs }: KnowledgeLimits,
): DomainFact | undefined {
  if (state !== 'unknown' || source !== 'delivery' || before === undefined || !before.takesAll) return undefined
  return { ...before, atMs: Math.min(before.atMs, nowMs - takesAllTestMs - 1) }
}

export class OwnMemory implements Memory {
  readonly #clock: Clock
  readonly #limits: KnowledgeLimits
  readonly #facts = new Map<string, RecipientFact>()
  readonly #domains = new Map<string, DomainFact>()
  readonly #leases: Leases

  constructor(clock: Clock, limits: KnowledgeLimits) {
    this.#clock = clock
    this.#limits = limits
    this.#leases = new Leases(clock, limits)
  }

  // Nothing of it outlives the process, so monotonic time does.
  nowMs(): number {
    return this.#clock.monotonic()
  }

  get(key: string): RecipientFact | undefined {
    return this.#facts.get(key)
  }

  domain(name: string): DomainFact | undefined {
    return this.#domains.get(name)
  }

  learn(lesson: Lesson): void {
    const nowMs = this.nowMs()
    const fact = taught(this.#facts.get(lesson.key), lesson, nowMs, this.#limits)
    if (fact !== undefined) keepBounded(this.#facts, lesson.key, fact, this.#limits.inMemoryMax)
    const domain = domainOf(lesson.key)
    const doubt = doubted(lesson, this.#domains.get(domain), nowMs, this.#limits)
    if (doubt !== undefined) this.#domains.set(domain, doubt)
  }

  async lease(request: LeaseRequest): Promise<LeaseAnswer> {
    return this.#leases.ask(0, request)
  }

  wait(lease: number): Promise<WaitAnswer> {
    return this.#leases.wait(lease)
  }

  told(lease: number, result: CalloutResult): void {
    const held = this.#leases.told(lease, result.answer)
    if (!held && result.answer.kind !== 'known') return
    const lesson = lessonOf(result)
    if (lesson !== undefined) this.learn(lesson)
    const name = result.question.kind === 'recipient' ? domainOf(result.question.key) : result.question.domain
    const domain = domainLesson(result, this.#domains.get(name), this.nowMs())
    if (domain !== undefined) keepBounded(this.#domains, domain.domain, domain.fact, this.#limits.inMemoryMax)
  }

  reached(target: string): void {
    this.#leases.reached(target)
  }

  changed(concern: Concern): void {
    for (const [key, { state }] of this.#facts) {
      if (state === 'unknown' && concerns(concern, key)) this.#facts.delete(key)
    }
    for (const name of this.#domains.keys()) if (concerns(concern, `takes-all ${name}`)) this.#domains.delete(name)
    this.#leases.takeBack((question) => concerns(concern, question))
  }

  get size(): number {
    return this.#facts.size
  }
}

/** The oldest go first. */
export function keepBounded<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > max) map.delete(map.keys().next().value!)
}
