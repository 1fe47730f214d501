/** The short form of `npm run campaign -- joe-job`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertPassed } from './campaign.ts'
import { joeJob } from './joe-job.ts'

test('bounces of mail that was never sent end in the session; those of real mail come home', async () => {
  const { figures } = await assertPassed(joeJob, 2_000)
  assert.equal(figures['real bounces arrived'], 10)
})
