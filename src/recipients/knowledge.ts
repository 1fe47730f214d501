/**
 * Does this recipient exist? The list, what was learned, and last the customer's own server (a callout) say so.
 *
 * Law 4: unknown is not no. Only a 5yz to the RCPT of our own probe, or of a delivery, teaches "unknown". A server that
 * cannot be asked teaches nothing about the recipient: a good address stays good through an outage.
 *
 * What is known is looked up in memory or in the store at once; nothing on that path waits for another process.
 */
import { type ForwardPath, type Mailbox, mailboxKey } from '#mail/address.ts'
import type { Soon } from '#mail/decisions.ts'
import type { ProbeAnswer } from '#mail/probe.ts'
import type { FactSource, RecipientFact } from '#store/recipient-facts.ts'
import type { Clock } from '#sys/clock.ts'
import type { Route, ServedDomain } from '#tenant/directory.ts'
import { type CalloutAnswer, calloutAnswer, calloutTarget, takesAllQuestion } from './leases.ts'
import { domainStanding, type Standing, standing } from './lesson.ts'
import type { KnowledgeLimits } from './limits.ts'
import { askList, type ListReader } from './lists.ts'
import { madeUpMailbox } from './made-up-mailbox.ts'
import { type Concern, concerns, type Memory, type Question } from './memory.ts'

export { KNOWLEDGE_LIMITS, type KnowledgeLimits } from './limits.ts'
export type { ListReader } from './lists.ts'

/** `callout`, `delivery` and `outgoing` are remembered; `live` was asked just now; `takes-all`: the server takes any. */
export type RecipientSourceName = 'postmaster' | 'listed' | 'accept-all' | 'takes-all' | 'live' | FactSource

export type RecipientAnswer =
  | { readonly kind: 'known'; readonly source: RecipientSourceName; readonly ageMs: number }
  | { readonly kind: 'unknown'; readonly source: RecipientSourceName; readonly ageMs: number }
  /** Nobody can say now. `text` is for the operator; it may name the customer's host. */
  | { readonly kind: 'unreachable'; readonly text: string }

export interface KnowledgeParts {
  readonly clock: Clock
  readonly limits: KnowledgeLimits
  readonly memory: Memory
  readonly probe: (route: Route, mailbox: Mailbox) => Promise<ProbeAnswer>
  /** In [0, 1). */
  readonly random: () => number
  /** For domains whose recipients come from a directory; without it nobody can say who exists there. */
  readonly lists?: ListReader
  /** Of deliveries that got through. */
  readonly route?: (id: string) => Route | undefined
  /** Told of every callout, for metrics. */
  readonly probed?: (route: Route, answer: ProbeAnswer) => void
  /** A made-up address was asked for: does the domain's server take it? R1 wants to know. */
  readonly tested?: (route: Route, domain: string, takesAll: boolean) => void
}

/** The holder of a lease may die, and so may the next one. */
const LEASES_TRIED_MAX = 3
/** Answers for a domain by the name of a wildcard are kept per subdomain; background questions at a time. */
const REFRESHES_MAX = 10_000

export class RecipientKnowledge {
  readonly #parts: KnowledgeParts
  readonly #asking = new Map<string, Promise<RecipientAnswer>>()
  /** Questions in the background, and when they may be asked again. */
  readonly #refreshedMs = new Map<string, number>()
  /** Questions to servers now. What changes meanwhile makes a refusal out of date. */
  readonly #underWay = new Set<{ readonly about: string; outdated: boolean }>()

  constructor(parts: KnowledgeParts) {
    this.#parts = parts
  }

  /** At once where list or memory can tell; otherwise after a callout. Never rejects. */
  verify(domain: ServedDomain, path: ForwardPath): Soon<RecipientAnswer> {
    // RFC 5321 §4.5.1: postmaster is there for every domain that we serve.
    if (path.kind === 'postmaster' || path.mailbox.localPart.toLowerCase() === 'postmaster') {
      return { kind: 'known', source: 'postmaster', ageMs: 0 }
    }
    const key = mailboxKey(path.mailbox)
    const { recipients } = domain
    switch (recipients.kind) {
      case 'listed':
        return recipients.keys.has(key) ? this.#listed(domain, key, 0) : { kind: 'unknown', source: 'listed', ageMs: 0 }
      case 'directory':
        return this.#inDirectory(domain, recipients.otherwise, path.mailbox, key)
      case 'accept-all':
        return this.#refusal(domain, key) ?? { kind: 'known', source: 'accept-all', ageMs: 0 }
      case 'live':
        return this.#live(domain, path.mailbox, key)
    }
  }

  // A listed address that the customer's server refused a moment ago is unknown for a short time: who maintains the
  // list may be behind who maintains the mailboxes.
  #listed(domain: ServedDomain, key: string, ageMs: number): RecipientAnswer {
    return this.#refusal(domain, key) ?? { kind: 'known', source: 'listed', ageMs }
  }

  #inDirectory(
    domain: ServedDomain,
    otherwise: 'refuse' | 'live',
    mailbox: Mailbox,
    key: string,
  ): Soon<RecipientAnswer> {
    const { lists, clock } = this.#parts
    const found = askList(lists, domain, key, clock.wall())
    if (found.kind === 'listed') return this.#listed(domain, key, found.ageMs)
    if (otherwise === 'live') return this.#live(domain, mailbox, key)
    // A list that never came says nothing: unknown is not no.
    return found.kind === 'no-list'
      ? { kind: 'unreachable', text: found.text }
      : { kind: 'unknown', source: 'listed', ageMs: found.ageMs }
  }

  #live(domain: ServedDomain, mailbox: Mailbox, key: string): Soon<RecipientAnswer> {
    const fact = this.#parts.memory.get(key)
    const now = fact && this.#standing(fact, domain.route)
    // Its own server has not spoken yet; this counts when it cannot be asked.
    if (now !== undefined && fact!.source === 'outgoing') return this.#wrote(domain, mailbox, key, now.ageMs)
    if (now !== undefined) {
      if (now.stale) this.#inBackground(key, () => this.#ask(domain, mailbox, key))
      return { kind: now.state, source: fact!.source, ageMs: now.ageMs }
    }
    return this.#takesAll(domain) ?? this.#ask(domain, mailbox, key)
  }

  #wrote(domain: ServedDomain, mailbox: Mailbox, key: string, ageMs: number): Soon<RecipientAnswer> {
    const wrote: RecipientAnswer = { kind: 'known', source: 'outgoing', ageMs }
    return (
      this.#takesAll(domain) ??
      this.#ask(domain, mailbox, key).then((answer) => (answer.kind === 'unreachable' ? wrote : answer))
    )
  }

  // Where any address is taken, a callout for each would teach nothing.
  #takesAll(domain: ServedDomain): RecipientAnswer | undefined {
    const { memory, limits } = this.#parts
    const fact = domainStanding(memory.domain(domain.name), domain.route.id, memory.nowMs(), limits)
    if (fact === undefined || !fact.takesAll) return undefined
    if (fact.stale) this.#inBackground(takesAllQuestion(domain.name), () => this.#test(domain))
    return { kind: 'known', source: 'takes-all', ageMs: fact.ageMs }
  }

  #refusal(domain: ServedDomain, key: string): RecipientAnswer | undefined {
    const fact = this.#parts.memory.get(key)
    const now = fact && this.#standing(fact, domain.route)
    return now?.state === 'unknown' ? { kind: 'unknown', source: fact!.source, ageMs: now.ageMs } : undefined
  }

  #standing(fact: RecipientFact, route: Route): Standing | undefined {
    return standing(fact, route.id, this.#parts.memory.nowMs(), this.#parts.limits)
  }

  /** An operator wants to know now; what is known already does not count. Never rejects. */
  askNow(domain: ServedDomain, mailbox: Mailbox, sinceMs: number): Promise<RecipientAnswer> {
    return this.#callout(domain, mailbox, mailboxKey(mailbox), sinceMs)
  }

  // Single flight in this process: however many sessions ask for one address, one of them asks the others.
  #ask(domain: ServedDomain, mailbox: Mailbox, key: string): Promise<RecipientAnswer> {
    const open = this.#asking.get(key)
    if (open) return open
    const asking = this.#callout(domain, mailbox, key).finally(() => this.#asking.delete(key))
    this.#asking.set(key, asking)
    return asking
  }

  async #callout(domain: ServedDomain, mailbox: Mailbox, key: string, sinceMs?: number): Promise<RecipientAnswer> {
    const { memory } = this.#parts
    const { route } = domain
    const request = {
      about: key,
      target: calloutTarget(route),
      route: route.id,
      ...(sinceMs !== undefined && { sinceMs }),
    }
    for (let tried = 0; tried < LEASES_TRIED_MAX; tried++) {
      const leave = await memory.lease(request)
      if (leave.kind === 'not-now') return { kind: 'unreachable', text: leave.text }
      if (leave.kind === 'probe') {
        const answer = await this.#probe(route, mailbox, { kind: 'recipient', key }, leave.lease)
        if (answer.kind === 'known') this.#testSometimes(domain)
        return answerOf(answer)
      }
      if (leave.kind === 'wait') {
        const told = await memory.wait(leave.lease)
        if (told.kind !== 'again') return answerOf(told)
      }
      const fact = memory.get(key)
      const now = fact && this.#standing(fact, route)
      if (leave.kind === 'look' && now) return { kind: now.state, source: fact!.source, ageMs: now.ageMs }
    }
    return { kind: 'unreachable', text: 'whoever asked the server for it did not tell' }
  }

  // A session does not wait for a server for minutes. What it says later is still learned, if it is good.
  async #probe(route: Route, mailbox: Mailbox, question: Question, lease: number): Promise<CalloutAnswer> {
    const { clock, limits, memory } = this.#parts
    const tell = (answer: CalloutAnswer): void => memory.told(lease, { question, route: route.id, answer })
    let late = false
    const asked = this.#hear(route, mailbox, question).then((answer) => {
      if (!late || answer.kind === 'known') tell(answer)
      return answer
    })
    const patience = Promise.withResolvers<undefined>()
    const cancel = clock.after(limits.calloutMsMax, () => patience.resolve(undefined))
    const answer = await Promise.race([asked, patience.promise])
    cancel()
    if (answer !== undefined) return answer
    late = true
    const text = `no answer to a callout within ${limits.calloutMsMax / 1000} s`
    const silence: CalloutAnswer = { kind: 'unreachable', about: 'server', text }
    tell(silence)
    return silence
  }

  async #hear(route: Route, mailbox: Mailbox, question: Question): Promise<CalloutAnswer> {
    const { probe, probed } = this.#parts
    const about = question.kind === 'recipient' ? question.key : takesAllQuestion(question.domain)
    const underWay = { about, outdated: false }
    this.#underWay.add(underWay)
    const answer = await probe(route, mailbox)
    this.#underWay.delete(underWay)
    probed?.(route, answer)
    if (!underWay.outdated || answer.kind !== 'unknown') return calloutAnswer(answer)
    return { kind: 'unreachable', about: 'recipient', text: 'the directory changed meanwhile' }
  }

  #testSometimes(domain: ServedDomain): void {
    const { memory, limits } = this.#parts
    const fact = domainStanding(memory.domain(domain.name), domain.route.id, memory.nowMs(), limits)
    if (fact !== undefined && !fact.stale) return
    this.#inBackground(takesAllQuestion(domain.name), () => this.#test(domain))
  }

  /** Asks for a mailbox that nobody has. */
  async #test({ name, route }: ServedDomain): Promise<void> {
    const { memory, random, tested } = this.#parts
    const mailbox = madeUpMailbox(name, random)
    const about = takesAllQuestion(name)
    const leave = await memory.lease({ about, target: calloutTarget(route), route: route.id })
    if (leave.kind !== 'probe' || mailbox === undefined) return
    const answer = await this.#probe(route, mailbox, { kind: 'takes-all', domain: name }, leave.lease)
    if (answer.kind !== 'unreachable') tested?.(route, name, answer.kind === 'known')
  }

  // What could not be asked now is not asked again with every message.
  #inBackground(question: string, ask: () => Promise<unknown>): void {
    const nowMs = this.#parts.clock.monotonic()
    const againMs = this.#refreshedMs.get(question)
    if (againMs !== undefined && nowMs < againMs) return
    this.#refreshedMs.delete(question)
    this.#refreshedMs.set(question, nowMs + this.#parts.limits.unreachableMs)
    if (this.#refreshedMs.size > REFRESHES_MAX) this.#refreshedMs.delete(this.#refreshedMs.keys().next().value!)
    void ask()
  }

  /** The customer's server took, or refused with 5yz, a RCPT for this key (a delivery); or its owner wrote (outgoing). */
  learn(key: string, state: 'known' | 'unknown', route: string, source: FactSource = 'delivery'): void {
    this.#parts.memory.learn({ key, state, source, route })
  }

  /** A delivery got through: a pause after failed callouts to this route is over. */
  reached(routeId: string): void {
    const route = this.#parts.route?.(routeId)
    if (route !== undefined) this.#parts.memory.reached(calloutTarget(route))
  }

  /** The customer changed something: what was learned as "unknown" is forgotten at once. */
  changed(concern: Concern = { kind: 'all' }): void {
    for (const underWay of this.#underWay) if (concerns(concern, underWay.about)) underWay.outdated = true
    this.#refreshedMs.clear()
    this.#parts.memory.changed(concern)
  }

  get size(): number {
    return this.#parts.memory.size
  }
}

const answerOf = (answer: CalloutAnswer): RecipientAnswer =>
  answer.kind === 'unreachable'
    ? { kind: 'unreachable', text: answer.text }
    : { kind: answer.kind, source: 'live', ageMs: 0 }
