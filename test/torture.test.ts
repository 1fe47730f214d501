/**
 * The short form of `npm run torture`, on the real relay: a few kills of each kind in both modes of commit.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountText } from './torture/ledger.ts'
import { tortureRelay } from './torture.ts'

for (const mode of ['spool', 'cut-through'] as const) {
  test(`${mode}: killed by SIGKILL under load, nothing acknowledged is lost, nothing refused arrives`, async () => {
    const { account, folder } = await tortureRelay({
      mode,
      seed: 2,
      kills: 4,
      seconds: 3,
      kinds: ['worker', 'program', 'supervisor'],
      sessions: 10,
      ratePerSecond: 400,
    })
    assert.deepEqual(account.violations, [], `${accountText(account)}\n${folder}`)
    assert.equal(account.kills, 4)
    assert.ok(account.fates.acknowledged > 100, accountText(account))
  })
}
