/**
 * What all workers remember together, as one worker sees it: facts are read from the store, at once, in this process;
 * lessons and questions go to the supervisor's desk, who alone writes. What this worker has just learned it knows
 * itself until the desk has written it down (a second at most).
 *
 * A desk that is silent is not waited for: then the worker decides alone, with a share of the budget. A store that
 * cannot be read knows nothing, and the customer's server is asked.
 */
import type { DomainFact, RecipientFact, RecipientFacts } from '#store/recipient-facts.ts'
import type { Clock } from '#sys/clock.ts'
import { type LeaseAnswer, type LeaseRequest, Leases, type WaitAnswer } from './leases.ts'
import { type Lesson, taught } from './lesson.ts'
import type { KnowledgeLimits } from './limits.ts'
import { type CalloutResult, type Concern, concerns, keepBounded, lessonOf, type Memory } from './memory.ts'

/** Asks the desk; rejects when it refuses or is silent. */
export type AskDesk = (about: string, body: unknown, msMax?: number) => Promise<unknown>

/** What the desk is asked, and what it answers. */
export interface DeskQuestions {
  'recipients/hello': { body: undefined; answer: Greeting }
  'recipients/lease': { body: LeaseRequest; answer: LeaseAnswer }
  'recipients/wait': { body: { lease: number }; answer: WaitAnswer }
  'recipients/told': { body: { lease: number; result: CalloutResult }; answer: undefined }
  'recipients/learn': { body: { lessons: readonly Lesson[]; epoch: number }; answer: undefined }
  'recipients/reached': { body: { target: string }; answer: undefined }
}

/** What a worker is told when it begins, and at each change. */
export interface Greeting {
  /** Counts the changes of the directory: a refusal from before the last one is not learned. */
  readonly epoch: number
  /** The supervisor's steady clock. */
  readonly nowMs: number
}

export interface SharedMemoryParts {
  /** This worker's reader of the store. */
  readonly facts: Pick<RecipientFacts, 'get' | 'domain'>
  readonly wall: { now(): number; atLeast(ms: number): void }
  readonly desk: AskDesk
  readonly clock: Clock
  /** `probesPerSecondMax` is the share of one worker, for the time when the desk is silent. */
  readonly limits: KnowledgeLimits
  /** The store could not be read, or the desk not be told. */
  readonly fault: (text: string) => void
}

/** The desk answers within a few ms, unless it is down or busy with a large reload. */
const LEASE_ANSWER_MS_MAX = 1_000
const WRITE_ANSWER_MS_MAX = 10_000
/** Lessons travel together. */
const BATCH_MS = 200
const BATCH_MAX = 500
/** Not yet written by the desk; more come only when it is silent, and then the oldest are learned another time. */
const FRESH_MAX = 20_000
/** A desk that was silent is not asked again for so long. */
const DESK_PAUSE_MS = 5_000
/** How often the desk hears that a server can be reached. */
const REACHED_MS = 10_000
const TARGETS_MAX = 10_000

export class SharedMemory implements Memory {
  readonly #parts: SharedMemoryParts
  /** Learned here, not yet in the store. */
  readonly #fresh = new Map<string, RecipientFact>()
  #batch: Lesson[] = []
  #cancelBatch: (() => void) | undefined
  /** Leases of the desk have positive ids; those that this worker gave itself are here, and negative outside. */
  readonly #alone: Leases
  #epoch = 0
  #deskSilentUntilMs = Number.NEGATIVE_INFINITY
  readonly #notBefore = new Map<string, { readonly untilMs: number; readonly text: string }>()
  readonly #reachedMs = new Map<string, number>()

  constructor(parts: SharedMemoryParts) {
    this.#parts = parts
    this.#alone = new Leases(parts.clock, parts.limits)
  }

  /** Once, before the first question. A desk that is silent is no reason not to begin. */
  async hello(): Promise<void> {
    try {
      this.greeted((await this.#parts.desk('recipients/hello', undefined, LEASE_ANSWER_MS_MAX)) as Greeting)
    } catch (error) {
      this.#parts.fault(`the supervisor does not answer: ${(error as Error).message}`)
    }
  }

  greeted({ epoch, nowMs }: Greeting): void {
    this.#epoch = epoch
    this.#parts.wall.atLeast(nowMs)
  }

  nowMs(): number {
    return this.#parts.wall.now()
  }

  get(key: string): RecipientFact | undefined {
    return this.#fresh.get(key) ?? this.#read(() => this.#parts.facts.get(key))
  }

  domain(name: string): DomainFact | undefined {
    return this.#read(() => this.#parts.facts.domain(name))
  }

  learn(lesson: Lesson): void {
    const fact = taught(this.get(lesson.key), lesson, this.nowMs(), this.#parts.limits)
    if (fact === undefined) return
    keepBounded(this.#fresh, lesson.key, fact, FRESH_MAX)
    this.#batch.push(lesson)
    if (this.#batch.length >= BATCH_MAX) this.#send()
    else this.#cancelBatch ??= this.#parts.clock.after(BATCH_MS, () => this.#send())
  }

  /** Sends what waits, for the end of the process. */
  async drain(): Promise<void> {
    await this.#send()
  }

  async lease(request: LeaseRequest): Promise<LeaseAnswer> {
    const { clock } = this.#parts
    const pause = this.#notBefore.get(request.target)
    if (pause !== undefined && request.sinceMs === undefined) {
      const retryMs = pause.untilMs - clock.monotonic()
      if (retryMs > 0) return { kind: 'not-now', text: pause.text, retryMs, wholeTarget: true }
      this.#notBefore.delete(request.target)
    }
    const answer = await this.#leaseOfDesk(request)
    if (answer.kind === 'not-now' && answer.wholeTarget) {
      const untilMs = clock.monotonic() + answer.retryMs
      keepBounded(this.#notBefore, request.target, { untilMs, text: answer.text }, TARGETS_MAX)
    }
    return answer
  }

  async #leaseOfDesk(request: LeaseRequest): Promise<LeaseAnswer> {
    const { clock, desk } = this.#parts
    if (clock.monotonic() >= this.#deskSilentUntilMs) {
      try {
        return (await desk('recipients/lease', request, LEASE_ANSWER_MS_MAX)) as LeaseAnswer
      } catch {
        this.#deskSilentUntilMs = clock.monotonic() + DESK_PAUSE_MS
      }
    }
    const alone = this.#alone.ask(0, request)
    return 'lease' in alone ? { ...alone, lease: -alone.lease } : alone
  }

  async wait(lease: number): Promise<WaitAnswer> {
    if (lease < 0) return this.#alone.wait(-lease)
    try {
      const msMax = this.#parts.limits.leaseMsMax + LEASE_ANSWER_MS_MAX
      return (await this.#parts.desk('recipients/wait', { lease }, msMax)) as WaitAnswer
    } catch {
      return { kind: 'again' }
    }
  }

  told(lease: number, result: CalloutResult): void {
    if (lease < 0) {
      const held = this.#alone.told(-lease, result.answer)
      const lesson = lessonOf(result)
      if (lesson !== undefined && (held || lesson.state === 'known')) this.learn(lesson)
      return
    }
    const lesson = lessonOf(result)
    const fact = lesson && taught(this.get(lesson.key), lesson, this.nowMs(), this.#parts.limits)
    if (lesson !== undefined && fact !== undefined) keepBounded(this.#fresh, lesson.key, fact, FRESH_MAX)
    const written = lesson && fact ? [{ key: lesson.key, fact }] : []
    void this.#tell('recipients/told', { lease, result }).then(() => this.#written(written))
  }

  reached(target: string): void {
    const nowMs = this.#parts.clock.monotonic()
    this.#alone.reached(target)
    const wasDown = this.#notBefore.delete(target)
    const lastMs = this.#reachedMs.get(target)
    if (!wasDown && lastMs !== undefined && nowMs - lastMs < REACHED_MS) return
    keepBounded(this.#reachedMs, target, nowMs, TARGETS_MAX)
    void this.#tell('recipients/reached', { target })
  }

  changed(concern: Concern): void {
    for (const [key, { state }] of this.#fresh) {
      if (state === 'unknown' && concerns(concern, key)) this.#fresh.delete(key)
    }
    this.#batch = this.#batch.filter(({ key, state }) => state === 'known' || !concerns(concern, key))
    this.#notBefore.clear()
    this.#alone.takeBack((question) => concerns(concern, question))
  }

  /** An operator's flush: also what was learned as good. */
  forget(concern: Concern): void {
    for (const key of this.#fresh.keys()) if (concerns(concern, key)) this.#fresh.delete(key)
    this.#batch = this.#batch.filter(({ key }) => !concerns(concern, key))
    this.changed(concern)
  }

  get size(): number {
    return this.#fresh.size
  }

  async #send(): Promise<void> {
    this.#cancelBatch?.()
    this.#cancelBatch = undefined
    const lessons = this.#batch
    if (lessons.length === 0) return
    this.#batch = []
    const sent = lessons.map(({ key }) => ({ key, fact: this.#fresh.get(key) }))
    await this.#tell('recipients/learn', { lessons, epoch: this.#epoch })
    this.#written(sent)
  }

  // Only what was sent: something newer may have come meanwhile.
  #written(sent: readonly { key: string; fact: RecipientFact | undefined }[]): void {
    for (const { key, fact } of sent) if (this.#fresh.get(key) === fact) this.#fresh.delete(key)
  }

  // What the desk does not take is learned another time.
  async #tell(about: string, body: unknown): Promise<void> {
    try {
      await this.#parts.desk(about, body, WRITE_ANSWER_MS_MAX)
    } catch (error) {
      this.#parts.fault(`the supervisor did not take ${about}: ${(error as Error).message}`)
    }
  }

  #read<T>(look: () => T | undefined): T | undefined {
    try {
      return look()
    } catch (error) {
      this.#parts.fault(`the store cannot be read: ${(error as Error).message}`)
      return undefined
    }
  }
}
