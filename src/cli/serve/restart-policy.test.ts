import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QUICK_DEATH_MS, QUICK_DEATHS_MAX, RestartPolicy } from './restart-policy.ts'
import { spoolFoldersOf } from './spool-folders.ts'

test('quick deaths wait longer each time, and at last there is no hope; a good life forgives them', () => {
  const policy = new RestartPolicy()
  const delays = Array.from({ length: QUICK_DEATHS_MAX - 1 }, () => policy.died(0))
  assert.deepEqual(
    delays.map(({ delayMs }) => delayMs),
    [100, 200, 400, 800, 1600, 3200, 6400],
  )
  assert.ok(delays.every(({ hopeless }) => !hopeless))
  assert.equal(policy.died(0).hopeless, true)
  assert.equal(policy.died(0).delayMs, 25_600)
  assert.equal(policy.died(0).delayMs, 30_000, 'the longest')
  assert.deepEqual(policy.died(QUICK_DEATH_MS), { delayMs: 100, hopeless: false })
})

test('each worker keeps its folder; folders of workers that are no more are shared out', () => {
  const names = ['0', '1', '2', '3', '4', 'lost+found', '07', '-1']
  assert.deepEqual(spoolFoldersOf('/spool', 0, 2, names), ['/spool/0', '/spool/2', '/spool/4'])
  assert.deepEqual(spoolFoldersOf('/spool', 1, 2, names), ['/spool/1', '/spool/3'])
  assert.deepEqual(spoolFoldersOf('/spool', 5, 6, names), ['/spool/5'], 'more workers than before')
})
