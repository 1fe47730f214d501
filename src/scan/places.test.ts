import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Places } from './places.ts'

const places = () => new Places({ placesMax: 3, waitingMax: 10, waitMsMax: 1_000 }, { after: () => () => {} })

test('fewer places: nobody loses one, and the next is served when there is room again; more: at once', async () => {
  const all = places()
  const taken = [await all.take(), await all.take(), await all.take()]
  let served = 0
  const next = [all.take(), all.take()].map((place) =>
    place.then((leave) => {
      served++
      return leave!
    }),
  )
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  all.resize(1)
  taken[0]!()
  taken[1]!()
  await settled()
  assert.equal(served, 0)
  taken[2]!()
  await settled()
  assert.equal(served, 1)
  all.resize(2)
  await settled()
  assert.deepEqual([served, all.waiting], [2, 0])
  for (const leave of await Promise.all(next)) leave()
  assert.ok(await all.take())
})
