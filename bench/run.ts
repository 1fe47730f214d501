/**
 * `npm run bench -- [SCENARIO …] [--FLAG VALUE …]`: measures the relay of this checkout on loopback and prints Markdown
 * tables, each headed by the command that made it. `README.md` explains scenarios, flags and what the figures mean.
 */
import { parseArgs } from 'node:util'
import type { BenchOptions } from './options.ts'
import { destinations } from './scenario/destinations.ts'
import { direct } from './scenario/direct.ts'
import { idle } from './scenario/idle.ts'
import { isolation } from './scenario/isolation.ts'
import { queue, restart } from './scenario/queue.ts'
import { scan } from './scenario/scan.ts'
import { signed } from './scenario/signed.ts'
import { syncs } from './scenario/syncs.ts'
import { throughput } from './scenario/throughput.ts'
import { markdown, type Table } from './table.ts'

const SCENARIOS: Readonly<Record<string, (options: BenchOptions) => Promise<Table>>> = {
  direct,
  throughput,
  queue,
  restart,
  idle,
  isolation,
  destinations,
  syncs,
  signed,
  scan,
}

const FLAGS = {
  commit: { type: 'string', default: 'spool,cut-through' },
  sizes: { type: 'string', default: '4096,65536' },
  sessions: { type: 'string', default: '1,20,100' },
  modes: { type: 'string', default: 'single,multi' },
  pace: { type: 'string', default: 'pipelined' },
  seconds: { type: 'string', default: '5' },
  reps: { type: 'string', default: '3' },
  queued: { type: 'string', default: '50000' },
  idle: { type: 'string', default: '10000' },
  'black-hole': { type: 'string', default: '100000' },
} as const

/** The entries of a comma list that are among the known ones; a mistake in it is an error that says what is known. */
function chosen<T extends string>(list: string, known: readonly T[]): T[] {
  return list.split(',').map((text) => {
    const found = known.find((each) => each === text)
    if (found === undefined) throw new Error(`"${text}" is none of: ${known.join(', ')}`)
    return found
  })
}

function readOptions(): { scenarios: string[]; options: BenchOptions } {
  const { values, positionals } = parseArgs({ options: FLAGS, allowPositionals: true })
  const names = Object.keys(SCENARIOS)
  return {
    scenarios: positionals.length === 0 ? names : chosen(positionals.join(','), names),
    options: {
      commits: chosen(values.commit, ['spool', 'cut-through']),
      sizes: values.sizes.split(',').map(Number),
      sessions: values.sessions.split(',').map(Number),
      modes: chosen(values.modes, ['single', 'multi']),
      pace: chosen(values.pace, ['lock-step', 'pipelined', 'behind-dot'])[0]!,
      seconds: Number(values.seconds),
      repetitions: Number(values.reps),
      queued: Number(values.queued),
      idle: Number(values.idle),
      blackHole: Number(values['black-hole']),
      told: (line) => process.stderr.write(`${line}\n`),
    },
  }
}

async function main(): Promise<void> {
  const { scenarios, options } = readOptions()
  console.log(`\`npm run bench -- ${process.argv.slice(2).join(' ')}\`, ${new Date().toISOString()}\n`)
  for (const name of scenarios) {
    try {
      console.log(markdown(await SCENARIOS[name]!(options)))
    } catch (error) {
      console.log(`${name} failed: ${error instanceof Error ? error.message : error}\n`)
      process.exitCode = 1
    }
  }
}

await main()
