import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueueEntry } from '#mail/stored.ts'
import { newTraceId } from '#mail/testing.ts'
import { HandClock } from '#queue/testing.ts'
import { meetings, waitingFor } from './worker-outages.ts'

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

test('the supervisor hears now and then what deliveries met: that it was there, or that nobody was', async () => {
  const clock = new HandClock()
  const said: unknown[] = []
  const desk = async (_about: string, body: unknown) => void said.push(body)
  const met = meetings(desk, clock)
  const route = 'bakery/main'
  for (const up of [true, false, false, true]) met(route, up)
  assert.deepEqual(said, [
    { route, up: true },
    { route, up: false },
  ])
  met('smith/main', false)
  assert.equal(said.length, 3)
  await clock.pass(6_000)
  met(route, false)
  assert.deepEqual(said.at(-1), { route, up: false })
})
