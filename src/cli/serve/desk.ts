/**
 * The desk: what the supervisor keeps for all workers, and answers them. It is made of clerks, one for each subject: the
 * knowledge of recipients, limits that hold across workers, and so on. A question is `subject/what`; the clerk of the
 * subject answers it. Operators ask the same clerks over the control socket.
 *
 * Questions of workers come from our own code; those of operators are checked by the clerk that takes them.
 */
import { EXIT, UserError } from '#cli/exit.ts'
import type { Snapshot } from '#report/metrics.ts'

export interface Clerk<Settings = unknown> {
  /** `[a-z-]+`: the part of a question before the slash. */
  readonly subject: string
  /** A worker asks. A rejection becomes a refusal with its message, and the worker decides alone. */
  answer?(what: string, body: unknown, worker: number): Promise<unknown>
  /** An operator asks, over the control socket. UserErrors are shown. */
  command?(what: string, body: unknown): Promise<unknown>
  /** The workers are ready and can be asked: time for what goes on by itself. */
  started?(workers: AskWorkers, one: AskOne, once: AskOnce): void
  /** A worker process is gone; what it was given it will not bring back. */
  ended?(worker: number): void
  /** Why no mail should come here now; undefined: nothing is wrong. */
  sickness?(): Promise<string | undefined>
  /** What this clerk counts, beside the workers' own metrics. */
  metrics?(): Snapshot
  /** New settings, which the workers have already. */
  reload?(settings: Settings): Promise<void>
  /** Ends what goes on by itself, and closes files. */
  close?(): Promise<void>
}

/** Asks every worker; those that are dead, slow or unwilling are left out of the answer. */
export type AskWorkers = (about: string, body: unknown, msMax?: number) => Promise<unknown[]>

/** Asks one worker after the other until one answers; undefined if none does. Who was slow may have done it all the same. */
export type AskOne = (about: string, body: unknown, msMax?: number) => Promise<unknown>

/** The same for what must not be done twice: a worker that is silent may have done it, so no other one is asked. */
export type AskOnce = (about: string, body: unknown, msMax?: number) => Promise<OnceAnswer | undefined>
export type OnceAnswer =
  | { readonly kind: 'answer'; readonly body: unknown }
  | { readonly kind: 'failed'; readonly text: string; readonly unclear?: true }

export class Desk<Settings = unknown> {
  readonly #clerks: ReadonlyMap<string, Clerk<Settings>>

  constructor(clerks: readonly Clerk<Settings>[]) {
    this.#clerks = new Map(clerks.map((clerk) => [clerk.subject, clerk]))
  }

  async answer(worker: number, about: string, body: unknown): Promise<unknown> {
    const [clerk, what] = this.#find(about)
    if (clerk?.answer === undefined) throw new Error(`nobody here knows about ${about}`)
    return clerk.answer(what, body, worker)
  }

  async command(about: string, body: unknown): Promise<unknown> {
    const [clerk, what] = this.#find(about)
    if (clerk?.command !== undefined) return clerk.command(what, body)
    const advice = 'Use the command line of the same release as the running program.'
    throw new UserError(`the running program knows nothing about ${about}`, advice, EXIT.unavailable)
  }

  started(workers: AskWorkers, one: AskOne, once: AskOnce): void {
    for (const clerk of this.#clerks.values()) clerk.started?.(workers, one, once)
  }

  ended(worker: number): void {
    for (const clerk of this.#clerks.values()) clerk.ended?.(worker)
  }

  async sickness(): Promise<string | undefined> {
    for (const clerk of this.#clerks.values()) {
      const sick = await clerk.sickness?.()
      if (sick !== undefined) return sick
    }
    return undefined
  }

  metrics(): Snapshot {
    return Object.assign({}, ...[...this.#clerks.values()].map((clerk) => clerk.metrics?.()))
  }

  async reload(settings: Settings): Promise<void> {
    for (const clerk of this.#clerks.values()) await clerk.reload?.(settings)
  }

  async close(): Promise<void> {
    for (const clerk of this.#clerks.values()) await clerk.close?.()
  }

  #find(about: string): [Clerk<Settings> | undefined, string] {
    const slash = about.indexOf('/')
    return [this.#clerks.get(about.slice(0, slash)), about.slice(slash + 1)]
  }
}
