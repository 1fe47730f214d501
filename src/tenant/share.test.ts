import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Route } from './directory.ts'
import { routeShare } from './share.ts'

const route: Route = {
  id: 'bakery/main',
  tenant: 'bakery',
  protocol: 'smtp',
  hosts: [],
  tls: 'never',
  connectionsMax: 10,
  deliveriesPerConnectionMax: 1,
  retryFirstMs: 1,
  retryMaxMs: 1,
  lifetimeMs: 1,
}

test('shares add up to the whole, and nobody goes without a connection', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 64 }), (connectionsMax, workers) => {
      const whole = { ...route, connectionsMax, messagesPerSecondMax: 50 }
      const shares = Array.from({ length: workers }, (_, index) => routeShare(whole, { index, workers }))
      const sum = shares.reduce((all, share) => all + share.connectionsMax, 0)
      assert.equal(sum, Math.max(connectionsMax, workers))
      assert.ok(shares.every((share) => share.connectionsMax >= 1))
      const rate = shares.reduce((all, share) => all + share.messagesPerSecondMax!, 0)
      assert.ok(Math.abs(rate - 50) < 1e-6)
    }),
  )
})
