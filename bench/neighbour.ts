/**
 * A domain whose servers are well: load at a fixed rate for it, and how long each message takes from MAIL to its arrival at
 * the sink. The sink runs in this process, so that both have one clock.
 */
import { drive, type LoadReport, uniformMessages } from './driver.ts'
import { LatencyHistogram, type LatencySummary } from './latency.ts'
import { MANY_PER_SESSION } from './options.ts'
import type { Cell } from './table.ts'

export const GOOD = 'good.test'
export const OCTETS = 4096
export const SESSIONS = 20
export const RATE_PER_SECOND = 500
export const SETTLE_MS = 2000

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export interface Measured {
  readonly load: LoadReport
  readonly arrival: LatencySummary
}

export class Neighbour {
  readonly #begunMs = new Map<number, number>()
  #arrivals = new LatencyHistogram()
  #nextNumber = 1

  arrived(number: number): void {
    const begunMs = this.#begunMs.get(number)
    if (begunMs === undefined) return
    this.#begunMs.delete(number)
    this.#arrivals.recordMs(performance.now() - begunMs)
  }

  async measure(port: number, seconds: number): Promise<Measured> {
    this.#arrivals = new LatencyHistogram()
    const messagesMax = Math.ceil(RATE_PER_SECOND * seconds)
    const message = uniformMessages(OCTETS, [GOOD], 1)
    const load = await drive({
      host: '127.0.0.1',
      port,
      sessions: SESSIONS,
      messagesMax,
      firstNumber: this.#nextNumber,
      durationMsMax: seconds * 2000,
      messagesPerSession: MANY_PER_SESSION,
      pace: 'pipelined',
      ratePerSecondMax: RATE_PER_SECOND,
      message: (number) => {
        this.#begunMs.set(number, performance.now())
        return message(number)
      },
    })
    this.#nextNumber += messagesMax
    await pause(SETTLE_MS)
    return { load, arrival: this.#arrivals.summary() }
  }
}

export const COLUMNS = [
  '',
  'accept/s',
  'dot p50 ms',
  'dot p95 ms',
  'arrival p50 ms',
  'arrival p95 ms',
  'arrival p99 ms',
  'missing',
]

export const row = (name: string, { load, arrival }: Measured): Cell[] => [
  name,
  load.rate,
  load.dotMs.p50,
  load.dotMs.p95,
  arrival.p50,
  arrival.p95,
  arrival.p99,
  `${load.fates.acknowledged - arrival.count}`,
]

/** Of the second in units of the first. */
export function change(alone: Measured, beside: Measured): Cell[] {
  const ratio = (key: 'p50' | 'p95' | 'p99'): number => beside.arrival[key] / alone.arrival[key]
  const dot = [beside.load.dotMs.p50 / alone.load.dotMs.p50, beside.load.dotMs.p95 / alone.load.dotMs.p95]
  return ['change', beside.load.rate / alone.load.rate, ...dot, ratio('p50'), ratio('p95'), ratio('p99'), '']
}
