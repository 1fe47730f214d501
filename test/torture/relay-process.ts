/**
 * A relay that is started to be killed: the supervisor and its workers, found and ended by process id only. Its output
 * goes to a file, since under load it says more than a pipe would carry without slowing it down.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { childPids, isAlive, treePids } from '../../bench/process-tree.ts'

export interface RelayCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly port: number
  /** Standard output and error are appended to it. */
  readonly logFile: string
  /** Called with the process id before the program has run a line. */
  readonly spawned?: (pid: number) => void
}

/** Patience, not a goal: the machine may be busy with other tests. */
const GREETING_MS_MAX = 30_000
/** What is under way at SIGTERM is finished, or told 421, within 30 s. */
const STOP_MS_MAX = 30_000
const POLL_MS = 20
const LOG_OCTETS_SHOWN = 600

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Asks until the condition holds; false if it does not within `msMax`. */
export async function until(condition: () => boolean | Promise<boolean>, msMax: number): Promise<boolean> {
  const end = performance.now() + msMax
  for (;;) {
    if (await condition()) return true
    if (performance.now() > end) return false
    await pause(POLL_MS)
  }
}

/** Does a 220 come from the port? Says QUIT, so that the relay sees a clean session. */
export function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 2000 })
    let greeting = ''
    socket.on('data', (octets) => {
      greeting += octets.toString('latin1')
      if (greeting.includes('\n')) socket.end('QUIT\r\n')
    })
    socket.on('error', () => socket.destroy())
    socket.on('timeout', () => socket.destroy())
    socket.on('close', () => resolve(greeting.startsWith('220')))
  })
}

const startedHere = new Set<RelayProcess>()
process.on('exit', () => {
  for (const relay of startedHere) relay.kill('program')
})

/** `worker`: one of them; `supervisor`: it alone; `program`: all of it, supervisor first. */
export type KillKind = 'worker' | 'supervisor' | 'program'

export class RelayProcess {
  readonly pid: number
  readonly ended: Promise<number | null>
  readonly #child: ChildProcess
  #workersAtDeath: number[] = []

  private constructor(child: ChildProcess) {
    this.#child = child
    this.pid = child.pid ?? -1
    this.ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
    startedHere.add(this)
  }

  /** Resolves when it greets; rejects, with the end of its log, if it ends or stays silent. */
  static async start(command: RelayCommand, greetingMsMax = GREETING_MS_MAX): Promise<RelayProcess> {
    const log = openSync(command.logFile, 'a')
    // `detached`: a signal to our own group, such as Ctrl-C, does not reach it before we have told it to end.
    const child = spawn(command.program, command.args, { stdio: ['ignore', log, log], detached: true })
    closeSync(log)
    child.on('error', () => {})
    if (child.pid !== undefined) command.spawned?.(child.pid)
    const relay = new RelayProcess(child)
    const ready = await until(async () => !relay.running || (await greets(command.port)), greetingMsMax)
    if (ready && relay.running) return relay
    const how = relay.running
      ? `no 220 within ${greetingMsMax} ms`
      : `it ended with ${child.exitCode ?? child.signalCode}`
    relay.kill('program')
    throw new Error(`${command.program} ${command.args.join(' ')}: ${how}\n${logEnd(command.logFile)}`)
  }

  get running(): boolean {
    return this.pid > 0 && this.#child.exitCode === null && this.#child.signalCode === null
  }

  workers(): number[] {
    return childPids(this.pid).filter(isAlive)
  }

  /** SIGKILL. Which worker, `choice` (0 up to 1) says. False if there was nothing to kill. */
  kill(kind: KillKind, choice = 0): boolean {
    if (!this.running) return false
    if (kind === 'worker') {
      const workers = this.workers()
      const victim = workers[Math.floor(choice * workers.length)]
      if (victim !== undefined) end(victim)
      return victim !== undefined
    }
    const [, ...below] = treePids(this.pid)
    this.#workersAtDeath = below
    end(this.pid)
    if (kind === 'program') for (const pid of below) end(pid)
    startedHere.delete(this)
    return true
  }

  /** Resolves with the workers that outlive the supervisor by more than `msMax`; each is ended then. */
  async orphans(msMax: number): Promise<number[]> {
    await this.ended
    await until(() => !this.#workersAtDeath.some(isAlive), msMax)
    const orphans = this.#workersAtDeath.filter(isAlive)
    for (const pid of orphans) end(pid)
    await until(() => !orphans.some(isAlive), msMax)
    return orphans
  }

  /** SIGTERM, and SIGKILL if that is not enough; the exit code, null if it had to be killed. */
  async stop(): Promise<number | null> {
    if (this.running) this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.kill('program'), STOP_MS_MAX)
    const code = await this.ended
    clearTimeout(timer)
    startedHere.delete(this)
    return code
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It was faster.
  }
}

function logEnd(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-LOG_OCTETS_SHOWN)
  } catch {
    return ''
  }
}
