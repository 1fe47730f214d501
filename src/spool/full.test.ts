/** A full disk: appends are refused, changes still get through, and it ends by itself. A broken one likewise. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { TwinDisk } from '../../sim/disk.ts'
import { bodyOf, drop, newMessage, type Opened, open, Promises, start } from './rig.test.ts'
import { LOOK_MS } from './space.ts'

const MIB = 1024 * 1024

async function append({ spool, clock }: Opened, octets = 300): Promise<TraceId> {
  const message = newMessage()
  await clock.until(spool.append(message, content([bodyOf(message, octets)]), 0))
  return message.id
}

test('below the free space that must stay, appends are refused before anything is written', async () => {
  const disk = new TwinDisk(1)
  disk.capacityOctets = 4 * MIB
  const opened = await open(disk.boot(), { freeOctetsMin: 2 * MIB })
  const id = await append(opened)
  disk.capacityOctets = 2 * MIB
  await opened.clock.pass(LOOK_MS)
  await assert.rejects(append(opened), { kind: 'full' })
  assert.equal(opened.spool.health.kind, 'full')
  const { batches } = opened.spool.counts
  await assert.rejects(append(opened), { kind: 'full' })
  assert.equal(opened.spool.counts.batches, batches)
  opened.spool.change(id, drop)
  await opened.clock.pass(200)
  assert.equal(opened.spool.counts.batches, batches + 1)
  assert.deepEqual(opened.alarms, [{ kind: 'full' }])

  disk.capacityOctets = 8 * MIB
  await opened.clock.pass(LOOK_MS)
  assert.equal(opened.spool.health.kind, 'ok')
  await append(opened)
  assert.deepEqual(opened.alarms, [{ kind: 'full' }, { kind: 'recovered' }])
})

test('a disk that fills up while a batch is written: refused for certain, and the same file goes on', async () => {
  const disk = new TwinDisk(1)
  const opened = await open(disk.boot(), { segmentOctets: MIB })
  const promises = new Promises()
  await opened.clock.until(promises.append(opened.spool))
  disk.capacityOctets = disk.usedOctets + 1000
  await opened.clock.until(promises.append(opened.spool, 5000))
  assert.deepEqual([...promises.kinds], [['full', 1]])
  // The reserve was given up for changes.
  assert.ok(!disk.paths().some((path) => path.endsWith('/reserve')))
  disk.capacityOctets = 10 * MIB
  await opened.clock.pass(10_000)
  await opened.clock.until(promises.append(opened.spool))
  assert.equal(promises.live.size, 2)
  assert.equal(opened.spool.counts.segments, 1)
  disk.powerLoss()
  promises.crashed()
  const after = await start(disk)
  await promises.check(after.spool)
})

test('changes find room in the reserve when the disk is full to the last octet', async () => {
  const disk = new TwinDisk(1)
  const opened = await open(disk.boot(), { segmentOctets: MIB })
  const promises = new Promises()
  const ids: TraceId[] = []
  for (let i = 0; i < 20; i++) ids.push((await opened.clock.until(promises.append(opened.spool)))!)
  disk.capacityOctets = disk.usedOctets
  for (const id of ids) promises.settle(opened.spool, id)
  await opened.clock.pass(5000)
  disk.kill()
  promises.allSynced()
  const after = await start(disk)
  await promises.check(after.spool)
  assert.equal(after.spool.counts.messages, 0)
})

test('a spool starts on a full disk, and accepts when there is room', async () => {
  const disk = new TwinDisk(1)
  const promises = new Promises()
  const before = await open(disk.boot())
  await before.clock.until(promises.append(before.spool))
  await before.clock.until(before.spool.close())
  disk.capacityOctets = disk.usedOctets
  const opened = await start(disk)
  await promises.check(opened.spool)
  disk.capacityOctets = 10 * MIB
  await opened.clock.pass(120_000)
  await opened.clock.until(promises.append(opened.spool))
  assert.equal(promises.live.size, 2)
})

test('while a disk is broken for good, appends are refused at once and it is asked ever more rarely', async () => {
  const disk = new TwinDisk(1)
  const opened = await open(disk.boot())
  const id = await append(opened)
  disk.fail({ operation: 'datasync', nth: 1, forGood: true, code: 'EIO' })
  disk.fail({ operation: 'open', nth: 1, forGood: true, code: 'EIO' })
  await assert.rejects(append(opened), { kind: 'uncertain' })
  assert.equal(opened.spool.health.kind, 'broken')
  await assert.rejects(append(opened), { kind: 'broken' })
  opened.spool.change(id, drop)
  assert.equal(opened.spool.get(id), undefined)
  const before = disk.callsOf.get('open')!
  await opened.clock.pass(3_600_000)
  const tries = disk.callsOf.get('open')! - before
  assert.ok(tries > 55 && tries < 75, `${tries} tries in an hour`)
  disk.heal()
  await opened.clock.pass(60_000)
  assert.equal(opened.spool.health.kind, 'ok')
  await append(opened)
})

test('after a failed sync the same file is never synced or written again', async () => {
  const disk = new TwinDisk(1)
  const opened = await open(disk.boot(), { segmentOctets: MIB })
  await append(opened)
  const path = disk.paths().find((each) => each.endsWith('.segment'))!
  const octets = disk.bytes(path).length
  disk.fail({ operation: 'datasync', nth: 1, forGood: false, code: 'EIO' })
  await assert.rejects(append(opened), { kind: 'broken' })
  assert.equal(opened.spool.health.kind, 'ok')
  await append(opened)
  await append(opened)
  assert.equal(disk.bytes(path).length, octets)
  assert.equal(opened.spool.counts.segments, 2)
})
