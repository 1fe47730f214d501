/** Reading back: from the cache, from the disk, what is rotten, what a newer release wrote, and without owning it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { content } from '#mail/content.ts'
import type { NewMessage } from '#mail/stored.ts'
import { TwinDisk } from '../../sim/disk.ts'
import { readSpoolFolder } from './folder.ts'
import { Recent } from './recent.ts'
import { FORMAT_VERSION } from './record.ts'
import { bodyOf, drop, FOLDER, newMessage, type Opened, open, Promises, start } from './rig.test.ts'
import { WINDOW_OCTETS } from './scan.ts'

async function append({ spool, clock }: Opened, octets = 300): Promise<NewMessage> {
  const message = newMessage()
  await clock.until(spool.append(message, content([bodyOf(message, octets)]), 0))
  return message
}

const segmentsOf = (disk: TwinDisk) => disk.paths().filter((path) => path.endsWith('.segment'))

/** Changes one octet of the content. */
function rot(disk: TwinDisk, message: NewMessage): void {
  for (const path of segmentsOf(disk)) {
    const bytes = disk.bytes(path)
    const at = bytes.lastIndexOf(`${message.id}\x0f\x10`)
    if (at < 0) continue
    bytes[at + 20]! ^= 1
    disk.overwrite(path, bytes)
  }
}

test('a rotten record is set aside when it is read, and the message forgotten', async () => {
  const disk = new TwinDisk(1)
  const opened = await open(disk.boot(), { recentOctetsMax: 0 })
  const [good, bad] = [await append(opened), await append(opened)]
  rot(disk, bad)
  assert.equal((await opened.spool.read(bad.id)).kind, 'corrupt')
  assert.equal((await opened.spool.read(bad.id)).kind, 'gone')
  assert.equal((await opened.spool.read(good.id)).kind, 'stored')
  assert.equal(opened.spool.counts.messages, 1)
  const [alarm] = opened.alarms
  assert.ok(alarm?.kind === 'corrupt' && alarm.id === bad.id && alarm.copy)
  assert.ok(disk.bytes(alarm.copy).includes(bad.id))
})

test('when it cannot be set aside, its segment stays', async () => {
  const disk = new TwinDisk(1)
  const opened = await open(disk.boot(), { recentOctetsMax: 0 })
  await opened.clock.until(opened.spool.replayed)
  const bad = await append(opened)
  rot(disk, bad)
  const [home] = segmentsOf(disk)
  disk.fail({ operation: 'rename', nth: 1, forGood: true, code: 'EIO' })
  assert.equal((await opened.spool.read(bad.id)).kind, 'corrupt')
  for (let i = 0; i < 20; i++) opened.spool.change((await append(opened)).id, drop)
  await opened.clock.pass(120_000)
  assert.ok(disk.paths().includes(home!))
})

test('a disk that does not answer does not lose the message', async () => {
  const disk = new TwinDisk(1)
  const opened = await open(disk.boot(), { recentOctetsMax: 0 })
  const { id } = await append(opened)
  disk.fail({ operation: 'read', nth: 1, forGood: false, code: 'EIO' })
  assert.equal((await opened.spool.read(id)).kind, 'unreadable')
  assert.equal((await opened.spool.read(id)).kind, 'stored')
})

test('a message larger than the reading window comes through a restart', async () => {
  const disk = new TwinDisk(1)
  const opened = await open(disk.boot())
  const promises = new Promises()
  for (const octets of [100, 3 * WINDOW_OCTETS + 7, WINDOW_OCTETS, 100]) {
    await opened.clock.until(promises.append(opened.spool, octets))
  }
  disk.kill()
  const after = await start(disk)
  assert.deepEqual(after.alarms, [])
  await promises.check(after.spool)
  assert.equal(promises.live.size, 4)
})

test('a message that holds a spool file does not pass for records', async () => {
  const disk = new TwinDisk(1)
  const opened = await open(disk.boot(), { segmentOctets: 1 << 20 })
  const inner = await append(opened)
  opened.spool.change(inner.id, drop)
  await opened.clock.pass(1000)
  const stranger = Buffer.from(disk.bytes(segmentsOf(disk)[0]!))
  // A sender cannot know the key of the segment that its mail gets into.
  for (let at = stranger.indexOf('\x97VPR', 0, 'latin1'); at >= 0; at = stranger.indexOf('\x97VPR', at + 1, 'latin1')) {
    stranger.fill(0x5a, at + 8, at + 16)
    stranger.writeUInt32LE(crc32(stranger.subarray(at, at + 32)), at + 32)
  }
  const carrier = newMessage()
  await opened.clock.until(opened.spool.append(carrier, content([stranger]), 0))
  disk.kill()
  const path = segmentsOf(disk)[0]!
  const bytes = disk.bytes(path)
  bytes[bytes.lastIndexOf(stranger) - 300]! ^= 1
  disk.overwrite(path, bytes)
  const after = await start(disk)
  assert.equal(
    after.alarms.some((alarm) => alarm.kind === 'corrupt'),
    true,
  )
  assert.equal(after.spool.counts.messages, 0)
})

test('records of a newer release are kept for it, and everything else goes on', async () => {
  const disk = new TwinDisk(1)
  const opened = await start(disk)
  const [old, newer] = [await append(opened), await append(opened)]
  await opened.clock.until(opened.spool.close())
  const [path] = segmentsOf(disk)
  const bytes = disk.bytes(path!)
  const at = bytes.lastIndexOf('\x97VPR', bytes.indexOf(newer.id), 'latin1')
  bytes[at + 4] = FORMAT_VERSION + 1
  bytes.writeUInt32LE(crc32(bytes.subarray(at, at + 32)), at + 32)
  disk.overwrite(path!, bytes)
  const after = await start(disk)
  assert.ok(after.alarms.some((alarm) => alarm.kind === 'newer-version' && alarm.version === FORMAT_VERSION + 1))
  assert.deepEqual(
    [...after.spool.entries()].map((entry) => entry.id),
    [old.id],
  )
  after.spool.change(old.id, drop)
  await after.clock.pass(120_000)
  assert.ok(disk.paths().includes(path!))
})

test('a tool reads the folder of a dead relay, and changes nothing', async () => {
  const disk = new TwinDisk(1)
  const opened = await start(disk)
  const [one, two] = [await append(opened), await append(opened)]
  opened.spool.change(one.id, { kind: 'hold', atMs: 1, reason: 'operator', text: 'x' })
  await opened.clock.pass(200)
  disk.kill()
  rot(disk, two)
  const paths = disk.paths()
  const before = paths.map((path) => disk.bytes(path))
  const folder = await readSpoolFolder(FOLDER, disk.boot())
  assert.equal(folder.holder, 'test')
  assert.deepEqual(
    [...folder.entries].map(({ id, state }) => [id, state]),
    [[one.id, 'held']],
  )
  const read = await folder.read(one.id)
  assert.ok(read.kind === 'stored' && read.message.content.octets === 300)
  assert.deepEqual(
    folder.findings.map((finding) => finding.kind),
    ['corrupt'],
  )
  await folder.close()
  assert.deepEqual(disk.paths(), paths)
  assert.ok(before.every((bytes, i) => bytes.equals(disk.bytes(paths[i]!))))
})

test('the cache of recent messages has a limit, and does not pin large buffers', () => {
  const recent = new Recent(20_000)
  const slab = Buffer.alloc(64 * 1024)
  const messages = Array.from({ length: 30 }, () => newMessage())
  for (const [i, message] of messages.entries()) recent.put(message, content([slab.subarray(i, i + 1000)]))
  const kept = messages.filter((message) => recent.get(message.id))
  assert.deepEqual(kept, messages.slice(-9))
  for (const { id } of kept) assert.equal(recent.get(id)!.content.chunks[0]!.buffer.byteLength, 1000)
  recent.put(messages[0]!, content([slab]))
  assert.equal(recent.get(messages[0]!.id), undefined)
})
