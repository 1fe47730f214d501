/** Segments go when nobody needs them, not before; sparse ones are copied first. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceId } from '#mail/trace-id.ts'
import { TwinDisk } from '../../sim/disk.ts'
import { HOUSEKEEPING_MS } from './housekeeping.ts'
import { type Opened, open, Promises, start } from './rig.test.ts'

const segments = (disk: TwinDisk): string[] => disk.paths().filter((path) => path.endsWith('.segment'))

async function many({ spool, clock }: Opened, promises: Promises, count: number, octets = 300): Promise<TraceId[]> {
  const ids: TraceId[] = []
  for (let i = 0; i < count; i++) ids.push((await clock.until(promises.append(spool, octets)))!)
  return ids
}

test('settled segments are unlinked, whatever their order', async () => {
  const disk = new TwinDisk(1)
  const promises = new Promises()
  const opened = await start(disk)
  const ids = await many(opened, promises, 60)
  const before = segments(disk).length
  assert.ok(before > 5)
  for (const id of ids.toReversed()) promises.settle(opened.spool, id)
  await opened.clock.pass(20 * HOUSEKEEPING_MS)
  assert.ok(segments(disk).length <= 2, `${segments(disk).length} of ${before} are left`)
  assert.equal(opened.spool.counts.segments, segments(disk).length)
})

test('a live message lets its segment be compacted, and is found in its new place', async () => {
  const disk = new TwinDisk(1)
  const promises = new Promises()
  const opened = await start(disk)
  const ids = await many(opened, promises, 80)
  const survivors = ids.filter((_, i) => i % 20 === 3)
  for (const id of ids) if (!survivors.includes(id)) promises.settle(opened.spool, id)
  await opened.clock.pass(60 * HOUSEKEEPING_MS)
  assert.ok(segments(disk).length <= 3, `${segments(disk).length} segments for ${survivors.length} messages`)
  await promises.check(opened.spool)
  disk.powerLoss()
  promises.crashed()
  const after = await start(disk)
  await promises.check(after.spool)
  assert.deepEqual([...promises.live.keys()], survivors)
})

test('a segment that is well filled is left alone, and the newer ones still go', async () => {
  const disk = new TwinDisk(1)
  const promises = new Promises()
  const opened = await start(disk)
  await many(opened, promises, 20)
  const dense = segments(disk).slice(0, -1)
  for (const id of await many(opened, promises, 60)) promises.settle(opened.spool, id)
  await opened.clock.pass(60 * HOUSEKEEPING_MS)
  for (const path of dense) assert.ok(disk.paths().includes(path))
  assert.ok(segments(disk).length <= dense.length + 3)
})

test('what settles a message outlives the message, even when only that is left in its segment', async () => {
  const disk = new TwinDisk(1)
  const promises = new Promises()
  const opened = await start(disk)
  const [victim] = await many(opened, promises, 20)
  const home = segments(disk)[0]!
  await many(opened, promises, 5)
  promises.settle(opened.spool, victim!)
  const passing = await many(opened, promises, 40)
  for (const id of passing) promises.settle(opened.spool, id)
  await opened.clock.pass(60 * HOUSEKEEPING_MS)
  assert.ok(disk.paths().includes(home), 'the test needs the old message to be on disk still')
  disk.powerLoss()
  promises.crashed()
  const after = await start(disk)
  await promises.check(after.spool)
  assert.ok(promises.settled.has(victim!))
})

test('a segment that cannot be unlinked is tried again after a minute', async () => {
  const disk = new TwinDisk(1)
  const promises = new Promises()
  const opened = await start(disk)
  disk.fail({ operation: 'unlink', nth: 1, forGood: true, code: 'EIO' })
  for (const id of await many(opened, promises, 30)) promises.settle(opened.spool, id)
  await opened.clock.pass(30 * HOUSEKEEPING_MS)
  const failed = opened.alarms.filter((alarm) => alarm.kind === 'housekeeping-failed')
  const stuck = segments(disk).length
  assert.equal(failed.length, stuck - 1)
  disk.heal()
  await opened.clock.pass(60_000)
  assert.ok(segments(disk).length < stuck)
})

test('a restart after each few messages does not heap up segments', async () => {
  const disk = new TwinDisk(1)
  const promises = new Promises()
  for (let life = 0; life < 12; life++) {
    const opened = await open(disk.boot(), { segmentOctets: 64 * 1024 })
    await opened.clock.until(opened.spool.replayed)
    await many(opened, promises, 1)
    await opened.clock.pass(20 * HOUSEKEEPING_MS)
    disk.kill()
  }
  assert.ok(segments(disk).length <= 4, `${segments(disk).length} segments`)
  const after = await start(disk)
  await promises.check(after.spool)
  assert.equal(after.spool.counts.messages, 12)
})
