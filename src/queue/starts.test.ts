/** Who may start: destinations that are well, beside very many of which nothing good is known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempted, deferred, delivered, newTraceId } from '#mail/testing.ts'
import { SITE_PAUSE_MAX_MS, Site } from './site.ts'
import {
  AGAIN_ATTEMPTS_MAX,
  AGAIN_BURST,
  AGAIN_PER_SECOND,
  ATTEMPTS_MAX,
  PROVEN_MS,
  Starts,
  UNPROVEN_ATTEMPTS_MAX,
  UNPROVEN_BURST,
  UNPROVEN_PER_SECOND,
  UNPROVEN_PER_SITE_MAX,
} from './starts.ts'
import { HandClock, queueBench, route, settle } from './testing.ts'

const GOOD = 'bakery/internet/good.test'
const dead = (i: number, tenant = 'bakery'): string => `${tenant}/internet/d${i}.test`
const success = () => attempted(delivered())
const noConnection = () => attempted(deferred('connect'))

function bench(count: number, tenant = 'bakery') {
  const ids = Array.from({ length: count }, (_, i) => dead(i, tenant))
  const made = queueBench(
    [GOOD, 'florist/internet/new.test', 'florist/internet/other.test', ...ids].map((id) => route(id)),
  )
  const to = (id: string) => made.add(['bob@x.test'], id)
  const started = (id: string): number => made.trying.filter((one) => one.route === id).length
  return { ...made, ids, to, started }
}

test('mail for a destination that is well starts at once, however many others wait', async () => {
  const { ids, to, started, trying, queue } = bench(2000)
  to(GOOD)
  await settle()
  await trying[0]?.end(success())
  for (const id of ids) to(id)
  await settle()
  assert.equal(trying.length, 1 + UNPROVEN_BURST - 1)
  for (let i = 0; i < 4; i++) to(GOOD)
  await settle()
  assert.equal(started(GOOD), 5)
  assert.equal(queue.counts.waiting, 2000 - (UNPROVEN_BURST - 1))
})

test('half of the room is kept from those of which nothing good is known', async () => {
  const { ids, to, clock, queue, trying } = bench(2000)
  for (const id of ids) to(id)
  await clock.pass((2 * UNPROVEN_ATTEMPTS_MAX * 1000) / UNPROVEN_PER_SECOND)
  assert.equal(queue.counts.underWay, UNPROVEN_ATTEMPTS_MAX)
  assert.ok(UNPROVEN_ATTEMPTS_MAX <= ATTEMPTS_MAX / 2)
  await trying[0]?.end(noConnection())
  assert.equal(trying.length, UNPROVEN_ATTEMPTS_MAX + 1, 'who waits for room gets it')
})

test('they have one rate, and all of them get their turn', async () => {
  const { ids, to, clock, answer, trying, started, queue } = bench(500)
  answer.with = noConnection
  for (const id of ids) to(id)
  await clock.pass(1000)
  assert.ok(trying.length <= UNPROVEN_BURST + UNPROVEN_PER_SECOND)
  assert.ok(trying.length >= UNPROVEN_PER_SECOND)
  await clock.pass((500 / UNPROVEN_PER_SECOND) * 1500)
  assert.ok(ids.every((id) => started(id) > 0))
  await queue.drain()
  assert.equal(clock.timers, 0)
})

test('the first message of another tenant does not stand behind ten thousand of this one', async () => {
  const { ids, to, clock, answer, trying, started } = bench(1000)
  answer.with = noConnection
  for (const id of ids) to(id)
  await clock.pass(100)
  to('florist/internet/new.test')
  const before = trying.length
  await clock.pass(100)
  assert.equal(started('florist/internet/new.test'), 1)
  assert.ok(trying.length - before <= UNPROVEN_PER_SECOND / 10 + 1)
})

test('a first attempt does not stand behind ten thousand that are tried again', async () => {
  const { ids, to, clock, answer, started } = bench(1000)
  answer.with = noConnection
  for (const id of ids) to(id)
  // All have failed and come back.
  await clock.pass(40_000)
  to(GOOD)
  await clock.pass(100)
  assert.equal(started(GOOD), 1)
})

test('those that failed come back at a rate of their own, all of them, within the longest pause of a site', async () => {
  const COUNT = 2000
  const { ids, to, clock, answer, trying, started } = bench(COUNT)
  answer.with = noConnection
  for (const id of ids) to(id)
  await clock.pass((COUNT / UNPROVEN_PER_SECOND) * 1000)
  assert.ok(ids.every((id) => started(id) > 0))
  // More are due by then than may start.
  await clock.pass(route(GOOD).retryFirstMs * 1.1)
  const before = trying.length
  await clock.pass(10_000)
  const again = trying.length - before
  assert.ok(again <= 10 * AGAIN_PER_SECOND + AGAIN_BURST, `${again}`)
  assert.ok(again >= 10 * AGAIN_PER_SECOND - AGAIN_BURST, `${again}`)
  await clock.pass(100 + (COUNT / AGAIN_PER_SECOND) * 1000)
  assert.ok(ids.every((id) => started(id) > 1))
  assert.ok(10_000 / (2 * AGAIN_PER_SECOND) <= SITE_PAUSE_MAX_MS / 1000, 'two workers, ten thousand domains')
})

test('dead destinations whose attempts hang leave room for new ones', async () => {
  const clock = new HandClock()
  const starts = new Starts({ clock, pump: () => {} })
  const begin = (site: Site): boolean => {
    const may = starts.may(site, clock.monotonic())
    if (may) starts.started(site, newTraceId(), clock.monotonic())
    return may
  }
  const down = (i: number): Site => {
    const site = new Site(dead(i))
    site.unreachable(clock, 0.5)
    return site
  }
  let hanging = 0
  for (let i = 0; i < AGAIN_ATTEMPTS_MAX + 50; i++) {
    await clock.pass(1000 / AGAIN_PER_SECOND)
    if (begin(down(i))) hanging++
  }
  assert.equal(hanging, AGAIN_ATTEMPTS_MAX)
  assert.ok(begin(new Site(GOOD)))
  starts.stop()
})

test('one of them has few attempts until one gets through', async () => {
  const { to, trying, started } = bench(0)
  for (let i = 0; i < 5; i++) to(GOOD)
  await settle()
  assert.equal(started(GOOD), UNPROVEN_PER_SITE_MAX)
  await trying[0]?.end(success())
  assert.equal(started(GOOD), 5)
})

test('a proof ends with a failure, and with time', async () => {
  const clock = new HandClock()
  const starts = new Starts({ clock, pump: () => {} })
  const [good, other] = [new Site(GOOD), new Site(dead(1))]
  const nowMs = () => clock.monotonic()
  // Nothing is left for those that are not proven.
  const spend = () => {
    for (let i = 0; i < UNPROVEN_BURST; i++)
      if (starts.may(other, nowMs())) starts.started(other, newTraceId(), nowMs())
  }
  spend()
  assert.ok(!starts.may(good, nowMs()))
  starts.heard(good, true, nowMs())
  assert.ok(starts.may(good, nowMs()))
  starts.heard(good, false, nowMs())
  assert.ok(!starts.may(good, nowMs()), 'it failed')
  starts.heard(good, true, nowMs())
  await clock.pass(PROVEN_MS - 1)
  spend()
  assert.ok(starts.may(good, nowMs()))
  await clock.pass(1)
  assert.ok(!starts.may(good, nowMs()), 'long ago')
  starts.stop()
})
