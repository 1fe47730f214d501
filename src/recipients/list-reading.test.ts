import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { listStamp, readListFile } from './list-reading.ts'

function file(t: TestContext, text?: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'list-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'list')
  if (text !== undefined) writeFileSync(path, text)
  return path
}

async function read(path: string, during: () => void = () => {}) {
  const keys: string[] = []
  const result = await readListFile(path, 'bakery.test', async (entries) => {
    keys.push(...entries.map(({ key }) => key))
    during()
  })
  return { keys, result }
}

test('a list of many pieces comes whole, the last line without an end', async (t) => {
  const path = file(t, `\uFEFF# staff\r\n${Array.from({ length: 20_000 }, (_, i) => `person.${i}\n`).join('')}last`)
  const { keys, result } = await read(path)
  assert.equal(keys.length, 20_001)
  assert.equal(keys.at(-1), 'last@bakery.test')
  assert.deepEqual(result, { kind: 'read', read: 20_001, stamp: await listStamp(path) })
})

test('faults have their line, and nothing behind the first is handed on', async (t) => {
  const filler = Array.from({ length: 10_000 }, (_, i) => `person.${i}\n`).join('')
  const { keys, result } = await read(file(t, `b c\n${filler}x@other.test\n`))
  assert.deepEqual(keys, [])
  assert.ok(result.kind === 'faulty')
  assert.deepEqual(
    result.faults.map(({ line }) => line),
    [1, 10_002],
  )
})

test('a file that changes while it is read is not taken; its stamp tells of any change', async (t) => {
  const path = file(t, 'anna\n')
  const stamps = [await listStamp(path)]
  const { result } = await read(path, () => appendFileSync(path, 'bert\n'))
  assert.deepEqual(result, { kind: 'unreadable', text: 'changed while it was read' })
  stamps.push(await listStamp(path))
  writeFileSync(path, 'anna\nbert\n')
  utimesSync(path, 1, 1)
  stamps.push(await listStamp(path))
  // As rsync and cp -p leave it: other octets, and the old time.
  await setTimeout(20)
  writeFileSync(path, 'anna\ncarl\n')
  utimesSync(path, 1, 1)
  stamps.push(await listStamp(path))
  assert.equal(new Set(stamps).size, 4)
})

test('what is no file is not waited for', async (t) => {
  const path = file(t)
  assert.deepEqual((await read(path)).result, { kind: 'unreadable', text: 'does not exist' })
  assert.equal(await listStamp(path), undefined)
  execFileSync('mkfifo', [path])
  assert.deepEqual((await read(path)).result, { kind: 'unreadable', text: 'is no file' })
  assert.deepEqual((await read(join(path, '..'))).result, { kind: 'unreadable', text: 'is no file' })
})
