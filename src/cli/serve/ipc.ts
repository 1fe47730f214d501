/**
 * Questions from the supervisor to a worker or from a worker to the supervisor, and their answers: the pending ones of
 * one asker.
 *
 * Every question ends: with an answer, a refusal, the other's death, or its time limit. Limits: `PENDING_MAX` to a worker,
 * `PENDING_AT_DESK_MAX` to the supervisor.
 */
import type { Clock } from '#sys/clock.ts'
import type { Answered, Asked } from './messages.ts'

/** Questions that may be open at one worker; more than an operator and a scraper could ask. */
const PENDING_MAX = 100
/** More than the sessions of a worker that wait for a callout at a time. */
export const PENDING_AT_DESK_MAX = 20_000
export const ASK_MS_MAX = 10_000

export type WorkerAnswer =
  | { readonly kind: 'answer'; readonly worker: number; readonly body: unknown }
  /** `unclear`: the question was put, and nobody knows what became of it. */
  | { readonly kind: 'failed'; readonly worker: number; readonly text: string; readonly unclear?: true }

interface Pending {
  readonly resolve: (answer: WorkerAnswer) => void
  readonly cancelTimer: () => void
}

export class Questions {
  readonly #worker: number
  readonly #send: (message: Asked) => void
  readonly #clock: Clock
  readonly #pendingMax: number
  readonly #pending = new Map<number, Pending>()
  #lastId = 0

  constructor(worker: number, clock: Clock, send: (message: Asked) => void, pendingMax = PENDING_MAX) {
    this.#worker = worker
    this.#clock = clock
    this.#send = send
    this.#pendingMax = pendingMax
  }

  /** Never rejects. */
  ask(about: string, body: unknown, msMax = ASK_MS_MAX): Promise<WorkerAnswer> {
    if (this.#pending.size >= this.#pendingMax) return Promise.resolve(this.failed('too many questions are open'))
    const id = ++this.#lastId
    return new Promise((resolve) => {
      const cancelTimer = this.#clock.after(msMax, () => this.#end(id, this.#unclear(`no answer within ${msMax} ms`)))
      this.#pending.set(id, { resolve, cancelTimer })
      this.#send({ kind: 'ask', id, about, body })
    })
  }

  /** Takes an answer; one that nobody waits for any more is dropped. */
  take(message: Answered): void {
    const { id } = message
    if (message.kind === 'refused') this.#end(id, this.failed(message.text))
    else this.#end(id, { kind: 'answer', worker: this.#worker, body: message.body })
  }

  /** The other is gone. */
  failAll(text: string): void {
    for (const id of [...this.#pending.keys()]) this.#end(id, this.#unclear(text))
  }

  #end(id: number, answer: WorkerAnswer): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.delete(id)
    pending.cancelTimer()
    pending.resolve(answer)
  }

  #unclear(text: string): WorkerAnswer {
    return { kind: 'failed', worker: this.#worker, text, unclear: true }
  }

  failed(text: string): WorkerAnswer {
    return { kind: 'failed', worker: this.#worker, text }
  }
}
