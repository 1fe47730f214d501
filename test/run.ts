/**
 * All tests, by Node's own runner, with one summary. `npm test -- GLOB…` runs a part. Tests with random input have a fixed
 * seed, so that a change fails by what it changed; `TEST_SEED=random` or `TEST_SEED=NUMBER` looks elsewhere, and `npm run
 * fuzz` always does.
 *
 * Files run in processes of their own, as many at a time as there are cores: most of them wait for the network or for a
 * foreign server, few need a core for long.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

const FILES = ['src', 'sim', 'fuzz', 'bench', 'demo', 'portal', 'test'].map((folder) => `${folder}/**/*.test.ts`)
/** Of one file, and of each test in it. More is a hang. */
const TEST_MS_MAX = 300_000

const chosen = process.argv.slice(2)
const options = [
  '--test',
  `--test-concurrency=${Math.max(2, availableParallelism())}`,
  `--test-timeout=${TEST_MS_MAX}`,
  // The type stripper that the tidy rules use calls itself experimental in each run.
  '--disable-warning=ExperimentalWarning',
  '--import=./test/seed.ts',
]
const { status, error } = spawnSync(process.execPath, [...options, ...(chosen.length > 0 ? chosen : FILES)], {
  cwd: new URL('..', import.meta.url),
  stdio: 'inherit',
  // The program is started some thousand times: stripped of its types once, each start takes half the time.
  env: { NODE_COMPILE_CACHE: new URL('../node_modules/.cache/compile', import.meta.url).pathname, ...process.env },
})
if (error) throw error
process.exitCode = status ?? 1
