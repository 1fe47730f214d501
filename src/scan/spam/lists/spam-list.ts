/**
 * One DNS list: its health, and questions to it. A list that is ill is set aside: nothing is asked, its word is `unknown`,
 * until a check (RFC 5782 §5) finds it well again. So a dead list costs a few questions when it dies, and one check now and
 * then.
 *
 * | it is set aside | by |
 * |---|---|
 * | at once | an answer that is an error or no code of a list |
 * | after `FAILURES_MAX` in a row | questions that failed or took longer than `SLOW_MS` |
 * | at a check | what health.ts finds |
 */
import type { SpamListSettings } from '#mail/spam-list.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Answer, Dns } from '#sys/dns/answer.ts'
import { readCodes } from './code.ts'
import { checkHealth, type Families, type Illness, noList, refusing } from './health.ts'
import { questionName, type Subject } from './question-name.ts'

/** A list that is slower is of no use: it only makes mail wait for the end of its budget. */
export const SLOW_MS = 2_000
export const FAILURES_MAX = 3
/** To one list, in each worker. A healthy one answers in some 20 ms: that is thousands in a second. */
export const UNDER_WAY_MAX = 100
/** Of a list that is well. Each worker checks for itself; it costs 2 to 4 questions. */
export const CHECK_MS = 15 * 60_000
/** Of one that is ill: after this, then twice as long each time, up to `CHECK_MS`. */
export const RECHECK_MS = 30_000
/** Checks of many lists, workers and machines should not come together: so much earlier or later, as a share. */
const JITTER = 0.25

export type ListSaid =
  | { readonly kind: 'listed'; readonly weight: number; readonly codes: readonly string[] }
  | { readonly kind: 'not-listed' }
  | { readonly kind: 'unknown'; readonly text: string }

export type ListState =
  | { readonly kind: 'not-checked' }
  | { readonly kind: 'well'; readonly families: Families }
  | { readonly kind: 'aside'; readonly illness: Illness; readonly text: string }

export interface ListParts {
  readonly dns: Dns
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  /** In [0, 1). */
  readonly random: () => number
  /** It was set aside, or is well again. */
  readonly changed: (list: SpamList) => void
  /** Shared by all lists. */
  readonly room: Room
}

/** Questions under way to all lists: the name servers have other work. */
export interface Room {
  used: number
  readonly max: number
}

export interface ListCounts {
  readonly questions: number
  readonly listed: number
  readonly unknown: number
}

const NOT_LISTED: ListSaid = { kind: 'not-listed' }

export class SpamList {
  readonly settings: SpamListSettings
  readonly #parts: ListParts
  readonly #asked = new Map<string, Promise<Answer<'A'>>>()
  readonly #counts = { questions: 0, listed: 0, unknown: 0 }
  #state: ListState = { kind: 'not-checked' }
  #checking: Promise<void> | undefined
  #cancelCheck: Cancel = () => {}
  #failures = 0
  #recheckMs = RECHECK_MS
  #closed = false

  constructor(settings: SpamListSettings, parts: ListParts) {
    this.settings = settings
    this.#parts = parts
    void this.check()
  }

  get name(): string {
    return this.settings.name
  }

  get state(): ListState {
    return this.#state
  }

  get counts(): ListCounts {
    return this.#counts
  }

  /** Never rejects. What is not there at `untilMs` (monotonic) is unknown; the question goes on, for the next who asks. */
  async ask(subject: Subject, untilMs: number): Promise<ListSaid> {
    const said = await this.#ask(subject, untilMs)
    if (said.kind !== 'not-listed') this.#counts[said.kind]++
    return said
  }

  /** Whether it is one, and well. One at a time; the next is planned. */
  check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined
    })
    return this.#checking
  }

  close(): void {
    this.#closed = true
    this.#cancelCheck()
  }

  async #ask({ labels, family }: Subject, untilMs: number): Promise<ListSaid> {
    if (this.#state.kind === 'not-checked') await this.#inTime(this.check(), untilMs)
    const state = this.#state
    if (state.kind === 'not-checked') return { kind: 'unknown', text: 'no answer yet to its first check' }
    if (state.kind === 'aside') return { kind: 'unknown', text: `set aside: ${state.text}` }
    const has = family === undefined || state.families[family]
    if (has === 'unknown') return { kind: 'unknown', text: `no answer yet whether it has IPv${family} addresses` }
    if (!has) return NOT_LISTED
    const name = questionName(labels, this.settings.zone, this.settings.accessKey)
    if (name === undefined) return NOT_LISTED
    const question = this.#asked.get(name) ?? this.#begin(name)
    if (question === undefined) return { kind: 'unknown', text: 'too many questions at a time' }
    const answer = await this.#inTime(question, untilMs)
    if (answer === undefined) return { kind: 'unknown', text: 'no answer in time' }
    if (answer.kind === 'unknown') return { kind: 'unknown', text: this.#shown(answer.text) }
    if (answer.kind === 'none') return NOT_LISTED
    return this.#read(answer.records)
  }

  #read(records: readonly string[]): ListSaid {
    const said = readCodes(records, this.settings)
    if (said.kind === 'listed') return said
    if (said.kind === 'of-no-weight') return NOT_LISTED
    const { illness, text } = said.kind === 'refused' ? refusing(said.code) : noList(said.code)
    this.#setAside(illness, text)
    return { kind: 'unknown', text }
  }

  /** Undefined: there is no room. */
  #begin(name: string): Promise<Answer<'A'>> | undefined {
    const { dns, clock, room } = this.#parts
    if (this.#asked.size >= UNDER_WAY_MAX || room.used >= room.max) return undefined
    this.#counts.questions++
    room.used++
    let late = false
    const cancel = clock.after(SLOW_MS, () => {
      late = true
      this.#failed(`no answer within ${SLOW_MS / 1000} s`)
    })
    const question = dns.lookup(name, 'A').then((answer) => {
      cancel()
      room.used--
      this.#asked.delete(name)
      if (answer.kind === 'unknown') {
        if (!late) this.#failed(this.#shown(answer.text))
      } else if (!late) this.#failures = 0
      return answer
    })
    this.#asked.set(name, question)
    return question
  }

  #failed(text: string): void {
    this.#failures++
    if (this.#failures >= FAILURES_MAX) this.#setAside('silent', text)
  }

  #setAside(illness: Illness, text: string): void {
    const before = this.#state
    this.#state = { kind: 'aside', illness, text }
    if (before.kind === 'aside') {
      if (before.illness !== illness) this.#parts.changed(this)
      return
    }
    this.#planRecheck()
    this.#parts.changed(this)
  }

  async #check(): Promise<void> {
    const { dns } = this.#parts
    const { zone, accessKey } = this.settings
    const health = await checkHealth(this.settings, (labels) => {
      this.#counts.questions++
      return dns.lookup(questionName(labels, zone, accessKey) ?? zone, 'A')
    })
    const before = this.#state
    if (health.kind === 'well') {
      this.#failures = 0
      this.#state = health
      // An error that DNS still keeps may set it aside again soon: the pauses grow until it has been well for a while.
      if (before.kind === 'well') this.#recheckMs = RECHECK_MS
      if (before.kind === 'aside') this.#parts.changed(this)
      return this.#plan(CHECK_MS)
    }
    // One silent check of a list that mail finds well is one failure, not three.
    if (health.illness === 'silent' && before.kind === 'well') this.#failed(this.#shown(health.text))
    else this.#setAside(health.illness, this.#shown(health.text))
    if (before.kind === 'aside') this.#planRecheck()
    else if (this.#state.kind === 'well') this.#plan(RECHECK_MS)
  }

  #planRecheck(): void {
    this.#plan(this.#recheckMs)
    this.#recheckMs = Math.min(2 * this.#recheckMs, CHECK_MS)
  }

  #plan(afterMs: number): void {
    const { clock, random } = this.#parts
    this.#cancelCheck()
    if (this.#closed) return
    this.#cancelCheck = clock.after(afterMs * (1 + JITTER * (2 * random() - 1)), () => void this.check())
  }

  #inTime<T>(work: Promise<T>, untilMs: number): Promise<T | undefined> {
    const { clock } = this.#parts
    return new Promise((resolve) => {
      const cancel = clock.after(untilMs - clock.monotonic(), () => resolve(undefined))
      void work.then((value) => {
        cancel()
        resolve(value)
      })
    })
  }

  // Errors of DNS name the question, and with it the key.
  #shown(text: string): string {
    const { accessKey } = this.settings
    return accessKey === undefined ? text : text.replaceAll(accessKey.toLowerCase(), '***')
  }
}
