/**
 * Writes lessons into the store: many in one commit, since each commit waits for the disk. The supervisor has it, for all
 * workers. A disk that fails loses lessons, and nothing else: they come again with the next callout or delivery.
 */
import type { PruneLimits, RecipientFactsWriter } from '#store/recipient-facts.ts'
import type { Clock } from '#sys/clock.ts'
import { type Lesson, standing, taught } from './lesson.ts'
import type { KnowledgeLimits } from './limits.ts'
import { type CalloutResult, domainAsked, domainLesson, domainOf, doubted, lessonOf } from './memory.ts'
import { OutgoingQuota } from './outgoing-quota.ts'

export type Entry =
  | { readonly kind: 'lesson'; readonly lesson: Lesson }
  | { readonly kind: 'callout'; readonly result: CalloutResult }

export interface LessonBookParts {
  readonly facts: RecipientFactsWriter
  readonly wall: { now(): number }
  readonly clock: Clock
  readonly limits: KnowledgeLimits
  readonly fault: (text: string) => void
}

/** Long enough to gather what several workers say in a burst; whoever waits for it is no session. */
const BATCH_MS = 20
const PRUNED_MAX = 20_000
/** Until the next turn: sooner, where much is left to do. */
const PRUNE_MS = 600_000
const PRUNE_SOON_MS = 5_000

export class LessonBook {
  readonly #parts: LessonBookParts
  #waiting: Entry[] = []
  #batch: Promise<void> | undefined
  #writeNow: (() => void) | undefined
  #cancelPrune = () => {}
  readonly #outgoing: OutgoingQuota

  constructor(parts: LessonBookParts) {
    this.#parts = parts
    this.#outgoing = new OutgoingQuota(parts.clock, parts.limits.outgoingNewPerDayMax, parts.fault)
  }

  /** Resolves when it is written, or lost. Never rejects. */
  add(entries: readonly Entry[]): Promise<void> {
    this.#waiting.push(...entries)
    this.#batch ??= new Promise((resolve) => {
      const write = (): void => {
        cancel()
        this.#batch = undefined
        this.#writeNow = undefined
        this.#write()
        resolve()
      }
      const cancel = this.#parts.clock.after(BATCH_MS, write)
      this.#writeNow = write
    })
    return this.#batch
  }

  /** What was added before this is in the store after it, or dropped. */
  flush(): void {
    this.#writeNow?.()
  }

  /** Now, and again and again until `close`. */
  prune(): void {
    const { facts, wall, limits, clock, fault } = this.#parts
    const pruning: PruneLimits = {
      knownMs: limits.positiveValidMs,
      // It must be remembered that an address was refused, for the next refusal to hold longer.
      unknownMs: 2 * limits.negativeMaxMs,
      rowsMax: limits.factsMax,
      deletedMax: PRUNED_MAX,
    }
    let deleted = 0
    try {
      deleted = facts.prune(wall.now(), pruning)
    } catch (error) {
      fault(`what was learned about recipients cannot be pruned: ${(error as Error).message}`)
    }
    this.#cancelPrune = clock.after(deleted < PRUNED_MAX ? PRUNE_MS : PRUNE_SOON_MS, () => this.prune())
  }

  close(): void {
    this.flush()
    this.#cancelPrune()
  }

  #write(): void {
    const entries = this.#waiting
    this.#waiting = []
    const { facts, fault } = this.#parts
    try {
      facts.together(() => {
        for (const entry of entries) this.#enter(entry)
      })
    } catch (error) {
      fault(`${entries.length} lessons about recipients were not written: ${(error as Error).message}`)
    }
  }

  #enter(entry: Entry): void {
    if (entry.kind === 'lesson') {
      this.#learn(entry.lesson)
      return
    }
    const { facts, wall } = this.#parts
    const { result } = entry
    const lesson = lessonOf(result)
    if (lesson !== undefined) this.#learn(lesson)
    const name = domainAsked(result)
    const domain = domainLesson(result, facts.domain(name), wall.now())
    if (domain !== undefined) facts.putDomain(name, domain)
  }

  #learn(lesson: Lesson): void {
    const { facts, wall, limits } = this.#parts
    const nowMs = wall.now()
    const before = facts.get(lesson.key)
    const fact = taught(before, lesson, nowMs, limits)
    const isNew = before === undefined || standing(before, lesson.route, nowMs, limits) === undefined
    if (lesson.source === 'outgoing' && fact !== undefined && isNew && !this.#outgoing.take(lesson.route)) return
    if (fact !== undefined) facts.put(lesson.key, fact)
    if (lesson.state === 'known') return
    const domain = domainOf(lesson.key)
    const doubt = doubted(lesson, facts.domain(domain), nowMs, limits)
    if (doubt !== undefined) facts.putDomain(domain, doubt)
  }
}
