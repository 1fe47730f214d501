/**
 * kill -9 and power loss in the middle of every single disk call of a run that appends, settles, rotates, compacts and
 * replays; and several crashes in a row. Afterwards the account must be right.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TwinDisk } from '../../sim/disk.ts'
import { type Opened, open, Promises, start, traffic } from './rig.test.ts'

const RUNS = Number(process.env['SPOOL_TEST_RUNS'] ?? 100)
/** A run makes some hundred calls. */
const CALLS_MAX = 2000

/** Runs until the crash. False: the run ended before. */
async function runUntilCrash(disk: TwinDisk, promises: Promises, call: number, how: 'kill' | 'power-loss') {
  let opened: Opened | undefined
  const crashed = new Promise<boolean>((resolve) => {
    disk.crashAt(call, how, () => {
      promises.crashed()
      if (opened) opened.clock.stopped = true
      resolve(true)
    })
  })
  const live = async () => {
    opened = await open(disk.boot())
    await traffic(opened, promises, 6)
    await opened.clock.until(opened.spool.close())
    return false
  }
  if (await Promise.race([crashed, live()])) return true
  disk.kill()
  promises.allSynced()
  return false
}

for (const how of ['kill', 'power-loss'] as const) {
  test(`${how} in each disk call of a run`, async () => {
    for (let call = 1; ; call++) {
      assert.ok(call < CALLS_MAX)
      const disk = new TwinDisk(call)
      const promises = new Promises()
      const before = await start(disk)
      await traffic(before, promises, 4)
      disk.kill()
      promises.crashed()
      const crashed = await runUntilCrash(disk, promises, call, how)
      const after = await start(disk)
      await promises.check(after.spool)
      if (!crashed) break
    }
  })
}

test('property: many crashes in a row', async () => {
  const crash = fc.tuple(fc.constantFrom('kill' as const, 'power-loss' as const), fc.integer({ min: 1, max: 150 }))
  const run = async (crashes: ['kill' | 'power-loss', number][], seed: number) => {
    const disk = new TwinDisk(seed)
    const promises = new Promises()
    for (const [how, call] of crashes) {
      await runUntilCrash(disk, promises, call, how)
      const quiet = await start(disk)
      await promises.check(quiet.spool)
      disk.kill()
    }
  }
  await fc.assert(fc.asyncProperty(fc.array(crash, { minLength: 3, maxLength: 8 }), fc.nat(), run), { numRuns: RUNS })
})
