import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { TwinDisk } from '../../sim/disk.ts'
import { lockFolder, SpoolLocked, thisProcess } from './lock.ts'
import { FOLDER } from './rig.test.ts'

const owner = (text: string, ...alive: string[]) => ({ text, isAlive: (other: string) => alive.includes(other) })

test('two owners cannot have one folder; it is free again after unlock', async () => {
  const disk = new TwinDisk(1).boot()
  const unlock = await lockFolder(FOLDER, disk, owner('a'))
  await assert.rejects(lockFolder(FOLDER, disk, owner('b', 'a')), SpoolLocked)
  await unlock()
  await lockFolder(FOLDER, disk, owner('b', 'a'))
})

test('the lock of a dead owner is taken over, and so is an empty one', async () => {
  const twin = new TwinDisk(1)
  await lockFolder(FOLDER, twin.boot(), owner('a'))
  await lockFolder(FOLDER, twin.boot(), owner('b'))
  twin.overwrite(`${FOLDER}/lock`, Buffer.alloc(0))
  await lockFolder(FOLDER, twin.boot(), thisProcess())
  await assert.rejects(lockFolder(FOLDER, twin.boot(), thisProcess()), SpoolLocked)
})

test('two that take over the same stale lock at once do not both get it', async () => {
  const twin = new TwinDisk(1)
  const disk = twin.boot()
  await lockFolder(FOLDER, disk, owner('dead'))
  const both = await Promise.allSettled(['b', 'c'].map((text) => lockFolder(FOLDER, disk, owner(text, 'b', 'c'))))
  assert.equal(both.filter((each) => each.status === 'fulfilled').length, 1)
})

test('a process is told from an earlier one with its pid', async () => {
  const me = thisProcess()
  assert.ok(me.isAlive(me.text))
  const [pid, ...rest] = me.text.split(' ')
  if (rest.length > 0) assert.ok(!me.isAlive([pid, '1', ...rest.slice(1)].join(' ')))
  const child = spawn(process.execPath, ['-e', ''])
  const { pid: childPid } = child
  await once(child, 'exit')
  assert.ok(!me.isAlive([childPid, ...rest].join(' ')))
  for (const text of ['', '0', '-1', 'x y z']) assert.ok(!me.isAlive(text))
})
