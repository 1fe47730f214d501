/**
 * Questions from the supervisor to a worker, and their answers: the pending ones of one worker.
 *
 * Every question ends: with an answer, a refusal, the worker's death, or its time limit. Limit: `PENDING_MAX`.
 */
import type { Clock } from '#sys/clock.ts'
import type { ToSupervisor, ToWorker } from './messages.ts'

/** Questions that may be open at one worker; more than an operator and a scraper could ask. */
const PENDING_MAX = 100
export const ASK_MS_MAX = 10_000

export type WorkerAnswer =
  | { readonly kind: 'answer'; readonly worker: number; readonly body: unknown }
  | { readonly kind: 'failed'; readonly worker: number; readonly text: string }

interface Pending {
  readonly resolve: (answer: WorkerAnswer) => void
  readonly cancelTimer: () => void
}

export class Questions {
  readonly #worker: number
  readonly #send: (message: ToWorker) => void
  readonly #clock: Clock
  readonly #pending = new Map<number, Pending>()
  #lastId = 0

  constructor(worker: number, clock: Clock, send: (message: ToWorker) => void) {
    this.#worker = worker
    this.#clock = clock
    this.#send = send
  }

  /** Never rejects. */
  ask(about: string, body: unknown, msMax = ASK_MS_MAX): Promise<WorkerAnswer> {
    if (this.#pending.size >= PENDING_MAX) return Promise.resolve(this.failed('too many questions are open'))
    const id = ++this.#lastId
    return new Promise((resolve) => {
      const cancelTimer = this.#clock.after(msMax, () => this.#end(id, this.failed(`no answer within ${msMax} ms`)))
      this.#pending.set(id, { resolve, cancelTimer })
      this.#send({ kind: 'ask', id, about, body })
    })
  }

  /** Takes an answer; one that nobody waits for any more is dropped. */
  take(message: Extract<ToSupervisor, { id: number }>): void {
    const { id } = message
    if (message.kind === 'refused') this.#end(id, this.failed(message.text))
    else this.#end(id, { kind: 'answer', worker: this.#worker, body: message.body })
  }

  /** The worker is gone. */
  failAll(text: string): void {
    for (const id of [...this.#pending.keys()]) this.#end(id, this.failed(text))
  }

  #end(id: number, answer: WorkerAnswer): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.delete(id)
    pending.cancelTimer()
    pending.resolve(answer)
  }

  failed(text: string): WorkerAnswer {
    return { kind: 'failed', worker: this.#worker, text }
  }
}
