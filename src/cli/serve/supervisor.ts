/**
 * Keeps one worker process per index alive: starts them, replaces those that die or hang, passes questions and new
 * settings on, and drains them at the end.
 *
 * The first start is all or nothing: if a worker says why it cannot start, that is why the program does not. Later a
 * worker that dies is replaced with back-off (`RestartPolicy`). When one is hopeless and no other serves, the program
 * ends; while another serves, it is tried further at the longest delay, because half a service is better than none.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT, UserError } from '#cli/exit.ts'
import type { Clock } from '#sys/clock.ts'
import type { WorkerAnswer } from './ipc.ts'
import { HEARTBEAT_MS, RELOAD } from './messages.ts'
import { QUICK_DEATHS_MAX, RestartPolicy } from './restart-policy.ts'
import { spoolFoldersOf } from './spool-folders.ts'
import { type Death, SILENCE_MS_MAX, WorkerProcess, type WorkerProgram, type WorkerState } from './worker-process.ts'

export interface SupervisorOptions {
  readonly workers: number
  readonly dataFolder: string
  readonly settings: unknown
  readonly ticketKeys: Buffer
  readonly program: WorkerProgram
  readonly clock: Clock
  /** Answers what workers ask; a rejection becomes a refusal. */
  readonly desk?: (worker: number, about: string, body: unknown) => Promise<unknown>
  /** A worker process is gone. */
  readonly ended?: (worker: number) => void
  /** One line for the operator. */
  readonly log: (line: string) => void
}

export interface WorkerHealth {
  readonly index: number
  readonly pid: number
  readonly state: WorkerState
  readonly silentMs: number
  readonly sessions: number
  readonly lagMs: number
  /** How often it was replaced. */
  readonly restarts: number
}

/** From SIGTERM to the end; what is open then is cut. A worker ends its own sessions a little earlier. */
export const STOP_MS_MAX = 29_000

interface Slot {
  readonly index: number
  readonly policy: RestartPolicy
  readonly spoolFolders: readonly string[]
  worker: WorkerProcess
  restarts: number
}

export class Supervisor {
  readonly #options: SupervisorOptions
  #settings: unknown
  #slots: Slot[] = []
  #turn = 0
  #stopping = false
  #starting = true
  #reason: UserError | undefined
  readonly #started = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<UserError | undefined>()

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#settings = options.settings
  }

  /** Resolves when all workers have ended: with nothing after `stop`, with the reason where it gave up. */
  get ended(): Promise<UserError | undefined> {
    return this.#ended.promise
  }

  /** Resolves when every worker is ready. Rejects with a worker's own UserError; the others are ended then. */
  async start(): Promise<void> {
    const { workers, dataFolder } = this.#options
    const spool = join(dataFolder, 'spool')
    const names = await readdir(spool)
    for (let index = 0; index < workers; index++) {
      const spoolFolders = spoolFoldersOf(spool, index, workers, names)
      const slot = { index, policy: new RestartPolicy(), spoolFolders, restarts: 0 }
      this.#slots.push({ ...slot, worker: this.#fork(index, spoolFolders) })
    }
    this.#watch()
    await this.#started.promise
  }

  /** Rejects with a UserError that has the first worker's reason. A worker that refused keeps the old settings. */
  async reload(settings: unknown): Promise<void> {
    const answers = await this.askAll(RELOAD, settings)
    const failed = answers.filter((answer) => answer.kind === 'failed')
    // A worker that is replaced later must not differ from those that took the new ones.
    if (failed.length < answers.length) this.#settings = settings
    const [first] = failed
    if (first === undefined) return
    const text = `${failed.length} of ${answers.length} workers did not take the new settings: ${first.text}`
    throw new UserError(text, 'Correct it, then reload again.', EXIT.config)
  }

  /** Asks every worker; those that are dead, slow or unwilling answer `failed`. */
  askAll(about: string, body: unknown, msMax?: number): Promise<WorkerAnswer[]> {
    return Promise.all(this.#slots.map(({ worker }) => worker.ask(about, body, msMax)))
  }

  /** Asks one worker, another one each time; the next ones if it gives no answer. Undefined: none did. */
  async askOne(about: string, body: unknown, msMax?: number): Promise<unknown> {
    const answer = await this.#askInTurn(about, body, msMax, ({ kind }) => kind === 'answer')
    return answer?.kind === 'answer' ? answer.body : undefined
  }

  /** Goes on to the next worker only where the last one cannot have taken it. */
  askOnce(about: string, body: unknown, msMax?: number): Promise<WorkerAnswer | undefined> {
    return this.#askInTurn(about, body, msMax, (answer) => answer.kind === 'answer' || answer.unclear === true)
  }

  async #askInTurn(
    about: string,
    body: unknown,
    msMax: number | undefined,
    isEnough: (answer: WorkerAnswer) => boolean,
  ): Promise<WorkerAnswer | undefined> {
    const first = this.#turn++
    let last: WorkerAnswer | undefined
    for (let i = 0; i < this.#slots.length; i++) {
      const { worker } = this.#slots[(first + i) % this.#slots.length]!
      last = await worker.ask(about, body, msMax)
      if (isEnough(last)) break
    }
    return last
  }

  health(): WorkerHealth[] {
    return this.#slots.map(({ index, worker, restarts }) => {
      const { pid, state, status } = worker
      return { index, pid, state, silentMs: worker.silentMs(), ...status, restarts }
    })
  }

  /** All workers are ready and not silent. */
  get ready(): boolean {
    return !this.#stopping && this.#slots.every(({ worker }) => worker.state === 'ready') && this.live
  }

  /** No worker hangs. One that died and is being replaced is no reason to end the program. */
  get live(): boolean {
    return this.#slots.every(({ worker }) => worker.state === 'dead' || worker.silentMs() < SILENCE_MS_MAX)
  }

  /** Drains all workers; after `msMax` they are killed. */
  stop(msMax = STOP_MS_MAX): void {
    if (this.#stopping) return
    this.#stopping = true
    for (const { worker } of this.#slots) worker.drain()
    this.#options.clock.after(msMax, () => this.kill())
    this.#endIfAllDead(undefined)
  }

  /** Ends all workers at once. What they acknowledged is safe; their open sessions are cut. */
  kill(): void {
    for (const { worker } of this.#slots) worker.kill()
  }

  #fork(index: number, spoolFolders: readonly string[]): WorkerProcess {
    const { workers, ticketKeys, program, clock } = this.#options
    const context = {
      index,
      workers,
      spoolFolders,
      settings: this.#settings,
      ticketKeys,
      reusePort: workers > 1,
    }
    return new WorkerProcess(program, context, clock, {
      ready: () => this.#onReady(),
      asked: (worker, about, body) => this.#asked(worker.index, about, body),
      died: (worker, death) => this.#onDeath(worker, death),
    })
  }

  async #asked(worker: number, about: string, body: unknown): Promise<unknown> {
    if (this.#options.desk === undefined) throw new Error(`nobody here knows about ${about}`)
    return this.#options.desk(worker, about, body)
  }

  #onReady(): void {
    if (!this.#starting || !this.#slots.every(({ worker }) => worker.state === 'ready')) return
    this.#starting = false
    this.#started.resolve()
  }

  #onDeath(dead: WorkerProcess, death: Death): void {
    const slot = this.#slots.find(({ worker }) => worker === dead)
    if (slot === undefined) return
    this.#options.ended?.(slot.index)
    if (this.#stopping) {
      this.#endIfAllDead(undefined)
      return
    }
    const why = death.problem ? death.problem.line : death.how
    if (this.#starting && death.problem) {
      this.#giveUp(death.problem)
      return
    }
    const { delayMs, hopeless } = slot.policy.died(death.livedMs)
    if (hopeless && !this.#slots.some(({ worker }) => worker.state === 'ready')) {
      const text = `worker ${slot.index} died ${QUICK_DEATHS_MAX} times in a row just after its start (${why})`
      this.#giveUp(new UserError(text, 'See the lines above for the cause.', EXIT.software))
      return
    }
    this.#options.log(`worker ${slot.index} (pid ${dead.pid}) ended: ${why}; a new one starts in ${delayMs} ms`)
    this.#options.clock.after(delayMs, () => this.#replace(slot))
  }

  #replace(slot: Slot): void {
    if (this.#stopping) return
    slot.restarts++
    slot.worker = this.#fork(slot.index, slot.spoolFolders)
  }

  #giveUp(reason: UserError): void {
    this.#stopping = true
    this.#started.reject(reason)
    this.#started.promise.catch(() => {})
    for (const { worker } of this.#slots) worker.drain()
    this.#options.clock.after(STOP_MS_MAX, () => this.kill())
    this.#endIfAllDead(reason)
  }

  #endIfAllDead(reason: UserError | undefined): void {
    this.#reason ??= reason
    if (this.#slots.every(({ worker }) => worker.state === 'dead')) this.#ended.resolve(this.#reason)
  }

  // A worker whose event loop stands still cannot be asked to end.
  #watch(): void {
    for (const { index, worker } of this.#slots) {
      if (worker.state === 'dead' || worker.silentMs() < SILENCE_MS_MAX) continue
      this.#options.log(`worker ${index} (pid ${worker.pid}) was silent for ${SILENCE_MS_MAX} ms and is killed`)
      worker.kill()
    }
    this.#options.clock.after(HEARTBEAT_MS, () => this.#watch())
  }
}
