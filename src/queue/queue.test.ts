import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { attempted, deferred, delivered, failed } from '#mail/testing.ts'
import { NO_ROUTE_RETRY_MS } from './queue.ts'
import { ATTEMPTS_MAX } from './starts.ts'
import { DAY, HOUR, MINUTE, queueBench, route, settle } from './testing.ts'

const notNow = () => attempted(deferred('refused-for-now', '450 4.3.0 not now'))
const noConnection = () => attempted(deferred('connect'))
const success = () => attempted(delivered())

describe('the schedule', () => {
  it('doubles from the first interval to the largest, and tries only who is pending', async () => {
    const { clock, trying, answer, add, queue } = queueBench()
    answer.with = (_, { recipients }) => attempted(...recipients.map(() => notNow().outcomes[0]!))
    add(['bob@bakery.test', 'eve@bakery.test'])
    assert.equal(trying.length, 1)
    const atMs: number[] = []
    for (let minute = 0; minute < 250; minute++) {
      const before = trying.length
      await clock.pass(MINUTE)
      if (trying.length > before) atMs.push(minute)
    }
    assert.deepEqual(atMs, [4, 14, 34, 74, 134, 194])
    assert.equal(queue.counts.later, 1)
  })

  it('leaves delivered recipients alone at the next attempt', async () => {
    const { clock, trying, add, keep, events } = queueBench()
    const id = add(['bob@bakery.test', 'eve@bakery.test', 'joe@bakery.test'])
    await settle()
    await trying[0]?.end(attempted(delivered(), deferred('timeout'), failed('550 5.1.1 no')))
    await clock.pass(6 * MINUTE)
    assert.deepEqual(trying[1]?.recipients, [1])
    await trying[1]?.end(success())
    assert.equal(keep.get(id)?.state, 'held')
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['attempted', 'held', 'attempted'],
    )
  })

  it('ends with the delivery: settled, and never tried again', async () => {
    const { clock, trying, add, keep, events } = queueBench()
    add()
    await settle()
    await trying[0]?.end(success())
    assert.equal(keep.messages.size, 0)
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['attempted', 'settled'],
    )
    await clock.pass(DAY)
    assert.equal(trying.length, 1)
  })
})

describe('law 2: hold, never bounce', () => {
  it('a 5yz after custody is held', async () => {
    const { clock, trying, add, keep, events } = queueBench()
    const id = add()
    await settle()
    await trying[0]?.end(attempted(failed('550 5.7.1 no', 'content')))
    assert.equal(keep.get(id)?.state, 'held')
    const held = events.find((event) => event.kind === 'held')
    assert.equal(held?.reason, 'refused')
    await clock.pass(10 * DAY)
    assert.equal(trying.length, 1)
  })

  it('the end of the lifetime is a hold, and only after an attempt has failed', async () => {
    const { clock, trying, add, keep, events } = queueBench([route('bakery/main', { lifetimeMs: HOUR })])
    const id = add(['bob@bakery.test'], 'bakery/main', 3 * HOUR)
    await clock.pass(3 * HOUR - MINUTE)
    assert.equal(keep.get(id)?.state, 'active')
    await clock.pass(2 * MINUTE)
    await trying[0]?.end(notNow())
    assert.equal(keep.get(id)?.state, 'held')
    assert.equal(events.find((event) => event.kind === 'held')?.reason, 'expired')
  })

  it('a site that is down for good ends all that is overdue with one attempt that failed', async () => {
    const { clock, trying, add, keep, answer, queue } = queueBench([route('bakery/main', { lifetimeMs: DAY })])
    answer.with = noConnection
    const old = Array.from({ length: 500 }, () => add())
    await clock.pass(DAY - HOUR)
    const young = add()
    assert.ok(old.every((id) => keep.get(id)?.state === 'active'))
    // Of those that were tried themselves, each waits for its schedule first.
    await clock.pass(2 * HOUR + 20 * MINUTE)
    assert.equal(old.filter((id) => keep.get(id)?.state === 'held').length, 500)
    assert.equal(keep.get(young)?.state, 'active')
    assert.ok(trying.length < 200, `${trying.length} attempts`)
    assert.equal(queue.counts.underWay, 0)
  })

  it('also those that came in just before it went down', async () => {
    const { clock, add, keep, answer } = queueBench([route('bakery/main', { lifetimeMs: MINUTE })])
    answer.with = noConnection
    const ids = Array.from({ length: 100 }, () => add())
    // Trials after 15, 45 and 105 s.
    await clock.pass(2 * MINUTE)
    // The first ones of a healthy site were tried at once, and wait for their schedule.
    assert.ok(ids.filter((id) => keep.get(id)?.state === 'held').length > 90)
  })

  it('there, each message has the time of its own domain', async () => {
    const lifetimeMs = (_: unknown, { envelope }: { envelope: { recipients: readonly unknown[] } }) =>
      envelope.recipients.length > 1 ? 2 * DAY : DAY
    const { clock, add, keep, answer, events } = queueBench([route()], () => 0.5, {
      lifetimeMs,
      lifetimeMsMin: () => DAY,
    })
    answer.with = noConnection
    const long = Array.from({ length: 50 }, () => add(['bob@bakery.test', 'eve@bakery.test']))
    const short = Array.from({ length: 50 }, () => add())
    const states = (ids: typeof long) => [...new Set(ids.map((id) => keep.get(id)?.state))].join()
    await clock.pass(DAY + HOUR + 20 * MINUTE)
    assert.deepEqual([states(long), states(short)], ['active', 'held'])
    answer.with = (_, { recipients }) => attempted(...recipients.map(() => delivered()))
    await clock.pass(2 * HOUR)
    assert.equal(events.filter(({ kind }) => kind === 'settled').length, 50)
    assert.equal(states(long), '')
  })

  it('an attempt that delivers after the end of the lifetime has delivered', async () => {
    const { clock, trying, add, events } = queueBench([route('bakery/main', { lifetimeMs: HOUR })])
    add(['bob@bakery.test'], 'bakery/main', 3 * HOUR)
    await clock.pass(4 * HOUR)
    await trying[0]?.end(success())
    assert.ok(events.some((event) => event.kind === 'settled'))
  })
})

describe('clocks that jump', () => {
  for (const jumpMs of [100 * DAY, -100 * DAY]) {
    it(`by ${jumpMs / DAY} days wake nothing, and expire nothing`, async () => {
      const { clock, trying, add, keep, answer } = queueBench()
      answer.with = notNow
      const id = add(['bob@bakery.test'], 'bakery/main', 10 * MINUTE)
      clock.jumpMs = jumpMs
      await clock.pass(9 * MINUTE)
      assert.equal(trying.length, 0)
      await clock.pass(2 * MINUTE)
      assert.equal(trying.length, 1)
      assert.equal(keep.get(id)?.state, 'active')
    })
  }

  it('a machine that stalls between two looks at the clock loses no message', async () => {
    for (let looks = 0; looks < 20; looks++) {
      const { clock, trying, add } = queueBench()
      add()
      await settle()
      clock.looksUntilStall = looks
      await trying[0]?.end(notNow())
      await clock.pass(10 * MINUTE)
      assert.equal(trying.length, 2, `stalled after ${looks} looks`)
    }
  })

  it('a next attempt written down by a wrong clock does not wait longer than the schedule can', async () => {
    const { clock, trying, add, keep } = queueBench()
    const id = add(['bob@bakery.test'], 'bakery/main', 100 * DAY)
    await clock.pass(4 * HOUR)
    assert.equal(trying.length, 0)
    await clock.pass(30 * MINUTE)
    assert.equal(trying.length, 1)
    assert.ok(keep.get(id))
  })
})

describe('adoption', () => {
  it('an attempt under way is the first: no second one beside it, and its end counts', async () => {
    const { clock, trying, keep, queue, add, answer } = queueBench()
    answer.with = undefined
    const id = add(['bob@bakery.test'], 'bakery/main', 5 * MINUTE)
    const ended = Promise.withResolvers<ReturnType<typeof success>>()
    queue.adopt(id, route(), ended.promise)
    assert.ok(queue.isUnderWay(id))
    assert.equal(queue.flush(id), false)
    await clock.pass(HOUR)
    assert.equal(trying.length, 0)
    ended.resolve(success())
    await settle()
    assert.equal(keep.messages.size, 0)
    assert.equal(queue.counts.underWay, 0)
  })

  it('that is deferred goes on by the schedule', async () => {
    const { clock, trying, queue, add } = queueBench()
    const id = add(['bob@bakery.test'], 'bakery/main', DAY)
    queue.adopt(id, route(), Promise.resolve(notNow()))
    await clock.pass(4 * MINUTE)
    assert.equal(trying.length, 0)
    await clock.pass(2 * MINUTE)
    assert.equal(trying.length, 1)
  })

  it('counts although its route left the configuration meanwhile', async () => {
    const { byId, queue, add, keep } = queueBench()
    const id = add(['bob@bakery.test'], 'bakery/main', DAY)
    byId.clear()
    queue.adopt(id, route(), Promise.resolve(success()))
    await settle()
    assert.equal(keep.messages.size, 0)
  })

  it('that breaks leaves the message in the queue', async () => {
    const { clock, trying, queue, add, events } = queueBench()
    const id = add(['bob@bakery.test'], 'bakery/main', 30 * MINUTE)
    queue.adopt(id, route(), Promise.reject(new Error('a defect')))
    await settle()
    assert.ok(events.some((event) => event.kind === 'alarm' && event.symbol === 'queue-defect'))
    await clock.pass(NO_ROUTE_RETRY_MS + MINUTE)
    assert.equal(trying.length, 1)
  })
})

describe('defects', () => {
  it('of an attempt lose nothing, and do not spin', async () => {
    const { clock, trying, add, keep, events } = queueBench()
    const id = add()
    await settle()
    await trying[0]?.break(new Error('a defect'))
    assert.equal(keep.get(id)?.state, 'active')
    assert.equal(events.filter((event) => event.kind === 'alarm').length, 1)
    await clock.pass(NO_ROUTE_RETRY_MS - MINUTE)
    assert.equal(trying.length, 1)
    await clock.pass(2 * MINUTE)
    assert.equal(trying.length, 2)
    await trying[1]?.end(success())
    assert.equal(keep.messages.size, 0)
  })

  it('a disk that does not answer is one', async () => {
    const { clock, trying, add, keep } = queueBench()
    keep.unreadable = true
    add()
    await clock.pass(MINUTE)
    assert.equal(trying.length, 0)
    keep.unreadable = false
    await clock.pass(NO_ROUTE_RETRY_MS)
    assert.equal(trying.length, 1)
  })

  it('a message without a route waits for it, and says so', async () => {
    const { clock, trying, byId, add, events } = queueBench()
    byId.clear()
    add()
    await clock.pass(MINUTE)
    assert.deepEqual(
      events.map((event) => event.kind === 'alarm' && event.symbol),
      ['queue-without-route'],
    )
    byId.set('bakery/main', route())
    await clock.pass(NO_ROUTE_RETRY_MS)
    assert.equal(trying.length, 1)
  })
})

describe('commands', () => {
  it('flush makes due what waits for its time, once', async () => {
    const { clock, trying, add, queue } = queueBench()
    const id = add(['bob@bakery.test'], 'bakery/main', DAY)
    assert.ok(queue.flush(id))
    assert.equal(queue.flush(id), false)
    await settle()
    assert.equal(trying.length, 1)
    await trying[0]?.end(notNow())
    await clock.pass(4 * MINUTE)
    assert.equal(trying.length, 1)
  })

  it('flush does not wait for the end of a pause', async () => {
    const { trying, add, queue } = queueBench()
    add()
    await settle()
    await trying[0]?.end(noConnection())
    const waiting = add()
    await settle()
    assert.equal(trying.length, 1)
    assert.ok(queue.flush(waiting))
    await settle()
    assert.equal(trying[1]?.id, waiting)
  })

  it('a message that was rerouted stands in one line only: it is not tried twice', async () => {
    const one = { connectionsMax: 1 }
    const { clock, trying, add, queue, keep } = queueBench([route('bakery/main', one), route('bakery/spare', one)])
    add(['x@bakery.test'], 'bakery/spare')
    queue.observe(route('bakery/main', one), noConnection())
    const id = add()
    keep.change(id, { kind: 'reroute', atMs: 0, route: 'bakery/spare', nextAttemptMs: queue.nowMs() })
    queue.flush(id)
    await clock.pass(MINUTE)
    await trying[0]?.end(success())
    assert.deepEqual([trying[1]?.id, trying[1]?.route], [id, 'bakery/spare'])
    await trying[1]?.end(notNow())
    await clock.pass(MINUTE)
    assert.equal(trying.length, 2)
  })

  it('drain starts nothing more, and waits for what is under way, for all who ask', async () => {
    const { clock, trying, add, queue, keep } = queueBench([route('bakery/main', { connectionsMax: 1 })])
    add()
    add()
    await settle()
    let drained = 0
    for (let i = 0; i < 2; i++) void queue.drain().then(() => drained++)
    await clock.pass(HOUR)
    assert.equal(drained, 0)
    await trying[0]?.end(success())
    assert.equal(drained, 2)
    await clock.pass(DAY)
    assert.equal(trying.length, 1)
    assert.equal(keep.messages.size, 1)
    assert.equal(clock.timers, 0)
    await queue.drain()
  })
})

it(`${ATTEMPTS_MAX} attempts at a time, and who waited for room gets it`, async () => {
  const routes = Array.from({ length: 300 }, (_, i) => route(`t/${i}`))
  const { trying, add, queue } = queueBench(routes)
  for (const { id } of routes) for (let i = 0; i < 5; i++) add(['bob@bakery.test'], id)
  await settle()
  assert.equal(queue.counts.underWay, ATTEMPTS_MAX)
  while (trying.length < 1500) {
    const before = trying.length
    for (const one of trying.slice(0, before)) void one.end(success())
    await settle()
    assert.ok(queue.counts.underWay <= ATTEMPTS_MAX)
    assert.ok(trying.length > before)
  }
  assert.equal(new Set(trying.map(({ id }) => id)).size, 1500)
})
