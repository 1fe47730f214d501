/**
 * One worker as the supervisor has it: a child process with its IPC channel, watched by its heartbeats. It lives once;
 * its replacement is another WorkerProcess with the same index.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { toUserError, type UserError, userErrorOf } from '#cli/exit.ts'
import type { Clock } from '#sys/clock.ts'
import { Questions, type WorkerAnswer } from './ipc.ts'
import {
  type Asked,
  HEARTBEAT_MS,
  type ToSupervisor,
  type ToWorker,
  type WorkerContext,
  type WorkerStatus,
} from './messages.ts'

/** A worker that is silent for so long hangs; nothing that it does may keep its event loop this long. */
export const SILENCE_MS_MAX = 30 * HEARTBEAT_MS

/**
 * V8's young generation, MiB for one half. What a message needs in memory is short-lived and small: 2 MiB cost no more CPU
 * than the default (bench/README.md), and 60 MB less per worker.
 */
const NURSERY = '--max-semi-space-size=2'

export type WorkerState = 'starting' | 'ready' | 'draining' | 'dead'

export interface WorkerProgram {
  /** The file that calls `runWorker`. */
  readonly module: string
  readonly args: readonly string[]
  /** For compiled modules; without it there is no cache. */
  readonly cacheFolder?: string
}

export interface Death {
  /** `signal SIGKILL`, or `exit code 1`. */
  readonly how: string
  readonly livedMs: number
  /** Why it could not start, where it said so. */
  readonly problem: UserError | undefined
}

export interface WorkerCallbacks {
  /** A question of the worker's. A rejection becomes a refusal with its message. */
  asked(worker: WorkerProcess, about: string, body: unknown): Promise<unknown>
  ready(worker: WorkerProcess): void
  died(worker: WorkerProcess, death: Death): void
}

export class WorkerProcess {
  readonly index: number
  state: WorkerState = 'starting'
  status: WorkerStatus = { sessions: 0, lagMs: 0 }
  readonly #child: ChildProcess
  readonly #clock: Clock
  readonly #callbacks: WorkerCallbacks
  readonly #questions: Questions
  readonly #startedMs: number
  #heardMs: number
  #problem: UserError | undefined

  constructor(program: WorkerProgram, context: WorkerContext, clock: Clock, callbacks: WorkerCallbacks) {
    this.index = context.index
    this.#clock = clock
    this.#callbacks = callbacks
    this.#startedMs = this.#heardMs = clock.monotonic()
    this.#child = fork(program.module, program.args, {
      serialization: 'advanced',
      env: workerEnvironment(program.cacheFolder),
      execArgv: [...process.execArgv, NURSERY],
    })
    this.#questions = new Questions(context.index, clock, (message) => this.#send(message))
    this.#child.on('message', (message) => this.#take(message as ToSupervisor))
    this.#child.once('exit', (code, signal) => this.#died(signal ? `signal ${signal}` : `exit code ${code}`))
    this.#child.once('error', (error) => this.#died(error.message))
    this.#send({ kind: 'start', context })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  ask(about: string, body: unknown, msMax?: number): Promise<WorkerAnswer> {
    if (this.state === 'dead') return Promise.resolve(this.#questions.failed(this.#ended))
    return this.#questions.ask(about, body, msMax)
  }

  silentMs(): number {
    return this.#clock.monotonic() - this.#heardMs
  }

  drain(): void {
    if (this.state === 'dead') return
    this.state = 'draining'
    this.#send({ kind: 'drain' })
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #take(message: ToSupervisor): void {
    this.#heardMs = this.#clock.monotonic()
    if (message.kind === 'alive') this.status = message.status
    else if (message.kind === 'failed') this.#problem = userErrorOf(message.problem)
    else if (message.kind === 'ask') void this.#answer(message)
    else if (message.kind !== 'ready') this.#questions.take(message)
    else if (this.state === 'starting') {
      this.state = 'ready'
      this.#callbacks.ready(this)
    }
  }

  async #answer({ id, about, body }: Asked): Promise<void> {
    try {
      this.#send({ kind: 'answer', id, body: await this.#callbacks.asked(this, about, body) })
    } catch (error) {
      const text = toUserError(error)?.line ?? (error instanceof Error ? error.message : String(error))
      this.#send({ kind: 'refused', id, text })
    }
  }

  #died(how: string): void {
    if (this.state === 'dead') return
    this.state = 'dead'
    this.#questions.failAll(this.#ended)
    const livedMs = this.#clock.monotonic() - this.#startedMs
    this.#callbacks.died(this, { how, livedMs, problem: this.#problem })
  }

  get #ended(): string {
    return `worker ${this.index} ended`
  }

  // To a child that is gone nothing can be sent; its exit is told by the event.
  #send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {})
  }
}

// The conversation with systemd is the supervisor's alone.
// With its modules compiled from a cache, a worker starts in a third of the time and in half of the memory: it need not
// load the compiler that strips the types.
function workerEnvironment(cacheFolder: string | undefined): NodeJS.ProcessEnv {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, ...rest } = process.env
  return cacheFolder === undefined ? rest : { NODE_COMPILE_CACHE: cacheFolder, ...rest }
}
