/**
 * What the spam filter remembers, as one worker sees it: looks are in the store's pages and in memory, at once, and cost some
 * ten look-ups whatever there is; what it learns is told to the supervisor's desk, which writes (docs/adr/0030).
 *
 * The filter's own verdicts teach only where it was sure without asking this memory, so that no sender is bad because he is
 * bad. A store that cannot be read says REPUTATION_UNREADABLE, and is `silent`.
 */
import { registrant } from '#mail/registrable-domain.ts'
import type { SpamResult, SpamSign } from '#mail/spam.ts'
import type { RememberedNames } from '#store/remembered-names.ts'
import type { CorrespondentReader } from '#store/spam-correspondents.ts'
import { EVERYBODY, type SpamSenderReader } from '#store/spam-senders.ts'
import { hashOf } from '../classifier/words.ts'
import { combine } from '../combine.ts'
import { type Said, signOf } from '../contract.ts'
import { correspondentSigns } from './correspondents.ts'
import { domainOf, isAuthenticated, type MemoryFacts, networkOf, type Sender, sendersOf } from './facts.ts'
import { type Judged, NearDuplicates, type Sighting } from './near-duplicates.ts'
import { EVIDENCE, type Evidence, type OnRecord, reputationSigns, standingOf } from './reputation.ts'
import { MEMORY_SYMBOLS } from './signs.ts'

/** Scores, without this memory: 99.3 % spam, 95 % not. What is between teaches nothing. */
export const SURE_SPAM_SCORE = 5
export const SURE_HAM_SCORE = -3

/** What somebody, or a fact, says of a message: it was released from quarantine, called spam, or came to a honeypot. */
export interface SpamLesson {
  readonly kind: 'released' | 'reported' | 'honeypot'
  readonly facts: MemoryFacts
}

/** One sender's, of one tenant; without a tenant only all tenants' knowledge grows. */
export interface SenderEvidence {
  readonly tenant?: string
  readonly sender: Sender
  readonly evidence: Evidence
}

/** A tenant has written. Addresses are `mailboxKey`s. */
export interface Written {
  readonly tenant: string
  readonly addresses: readonly string[]
  /** Without brackets. */
  readonly messageId?: string
}

export interface SpamMemoryParts {
  readonly senders: Pick<SpamSenderReader, 'find'>
  readonly correspondents: Pick<CorrespondentReader, 'days'>
  readonly names: Pick<RememberedNames, 'digest'>
  /** Never goes back. */
  readonly wallMs: () => number
  /** Tell the desk, soon. */
  readonly tell: {
    evidence(evidence: SenderEvidence): void
    seen(sighting: Sighting): void
    judged(judged: Judged): void
  }
}

export class SpamMemory {
  readonly #parts: SpamMemoryParts
  readonly #duplicates: NearDuplicates

  constructor(parts: SpamMemoryParts, duplicates = new NearDuplicates()) {
    this.#parts = parts
    this.#duplicates = duplicates
  }

  signs(facts: MemoryFacts): { signs: SpamSign[]; silent: string[] } {
    const nowMs = this.#parts.wallMs()
    const { fingerprint } = facts.trail
    const near = fingerprint ? this.#duplicates.signs(facts.tenant, fingerprint, nowMs) : []
    try {
      return { signs: [...this.#ofSender(facts, nowMs), ...near].map(sign), silent: [] }
    } catch (error) {
      const unreadable = { symbol: 'REPUTATION_UNREADABLE', detail: (error as Error).message }
      return { signs: [...near, unreadable].map(sign), silent: ['memory'] }
    }
  }

  /** A verdict. `result`: with the signs of this memory. */
  heard(facts: MemoryFacts, result: Pick<SpamResult, 'signs'>): void {
    this.#see(facts)
    const without = result.signs.filter(({ symbol }) => !Object.hasOwn(MEMORY_SYMBOLS, symbol))
    const { score } = combine({ signs: without, silent: [], durationMs: 0 })
    if (score >= SURE_SPAM_SCORE) this.#learn(facts, EVIDENCE['judged-bad'])
    else if (score <= SURE_HAM_SCORE) this.#learn(facts, EVIDENCE['judged-good'])
  }

  taught({ kind, facts }: SpamLesson): void {
    this.#learn(facts, EVIDENCE[kind])
    const { tenant, trail } = facts
    if (trail.fingerprint === undefined) return
    this.#parts.tell.judged({ tenant, fingerprint: trail.fingerprint, isSpam: kind !== 'released' })
  }

  /** Other workers' messages. */
  sawElsewhere(sightings: readonly Sighting[]): void {
    for (const sighting of sightings) this.#duplicates.see(sighting)
  }

  /** What people have said, of any worker's messages; also at the start, the oldest first. */
  judged(judged: readonly Judged[]): void {
    for (const one of judged) this.#duplicates.judge(one)
  }

  #ofSender(facts: MemoryFacts, nowMs: number): Said[] {
    const { senders, correspondents, names } = this.#parts
    const { tenant } = facts
    const records = sendersOf(facts).map((sender): OnRecord => {
      const of = (scope: string) => senders.find(scope, names.digest(scope, sender.kind, sender.name))
      return { sender, own: of(tenant), everybody: of(EVERYBODY) }
    })
    const known = correspondentSigns(facts, (kind, name) =>
      correspondents.days(tenant, names.digest(tenant, kind, name), nowMs),
    )
    return [...reputationSigns(standingOf(records, nowMs)), ...known]
  }

  #learn(facts: MemoryFacts, evidence: Evidence): void {
    for (const sender of sendersOf(facts)) this.#parts.tell.evidence({ tenant: facts.tenant, sender, evidence })
  }

  #see({ about: { session, authenticated }, trail: { author, fingerprint } }: MemoryFacts): void {
    if (fingerprint === undefined || session === undefined) return
    const isProven = author !== undefined && isAuthenticated(author, authenticated)
    const domain = (isProven ? undefined : (authenticated?.dkim[0] ?? authenticated?.spf)) ?? domainOf(author ?? '')
    const sighting = {
      fingerprint,
      domain: hashOf(registrant(domain)),
      network: hashOf(networkOf(session.client)),
      isAuthenticated: isProven,
      atMs: this.#parts.wallMs(),
    }
    this.#duplicates.see(sighting)
    this.#parts.tell.seen(sighting)
  }
}

const sign = (said: Said): SpamSign => signOf(MEMORY_SYMBOLS, said)
