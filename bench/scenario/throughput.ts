/**
 * Load through the relay to a sink that takes everything: what it accepts, what arrives, what that costs.
 *
 * `accept/s`: acknowledged messages by the time until the last acknowledgement. `e2e/s`: the same messages by the time
 * until the last has arrived at the sink. `CPU s/1000`: of the relay's whole tree, from the first connection until half a
 * second after the last arrival. `missing`: acknowledged and not arrived. One repetition is one row's median.
 */
import { drive, uniformMessages } from '../driver.ts'
import {
  type BenchOptions,
  MANY_PER_SESSION,
  MEGABYTE,
  MESSAGES_MAX,
  median,
  QUIET_MS_MAX,
  sizeText,
} from '../options.ts'
import { type Commit, RelayUnderTest } from '../relay-under-test.ts'
import { SinkProcess } from '../sink-process.ts'
import type { Cell, Table } from '../table.ts'

const DOMAIN = 'dest.test'
const SETTLE_MS = 500
/** Before the first cell, so that no cell pays for compilation. */
const WARM_UP_MESSAGES = 2000

interface CellSize {
  readonly octets: number
  readonly sessions: number
  readonly mode: 'single' | 'multi'
}

export interface Figures {
  readonly acceptRate: number
  readonly endToEndRate: number
  readonly cpuPerThousand: number
  readonly rssOctets: number
  readonly pssOctets: number
  readonly dotP50: number
  readonly dotP95: number
  readonly refused: number
  readonly missing: number
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export class Bench {
  readonly relay: RelayUnderTest
  readonly sink: SinkProcess
  readonly #options: BenchOptions
  #nextNumber = 1

  constructor(relay: RelayUnderTest, sink: SinkProcess, options: BenchOptions) {
    this.relay = relay
    this.sink = sink
    this.#options = options
  }

  async run({ octets, sessions, mode }: CellSize, messagesMax: number): Promise<Figures> {
    const before = await this.sink.status()
    const cpuBefore = this.relay.cpuSeconds()
    this.relay.takePeak()
    const startMs = performance.timeOrigin + performance.now()
    const load = await drive({
      host: '127.0.0.1',
      port: this.relay.port,
      sessions,
      messagesMax,
      firstNumber: this.#nextNumber,
      durationMsMax: this.#options.seconds * 1000,
      messagesPerSession: mode === 'single' ? 1 : MANY_PER_SESSION,
      pace: this.#options.pace,
      message: uniformMessages(octets, [DOMAIN], 1),
    })
    const { acknowledged, deferred, rejected, unknown, unsent } = load.fates
    this.#nextNumber += acknowledged + deferred + rejected + unknown + unsent
    const after = await this.sink.waitFor(before.distinct + acknowledged, QUIET_MS_MAX)
    await pause(SETTLE_MS)
    const peak = this.relay.takePeak()
    return {
      acceptRate: load.rate,
      endToEndRate: acknowledged / ((after.lastArrivalMs - startMs) / 1000),
      cpuPerThousand: ((this.relay.cpuSeconds() - cpuBefore) / acknowledged) * 1000,
      rssOctets: peak.rssOctets,
      pssOctets: peak.pssOctets,
      dotP50: load.dotMs.p50,
      dotP95: load.dotMs.p95,
      refused: deferred + rejected + unknown,
      missing: before.distinct + acknowledged - after.distinct,
    }
  }
}

function row(commit: Commit, { octets, sessions, mode }: CellSize, runs: readonly Figures[]): Cell[] {
  const of = (key: keyof Figures): number => median(runs.map((run) => run[key]))
  return [
    commit,
    `${sizeText(octets)} s=${sessions} ${mode}`,
    of('acceptRate'),
    of('endToEndRate'),
    of('cpuPerThousand'),
    of('dotP50'),
    of('dotP95'),
    of('rssOctets') / MEGABYTE,
    of('pssOctets') / MEGABYTE,
    `${Math.max(...runs.map((run) => run.refused))}`,
    `${Math.max(...runs.map((run) => run.missing))}`,
  ]
}

async function runCommit(commit: Commit, options: BenchOptions): Promise<Cell[][]> {
  const rows: Cell[][] = []
  const sink = await SinkProcess.start(['--port', '0'])
  const relay = await RelayUnderTest.create(commit, { [DOMAIN]: sink.ports[0]! })
  try {
    await relay.start()
    const bench = new Bench(relay, sink, options)
    await bench.run({ octets: 4096, sessions: 20, mode: 'multi' }, WARM_UP_MESSAGES)
    for (const octets of options.sizes) {
      for (const mode of options.modes) {
        for (const sessions of options.sessions) {
          const runs: Figures[] = []
          for (let i = 0; i < options.repetitions; i++) {
            runs.push(await bench.run({ octets, sessions, mode }, MESSAGES_MAX))
          }
          rows.push(row(commit, { octets, sessions, mode }, runs))
          options.told(
            `${rows
              .at(-1)!
              .map((cell) => (typeof cell === 'number' ? cell.toFixed(2) : cell))
              .join('  ')}`,
          )
        }
      }
    }
  } finally {
    await relay.remove()
    await sink.stop()
  }
  return rows
}

export async function throughput(options: BenchOptions): Promise<Table> {
  const rows: Cell[][] = []
  for (const commit of options.commits) rows.push(...(await runCommit(commit, options)))
  const columns = [
    'commit',
    'cell',
    'accept/s',
    'e2e/s',
    'CPU s/1000',
    'dot p50 ms',
    'dot p95 ms',
    'RSS MB',
    'PSS MB',
    'refused',
    'missing',
  ]
  return { title: `Throughput (${options.pace})`, columns, rows }
}
