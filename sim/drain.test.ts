/**
 * The figure: 100,000 messages after an outage, to a server that allows 10 connections and 50 messages per second. The
 * full number by `npm run sim:drain`; here a tenth, for each of two configurations.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drain } from './drain.ts'

const MESSAGES = Number(process.env['DRAIN_MESSAGES'] ?? 10_000)
const SERVER = { seed: 1, messages: MESSAGES, connectionsMax: 10, perSecondMax: 50, freshEveryMs: 1_000 }

test('a drain within limits that the configuration knows: no refusal at all, fresh mail at once', async (t) => {
  const result = await drain({ ...SERVER, route: { connectionsMax: 10, messagesPerSecondMax: 50 } })
  t.diagnostic(JSON.stringify(result))
  assert.ok(result.delivered >= MESSAGES, 'all of it')
  assert.deepEqual(result.refused, { connections: 0, messages: 0 })
  assert.ok(result.connectionsMost <= 10)
  assert.ok(result.freshDelayMsMost < 2_000, `fresh mail waited ${result.freshDelayMsMost} ms`)
  assert.ok(result.tookMs < (MESSAGES / 50) * 1000 * 1.2 + 60_000, `it took ${result.tookMs} ms`)
})

test('a drain within limits that nobody told us: they are found out without a storm', async (t) => {
  const result = await drain({ ...SERVER, route: { connectionsMax: 20 } })
  t.diagnostic(JSON.stringify(result))
  assert.ok(result.delivered >= MESSAGES, 'all of it')
  const refused = result.refused.connections + result.refused.messages
  assert.ok(refused < MESSAGES / 100, `${refused} times 421`)
  assert.ok(result.worstStorm <= 30, `${result.worstStorm} times 421 within ten seconds`)
  assert.ok(result.freshDelayMsMost < 30_000, `fresh mail waited ${result.freshDelayMsMost} ms`)
})
