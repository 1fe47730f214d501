/**
 * The torture itself on trial: an honest relay passes it, and each way to break a promise raises its own alarm.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { freePort } from '../harness/free-port.ts'
import { type Account, accountText } from './ledger.ts'
import type { Manner } from './mini-relay.ts'
import { torture } from './torture.ts'

async function tortured(manner: Manner, kills: number): Promise<Account> {
  const folder = mkdtempSync(join(tmpdir(), 'mini-relay-'))
  const [port, sinkPort] = [await freePort(), await freePort()]
  const program = join(import.meta.dirname, 'mini-relay.ts')
  try {
    return await torture({
      seed: 7,
      kills,
      seconds: kills * 0.7,
      kinds: ['worker', 'program', 'supervisor'],
      sessions: 6,
      ratePerSecond: 300,
      port,
      sinkPort,
      drainQuietMsMax: 1000,
      relay: {
        program: process.execPath,
        args: [program, String(port), String(sinkPort), join(folder, 'spool'), manner],
        port,
        logFile: join(folder, 'log'),
      },
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const kinds = (account: Account): string[] => [...new Set(account.violations.map(({ kind }) => kind))].sort()

test('an honest relay that is killed four times passes, and met every kind of mail', async () => {
  const account = await tortured('honest', 4)
  assert.deepEqual(account.violations, [], accountText(account))
  assert.equal(account.kills, 4)
  assert.ok(account.fates.acknowledged > 100, accountText(account))
  for (const met of [
    account.fates.rejected,
    account.fates.unsent,
    account.refusedByNextHop,
    account.deferredByNextHop,
  ]) {
    assert.ok(met > 0, accountText(account))
  }
})

const CANARIES: readonly (readonly [Manner, readonly string[]])[] = [
  ['acks-early', ['lost']],
  ['forgets', ['lost']],
  ['delivers-refused', ['delivered-after-refusal']],
  ['damages', ['damaged']],
  ['repeats', ['ended-twice']],
]
describe('a relay is found out that', { concurrency: CANARIES.length }, () => {
  for (const [manner, alarms] of CANARIES) {
    test(manner.replace('-', ' '), async () => {
      const account = await tortured(manner, 2)
      assert.deepEqual(kinds(account), alarms, accountText(account))
    })
  }
})
