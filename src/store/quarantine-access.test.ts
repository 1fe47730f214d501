import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newTraceId } from '#mail/testing.ts'
import { openStore } from './database.ts'
import { ACCESS_KEPT_MS, AccessLog, QUARANTINE_ACCESS } from './quarantine-access.ts'

test('who did what, by message and tenant, newest first, in pages; and forgotten after its time', () => {
  const log = new AccessLog(openStore(':memory:', [QUARANTINE_ACCESS]))
  const [one, two] = [newTraceId(), newTraceId()]
  const add = (atMs: number, id: typeof one, tenant: string) =>
    log.add({ atMs, who: 'anna', action: 'shown', id, tenant, text: `at ${atMs}` })
  add(1, one, 'bakery')
  add(2, two, 'smith')
  add(3, one, 'bakery')
  const moments = (query: Parameters<AccessLog['list']>[0]) => log.list(query).map(({ atMs }) => atMs)
  assert.deepEqual(moments({ rowsMax: 10 }), [3, 2, 1])
  assert.deepEqual(moments({ id: one, rowsMax: 10 }), [3, 1])
  assert.deepEqual(moments({ tenant: 'smith', rowsMax: 10 }), [2])
  const [first] = log.list({ rowsMax: 1 })
  assert.deepEqual(moments({ before: first!.number, rowsMax: 1 }), [2])
  log.prune(ACCESS_KEPT_MS + 2)
  assert.deepEqual(moments({ rowsMax: 10 }), [3])
  log.prune(ACCESS_KEPT_MS + 3)
  assert.deepEqual(moments({ rowsMax: 10 }), [])
  log.prune(ACCESS_KEPT_MS + 3)
})
