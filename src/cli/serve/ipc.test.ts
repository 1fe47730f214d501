import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '#sys/clock.ts'
import { Questions } from './ipc.ts'
import type { ToWorker } from './messages.ts'

function asked() {
  const sent: ToWorker[] = []
  const timers: (() => void)[] = []
  const clock: Clock = {
    wall: () => 0,
    monotonic: () => 0,
    after: (_, call) => {
      const index = timers.push(call) - 1
      return () => void (timers[index] = () => assert.fail('cancelled'))
    },
  }
  return { sent, timers, questions: new Questions(3, clock, (message) => sent.push(message)) }
}

test('answers find their questions, in any order', async () => {
  const { sent, questions } = asked()
  const first = questions.ask('metrics', undefined)
  const second = questions.ask('queue', { page: 2 })
  assert.deepEqual(sent[1], { kind: 'ask', id: 2, about: 'queue', body: { page: 2 } })
  questions.take({ kind: 'answer', id: 2, body: ['b'] })
  questions.take({ kind: 'refused', id: 1, text: 'not now' })
  assert.deepEqual(await second, { kind: 'answer', worker: 3, body: ['b'] })
  assert.deepEqual(await first, { kind: 'failed', worker: 3, text: 'not now' })
})

test('every question ends: by its time limit, by the worker’s death, or because there are too many', async () => {
  const { timers, questions } = asked()
  const slow = questions.ask('a', 0, 500)
  timers[0]!()
  assert.deepEqual(await slow, { kind: 'failed', worker: 3, text: 'no answer within 500 ms', unclear: true })
  questions.take({ kind: 'answer', id: 1, body: 'too late' })

  const open = Array.from({ length: 101 }, () => questions.ask('a', 0))
  assert.deepEqual(await open[100], { kind: 'failed', worker: 3, text: 'too many questions are open' })
  questions.failAll('worker 3 ended')
  assert.deepEqual(await open[0], { kind: 'failed', worker: 3, text: 'worker 3 ended', unclear: true })
  assert.deepEqual(await open[99], { kind: 'failed', worker: 3, text: 'worker 3 ended', unclear: true })
})
