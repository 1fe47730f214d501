/** Destinations that have their mail at the same provider. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempted, deferred, delivered } from '#mail/testing.ts'
import { MINUTE, queueBench, route, settle } from './testing.ts'

const success = () => attempted(delivered())
const enough = () => attempted(deferred('refused-for-now', '421 4.7.0 too many connections'))

/** Domains `a0`, `a1`… at one provider, `b0`… at another, `x0`… at none that is known. */
function bench(tenants: readonly string[] = ['bakery']) {
  const routes = tenants.flatMap((tenant) =>
    ['a', 'b', 'x'].flatMap((of) =>
      Array.from({ length: 20 }, (_, i) => {
        const destination = `${of}${i}.test`
        return route(`${tenant}/internet/${destination}`, { destination })
      }),
    ),
  )
  const asked: string[] = []
  const made = queueBench(routes, () => 0.5, {
    async provider({ destination = '' }) {
      asked.push(destination)
      return destination.startsWith('x') ? undefined : `${destination[0]}.provider.test`
    },
  })
  const to = (destination: string, tenant = 'bakery') => made.add(['bob@x.test'], `${tenant}/internet/${destination}`)
  const started = (of: string, tenant = 'bakery'): number =>
    made.trying.filter((one) => one.route.startsWith(`${tenant}/internet/${of}`)).length
  /** All these destinations are known to be well. */
  const prove = async (of: string, tenant?: string): Promise<void> => {
    made.answer.with = success
    for (let i = 0; i < 20; i++) to(`${of}${i}.test`, tenant)
    await made.clock.pass(1000)
    made.answer.with = undefined
  }
  return { ...made, asked, to, started, prove }
}

test('a complaint to one destination slows down all of its provider, and nobody else', async () => {
  const { clock, to, started, prove, answer, queue } = bench(['bakery', 'florist'])
  for (const letter of ['a', 'b', 'x']) await prove(letter)
  await prove('a', 'florist')
  answer.with = enough
  to('a0.test')
  await settle()
  answer.with = success
  const before = { a: started('a'), b: started('b'), x: started('x'), other: started('a', 'florist') }
  for (let i = 1; i < 20; i++) {
    for (const letter of ['a', 'b', 'x']) to(`${letter}${i}.test`)
    to(`a${i}.test`, 'florist')
  }
  await settle()
  assert.equal(started('a'), before.a, 'silence after the complaint')
  assert.equal(queue.counts.providersLimited, 1)
  assert.equal(started('b'), before.b + 19)
  assert.equal(started('x'), before.x + 19)
  assert.equal(started('a', 'florist'), before.other + 19, 'tenants never cross')
  await clock.pass(2000)
  assert.ok(started('a') > before.a)
  assert.ok(started('a') < before.a + 19, 'a rate for all of them together')
  await clock.pass(MINUTE)
  assert.equal(started('a'), before.a + 19, 'who waits gets in')
  await clock.pass(5 * MINUTE)
  assert.deepEqual([queue.counts.waiting, queue.counts.later], [0, 0])
})

test('its connections are counted together after a complaint, and grow with each success', async () => {
  const { clock, to, started, prove, trying } = bench()
  await prove('a')
  for (let i = 0; i < 8; i++) to(`a${i}.test`)
  await settle()
  const first = trying.slice(-8)
  await first[0]?.end(enough())
  for (const one of first.slice(1)) await one.end(success())
  for (let i = 8; i < 20; i++) to(`a${i}.test`)
  const before = started('a')
  await clock.pass(MINUTE)
  // Four under way were left by the complaint, and seven successes came after it.
  assert.equal(started('a') - before, 4 + 7)
  await trying.at(-1)?.end(success())
  await clock.pass(MINUTE)
  assert.equal(started('a') - before, 4 + 7 + 1)
})

test('an attempt that learns of its provider only then stands in line, and is not lost', async () => {
  const { clock, to, started, prove, answer, asked } = bench()
  answer.with = success
  to('a0.test')
  await clock.pass(1000)
  answer.with = enough
  to('a0.test')
  await settle()
  answer.with = success
  const before = started('a')
  to('a7.test')
  await settle()
  assert.equal(asked.at(-1), 'a7.test')
  assert.equal(started('a'), before)
  await clock.pass(10_000)
  assert.equal(started('a7'), 1)
  await prove('x')
})

test('once stopped it looks at nothing any more', async () => {
  const { clock, to, prove, answer, queue } = bench()
  await prove('a')
  answer.with = enough
  to('a0.test')
  await settle()
  to('a1.test')
  await settle()
  await queue.drain()
  assert.equal(clock.timers, 0)
})
