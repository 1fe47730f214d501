import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueueEntry } from '#mail/stored.ts'
import { newTraceId } from '#mail/testing.ts'
import { waitingFor } from './worker-outages.ts'

const entry = (receivedMs: number, heldSinceMs?: number, route = 'bakery/main'): QueueEntry => ({
  id: newTraceId(),
  tenant: 'bakery',
  route,
  receivedMs,
  octets: 1,
  attempts: 0,
  nextAttemptMs: 0,
  state: heldSinceMs === undefined ? 'active' : 'held',
  heldSinceMs,
})

test('what waits for a route: all of it, its backlog, and what of the backlog was held since', async () => {
  const entries = [
    entry(100),
    entry(300),
    entry(200),
    entry(50, undefined, 'bakery/other'),
    entry(10, 150),
    entry(20, 200),
    entry(30, 260),
    entry(210, 260),
    entry(30, 260, 'bakery/other'),
  ]
  const spool = {
    *entries() {
      yield* entries
    },
  }
  const route = 'bakery/main'
  assert.deepEqual(await waitingFor(spool, { route, upMs: 200 }), { messages: 3, oldestMs: 100, backlog: 1, held: 2 })
  assert.deepEqual(await waitingFor(spool, { route }), { messages: 3, oldestMs: 100, backlog: 3, held: 0 })
  assert.deepEqual(await waitingFor(spool, { route: 'smith/main', upMs: 1 }), { messages: 0, backlog: 0, held: 0 })
})
