import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Systemd } from './systemd.ts'

test('what systemd is told, in order', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'systemd-'))
  t.after(() => rm(folder, { recursive: true }))
  const command = join(folder, 'systemd-notify')
  await writeFile(command, `#!/bin/sh\necho "$@" >> ${folder}/said\n`, { mode: 0o755 })
  const notices: string[] = []
  const systemd = new Systemd(
    { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '30000000' },
    (text) => notices.push(text),
    command,
  )
  assert.equal(systemd.watchdogMs, 15_000)
  await systemd.ready('2 workers')
  await systemd.watchdog()
  await systemd.reloading()
  await systemd.stopping()
  const [ready, watchdog, reloading, stopping] = (await readFile(join(folder, 'said'), 'utf8')).split('\n')
  assert.deepEqual([ready, watchdog], ['READY=1 STATUS=2 workers', 'WATCHDOG=1'])
  assert.match(reloading!, /^RELOADING=1 MONOTONIC_USEC=\d+$/)
  assert.match(stopping!, /^STOPPING=1/)
  assert.deepEqual(notices, [])
})

test('outside systemd nothing is started; a command that fails is a notice', async () => {
  const notices: string[] = []
  const notice = (text: string) => void notices.push(text)
  const outside = new Systemd({ WATCHDOG_USEC: '30000000' }, notice, '/nonexistent')
  await outside.ready('x')
  assert.deepEqual([outside.watchdogMs, notices], [undefined, []])
  await new Systemd({ NOTIFY_SOCKET: '/run/x' }, notice, '/nonexistent').ready('x')
  assert.match(notices[0]!, /^\/nonexistent READY=1 failed: /)
})
