/**
 * What signing (DKIM) costs the relay: mail of a tenant's server that leaves, unsigned and signed, in one program whose keys
 * are changed between the cells, so that the kinds alternate. `rate` and `CPU` are ratios to the unsigned cell of the same
 * repetition, their medians.
 */
import { type BenchOptions, median, sizeText } from '../options.ts'
import { RelayUnderTest } from '../relay-under-test.ts'
import { SinkProcess } from '../sink-process.ts'
import type { Cell, Table } from '../table.ts'
import { Bench, type Figures } from './throughput.ts'

/** Of the sender that the load tools write. */
const DOMAIN = 'src.test'
const KINDS = ['unsigned', 'rsa', 'ed25519', 'both'] as const
type Kind = (typeof KINDS)[number]
const WARM_UP_MESSAGES = 1000
const MESSAGES_MAX = 200_000

async function withKeys(relay: RelayUnderTest, kind: Kind, work: () => Promise<Figures>): Promise<Figures> {
  if (kind === 'unsigned') return work()
  await relay.command('dkim', 'create', DOMAIN, '--algorithm', kind, '--selector', 's', '--activate')
  try {
    return await work()
  } finally {
    const selectors = kind === 'both' ? ['sr', 'se'] : ['s']
    for (const selector of selectors) await relay.command('dkim', 'delete', DOMAIN, selector, '--force')
  }
}

function rowsOf(cell: string, runs: Readonly<Record<Kind, readonly Figures[]>>): Cell[][] {
  return KINDS.map((kind) => {
    const of = (key: keyof Figures) => median(runs[kind].map((run) => run[key]))
    const ratio = (key: keyof Figures) => median(runs[kind].map((run, i) => run[key] / runs.unsigned[i]![key]))
    const missing = Math.max(...runs[kind].map((run) => run.missing + run.refused))
    return [
      ...[cell, kind, of('endToEndRate'), ratio('endToEndRate'), of('cpuPerThousand'), ratio('cpuPerThousand')],
      ...[of('dotP50'), of('dotP95'), `${missing}`],
    ]
  })
}

export async function signed(options: BenchOptions): Promise<Table> {
  const rows: Cell[][] = []
  const sink = await SinkProcess.start(['--port', '0'])
  const relay = await RelayUnderTest.create('spool', { [DOMAIN]: sink.ports[0]! }, true)
  try {
    await relay.start()
    const bench = new Bench(relay, sink, options)
    const first = { octets: 4096, sessions: 20, mode: 'multi' } as const
    await withKeys(relay, 'both', () => bench.run(first, WARM_UP_MESSAGES))
    for (const octets of options.sizes) {
      for (const sessions of options.sessions) {
        const runs: Record<Kind, Figures[]> = { unsigned: [], rsa: [], ed25519: [], both: [] }
        for (let i = 0; i < options.repetitions; i++) {
          for (const kind of KINDS) {
            runs[kind].push(
              await withKeys(relay, kind, () => bench.run({ octets, sessions, mode: 'multi' }, MESSAGES_MAX)),
            )
          }
        }
        rows.push(...rowsOf(`${sizeText(octets)} s=${sessions}`, runs))
        options.told(`${sizeText(octets)} s=${sessions} done`)
      }
    }
  } finally {
    await relay.remove()
    await sink.stop()
  }
  const columns = ['cell', 'keys', 'e2e/s', 'rate', 'CPU s/1000', 'CPU', 'dot p50 ms', 'dot p95 ms', 'missing, refused']
  return { title: `Signing (${options.pace})`, columns, rows }
}
