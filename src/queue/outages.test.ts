import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { attempted, deferred, delivered, failed } from '#mail/testing.ts'
import { heldBackMs, type Maintenance } from '#tenant/maintenance.ts'
import { Outages } from './outages.ts'
import { DAY, HOUR, MINUTE, queueBench, route, settle } from './testing.ts'

const ID = 'bakery/main'
const news = (more: object = {}) => ({ up: [], down: [], maintenance: [], ...more })

function bench() {
  const made = queueBench([route(ID)])
  const outages = new Outages(made.queue)
  const hold = (ms: number, beginsMs = made.queue.nowMs()): Maintenance => ({
    route: ID,
    beginsMs,
    untilMs: beginsMs + ms,
  })
  return { ...made, outages, hold }
}

describe('what a worker knows of outages', () => {
  it('is nothing at first, and that is not up', () => {
    const { outages } = bench()
    assert.deepEqual([outages.isUp(ID), outages.isDown(ID), outages.inMaintenance(ID)], [false, false, false])
    outages.learn(news({ up: [ID] }))
    assert.ok(outages.isUp(ID))
    outages.forgetPrimaries()
    assert.equal(outages.isUp(ID), false)
  })

  it('opens the queue when the primary is back, without waiting for the next trial', async () => {
    const { outages, add, trying, answer, clock } = bench()
    outages.learn(news({ down: [ID] }))
    for (let i = 0; i < 5; i++) add()
    await settle()
    assert.equal(trying.length, 0)
    answer.with = () => attempted(delivered())
    outages.learn(news({ up: [ID] }))
    await clock.pass(2_000)
    assert.equal(trying.length, 5)
  })

  it('goes on trying where the supervisor is wrong', async () => {
    const { outages, add, trying, answer, clock, keep } = bench()
    outages.learn(news({ down: [ID] }))
    for (let i = 0; i < 5; i++) add()
    answer.with = () => attempted(delivered())
    await clock.pass(MINUTE)
    assert.ok(trying.length === 5 && keep.messages.size === 0)
  })
})

describe('the same news again', () => {
  it('does not open a site that the queue has found closed since', async () => {
    const { outages, add, trying, answer, clock, queue } = bench()
    outages.learn(news({ down: [ID] }))
    outages.learn(news({ up: [ID] }))
    answer.with = () => attempted(deferred('connect'))
    add()
    await clock.pass(1_000)
    assert.deepEqual([trying.length, queue.isDown(ID)], [1, true])
    outages.learn(news({ up: [ID] }))
    assert.ok(queue.isDown(ID))
  })

  it('does not close a site that the queue has found open since', async () => {
    const { outages, add, answer, clock, queue } = bench()
    outages.learn(news({ down: [ID] }))
    answer.with = () => attempted(delivered())
    add()
    await clock.pass(MINUTE)
    assert.equal(queue.isDown(ID), false)
    outages.learn(news({ down: [ID] }))
    assert.equal(queue.isDown(ID), false)
  })
})

describe('a drain', () => {
  it('shows what waits in line, and counts what leaves of it, but not what came later', async () => {
    const { outages, add, answer, clock, queue } = bench()
    answer.with = () => attempted(delivered())
    add()
    await clock.pass(MINUTE)
    assert.equal(queue.drains.length, 0, 'no outage yet')
    outages.learn(news({ down: [ID] }))
    answer.with = () => attempted(deferred('connect'))
    await clock.pass(5 * MINUTE)
    for (let i = 0; i < 21; i++) add()
    await clock.pass(1_000)
    assert.deepEqual(queue.drains, [{ route: ID, waiting: 20, drained: 0 }], 'one was the trial')
    answer.with = () => attempted(delivered())
    outages.learn(news({ up: [ID] }))
    await clock.pass(1_000)
    const [half] = queue.drains
    assert.ok(half !== undefined && half.drained > 0 && half.waiting > 0, JSON.stringify(half))
    assert.equal(half.drained + half.waiting, 21)
    for (let i = 0; i < 3; i++) add()
    await settle()
    assert.ok((queue.drains[0]?.waiting ?? 0) <= half.waiting, 'fresh mail is no backlog')
    await clock.pass(MINUTE)
    assert.deepEqual(queue.drains, [{ route: ID, waiting: 0, drained: 21 }])
    add()
    await clock.pass(MINUTE)
    assert.equal(queue.drains[0]?.drained, 21)
    assert.deepEqual(queue.counts.waiting, 0)
  })

  it('counts no message that is deferred or held', async () => {
    const { outages, add, answer, clock, queue } = bench()
    outages.learn(news({ down: [ID] }))
    answer.with = () => attempted(deferred('connect'))
    await clock.pass(5 * MINUTE)
    for (let i = 0; i < 4; i++) add()
    await clock.pass(1_000)
    let turn = 0
    answer.with = () => attempted([delivered(), deferred('refused-for-now'), failed('550 no')][turn++ % 3]!)
    outages.learn(news({ up: [ID] }))
    await clock.pass(30_000)
    assert.deepEqual(queue.drains, [{ route: ID, waiting: 0, drained: 2 }])
  })
})

describe('maintenance', () => {
  it('holds everything back, and ends by itself', async () => {
    const { outages, hold, add, trying, answer, clock, queue } = bench()
    answer.with = () => attempted(delivered())
    outages.learn(news({ up: [ID], maintenance: [hold(40 * DAY)] }))
    assert.deepEqual([outages.isUp(ID), queue.isDown(ID)], [false, true])
    for (let i = 0; i < 3; i++) add()
    queue.flush(add())
    await clock.pass(39 * DAY)
    assert.equal(trying.length, 0)
    await clock.pass(2 * DAY)
    assert.equal(trying.length, 4)
    assert.ok(outages.isUp(ID))
  })

  it('is ended early by news, and only then', async () => {
    const { outages, hold, add, trying, answer, clock } = bench()
    answer.with = () => attempted(delivered())
    const window = hold(DAY)
    outages.learn(news({ maintenance: [window] }))
    add()
    outages.forgetPrimaries()
    await clock.pass(HOUR)
    assert.equal(trying.length, 0)
    outages.learn(news({ maintenance: [{ ...window, untilMs: window.beginsMs + HOUR }] }))
    await clock.pass(1_000)
    assert.equal(trying.length, 1)
  })

  it('that is over begins no ramp again, however often it is told', async () => {
    const { outages, hold, add, trying, answer, clock } = bench()
    answer.with = () => attempted(delivered())
    const window = hold(HOUR)
    outages.learn(news({ maintenance: [window] }))
    await clock.pass(DAY)
    for (let i = 0; i < 40; i++) {
      outages.learn(news({ maintenance: [window] }))
      add()
      await clock.pass(1_000)
    }
    assert.equal(trying.length, 40)
    const before = trying.length
    outages.learn(news({ maintenance: [window] }))
    for (let i = 0; i < 10; i++) add()
    await clock.pass(500)
    assert.ok(trying.length - before >= 8, `${trying.length - before} in half a second`)
  })

  it('lets nothing expire: the lifetime grows by the time that it held back', async () => {
    const { outages, hold, clock } = bench()
    const receivedMs = hold(0).beginsMs
    await clock.pass(HOUR)
    outages.learn(news({ maintenance: [hold(10 * DAY)] }))
    await clock.pass(20 * DAY)
    assert.equal(outages.heldBackMs(ID, receivedMs), 10 * DAY)
    assert.equal(outages.heldBackMs('other/main', receivedMs), 0)
  })

  it('a message that has been held back is tried as long as any other', async () => {
    const { keep, byId, clock, report, hold } = bench()
    const { Queue } = await import('./queue.ts')
    const outages: Outages = new Outages({
      nowMs: () => queue.nowMs(),
      lost: (id) => queue.lost(id),
      reached: (id) => queue.reached(id),
      hold: (id, untilMs) => queue.hold(id, untilMs),
    })
    const queue: InstanceType<typeof Queue> = new Queue({
      clock,
      random: () => 0.5,
      keep,
      report,
      route: (id) => byId.get(id),
      attempt: async () => attempted(deferred('refused-for-now', '450 4.2.0 later')),
      lifetimeMs: (to, { reception }) => to.lifetimeMs + outages.heldBackMs(to.id, reception.receivedMs),
    })
    const { newMessage } = await import('./testing.ts')
    const entry = keep.put(newMessage(['bob@bakery.test'], ID, queue.nowMs()), queue.nowMs())
    outages.learn(news({ maintenance: [hold(10 * DAY)] }))
    queue.add(entry)
    await clock.pass(14 * DAY)
    assert.equal(keep.get(entry.id)?.state, 'active')
    await clock.pass(2 * DAY)
    assert.equal(keep.get(entry.id)?.state, 'held')
  })

  it('counts each moment of a window once', () => {
    const bound = fc.integer({ min: 0, max: 1000 })
    fc.assert(
      fc.property(fc.uniqueArray(bound, { maxLength: 20 }), bound, bound, (bounds, a, b) => {
        const sorted = bounds.sort((x, y) => x - y)
        const windows: Maintenance[] = []
        for (let i = 0; i + 1 < sorted.length; i += 2)
          windows.push({ route: ID, beginsMs: sorted[i]!, untilMs: sorted[i + 1]! })
        let counted = 0
        for (let ms = a; ms < b; ms++) if (windows.some((w) => w.beginsMs <= ms && ms < w.untilMs)) counted++
        assert.equal(heldBackMs(windows, a, b), counted)
      }),
    )
  })
})
