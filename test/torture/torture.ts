/**
 * One torture run: a relay under load is killed again and again by SIGKILL, workers one by one and the whole program, then
 * it is stopped in order, started again and drained. The next hop and the clients stay up and keep the ledger.
 *
 * Bounds: kills, seconds, sessions and messages per second, all named in the options.
 */
import { Driver } from '../../bench/driver.ts'
import type { Pace } from '../../bench/load-session.ts'
import { Sink } from '../../bench/sink.ts'
import { type Account, Ledger } from './ledger.ts'
import { chance, tortureMessage } from './load.ts'
import { type KillKind, type RelayCommand, RelayProcess, until } from './relay-process.ts'

export interface TortureOptions {
  readonly seed: number
  readonly kills: number
  /** About how long the killing takes. */
  readonly seconds: number
  readonly kinds: readonly KillKind[]
  readonly sessions: number
  readonly ratePerSecond: number
  readonly port: number
  readonly sinkPort: number
  readonly relay: RelayCommand
  /** Longest time without any arrival while acknowledged messages are missing. */
  readonly drainQuietMsMax: number
  readonly told?: (line: string) => void
}

/** A worker that was killed has so long to be replaced. */
const REPLACEMENT_MS_MAX = 10_000
/** Workers without a supervisor have so long to notice. */
const ORPHAN_MS_MAX = 5000
/** Numbers of the second driver begin here. */
const SECOND_DRIVER = 5_000_000
const REPLY_MS_MAX = 30_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

class Run {
  readonly ledger = new Ledger(() => performance.now())
  readonly #options: TortureOptions
  #relay: RelayProcess | undefined
  #workers = 0

  constructor(options: TortureOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#relay = await RelayProcess.start(this.#options.relay)
    this.#workers = Math.max(this.#workers, this.#relay.workers().length)
  }

  drivers(): Driver[] {
    const { sessions, ratePerSecond, port, seed } = this.#options
    const share = (pace: Pace, messagesPerSession: number, firstNumber: number): Driver =>
      new Driver({
        host: '127.0.0.1',
        port,
        pace,
        messagesPerSession,
        firstNumber,
        sessions: Math.ceil(sessions / 2),
        ratePerSecondMax: ratePerSecond / 2,
        messagesMax: SECOND_DRIVER - 1,
        durationMsMax: Number.POSITIVE_INFINITY,
        replyMsMax: REPLY_MS_MAX,
        message: (number) => {
          const message = tortureMessage(seed, number)
          this.ledger.begun(number, message.recipients.length)
          return message
        },
        settled: (number, fate) => this.ledger.settled(number, fate),
        recipientRefused: (number, index) => this.ledger.recipientRefused(number, index),
      })
    return [share('behind-dot', 1_000_000, 1), share('lock-step', 5, SECOND_DRIVER)]
  }

  async killAll(): Promise<void> {
    const { kills, seconds, seed, kinds } = this.#options
    for (let i = 0; i < kills; i++) {
      await pause((seconds / kills) * 1000 * (0.3 + 1.4 * chance(seed, i * 3)))
      const kind = kinds[Math.floor(chance(seed + 1, i) * kinds.length)]!
      await this.#kill(kind, chance(seed + 2, i))
      this.#options.told?.(`kill ${i + 1}: ${kind}; ${this.ledger.outstanding} acknowledged under way`)
    }
  }

  async #kill(kind: KillKind, choice: number): Promise<void> {
    const relay = this.#relay!
    const { ledger } = this
    if (kind === 'worker' && !(await until(() => relay.workers().length > 0, REPLACEMENT_MS_MAX))) {
      ledger.fault(`no worker was replaced within ${REPLACEMENT_MS_MAX} ms`)
    }
    ledger.killed()
    if (!relay.kill(kind, choice)) ledger.fault(`the program was not there to be killed (${kind})`)
    if (kind === 'worker' && relay.running) return
    const orphans = await relay.orphans(ORPHAN_MS_MAX)
    if (orphans.length > 0) ledger.fault(`${orphans.length} workers outlived their supervisor`)
    await this.start()
  }

  /** Every worker is back, the load is over: SIGTERM, a clean end, a new start. */
  async restartInOrder(): Promise<void> {
    const relay = this.#relay!
    if (!(await until(() => relay.workers().length >= this.#workers, REPLACEMENT_MS_MAX))) {
      this.ledger.fault(`${relay.workers().length} of ${this.#workers} workers are there after the last kill`)
    }
    const code = await relay.stop()
    if (code !== 0) this.ledger.fault(`SIGTERM ended it with ${code ?? 'SIGKILL after 30 s'}`)
    await this.start()
  }

  /** Until all that was acknowledged has ended, or nothing moves any more; then once more as long as a retry may take. */
  async drain(): Promise<void> {
    const { drainQuietMsMax } = this.#options
    let last = this.ledger.outstanding
    let lastMs = performance.now()
    await until(() => {
      const now = performance.now()
      if (this.ledger.outstanding !== last) {
        last = this.ledger.outstanding
        lastMs = now
      }
      return last === 0 || now - lastMs > drainQuietMsMax
    }, Number.POSITIVE_INFINITY)
    // What must not arrive gets its chance.
    await pause(500)
  }

  async end(): Promise<void> {
    const code = await this.#relay?.stop()
    if (code !== 0) this.ledger.fault(`SIGTERM ended it with ${code ?? 'SIGKILL after 30 s'}`)
  }
}

/** Runs it and judges; what could not even be run, such as a relay that does not start, is a violation too. */
export async function torture(options: TortureOptions): Promise<Account> {
  const run = new Run(options)
  const sink = new Sink({
    ports: [options.sinkPort],
    byLocalPart: true,
    verify: true,
    arrived: (arrival) => run.ledger.arrived(arrival),
  })
  await sink.listen()
  const drivers: Driver[] = []
  let drained = false
  try {
    await run.start()
    drivers.push(...run.drivers())
    const loads = drivers.map((driver) => driver.run())
    await run.killAll()
    await pause(500)
    for (const driver of drivers) driver.stop()
    await Promise.all(loads)
    options.told?.(`load is over; ${run.ledger.outstanding} acknowledged under way; stop and start`)
    await run.restartInOrder()
    await run.drain()
    drained = true
    await run.end()
  } catch (error) {
    run.ledger.fault(`${error}; ${run.ledger.outstanding} acknowledged were not delivered yet`)
  } finally {
    for (const driver of drivers) driver.stop()
    await sink.close()
  }
  return run.ledger.account(drained)
}
