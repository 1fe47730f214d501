/**
 * EICAR in every wrapping of the catalogue. The embedded engine and the default policy let none of them through. What is said
 * of each is the malware itself, not only a doubt.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeScan } from '../../src/policy/virus.ts'
import { look } from '../../src/scan/look.ts'
import { virusPolicy } from '../../src/tenant/virus-policy.ts'
import { wrappings } from './wrappings.ts'

const WRAPPINGS_MIN = 3_000

test('EICAR comes out of no wrapping as clean', async () => {
  const missed: string[] = []
  let count = 0
  for (const { trick, encoding, container, message } of wrappings()) {
    count++
    const facts = await look(message, () => 0)
    const { decision, because } = judgeScan({ facts, cleanBy: [], durationMs: 0 }, virusPolicy({}))
    if (decision !== 'reject' || because[0]?.kind !== 'malware')
      missed.push(`${trick}, ${encoding}, ${container}: ${decision}`)
  }
  assert.ok(count >= WRAPPINGS_MIN, `${count} wrappings`)
  assert.deepEqual(missed.slice(0, 30), [], `${missed.length} of ${count}`)
})
