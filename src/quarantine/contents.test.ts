/** Contents by hash: one file for equal ones, gone when nobody needs it, and never half of one. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { content } from '#mail/content.ts'
import { type Disk, systemDisk } from '#sys/disk.ts'
import { Contents, PIECE_OCTETS } from './contents.ts'

const sha256 = (octets: Buffer) => createHash('sha256').update(octets).digest('hex')

async function open(t: TestContext, more: Partial<Disk> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'quarantine-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const contents = new Contents(folder, { ...systemDisk, ...more })
  await contents.prepare()
  const files = async () => (await Array.fromAsync(contents.hashes())).sort()
  const put = async (name: string, ...chunks: readonly Buffer[]) => {
    const hash = await contents.write(name, content(chunks))
    await contents.place(name, hash)
    return hash
  }
  return { folder, contents, files, put, incoming: () => readdir(join(folder, 'incoming')) }
}

test('what is written is read again, however it is cut into chunks, and equal contents are one file', async (t) => {
  const { contents, files, put, incoming } = await open(t)
  const large = Buffer.alloc(2 * PIECE_OCTETS + 17, 'bread ')
  for (const octets of [Buffer.alloc(0), Buffer.from('a'), large]) {
    const hash = sha256(octets)
    assert.equal(await put('A1', octets), hash)
    assert.equal(await put('B2', ...Array.from({ length: 7 }, (_, i) => octets.subarray(piece(i), piece(i + 1)))), hash)
    function piece(i: number): number {
      return Math.floor((octets.length * i) / 7)
    }
    const read = await contents.read(hash)
    assert.ok(read.kind === 'content' && Buffer.concat(read.content.chunks).equals(octets))
  }
  assert.equal((await files()).length, 3)
  assert.deepEqual(await incoming(), [])
})

test('what is not what was written is not given out', async (t) => {
  const { contents, put } = await open(t)
  const hash = await put('A1', Buffer.from('two loaves'))
  await writeFile(contents.path(hash), 'two rolls')
  assert.deepEqual(await contents.read(hash), { kind: 'damaged' })
  assert.deepEqual(await contents.read('0'.repeat(64)), { kind: 'missing' })
  assert.throws(() => contents.path('../../etc/passwd'), /not a hash/)
  await assert.rejects(contents.write('../x', content([])), /not the name/)
})

test('a content goes when its turn comes and nobody needs it', async (t) => {
  const { contents, files, put } = await open(t)
  const hash = await put('A1', Buffer.from('x'))
  assert.equal(await contents.drop(hash, () => true), false)
  assert.deepEqual(await files(), [hash])
  assert.equal(await contents.drop(hash, () => false), true)
  assert.deepEqual(await files(), [])
})

test('a content that is placed while it is dropped stays: one after the other', async (t) => {
  const gate = Promise.withResolvers<void>()
  const slow = { unlink: async (path: string) => gate.promise.then(() => systemDisk.unlink(path)) }
  const { contents, files, put } = await open(t, slow)
  const hash = await put('A1', Buffer.from('x'))
  const dropped = contents.drop(hash, () => false)
  await contents.write('B2', content([Buffer.from('x')]))
  const placed = contents.place('B2', hash)
  // Time enough for the move, if it did not wait.
  await new Promise((resolve) => setTimeout(resolve, 50))
  gate.resolve()
  await Promise.all([dropped, placed])
  assert.deepEqual(await files(), [hash])
})

test('what cannot be written leaves nothing, and what a crash left is cleared', async (t) => {
  const full: Pick<Disk, 'open'> = {
    async open(path, mode) {
      const file = await systemDisk.open(path, mode)
      if (mode !== 'create') return file
      return { ...file, writeAll: async () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })) }
    },
  }
  const { contents, incoming, folder } = await open(t, full)
  await assert.rejects(contents.write('A1', content([Buffer.from('x')])), /no space/)
  assert.deepEqual(await incoming(), [])
  await writeFile(join(folder, 'incoming', 'C3'), 'half')
  assert.equal(await contents.clearIncoming(), 1)
  assert.deepEqual(await incoming(), [])
})

test('what is not ours is not taken for a content', async (t) => {
  const { files, folder, put } = await open(t)
  const hash = await put('A1', Buffer.from('x'))
  await mkdir(join(folder, 'contents', 'ab'), { recursive: true })
  await writeFile(join(folder, 'contents', 'ab', 'cd'.repeat(32)), 'in the wrong folder')
  await writeFile(join(folder, 'contents', 'ab', 'README'), 'x')
  assert.deepEqual(await files(), [hash])
})
