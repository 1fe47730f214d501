import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Wire } from '#sys/wire.ts'
import { raceTo, STAGGER_MS } from './race.ts'
import { HandClock, quiet } from './testing.ts'

type Ending = { resolve: (wire: Wire) => void; reject: (error: Error) => void }

function race(addresses: string[]) {
  const clock = new HandClock()
  const begun: string[] = []
  const open = new Map<string, Ending>()
  const destroyed: string[] = []
  const connect = (address: string) =>
    new Promise<Wire>((resolve, reject) => {
      begun.push(address)
      open.set(address, { resolve, reject })
    })
  const wire = (name: string) => ({ destroy: () => void destroyed.push(name) }) as unknown as Wire
  const winner = raceTo(addresses, connect, clock).then(
    ({ address }) => address,
    (error: Error) => error.message,
  )
  return {
    clock,
    begun,
    destroyed,
    winner,
    answers: async (address: string) => {
      open.get(address)!.resolve(wire(address))
      await quiet()
    },
    fails: async (address: string) => {
      open.get(address)!.reject(new Error(`no ${address}`))
      await quiet()
    },
  }
}

test('the first that answers wins, and the others are not even tried', async () => {
  const { begun, winner, answers, clock } = race(['one', 'two'])
  await answers('one')
  assert.equal(await winner, 'one')
  await clock.pass(10 * STAGGER_MS)
  assert.deepEqual(begun, ['one'])
  assert.equal(clock.timers, 0)
})

test('silence starts the next one beside it; who comes late is hung up on', async () => {
  const { begun, winner, answers, destroyed, clock } = race(['one', 'two', 'three'])
  await clock.pass(STAGGER_MS)
  assert.deepEqual(begun, ['one', 'two'])
  await answers('two')
  assert.equal(await winner, 'two')
  await answers('one')
  assert.deepEqual(destroyed, ['one'])
  await clock.pass(10 * STAGGER_MS)
  assert.deepEqual(begun, ['one', 'two'])
})

test('a failure starts the next one at once', async () => {
  const { begun, winner, fails, answers } = race(['one', 'two'])
  await fails('one')
  assert.deepEqual(begun, ['one', 'two'])
  await answers('two')
  assert.equal(await winner, 'two')
})

test('all fail: the last error, once nothing is open any more', async () => {
  const { winner, fails, clock } = race(['one', 'two'])
  await clock.pass(STAGGER_MS)
  await fails('two')
  let over = false
  void winner.then(() => {
    over = true
  })
  await quiet()
  assert.equal(over, false)
  await fails('one')
  assert.equal(await winner, 'no one')
})

test('one address alone needs no clock', async () => {
  const { winner, fails, clock } = race(['one'])
  assert.equal(clock.timers, 0)
  await fails('one')
  assert.equal(await winner, 'no one')
})
