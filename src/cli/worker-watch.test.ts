import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SERIES_MAX } from '#report/metrics.ts'
import { byRoute } from './worker-watch.ts'

test('of very many routes the rest is one series', () => {
  const values = Array.from({ length: SERIES_MAX + 3 }, (_, i) => [`t/r${i}`, i] as const)
  assert.deepEqual(byRoute(values.slice(0, 2)), [
    [{ route: 't/r0' }, 0],
    [{ route: 't/r1' }, 1],
  ])
  assert.equal(byRoute(values.slice(0, SERIES_MAX)).length, SERIES_MAX)
  const all = byRoute(values)
  assert.equal(all.length, SERIES_MAX + 1)
  assert.deepEqual(all.at(-1), [{ route: 'other' }, 3 * SERIES_MAX + 3])
})
