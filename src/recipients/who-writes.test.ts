import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RecipientKnowledge } from './knowledge.ts'
import { bench, DAY, down, known, LIVE, path, route, unknown } from './testing.ts'

describe('who has written', () => {
  const wrote = (knowledge: RecipientKnowledge) => knowledge.learn('anna@bakery.test', 'known', route.id, 'outgoing')

  it('is asked about all the same, and what the server says counts', async () => {
    for (const answer of [known, unknown]) {
      const { knowledge, server, ask } = bench(answer)
      wrote(knowledge)
      assert.equal(await ask(), answer.kind)
      assert.equal(server.asked, 1)
      wrote(knowledge)
      assert.equal(await ask(), answer.kind)
      assert.equal(server.asked, 1)
    }
  })

  it('is known while the server cannot be asked, and no other', async () => {
    const { knowledge, ask, pass } = bench(down)
    wrote(knowledge)
    pass(5000)
    const answer = await knowledge.verify(LIVE, path('anna@bakery.test'))
    assert.deepEqual(answer, { kind: 'known', source: 'outgoing', ageMs: 5000 })
    assert.equal(await ask('bert@bakery.test'), 'unreachable')
    pass(31 * DAY)
    assert.equal(await ask(), 'unreachable')
  })

  it('costs no question where the server takes every address', async () => {
    const { knowledge, server, ask } = bench(known)
    server.madeUp = known
    await ask('first@bakery.test')
    await new Promise(setImmediate)
    wrote(knowledge)
    const answer = await knowledge.verify(LIVE, path('anna@bakery.test'))
    assert.equal(answer.kind === 'known' && answer.source, 'takes-all')
    assert.equal(server.asked, 1)
  })
})
