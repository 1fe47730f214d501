/**
 * Simulates days of mail, seed after seed, and says what went wrong: `npm run sim -- --seed 7 --days 3 --seeds 20`. A
 * failing seed is printed with its last events; the same seed alone with `--log` prints all of them.
 */
import { parseArgs } from 'node:util'
import { simulate, type Verdict } from './simulation.ts'

const VIOLATIONS_SHOWN_MAX = 20

export function summary({ seed, counts, violations, hash }: Verdict, wallMs: number): string {
  const figures = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
  const end = violations.length === 0 ? 'ok' : `${violations.length} VIOLATIONS`
  return `seed ${seed}: ${end}; ${figures.join(', ')}; log ${hash.slice(0, 12)}; ${(wallMs / 1000).toFixed(1)} s`
}

/** The last events before the end, and what is wrong. */
export function account({ seed, violations, lastLines }: Verdict): string {
  const shown = violations.slice(0, VIOLATIONS_SHOWN_MAX)
  return [`seed ${seed}, last events:`, ...lastLines, `seed ${seed}, violations:`, ...shown].join('\n')
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      days: { type: 'string', default: '2' },
      seeds: { type: 'string', default: '1' },
      letters: { type: 'string', default: '150' },
      log: { type: 'boolean', default: false },
    },
  })
  const onLine = values.log ? { onLine: (line: string) => void process.stdout.write(`${line}\n`) } : {}
  for (let i = 0; i < Number(values.seeds); i++) {
    const startMs = performance.now()
    const seed = Number(values.seed) + i
    const verdict = await simulate({
      seed,
      days: Number(values.days),
      lettersPerDay: Number(values.letters),
      ...onLine,
    })
    process.stdout.write(`${summary(verdict, performance.now() - startMs)}\n`)
    if (verdict.violations.length === 0) continue
    process.stdout.write(`${account(verdict)}\n`)
    process.exitCode = 1
  }
}

if (import.meta.main) await main()
