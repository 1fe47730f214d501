import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Site } from './site.ts'
import { DAY, HandClock, route } from './testing.ts'
import { Throttle } from './throttle.ts'

function bench() {
  const clock = new HandClock()
  const pumped: string[] = []
  const waits: number[] = []
  const throttle = new Throttle({
    clock: {
      wall: () => clock.wall(),
      monotonic: () => clock.monotonic(),
      after(ms, call) {
        waits.push(ms)
        return clock.after(ms, call)
      },
    },
    tenantRate: (tenant) => (tenant === 'bakery' ? 10 : undefined),
    pump: (site) => void pumped.push(site.routeId),
  })
  return { clock, pumped, waits, throttle }
}

it('a tenant has one rate over all its routes, and others are not held up by it', () => {
  const { throttle, clock } = bench()
  const [main, spare, smith] = ['bakery/main', 'bakery/spare', 'smith/main'].map((id) => ({ id, site: new Site(id) }))
  const wait = ({ id, site }: { id: string; site: Site }) => throttle.waitMs(site, route(id), clock.monotonic())
  assert.deepEqual([wait(main!), wait(spare!), wait(smith!)], [0, 0, 0])
  throttle.started(main!.site, route('bakery/main'))
  assert.ok(wait(spare!) > 50 && wait(spare!) <= 100, `${wait(spare!)} ms`)
  throttle.started(smith!.site, route('smith/main'))
  assert.equal(wait(smith!), 0)
})

it('a site has one timer, the earliest that was asked for', async () => {
  const { throttle, clock, pumped } = bench()
  const site = new Site('bakery/main')
  const atMs = clock.monotonic() + 5_000
  for (const ms of [atMs + 3_000, atMs, atMs + 1_000, atMs]) throttle.pumpAt(site, ms)
  assert.equal(clock.timers, 1)
  await clock.pass(4_999)
  assert.deepEqual(pumped, [])
  await clock.pass(60_000)
  assert.deepEqual(pumped, ['bakery/main'])
})

it('no timer is longer than the platform can count', () => {
  const { throttle, clock, waits } = bench()
  throttle.pumpAt(new Site('bakery/main'), clock.monotonic() + 60 * DAY)
  assert.ok(waits[0]! <= 2 ** 31 - 1)
})

it('once stopped it looks at nothing any more', async () => {
  const { throttle, clock, pumped } = bench()
  const site = new Site('bakery/main')
  throttle.pumpAt(site, clock.monotonic() + 10)
  throttle.stop()
  throttle.pumpAt(site, clock.monotonic() + 20)
  assert.equal(clock.timers, 0)
  await clock.pass(1_000)
  assert.deepEqual(pumped, [])
})
