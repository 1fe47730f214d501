/**
 * Who may ask a customer's server what: one question at a time about one recipient, whoever wants to know, within the
 * budget and the breaker of the server. The supervisor has one of these for all workers; a worker has one of its own for
 * the time when the supervisor does not answer. Monotonic time; nothing here outlives the process.
 *
 * Every lease ends: with the answer, with the death of its holder, or after `leaseMsMax`. Who waits for it hears so.
 */
import type { ProbeAnswer } from '#mail/probe.ts'
import type { Clock } from '#sys/clock.ts'
import type { Route } from '#tenant/directory.ts'
import { Breaker } from './breaker.ts'
import type { KnowledgeLimits } from './limits.ts'

export interface LeaseRequest {
  /** What is asked: the key of a mailbox, or `takesAllQuestion` of a domain. */
  readonly about: string
  /** Whose server: `calloutTarget`. */
  readonly target: string
  readonly route: string
  /** An operator wants to hear it now: an answer from before this (steady clock) does not do. */
  readonly sinceMs?: number
}

export type LeaseAnswer =
  /** You ask; tell how it went. */
  | { readonly kind: 'probe'; readonly lease: number }
  /** Somebody asks already. */
  | { readonly kind: 'wait'; readonly lease: number }
  /** It has just been learned. */
  | { readonly kind: 'look' }
  | { readonly kind: 'not-now'; readonly text: string; readonly retryMs: number; readonly wholeTarget: boolean }

/** A `ProbeAnswer` for those who did not ask themselves. */
export type CalloutAnswer =
  | { readonly kind: 'known' | 'unknown' }
  /** `recipient`: the server can be asked, but did not want to say anything about this one. */
  | { readonly kind: 'unreachable'; readonly about: 'recipient' | 'server'; readonly text: string }

export type WaitAnswer = CalloutAnswer | { readonly kind: 'again' }

export function calloutAnswer(answer: ProbeAnswer): CalloutAnswer {
  if (answer.kind !== 'unreachable') return { kind: answer.kind }
  return { kind: 'unreachable', about: answer.about ?? 'server', text: answer.text }
}

/** Law 7, and one budget for two routes to the same servers. */
export const calloutTarget = ({ tenant, hosts }: Route): string =>
  `${tenant} ${hosts.map(({ name, port }) => `${name}:${port}`).join(' ')}`

/** No key of a mailbox: those have an @. */
export const takesAllQuestion = (domain: string): string => `takes-all ${domain}`

interface Lease {
  readonly id: number
  readonly holder: number
  readonly request: LeaseRequest
  readonly cancelTimer: () => void
  readonly waiting: ((answer: WaitAnswer) => void)[]
}

/** Recipients that a server did not want to speak about, remembered for a minute; the oldest go first. */
const SILENT_ABOUT_MAX = 10_000
/** Servers without a question for a while are forgotten when there are more than this. */
const BREAKERS_KEPT_MAX = 10_000

export interface LeaseLimits extends Pick<KnowledgeLimits, 'unreachableMs' | 'probesPerSecondMax' | 'leaseMsMax'> {}

export class Leases {
  readonly #clock: Clock
  readonly #limits: LeaseLimits
  readonly #byId = new Map<number, Lease>()
  readonly #byQuestion = new Map<string, Lease>()
  readonly #breakers = new Map<string, Breaker>()
  readonly #silentAbout = new Map<string, { untilMs: number; text: string }>()
  #lastId = 0

  constructor(clock: Clock, limits: LeaseLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  ask(holder: number, request: LeaseRequest): LeaseAnswer {
    const open = this.#byQuestion.get(request.about)
    if (open !== undefined) return { kind: 'wait', lease: open.id }
    const notNow = this.#mayAsk(request)
    if (notNow !== undefined) return notNow
    const id = ++this.#lastId
    const cancelTimer = this.#clock.after(this.#limits.leaseMsMax, () => this.#silentHolder(id))
    const lease: Lease = { id, holder, request, cancelTimer, waiting: [] }
    this.#byId.set(id, lease)
    this.#byQuestion.set(request.about, lease)
    return { kind: 'probe', lease: id }
  }

  /** `again`: the holder is gone, or the lease is not there any more. */
  wait(id: number): Promise<WaitAnswer> {
    const lease = this.#byId.get(id)
    if (lease === undefined) return Promise.resolve({ kind: 'again' })
    return new Promise((resolve) => lease.waiting.push(resolve))
  }

  holds(id: number): boolean {
    return this.#byId.has(id)
  }

  /** False: the lease was taken back, and a refusal that it brings may be out of date. */
  told(id: number, answer: CalloutAnswer): boolean {
    const lease = this.#byId.get(id)
    if (lease === undefined) return false
    const { target, about } = lease.request
    const breaker = this.#breaker(target)
    if (answer.kind !== 'unreachable') breaker.answered()
    else if (answer.about === 'server') breaker.failed(answer.text)
    else {
      // It speaks: other recipients may be asked about.
      breaker.answered()
      this.#keepSilence(about, answer.text)
    }
    this.#end(lease, answer)
    return true
  }

  /** A worker died: what it asked, nobody will hear. */
  gone(holder: number): void {
    for (const lease of this.#byId.values()) {
      if (lease.holder !== holder) continue
      this.#breakers.get(lease.request.target)?.abandoned()
      this.#end(lease, { kind: 'again' })
    }
  }

  /** A delivery got through: a pause after failed callouts is over. */
  reached(target: string): void {
    this.#breakers.get(target)?.answered()
  }

  /** Something changed: what is under way about these questions is asked again, and every pause is over. */
  takeBack(concerns: (question: string) => boolean): void {
    for (const lease of [...this.#byId.values()]) {
      if (!concerns(lease.request.about)) continue
      this.#breakers.get(lease.request.target)?.abandoned()
      this.#end(lease, { kind: 'again' })
    }
    for (const question of [...this.#silentAbout.keys()]) if (concerns(question)) this.#silentAbout.delete(question)
    for (const breaker of this.#breakers.values()) breaker.answered()
  }

  /** Why this server is not asked now, for people. */
  trouble(target: string): string | undefined {
    const breaker = this.#breakers.get(target)
    return breaker?.isDown ? breaker.text : undefined
  }

  // An operator who asks is one person, and may.
  #mayAsk({ about, target, sinceMs }: LeaseRequest): LeaseAnswer | undefined {
    if (sinceMs !== undefined) return undefined
    const silent = this.#silence(about)
    if (silent !== undefined) return { kind: 'not-now', ...silent, wholeTarget: false }
    const notNow = this.#breaker(target).mayAsk()
    return notNow && { kind: 'not-now', ...notNow, wholeTarget: true }
  }

  get open(): number {
    return this.#byId.size
  }

  #silentHolder(id: number): void {
    const lease = this.#byId.get(id)
    if (lease === undefined) return
    this.#breaker(lease.request.target).failed('no answer to a callout')
    this.#end(lease, { kind: 'again' })
  }

  #end(lease: Lease, answer: WaitAnswer): void {
    lease.cancelTimer()
    this.#byId.delete(lease.id)
    this.#byQuestion.delete(lease.request.about)
    for (const resolve of lease.waiting) resolve(answer)
  }

  #breaker(target: string): Breaker {
    let breaker = this.#breakers.get(target)
    if (breaker === undefined) {
      if (this.#breakers.size >= BREAKERS_KEPT_MAX) this.#forgetIdle()
      breaker = new Breaker(this.#clock, this.#limits.unreachableMs, this.#limits.probesPerSecondMax)
      this.#breakers.set(target, breaker)
    }
    return breaker
  }

  #forgetIdle(): void {
    for (const [target, breaker] of this.#breakers) if (breaker.idle) this.#breakers.delete(target)
  }

  #silence(question: string): { text: string; retryMs: number } | undefined {
    const silent = this.#silentAbout.get(question)
    if (silent === undefined) return undefined
    const retryMs = silent.untilMs - this.#clock.monotonic()
    if (retryMs > 0) return { text: silent.text, retryMs }
    this.#silentAbout.delete(question)
    return undefined
  }

  #keepSilence(question: string, text: string): void {
    this.#silentAbout.delete(question)
    this.#silentAbout.set(question, { untilMs: this.#clock.monotonic() + this.#limits.unreachableMs, text })
    if (this.#silentAbout.size > SILENT_ABOUT_MAX) this.#silentAbout.delete(this.#silentAbout.keys().next().value!)
  }
}
