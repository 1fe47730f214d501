/**
 * What must not come back, and what must not be thrown away too early, in the narrow cases that random crashes meet
 * only now and then: a copy beside its original, a failed batch that is still in its file, a copy that was not synced.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { TwinDisk } from '../../sim/disk.ts'
import { Entry } from './entry.ts'
import { CopyItem } from './items.ts'
import { Ledger } from './ledger.ts'
import { bodyOf, drop, newMessage, type Opened, open, Promises, start } from './rig.test.ts'

async function many({ spool, clock }: Opened, promises: Promises, count: number): Promise<TraceId[]> {
  const ids: TraceId[] = []
  for (let i = 0; i < count; i++) ids.push((await clock.until(promises.append(spool)))!)
  return ids
}

async function passingMail(opened: Opened, promises: Promises, count = 40): Promise<void> {
  for (const id of await many(opened, promises, count)) promises.settle(opened.spool, id)
}

/** Segments that hold this message. */
function homes(disk: TwinDisk, id: TraceId): string[] {
  const isHome = (path: string) => path.endsWith('.segment') && disk.bytes(path).includes(`{"id":"${id}","tenant"`)
  return disk.paths().filter(isHome)
}

const failRemoval = (disk: TwinDisk) => disk.fail({ operation: 'truncate', nth: 1, forGood: true, code: 'EIO' })

/** A message whose copy is made, while its first segment cannot be unlinked for the next minute. */
async function copied(disk: TwinDisk, opened: Opened, promises: Promises): Promise<TraceId> {
  const ids = await many(opened, promises, 12)
  for (const id of ids.slice(1)) promises.settle(opened.spool, id)
  failRemoval(disk)
  await opened.clock.pass(3000)
  disk.heal()
  assert.equal(homes(disk, ids[0]!).length, 2)
  return ids[0]!
}

test('a settled copy keeps the old original down for as long as that is on disk', async () => {
  const disk = new TwinDisk(1)
  const promises = new Promises()
  const opened = await start(disk)
  const victim = await copied(disk, opened, promises)
  promises.settle(opened.spool, victim)
  await passingMail(opened, promises)
  await opened.clock.pass(40_000)
  assert.ok(homes(disk, victim).length > 0)
  disk.kill()
  promises.crashed()
  await promises.check((await start(disk)).spool)
  assert.ok(promises.settled.has(victim))
})

test('the same when the two were found by replay', async () => {
  const disk = new TwinDisk(1)
  const promises = new Promises()
  const first = await start(disk)
  const victim = await copied(disk, first, promises)
  // They keep the segment of the copy from being compacted in its turn.
  const companions = await many(first, promises, 4)
  disk.kill()
  promises.crashed()
  const opened = await start(disk)
  assert.equal(opened.spool.counts.messages, 5)
  failRemoval(disk)
  await opened.clock.pass(3000)
  disk.heal()
  for (const id of [victim, ...companions]) promises.settle(opened.spool, id)
  for (let round = 0; round < 2; round++) {
    await passingMail(opened, promises)
    await opened.clock.pass(20_000)
  }
  assert.ok(homes(disk, victim).length > 0)
  disk.kill()
  promises.crashed()
  await promises.check((await start(disk)).spool)
  assert.ok(promises.settled.has(victim))
})

test('a message settled while replay still reads older segments does not come back with an older copy', async () => {
  const disk = new TwinDisk(1)
  const promises = new Promises()
  const victim = await copied(disk, await start(disk), promises)
  disk.kill()
  const { spool, clock } = await open(disk.boot())
  let told = 0
  spool.onEntry((entry) => {
    told++
    spool.change(entry.id, drop)
  })
  await clock.until(spool.replayed)
  assert.equal(told, 1)
  assert.equal(spool.get(victim), undefined)
})

test('a copy is not made of a message that is settled meanwhile', () => {
  const ledger = new Ledger('/spool')
  const segment = ledger.newSegment(Buffer.alloc(8))
  const message = newMessage()
  const facts = { id: message.id, tenant: 't', receivedMs: 0, octets: 1, recipientCount: 1 }
  const standing = { turn: 0, route: 't/r', attempts: 0, nextAttemptMs: 0, recipients: undefined, lastText: undefined }
  const entry = new Entry(facts, standing, segment, 0, 100)
  const answers: boolean[] = []
  const item = new CopyItem(ledger, entry, { message, content: Buffer.alloc(1) }, (copied) => answers.push(copied))
  assert.ok(item.encode())
  entry.settled = true
  assert.equal(item.encode(), undefined)
  assert.deepEqual(answers, [true])
})

test('a refused batch that is still in its file stays void, also when the segment that says so goes', async () => {
  const disk = new TwinDisk(1)
  const promises = new Promises()
  const opened = await start(disk)
  await many(opened, promises, 3)
  disk.fail({ operation: 'datasync', nth: 1, forGood: false, code: 'EIO' })
  disk.fail({ operation: 'truncate', nth: 1, forGood: true, code: 'EIO' })
  const message = newMessage()
  const refused = opened.spool.append(message, content([bodyOf(message)]), 0)
  await assert.rejects(opened.clock.until(refused), { kind: 'broken' })
  promises.refused.add(message.id)
  disk.heal()
  assert.equal(homes(disk, message.id).length, 1)
  for (let round = 0; round < 4; round++) {
    await passingMail(opened, promises)
    await opened.clock.pass(20_000)
    assert.equal(homes(disk, message.id).length, 1)
  }
  disk.kill()
  promises.crashed()
  await promises.check((await start(disk)).spool)
})

test('after a kill, an original does not go before its copy is known to be on disk', async () => {
  for (let seed = 0; seed < 30; seed++) {
    const disk = new TwinDisk(seed)
    const promises = new Promises()
    const opened = await start(disk)
    const ids = await many(opened, promises, 12)
    for (const id of ids.slice(1)) promises.settle(opened.spool, id)
    // The copy is written by now, and not synced yet.
    for (let i = 0; homes(disk, ids[0]!).length < 2; i++) {
      assert.ok(i < 100)
      await opened.clock.pass(50)
    }
    disk.kill()
    promises.crashed()
    const next = await start(disk)
    await next.clock.pass(1500)
    assert.equal(homes(disk, ids[0]!).length, 1)
    disk.powerLoss()
    promises.crashed()
    await promises.check((await start(disk)).spool)
  }
})
