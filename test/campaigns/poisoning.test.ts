/** The short form of `npm run campaign -- poisoning`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertPassed } from './campaign.ts'
import { poisoning } from './poisoning.ts'

test('no fault of a server and no trick of a sender makes us believe that somebody does not exist', async () => {
  const { figures } = await assertPassed(poisoning, 100)
  assert.ok(figures['answered 4yz']! > 0)
})
