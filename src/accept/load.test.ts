import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Load, TICK_MS } from './load.ts'

test('sessions, a late event loop and memory turn new sessions away, each for its own reason', () => {
  let memory = true
  const load = new Load({ sessionsMax: 10, lagMsMax: 500 }, () => memory)
  load.tick(70_000)
  assert.equal(load.overload(9), undefined, 'the first tick has nothing to compare with')
  assert.equal(load.overload(10), 'sessions-max')
  load.tick(70_000 + TICK_MS + 501)
  assert.equal(load.overload(9), 'lag')
  load.tick(70_000 + 2 * TICK_MS + 501)
  assert.equal(load.overload(9), undefined, 'it is in time again')
  memory = false
  assert.equal(load.overload(9), 'memory')
})
