/**
 * `npm run torture`: `kill -9` of workers and of the whole program under load, with a ledger (see `torture/ledger.ts`).
 *
 *   npm run torture -- --kills 200 --seconds 300 --mode both --seed 1
 *
 * Ends with 0 if nothing was lost, nothing delivered after a refusal, nothing damaged, and duplicates lie around kills;
 * else with 1, and the spool and the log are left where the last line says.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { relayConfig } from '../bench/relay-config.ts'
import { freePort } from './harness/free-port.ts'
import { type Account, accountText } from './torture/ledger.ts'
import type { KillKind } from './torture/relay-process.ts'
import { torture } from './torture/torture.ts'

export type Mode = 'spool' | 'cut-through'

export interface RelayTorture {
  readonly mode: Mode
  readonly seed: number
  readonly kills: number
  readonly seconds: number
  readonly sessions: number
  readonly ratePerSecond: number
  readonly kinds: readonly KillKind[]
  readonly told?: (line: string) => void
}

export const EVERY_KIND: readonly KillKind[] = ['worker', 'worker', 'worker', 'program', 'supervisor']
/** Short, since acknowledged mail that was deferred must arrive before the run is judged. */
const RETRY_SECONDS = 1
const RETRY_SECONDS_MAX = 2
const DRAIN_QUIET_MS_MAX = 15_000

/** Runs the real relay in a folder of its own; the folder is removed if all was well. */
export async function tortureRelay(options: RelayTorture): Promise<{ account: Account; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'vorposten-torture-'))
  const [port, sinkPort] = [await freePort(), await freePort()]
  const config = join(folder, 'vorposten.yaml')
  const text = relayConfig({
    port,
    dataFolder: join(folder, 'data'),
    commit: options.mode,
    domains: { 'dest.test': sinkPort },
    retrySeconds: RETRY_SECONDS,
    retrySecondsMax: RETRY_SECONDS_MAX,
  })
  writeFileSync(config, text)
  const main = join(import.meta.dirname, '..', 'src', 'main.ts')
  const account = await torture({
    ...options,
    port,
    sinkPort,
    drainQuietMsMax: DRAIN_QUIET_MS_MAX,
    relay: {
      program: process.execPath,
      args: [main, 'serve', '--config', config],
      port,
      logFile: join(folder, 'log'),
    },
  })
  if (account.violations.length === 0) rmSync(folder, { recursive: true, force: true })
  else writeFileSync(join(folder, 'violations.json'), JSON.stringify(account, undefined, 2))
  return { account, folder }
}

const isKind = (text: string): text is KillKind => text === 'worker' || text === 'program' || text === 'supervisor'

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '50' },
      seconds: { type: 'string' },
      mode: { type: 'string', default: 'both' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      sessions: { type: 'string', default: '40' },
      rate: { type: 'string', default: '1000' },
      kinds: { type: 'string', default: EVERY_KIND.join(',') },
      quiet: { type: 'boolean', default: false },
    },
  })
  const kills = Number(values.kills)
  const modes: readonly Mode[] = (['spool', 'cut-through'] as const).filter((mode) =>
    [mode, 'both'].includes(values.mode),
  )
  const kinds = values.kinds.split(',').filter(isKind)
  if (modes.length === 0 || kinds.length === 0 || !(kills > 0))
    throw new Error('see the head of test/torture.ts for usage')
  for (const mode of modes) {
    console.log(`torture: ${mode}, ${kills} kills, --seed ${values.seed}`)
    const { account, folder } = await tortureRelay({
      mode,
      kills,
      kinds,
      seed: Number(values.seed),
      seconds: Number(values.seconds ?? kills),
      sessions: Number(values.sessions),
      ratePerSecond: Number(values.rate),
      ...(values.quiet ? {} : { told: (line: string) => console.log(`  ${line}`) }),
    })
    console.log(accountText(account))
    if (account.violations.length === 0) continue
    process.exitCode = 1
    console.log(`spool, log and violations: ${folder}`)
  }
}

if (import.meta.main) await main()
