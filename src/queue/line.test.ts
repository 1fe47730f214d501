import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TraceId } from '#mail/trace-id.ts'
import { Line, PROMPT_TURNS } from './line.ts'

const id = (n: number) => `${n}` as TraceId

test('the oldest of the backlog first, fresh mail in its order, and neither waits behind the other', () => {
  const messages = fc.array(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.boolean()), { maxLength: 200 })
  fc.assert(
    fc.property(messages, (all) => {
      const line = new Line()
      for (const [i, [receivedMs, fresh]] of all.entries()) line.push(id(i), receivedMs, fresh)
      const out: number[] = []
      for (let next = line.shift(); next !== undefined; next = line.shift()) out.push(Number(next))
      assert.deepEqual(
        [...out].sort((a, b) => a - b),
        [...all.keys()],
      )
      const fresh = out.filter((i) => all[i]![1])
      const backlog = out.filter((i) => !all[i]![1])
      assert.deepEqual(
        fresh,
        [...fresh].sort((a, b) => a - b),
      )
      for (const [i, one] of backlog.entries()) {
        if (i > 0) assert.ok(all[backlog[i - 1]!]![0] <= all[one]![0])
      }
      const both = out.slice(0, 2 * Math.min(fresh.length, backlog.length))
      assert.equal(both.filter((i) => all[i]![1]).length, both.length / 2)
    }),
  )
})

test('when the destination goes away nothing is fresh any more', () => {
  const line = new Line()
  line.push(id(3), 3, true)
  line.push(id(1), 1, false)
  line.push(id(2), 2, true)
  line.age()
  assert.equal(line.backlog, 3)
  assert.deepEqual([line.shift(), line.shift(), line.shift(), line.shift()], ['1', '2', '3', undefined])
})

test('prompt mail goes before other mail, which does not starve', () => {
  const line = new Line()
  for (let i = 0; i < 100; i++) line.push(id(i), i, i >= 20, i >= 60)
  const out = Array.from({ length: 40 }, () => Number(line.shift()))
  const prompt = out.filter((i) => i >= 60)
  assert.equal(prompt.length, (40 * (PROMPT_TURNS - 1)) / PROMPT_TURNS)
  assert.deepEqual(
    prompt,
    [...prompt].sort((a, b) => a - b),
  )
  assert.ok(out.some((i) => i < 20))
  assert.ok(out.some((i) => i >= 20 && i < 60))
  assert.equal(line.length, 60)
  const rest = Array.from({ length: 60 }, () => Number(line.shift()))
  assert.equal(new Set([...out, ...rest]).size, 100)
})

test('prompt mail ages and ends as any other', () => {
  const line = new Line()
  line.push(id(1), 5, true, true)
  assert.equal(line.takeReceivedBy(4), undefined)
  assert.equal(line.takeReceivedBy(5), '1')
  line.push(id(2), 5, true, true)
  line.age()
  assert.deepEqual([line.backlog, line.length, line.shift()], [1, 1, '2'])
})
