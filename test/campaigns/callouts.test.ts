/** The short form of `npm run campaign -- callouts`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callouts, most } from './callouts.ts'
import { assertPassed } from './campaign.ts'

test('a flood of invented recipients: ten questions per second and host, none to strangers, good mail goes on', async () => {
  const { figures } = await assertPassed(callouts, 4_000)
  assert.ok(figures['good messages beside the flood']! > 0)
})

test('the most within a window', () => {
  assert.equal(most([], 1), 0)
  assert.equal(most([0, 400, 999, 1000, 1100], 1), 4)
})
