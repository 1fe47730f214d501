import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { lockFolder } from './folder-lock.ts'

const linux = process.platform === 'linux'
let folder = ''
before(async () => void (folder = await mkdtemp(join(tmpdir(), 'lock-'))))
after(() => rm(folder, { recursive: true }))

test('one holder at a time, and the kernel lets go for a holder that is killed', async () => {
  const holder = `
    const { lockFolder } = await import(${JSON.stringify(new URL('./folder-lock.ts', import.meta.url).href)})
    await lockFolder(${JSON.stringify(folder)})
    console.log('locked')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', holder], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  if (linux) {
    await assert.rejects(lockFolder(folder, 0), { name: 'UserError', message: `another process keeps ${folder}` })
  }
  const waiting = lockFolder(folder, 5000)
  child.kill('SIGKILL')
  const lock = await waiting
  if (linux) await assert.rejects(lockFolder(folder, 0), /another process keeps/)
  lock.close()
})
