/**
 * Does this recipient exist? The list, what was learned, and last the customer's own server (a callout) say so.
 *
 * Law 4: unknown is not no. Only a 5yz to the RCPT of our own probe, or of a delivery, teaches "unknown". A server that
 * cannot be asked teaches nothing about the recipient: a good address stays good through an outage.
 *
 * Each worker has its own knowledge, in memory; sharing it and keeping it is the next step of this stage.
 */
import { type ForwardPath, type Mailbox, mailboxKey } from '#mail/address.ts'
import type { Soon } from '#mail/decisions.ts'
import type { ProbeAnswer } from '#mail/probe.ts'
import type { Clock } from '#sys/clock.ts'
import type { Route, ServedDomain } from '#tenant/directory.ts'
import { Breaker } from './breaker.ts'
import { askList, type ListReader } from './lists.ts'

export type RecipientSourceName = 'postmaster' | 'listed' | 'accept-all' | 'learned' | 'live'

export type RecipientAnswer =
  | { readonly kind: 'known'; readonly source: RecipientSourceName; readonly ageMs: number }
  | { readonly kind: 'unknown'; readonly source: RecipientSourceName; readonly ageMs: number }
  /** Nobody can say now. `text` is for the operator; it may name the customer's host. */
  | { readonly kind: 'unreachable'; readonly text: string }

/** Why these figures: DESIGN, "Recipient knowledge". */
export interface KnowledgeLimits {
  /** Ask again after this; until the answer is there the old one holds. */
  readonly positiveRefreshMs: number
  /** Forget a good address that nothing has confirmed for so long. */
  readonly positiveValidMs: number
  readonly negativeFirstMs: number
  readonly negativeMaxMs: number
  /** After a server could not be asked, it is left alone for this long. */
  readonly unreachableMs: number
  /** Callouts per second to one route; a flood of invented recipients must not become a flood at the customer's. */
  readonly probesPerSecondMax: number
  /** Addresses remembered; the one unused longest goes first. About 200 octets each. */
  readonly addressesMax: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
export const KNOWLEDGE_LIMITS: KnowledgeLimits = {
  positiveRefreshMs: 24 * HOUR,
  positiveValidMs: 31 * 24 * HOUR,
  negativeFirstMs: 15 * MINUTE,
  negativeMaxMs: 2 * HOUR,
  unreachableMs: MINUTE,
  probesPerSecondMax: 10,
  addressesMax: 200_000,
}

class Memory {
  state: 'known' | 'unknown'
  atMs: number
  /** Of a negative answer; doubles each time it is confirmed. */
  negativeMs: number
  constructor(state: 'known' | 'unknown', atMs: number, negativeMs: number) {
    this.state = state
    this.atMs = atMs
    this.negativeMs = negativeMs
  }
}

export interface KnowledgeParts {
  readonly clock: Clock
  readonly limits: KnowledgeLimits
  /** For domains whose recipients come from a directory; without it nobody can say who exists there. */
  readonly lists?: ListReader
  readonly probe: (route: Route, mailbox: Mailbox) => Promise<ProbeAnswer>
  /** Told of every callout, for metrics. */
  readonly probed?: (route: Route, answer: ProbeAnswer) => void
}

export class RecipientKnowledge {
  readonly #parts: KnowledgeParts
  readonly #memories = new Map<string, Memory>()
  readonly #asking = new Map<string, Promise<RecipientAnswer>>()
  readonly #breakers = new Map<string, Breaker>()

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
    switch (domain.recipients.kind) {
      case 'listed':
        return this.#listed(domain.recipients.keys.has(key), key)
      case 'accept-all':
        return this.#remembered(key, 'unknown') ?? { kind: 'known', source: 'accept-all', ageMs: 0 }
      case 'live':
        return this.#live(domain.route, path.mailbox, key)
      case 'directory':
        return this.#directory(domain, path.mailbox, key, domain.recipients.otherwise)
    }
  }

  #directory(domain: ServedDomain, mailbox: Mailbox, key: string, otherwise: 'refuse' | 'live'): Soon<RecipientAnswer> {
    const { lists, clock } = this.#parts
    const answer = askList(lists, domain, key, clock.wall())
    if (answer.kind === 'listed') {
      return this.#remembered(key, 'unknown') ?? { kind: 'known', source: 'listed', ageMs: answer.ageMs }
    }
    if (otherwise === 'live') return this.#live(domain.route, mailbox, key)
    return answer.kind === 'absent'
      ? { kind: 'unknown', source: 'listed', ageMs: answer.ageMs }
      : { kind: 'unreachable', text: answer.text }
  }

  // A listed address that the customer's server refused a moment ago is unknown for a short time: who maintains the
  // list may be behind who maintains the mailboxes.
  #listed(onList: boolean, key: string): RecipientAnswer {
    if (!onList) return { kind: 'unknown', source: 'listed', ageMs: 0 }
    return this.#remembered(key, 'unknown') ?? { kind: 'known', source: 'listed', ageMs: 0 }
  }

  #live(route: Route, mailbox: Mailbox, key: string): Soon<RecipientAnswer> {
    const known = this.#remembered(key, 'known')
    if (known?.kind === 'known') {
      if (known.ageMs > this.#parts.limits.positiveRefreshMs) void this.#ask(route, mailbox, key)
      return known
    }
    return this.#remembered(key, 'unknown') ?? this.#ask(route, mailbox, key)
  }

  #remembered(key: string, state: 'known' | 'unknown'): RecipientAnswer | undefined {
    const memory = this.#memories.get(key)
    if (memory === undefined || memory.state !== state) return undefined
    const ageMs = this.#parts.clock.monotonic() - memory.atMs
    const validMs = state === 'known' ? this.#parts.limits.positiveValidMs : memory.negativeMs
    return ageMs > validMs ? undefined : { kind: state, source: 'learned', ageMs }
  }

  // Single flight: however many sessions ask for one address, the customer's server hears one question.
  #ask(route: Route, mailbox: Mailbox, key: string): Promise<RecipientAnswer> {
    const open = this.#asking.get(key)
    if (open) return open
    const asking = this.#callout(route, mailbox, key).finally(() => this.#asking.delete(key))
    this.#asking.set(key, asking)
    return asking
  }

  async #callout(route: Route, mailbox: Mailbox, key: string): Promise<RecipientAnswer> {
    const breaker = this.#breaker(route.id)
    const refusal = breaker.mayAsk()
    if (refusal !== undefined) return { kind: 'unreachable', text: refusal }
    const answer = await this.#parts.probe(route, mailbox)
    this.#parts.probed?.(route, answer)
    if (answer.kind === 'unreachable') {
      breaker.failed(answer.text)
      return { kind: 'unreachable', text: answer.text }
    }
    breaker.answered()
    this.learn(key, answer.kind)
    return { kind: answer.kind, source: 'live', ageMs: 0 }
  }

  #breaker(routeId: string): Breaker {
    let breaker = this.#breakers.get(routeId)
    if (breaker === undefined) {
      const { clock, limits } = this.#parts
      breaker = new Breaker(clock, limits.unreachableMs, limits.probesPerSecondMax)
      this.#breakers.set(routeId, breaker)
    }
    return breaker
  }

  /** What a callout or a delivery taught: the customer's server took, or refused with 5yz, a RCPT for this key. */
  learn(key: string, state: 'known' | 'unknown'): void {
    const { limits, clock } = this.#parts
    const before = this.#memories.get(key)
    const negativeMs =
      state === 'unknown' && before?.state === 'unknown'
        ? Math.min(before.negativeMs * 2, limits.negativeMaxMs)
        : limits.negativeFirstMs
    this.#memories.delete(key)
    this.#memories.set(key, new Memory(state, clock.monotonic(), negativeMs))
    if (this.#memories.size > limits.addressesMax) {
      this.#memories.delete(this.#memories.keys().next().value!)
    }
  }

  /** A delivery got through: a pause after failed callouts to this route is over. */
  reached(routeId: string): void {
    this.#breakers.get(routeId)?.answered()
  }

  /** The customer changed something: what was learned as "unknown" is forgotten at once. */
  forgetUnknown(): void {
    for (const [key, memory] of this.#memories) if (memory.state === 'unknown') this.#memories.delete(key)
    this.#breakers.clear()
  }

  get size(): number {
    return this.#memories.size
  }
}
