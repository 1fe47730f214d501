/**
 * kill -9 and power loss in the middle of every single disk call of a run that appends, settles, rotates, compacts and
 * replays; and several crashes in a row. Afterwards the account must be right.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DiskFault, TwinDisk } from '../../sim/disk.ts'
import { type Opened, open, Promises, start, traffic } from './rig.test.ts'

const RUNS = Number(process.env['SPOOL_TEST_RUNS'] ?? 100)
/** A run makes some hundred calls. */
const CALLS_MAX = 2000

/** Runs until the crash. False: the run ended before. */
async function runUntilCrash(disk: TwinDisk, promises: Promises, call: number, how: 'kill' | 'power-loss') {
  let opened: Opened | undefined
  const hitsBefore = disk.faultsHit
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
  // A disk that fails may not let the spool open at all.
  if (await Promise.race([crashed, live().catch((error: { code?: string }) => assert.ok(error.code))])) return true
  disk.kill()
  if (disk.faultsHit === hitsBefore) promises.allSynced()
  else promises.crashed()
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

interface Life {
  readonly how: 'kill' | 'power-loss'
  /** The disk call in which it ends. */
  readonly call: number
  readonly faults: readonly DiskFault[]
}

const fault = fc.record<DiskFault>({
  operation: fc.constantFrom('write', 'datasync', 'open', 'syncFolder', 'unlink', 'read'),
  nth: fc.integer({ min: 1, max: 60 }),
  forGood: fc.boolean(),
  code: fc.constantFrom('EIO', 'ENOSPC'),
})
const life = fc.record<Life>({
  how: fc.constantFrom('kill', 'power-loss'),
  call: fc.integer({ min: 1, max: 150 }),
  faults: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(fault, { maxLength: 2 })),
})

test('property: many crashes in a row, some on a disk that fails', async () => {
  const run = async (lives: Life[], seed: number) => {
    const disk = new TwinDisk(seed)
    const promises = new Promises()
    for (const { how, call, faults } of lives) {
      for (const each of faults) disk.fail(each)
      await runUntilCrash(disk, promises, call, how)
      disk.heal()
      const quiet = await start(disk)
      await promises.check(quiet.spool)
      disk.kill()
    }
  }
  await fc.assert(fc.asyncProperty(fc.array(life, { minLength: 3, maxLength: 8 }), fc.nat(), run), { numRuns: RUNS })
})
