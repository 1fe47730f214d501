/** The short form of `npm run campaign -- backscatter`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backscatter } from './backscatter.ts'
import { assertPassed } from './campaign.ts'

test('forged senders never hear from us, and each message is refused, delivered or held', async () => {
  const { figures } = await assertPassed(backscatter, 1_000)
  assert.equal(figures['delivered'], 196)
  assert.equal(figures['held after a refusal'], 196)
})
