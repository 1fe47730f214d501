/**
 * `vorposten serve`: the supervisor process, from its start to its end.
 *
 * SIGTERM and SIGINT drain all workers; a second one ends them at once. SIGHUP reads the configuration again and hands it
 * to the workers. The exit code is 0 after a drain, otherwise that of the UserError which says why (see `exit.ts`).
 */
import { randomBytes } from 'node:crypto'
import { access, constants, mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#sys/clock.ts'
import { EXIT, type ExitCode, toUserError } from './exit.ts'
import { checkPorts } from './serve/check-ports.ts'
import { controlServer } from './serve/control-socket.ts'
import { Desk } from './serve/desk.ts'
import { Supervisor } from './serve/supervisor.ts'
import { Systemd } from './serve/systemd.ts'
import type { WorkerProgram } from './serve/worker-process.ts'

/** What the supervisor itself needs of a configuration; `settings` goes to the workers as it is (structured clone). */
export interface ServePlan {
  readonly dataFolder: string
  readonly workers: number | 'auto'
  /** Checked before the workers start, so that a port in use is one line from one process. */
  readonly listeners: readonly { readonly host: string; readonly port: number }[]
  readonly settings: unknown
}

export interface Running {
  readonly supervisor: Supervisor
  readonly desk: Desk<never>
  /** As SIGHUP does; rejects with a UserError, and then the old settings hold. */
  reload(): Promise<void>
}

export interface ServeOptions {
  readonly program: WorkerProgram
  /** Reads and checks the configuration; again at each reload. UserErrors are the operator's. */
  load(): Promise<ServePlan>
  /** Opened before the workers start, closed after they ended. UserErrors are the operator's. */
  openDesk?(plan: ServePlan): Promise<Desk<never>>
  /** Requests over the control socket. */
  control(request: unknown, running: Running): Promise<unknown>
  /** When all workers are ready: what else the supervisor serves (metrics, health). The result closes it. */
  started(running: Running, plan: ServePlan): Promise<() => void>
  log(line: string): void
}

export const controlPath = (dataFolder: string): string => join(dataFolder, 'control.sock')
/** One per core: a worker is one event loop, and a second one on its core only adds switching. */
export const workerCount = (workers: number | 'auto'): number => (workers === 'auto' ? availableParallelism() : workers)

export async function serve(options: ServeOptions): Promise<ExitCode> {
  const plan = await options.load()
  const workers = workerCount(plan.workers)
  await makeFolders(plan.dataFolder, workers)
  const { program, log } = options
  const desk = (await options.openDesk?.(plan)) ?? new Desk<never>([])
  const supervisor = new Supervisor({
    workers,
    dataFolder: plan.dataFolder,
    settings: plan.settings,
    ticketKeys: randomBytes(48),
    program,
    clock: systemClock,
    desk: (worker, about, body) => desk.answer(worker, about, body),
    ended: (worker) => desk.ended(worker),
    log,
  })
  return new Service(options, plan, supervisor, desk).run()
}

async function makeFolders(dataFolder: string, workers: number): Promise<void> {
  for (let index = 0; index < workers; index++) {
    const folder = join(dataFolder, 'spool', String(index))
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  }
  await access(dataFolder, constants.R_OK | constants.W_OK | constants.X_OK)
}

class Service implements Running {
  readonly supervisor: Supervisor
  readonly desk: Desk<never>
  readonly #options: ServeOptions
  readonly #systemd: Systemd
  #plan: ServePlan
  #stopSignals = 0
  /** Reloads run one after the other. */
  #reloading: Promise<void> = Promise.resolve()

  constructor(options: ServeOptions, plan: ServePlan, supervisor: Supervisor, desk: Desk<never>) {
    this.#options = options
    this.#plan = plan
    this.supervisor = supervisor
    this.desk = desk
    this.#systemd = new Systemd(process.env, (text) => options.log(text))
  }

  async run(): Promise<ExitCode> {
    const path = controlPath(this.#plan.dataFolder)
    const control = await controlServer(path, (request) => this.#options.control(request, this))
    const signals = this.#listenToSignals()
    try {
      await checkPorts(this.#plan.listeners)
      const close = await this.#start()
      const reason = await this.supervisor.ended
      close()
      if (reason) throw reason
      return EXIT.ok
    } finally {
      signals.remove()
      await control.close()
      await this.desk.close()
    }
  }

  async #askWorkers(about: string, body: unknown, msMax?: number): Promise<unknown[]> {
    const answers = await this.supervisor.askAll(about, body, msMax)
    return answers.filter((answer) => answer.kind === 'answer').map((answer) => answer.body)
  }

  reload(): Promise<void> {
    const next = this.#reloading.then(() => this.#reloadNow())
    this.#reloading = next.catch(() => {})
    return next
  }

  // The result closes what was opened. A program that is stopped while it starts has nothing to close.
  async #start(): Promise<() => void> {
    const starting = this.supervisor.start().then(() => undefined)
    try {
      // A start that failed also ends the supervisor, and may be heard of that way first.
      const reason = await Promise.race([starting, this.supervisor.ended])
      if (reason) throw reason
    } catch (error) {
      await this.supervisor.ended
      throw error
    }
    if (this.#stopSignals > 0) return () => {}
    this.desk.started(
      (about, body, msMax) => this.#askWorkers(about, body, msMax),
      (about, body, msMax) => this.supervisor.askOne(about, body, msMax),
      (about, body, msMax) => this.supervisor.askOnce(about, body, msMax),
    )
    const closeOthers = await this.#options.started(this, this.#plan)
    await this.#systemd.ready(this.#status())
    const watchdog = this.#startWatchdog()
    this.#options.log(`ready: ${this.#status()}`)
    return () => {
      clearInterval(watchdog)
      closeOthers()
    }
  }

  async #reloadNow(): Promise<void> {
    await this.#systemd.reloading()
    try {
      const plan = await this.#options.load()
      const { dataFolder, workers } = this.#plan
      if (plan.dataFolder !== dataFolder || workerCount(plan.workers) !== workerCount(workers)) {
        this.#options.log('another data folder or number of workers takes effect at the next start')
      }
      await this.supervisor.reload(plan.settings)
      await this.desk.reload(plan.settings as never)
      this.#plan = { ...plan, dataFolder, workers }
      this.#options.log('reloaded')
    } finally {
      await this.#systemd.ready(this.#status())
    }
  }

  #listenToSignals(): { remove(): void } {
    const stop = (): void => this.#stop()
    const reload = (): void => {
      this.reload().catch((error) => {
        const text = toUserError(error)?.line ?? String(error instanceof Error ? error.stack : error)
        this.#options.log(`not reloaded, the old settings hold: ${text}`)
      })
    }
    process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload)
    return {
      remove: () => void process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', reload),
    }
  }

  #stop(): void {
    this.#stopSignals++
    if (this.#stopSignals > 1) {
      this.supervisor.kill()
      return
    }
    this.#options.log('stopping: open transactions may finish')
    void this.#systemd.stopping()
    this.supervisor.stop()
  }

  // No word to systemd while a worker hangs: then systemd restarts the service.
  #startWatchdog(): NodeJS.Timeout | undefined {
    const { watchdogMs } = this.#systemd
    if (watchdogMs === undefined) return undefined
    return setInterval(() => {
      if (this.supervisor.live) void this.#systemd.watchdog()
    }, watchdogMs)
  }

  #status(): string {
    const workers = this.supervisor.health().length
    return `${workers} ${workers === 1 ? 'worker' : 'workers'}`
  }
}
