/**
 * Runs the fuzzers: every file of this folder that exports `fuzz(seed, iterations)`. A fuzzer throws when it has found
 * something; all its chances come from the seed, so that the same two numbers find it again. Each run takes a new seed
 * and prints it.
 *
 *     npm run fuzz                                        each fuzzer for 60 s
 *     npm run fuzz -- --seconds 600 data-reader           one of them, longer
 *     npm run fuzz -- --seed 7 --iterations 200 data-reader    replay: exactly one call
 *
 * `canary()` is the proof that the alarm works: the same checks held against a subject that is broken on purpose. It
 * must throw; a canary that lives is a failure.
 */
import { randomInt } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'

export interface Fuzzer {
  readonly name: string
  fuzz(seed: number, iterations: number): void | Promise<void>
  canary?(): void | Promise<void>
}

export interface FuzzRun {
  readonly seed: number
  /** Iterations done. */
  readonly iterations: number
}

/** Of one call: short enough that a run ends on time, and that a replay is quick. */
const ITERATIONS_PER_CALL = 200
const SEED_MAX = 2 ** 31
const SECONDS = 60
const FOLDER = new URL('./', import.meta.url)

export const newSeed = (): number => randomInt(SEED_MAX)

/** All fuzzers, or those named; a name that nobody has is an error. */
export async function fuzzers(names: readonly string[] = []): Promise<Fuzzer[]> {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  const found: Fuzzer[] = []
  for (const file of files.sort()) {
    const loaded = (await import(new URL(file, FOLDER).href)) as Partial<Fuzzer>
    const { fuzz, canary } = loaded
    if (fuzz) found.push({ name: file.replace(/\.ts$/, ''), fuzz, ...(canary ? { canary } : {}) })
  }
  const unknown = names.filter((name) => !found.some((fuzzer) => fuzzer.name === name))
  if (unknown.length > 0) throw new Error(`no such fuzzer: ${unknown.join(', ')}`)
  return names.length === 0 ? found : found.filter((fuzzer) => names.includes(fuzzer.name))
}

/** Calls again and again, each time with the next seed, until `ms` are over. Throws with the line that replays. */
export async function fuzzFor(fuzzer: Fuzzer, seed: number, ms: number): Promise<FuzzRun> {
  const end = performance.now() + ms
  let iterations = 0
  for (let round = seed; iterations === 0 || performance.now() < end; round++) {
    await fuzzOnce(fuzzer, round, ITERATIONS_PER_CALL)
    iterations += ITERATIONS_PER_CALL
  }
  return { seed, iterations }
}

async function fuzzOnce(fuzzer: Fuzzer, seed: number, iterations: number): Promise<void> {
  try {
    await fuzzer.fuzz(seed, iterations)
  } catch (cause) {
    const replay = `npm run fuzz -- --seed ${seed} --iterations ${iterations} ${fuzzer.name}`
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${fuzzer.name} found something; replay it by: ${replay}\n${why}`, { cause })
  }
}

/** True: the alarm works. */
export async function canaryDies(fuzzer: Fuzzer): Promise<boolean> {
  try {
    await fuzzer.canary?.()
    return false
  } catch {
    return true
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: 'string' }, seed: { type: 'string' }, iterations: { type: 'string' } },
  })
  const seed = values.seed === undefined ? newSeed() : Number(values.seed)
  for (const fuzzer of await fuzzers(positionals)) {
    if (fuzzer.canary && !(await canaryDies(fuzzer))) throw new Error(`the canary of ${fuzzer.name} lives`)
    console.log(`${fuzzer.name}: seed ${seed}`)
    if (values.iterations !== undefined) await fuzzOnce(fuzzer, seed, Number(values.iterations))
    else {
      const { iterations } = await fuzzFor(fuzzer, seed, Number(values.seconds ?? SECONDS) * 1000)
      console.log(`${fuzzer.name}: ${iterations} iterations, nothing found`)
    }
  }
}

if (import.meta.main) await main()
