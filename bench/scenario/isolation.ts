/**
 * A black hole beside good neighbours. Load at a fixed rate for a good domain, first alone, then with many messages queued
 * for a domain whose next hop takes connections and never says a word. Latency at the dot, and from MAIL to the arrival
 * at the sink; the sink runs in this process, so that both have one clock.
 */
import { drive, type LoadReport, uniformMessages } from '../driver.ts'
import { LatencyHistogram, type LatencySummary } from '../latency.ts'
import { type BenchOptions, MANY_PER_SESSION } from '../options.ts'
import { RelayUnderTest } from '../relay-under-test.ts'
import { Sink } from '../sink.ts'
import type { Cell, Table } from '../table.ts'

const GOOD = 'good.test'
const HOLE = 'hole.test'
const OCTETS = 4096
const SESSIONS = 20
const RATE_PER_SECOND = 500
const FILL_MS_MAX = 600_000
const SETTLE_MS = 2000
/** Numbers of the black hole's messages; none of them ever arrives. */
const HOLE_NUMBERS = 8_000_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Measured {
  readonly load: LoadReport
  readonly arrival: LatencySummary
}

class Neighbour {
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

const row = (name: string, { load, arrival }: Measured): Cell[] => [
  name,
  load.rate,
  load.dotMs.p50,
  load.dotMs.p95,
  arrival.p50,
  arrival.p95,
  arrival.p99,
  `${load.fates.acknowledged - arrival.count}`,
]

export async function isolation(options: BenchOptions): Promise<Table> {
  const neighbour = new Neighbour()
  const sink = new Sink({ ports: [0], blackHoles: [0], arrived: ({ number }) => neighbour.arrived(number) })
  const [goodPort, holePort] = await sink.listen()
  const relay = await RelayUnderTest.create('spool', { [GOOD]: goodPort!, [HOLE]: holePort! })
  try {
    await relay.start()
    await neighbour.measure(relay.port, 2)
    const alone = await neighbour.measure(relay.port, options.seconds)
    const hole = await drive({
      host: '127.0.0.1',
      port: relay.port,
      sessions: SESSIONS,
      messagesMax: options.blackHole,
      firstNumber: HOLE_NUMBERS,
      durationMsMax: FILL_MS_MAX,
      messagesPerSession: MANY_PER_SESSION,
      pace: 'pipelined',
      message: uniformMessages(OCTETS, [HOLE], 1),
    })
    await pause(SETTLE_MS)
    const beside = await neighbour.measure(relay.port, options.seconds)
    const change: Cell[] = ['change', beside.load.rate / alone.load.rate, beside.load.dotMs.p50 / alone.load.dotMs.p50]
    const ratio = (key: 'p50' | 'p95' | 'p99'): number => beside.arrival[key] / alone.arrival[key]
    return {
      title: `A good domain at ${RATE_PER_SECOND} messages/s, beside ${hole.fates.acknowledged} for a black hole`,
      columns: [
        '',
        'accept/s',
        'dot p50 ms',
        'dot p95 ms',
        'arrival p50 ms',
        'arrival p95 ms',
        'arrival p99 ms',
        'missing',
      ],
      rows: [
        row('alone', alone),
        row('beside it', beside),
        [...change, beside.load.dotMs.p95 / alone.load.dotMs.p95, ratio('p50'), ratio('p95'), ratio('p99'), ''],
      ],
    }
  } finally {
    await relay.remove()
    await sink.close()
  }
}
