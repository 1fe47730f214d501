/**
 * Fails the Nth call of each disk operation, once and for good, for N = 1, 2, 3 … until a run does not reach it. After
 * each run the process ends in one of three ways, the disk is well again, and the account must be right: nothing
 * acknowledged is lost, nothing refused comes back, nothing settled comes back.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DiskFault, type DiskOperation, TwinDisk } from '../../sim/disk.ts'
import { type Opened, Promises, start, traffic } from './rig.test.ts'

const OPERATIONS: DiskOperation[] = [
  'write',
  'datasync',
  'open',
  'syncFolder',
  'unlink',
  'read',
  'list',
  'size',
  'close',
  'makeFolder',
  'freeOctets',
]
const ENDS = ['close', 'kill', 'power-loss'] as const
/** Runs are short; one that goes on longer than this never ends. */
const NTH_MAX = 400
const RANDOM_RUNS = Number(process.env['SPOOL_TEST_RUNS'] ?? 150)

async function end(disk: TwinDisk, opened: Opened | undefined, promises: Promises, how: (typeof ENDS)[number]) {
  if (how === 'close' && opened) {
    // Long enough for the longest back-off.
    await opened.clock.pass(130_000)
    await opened.clock.until(opened.spool.close())
    promises.allSynced()
  }
  promises.crashed()
  if (how === 'power-loss') disk.powerLoss()
  else disk.kill()
}

/** With one fault, nobody may be left without an answer. */
async function runOne(fault: DiskFault): Promise<boolean> {
  const disk = new TwinDisk(fault.nth)
  const promises = new Promises()
  await run(disk, promises, [fault], ENDS[fault.nth % ENDS.length]!)
  if (!fault.forGood) assert.equal(promises.kinds.get('uncertain'), undefined)
  return disk.faultsHit > 0
}

async function run(disk: TwinDisk, promises: Promises, faults: DiskFault[], how: (typeof ENDS)[number]): Promise<void> {
  const before = await start(disk)
  await traffic(before, promises, 4)
  disk.kill()
  promises.crashed()

  for (const fault of faults) disk.fail(fault)
  const opened = await start(disk).catch(() => undefined)
  if (opened) await traffic(opened, promises, 7)
  disk.heal()
  await end(disk, opened, promises, how)

  const after = await start(disk)
  await promises.check(after.spool)
  // It goes on working.
  assert.equal(after.spool.health.kind, 'ok')
  await traffic(after, promises, 3)
  await after.clock.until(after.spool.close())
  promises.allSynced()
  const last = await start(disk)
  await promises.check(last.spool)
}

for (const operation of OPERATIONS) {
  for (const forGood of [false, true]) {
    test(`${operation} fails ${forGood ? 'for good' : 'once'}`, async () => {
      for (const code of ['EIO', 'ENOSPC'] as const) {
        let nth = 1
        while (await named({ operation, nth, forGood, code }, runOne)) assert.ok(++nth < NTH_MAX)
        assert.ok(nth > 1, 'the operation was never called')
      }
    })
  }
}

test('several faults of any kind, at random', async () => {
  let hits = 0
  const fault = fc.record<DiskFault>({
    operation: fc.constantFrom(...OPERATIONS, 'truncate', 'write', 'datasync'),
    nth: fc.integer({ min: 1, max: 40 }),
    forGood: fc.boolean(),
    code: fc.constantFrom('EIO', 'ENOSPC'),
  })
  const runAny = async (faults: DiskFault[], how: (typeof ENDS)[number], seed: number) => {
    const disk = new TwinDisk(seed)
    await run(disk, new Promises(), faults, how)
    hits += disk.faultsHit
  }
  const faults = fc.array(fault, { minLength: 2, maxLength: 5 })
  await fc.assert(fc.asyncProperty(faults, fc.constantFrom(...ENDS), fc.nat(), runAny), { numRuns: RANDOM_RUNS })
  assert.ok(hits > RANDOM_RUNS)
})

async function named(fault: DiskFault, act: (fault: DiskFault) => Promise<boolean>): Promise<boolean> {
  try {
    return await act(fault)
  } catch (error) {
    throw new Error(JSON.stringify(fault), { cause: error })
  }
}
