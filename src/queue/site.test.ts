import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { attempted, deferred, delivered } from '#mail/testing.ts'
import { CONCURRENCY_FIRST, SITE_PAUSE_FIRST_MS, SITE_PAUSE_MAX_MS, Site } from './site.ts'
import { HandClock, HOUR, MINUTE, queueBench, route, settle } from './testing.ts'

const success = () => attempted(delivered())
const noConnection = () => attempted(deferred('connect'))

describe('room at a site', () => {
  it('grows by one with each success up to the limit of the route, and halves when there is enough', () => {
    const site = new Site('t/main')
    const room = () => site.room(10, 0)
    assert.equal(room(), CONCURRENCY_FIRST)
    for (let i = 0; i < 20; i++) site.succeeded(10, 0)
    assert.equal(room(), 10)
    site.active = 4
    assert.equal(room(), 6)
    site.active = 0
    for (const left of [5, 2, 1, 1]) {
      site.congested(0)
      assert.equal(room(), left)
    }
    assert.equal(new Site('t/main').room(2, 0), 2)
  })

  it('is none in a pause, one after it, and opens gently after a success', async () => {
    const clock = new HandClock()
    const site = new Site('t/main')
    for (let i = 0; i < 20; i++) site.succeeded(20, clock.monotonic())
    let pauseMs = SITE_PAUSE_FIRST_MS
    for (let i = 0; i < 10; i++) {
      site.unreachable(clock, 0.5)
      // Attempts that were under way together count as one failure.
      site.unreachable(clock, 0.5)
      assert.equal(Math.round(site.closedUntilMs - clock.monotonic()), pauseMs)
      assert.equal(site.room(20, clock.monotonic()), 0)
      await clock.pass(pauseMs + 1)
      assert.equal(site.room(20, clock.monotonic()), 1)
      assert.ok(site.down)
      pauseMs = Math.min(pauseMs * 2, SITE_PAUSE_MAX_MS)
    }
    site.succeeded(20, clock.monotonic())
    assert.equal(site.down, false)
    assert.equal(site.room(20, clock.monotonic()), CONCURRENCY_FIRST + 1)
  })
})

it('a session that found no free connection of ours says nothing of the server', async () => {
  const { trying, add, queue } = queueBench()
  for (let i = 0; i < 5; i++) queue.observe(route(), attempted(deferred('busy')))
  for (let i = 0; i < 10; i++) add()
  assert.equal(trying.length, CONCURRENCY_FIRST)
  const slow = queueBench()
  slow.queue.observe(route(), attempted(deferred('timeout')))
  for (let i = 0; i < 10; i++) slow.add()
  await slow.clock.pass(2000)
  assert.equal(slow.trying.length, CONCURRENCY_FIRST >> 1)
})

describe('a site that is down', () => {
  it('gets one trial at the end of each pause; its other messages stay untouched', async () => {
    const { clock, trying, answer, add, queue, keep } = queueBench([route('bakery/main', { retryFirstMs: HOUR })])
    add()
    await settle()
    await trying[0]?.end(noConnection())
    for (let i = 0; i < 50; i++) add()
    assert.ok(queue.isDown('bakery/main'))
    assert.equal(queue.counts.sitesDown, 1)
    await clock.pass(SITE_PAUSE_FIRST_MS - 1000)
    assert.equal(trying.length, 1)
    await clock.pass(2000)
    assert.equal(trying.length, 2)
    assert.equal(queue.isDown('bakery/main'), false)
    await clock.pass(MINUTE)
    assert.equal(trying.length, 2)
    await trying[1]?.end(noConnection())
    await clock.pass(2 * SITE_PAUSE_FIRST_MS - 1000)
    assert.equal(trying.length, 2)
    answer.with = success
    await clock.pass(2000)
    assert.ok(trying.length > 3 && trying.length < 20, 'gently')
    await clock.pass(15_000)
    // Those two that met the closed door need not wait for their schedule.
    assert.equal(trying.length, 53)
    assert.equal(keep.messages.size, 0)
  })

  it('never delays another', async () => {
    const { clock, trying, add } = queueBench([route('hole/main'), route('bakery/main')])
    for (let i = 0; i < 500; i++) add(['x@hole.test'], 'hole/main')
    for (let i = 0; i < 100; i++) {
      add()
      await settle()
      const last = trying.at(-1)
      assert.equal(last?.route, 'bakery/main')
      await last?.end(success())
    }
    assert.equal(trying.filter((one) => one.route === 'hole/main').length, CONCURRENCY_FIRST)
    await clock.pass(HOUR)
    assert.equal(trying.length, 100 + CONCURRENCY_FIRST)
  })

  it('is opened by a delivery in a session, and closed by a failure there', async () => {
    const { trying, add, queue } = queueBench()
    queue.observe(route(), noConnection())
    assert.ok(queue.isDown('bakery/main'))
    add()
    await settle()
    assert.equal(trying.length, 0)
    queue.observe(route(), success())
    await settle()
    assert.equal(trying.length, 1)
    assert.equal(queue.isDown('bakery/main'), false)
    assert.equal(queue.isDown('nobody/asked'), false)
  })
})
