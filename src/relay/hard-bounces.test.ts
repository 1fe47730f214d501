import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PathEvent } from '#mail/event.ts'
import { attempted, deferred, delivered, failed, newTraceId, recipient } from '#mail/testing.ts'
import { type HardBounce, hardBouncesFor } from './hard-bounces.ts'

test('only a refusal of the address, at a server of others, makes an address one that does not exist', () => {
  const found: HardBounce[] = []
  const heard: PathEvent[] = []
  const report = hardBouncesFor(
    (bounce) => void found.push(bounce),
    (routeId) => routeId === 'bakery/world',
    (event) => void heard.push(event),
  )
  const outcomes = [
    failed('550 5.1.1 no such user'),
    failed('550 5.7.1 you are on a list'),
    failed('550 5.1.1 no such user', 'content'),
    deferred('timeout'),
    delivered('250 ok'),
  ]
  const event = (more: object) =>
    ({
      kind: 'attempted',
      id: newTraceId(),
      tenant: 'bakery',
      route: 'bakery/world',
      recipients: ['Bob', 'b', 'c', 'd', 'e'].map((name) => recipient(`${name}@far.test`)),
      attempt: attempted(...outcomes),
      ageMs: 0,
      inSession: false,
      ...more,
    }) as const
  const first = event({})
  report(first)
  report(event({ route: 'bakery/shop' }))
  report(event({ notice: true }))
  assert.equal(heard.length, 3)
  assert.equal(found.length, 1)
  assert.deepEqual([found[0]!.tenant, found[0]!.address], ['bakery', 'bob@far.test'])
  assert.match(found[0]!.text, /no such user/)
  assert.equal(found[0]!.evidence, first.id)
})
