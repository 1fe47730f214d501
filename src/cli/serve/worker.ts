/**
 * A worker process, as the supervisor sees it: it is given a context, locks its spool folders, starts its content, says
 * that it is ready, answers questions, and drains when told or when SIGTERM comes. What it does is its content's business.
 *
 * When the supervisor is gone the worker ends at once: whatever was acknowledged is synced, and a new supervisor's
 * worker must be able to take the spool.
 */
import { EXIT, problemOf, toUserError, UserError } from '#cli/exit.ts'
import { systemClock } from '#sys/clock.ts'
import { lockFolder } from './folder-lock.ts'
import { PENDING_AT_DESK_MAX, Questions } from './ipc.ts'
import {
  HEARTBEAT_MS,
  RELOAD,
  type ToSupervisor,
  type ToWorker,
  type WorkerContext,
  type WorkerStatus,
} from './messages.ts'

export type { WorkerContext, WorkerStatus } from './messages.ts'

/** The content of a worker. Errors that are the operator's to mend are UserErrors. */
export interface WorkerParts {
  /** Opens the ports; everything else is ready by then. */
  listen(): Promise<void>
  /** New settings for what comes from now on; if it rejects, nothing has changed. */
  reload(settings: unknown): Promise<void>
  /** Takes no more sessions, lets those in a transaction finish (bounded), closes the spool. */
  drain(): Promise<void>
  /** Answers a question of the supervisor: queue commands, metrics. A rejection becomes a refusal with its message. */
  ask(about: string, body: unknown): Promise<unknown>
  status(): WorkerStatus
}

/**
 * Asks the supervisor, who keeps what all workers share. Rejects when it refuses or does not answer in time: then the
 * worker decides alone.
 */
export type AskDesk = (about: string, body: unknown, msMax?: number) => Promise<unknown>

export type StartWorker = (context: WorkerContext, desk: AskDesk) => Promise<WorkerParts>

/** Runs this process as a worker until it is drained. */
export function runWorker(start: StartWorker): void {
  if (process.send === undefined) {
    throw new UserError('a worker is started by the supervisor only', 'Use vorposten serve.', EXIT.config)
  }
  new Worker(start).run()
}

class Worker {
  readonly #start: StartWorker
  readonly #questions = new Questions(0, systemClock, (message) => void tell(message), PENDING_AT_DESK_MAX)
  #parts: WorkerParts | undefined
  #draining = false

  constructor(start: StartWorker) {
    this.#start = start
  }

  run(): void {
    process.on('message', (message: ToWorker) => this.#take(message))
    process.on('disconnect', () => process.exit(EXIT.unavailable))
    // A terminal sends SIGINT, and systemd SIGTERM, to every process of the service.
    process.on('SIGTERM', () => void this.#drain())
    process.on('SIGINT', () => void this.#drain())
    process.on('SIGHUP', () => {})
    setInterval(() => this.#heartbeat(), HEARTBEAT_MS)
  }

  #take(message: ToWorker): void {
    if (message.kind === 'start') void this.#begin(message.context)
    else if (message.kind === 'drain') void this.#drain()
    else if (message.kind !== 'ask') this.#questions.take(message)
    else void this.#answer(message.id, message.about, message.body)
  }

  async #begin(context: WorkerContext): Promise<void> {
    try {
      for (const folder of context.spoolFolders) await lockFolder(folder)
      this.#parts = await this.#start(context, (about, body, msMax) => this.#askDesk(about, body, msMax))
      await this.#parts.listen()
      tell({ kind: 'ready' })
    } catch (error) {
      const known = toUserError(error)
      if (known === undefined) throw error
      await tell({ kind: 'failed', problem: problemOf(known) })
      process.exit(known.exitCode)
    }
  }

  async #drain(): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    await this.#parts?.drain()
    process.exit(EXIT.ok)
  }

  async #askDesk(about: string, body: unknown, msMax?: number): Promise<unknown> {
    const answer = await this.#questions.ask(about, body, msMax)
    if (answer.kind === 'failed') throw new Error(`the supervisor, asked about ${about}: ${answer.text}`)
    return answer.body
  }

  async #answer(id: number, about: string, body: unknown): Promise<void> {
    try {
      const parts = this.#parts
      if (parts === undefined) throw new Error('the worker is still starting')
      const answer = about === RELOAD ? await parts.reload(body) : await parts.ask(about, body)
      await tell({ kind: 'answer', id, body: answer })
    } catch (error) {
      const text = toUserError(error)?.line ?? (error instanceof Error ? error.message : String(error))
      await tell({ kind: 'refused', id, text })
    }
  }

  #heartbeat(): void {
    tell({ kind: 'alive', status: this.#parts?.status() ?? { sessions: 0, lagMs: 0 } })
  }
}

// Resolves when the message has left, also where it could not: then 'disconnect' follows.
function tell(message: ToSupervisor): Promise<void> {
  return new Promise((resolve) => process.send?.(message, undefined, undefined, () => resolve()))
}
