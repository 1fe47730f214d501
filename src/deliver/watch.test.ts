import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Route } from '#tenant/directory.ts'
import type { Knock } from './knock.ts'
import { HandClock, quiet } from './testing.ts'
import { ANSWERS_NEEDED, MISSED_GAP_MS, PROBE_INTERVAL_MS, PrimaryWatch } from './watch.ts'

const MINUTE = 60_000
const route = () => ({ id: 'bakery/main' }) as Route

function bench() {
  const clock = new HandClock()
  const changes: string[] = []
  const server = { up: true, asked: 0, answers: undefined as boolean[] | undefined }
  const knock = async (): Promise<Knock> => {
    server.asked++
    return { up: server.answers?.shift() ?? server.up, text: 'x' }
  }
  const changed = (id: string, state: string) => void changes.push(`${id} ${state}`)
  const watch = new PrimaryWatch({ clock, random: () => 0.5, knock, changed })
  return { clock, changes, server, watch }
}

describe('the watch over a primary', () => {
  it('knows soon after the start, and nothing before', async () => {
    const { clock, changes, watch, server } = bench()
    watch.watch([route()])
    assert.equal(watch.state('bakery/main'), 'unknown')
    await clock.pass(5_000)
    assert.deepEqual(changes, ['bakery/main up'])
    assert.equal(server.asked, ANSWERS_NEEDED)
    await clock.pass(10 * MINUTE)
    assert.equal(server.asked, ANSWERS_NEEDED + 20)
  })

  it('takes two answers for a change, asked for quickly', async () => {
    const { clock, changes, watch, server } = bench()
    watch.watch([route()])
    await clock.pass(5_000)
    server.answers = [false]
    await clock.pass(2 * PROBE_INTERVAL_MS)
    assert.deepEqual(changes, ['bakery/main up'])
    server.up = false
    await clock.pass(PROBE_INTERVAL_MS + PROBE_INTERVAL_MS / 3 + 2_000)
    assert.equal(watch.state('bakery/main'), 'down')
    server.up = true
    watch.hurry('bakery/main')
    await clock.pass(PROBE_INTERVAL_MS / 3 + 2_000)
    assert.deepEqual(changes, ['bakery/main up', 'bakery/main down', 'bakery/main up'])
  })

  it('counts a delivery as an answer, and knocks when one met a closed door', async () => {
    const { clock, changes, watch, server } = bench()
    watch.watch([route()])
    await clock.pass(5_000)
    server.up = false
    await clock.pass(MISSED_GAP_MS)
    watch.met('bakery/main', false)
    await clock.pass(1)
    assert.equal(server.asked, ANSWERS_NEEDED + 1, 'at once')
    await clock.pass(PROBE_INTERVAL_MS / 3 + 2_000)
    assert.equal(changes.at(-1), 'bakery/main down')
    watch.met('bakery/main', true)
    watch.met('bakery/main', true)
    assert.equal(changes.at(-1), 'bakery/main up')
  })

  it('knocks seldom, however many deliveries fail, and not more often at a server that is known to be down', async () => {
    const { clock, changes, watch, server } = bench()
    watch.watch([route()])
    await clock.pass(10_000)
    const { asked } = server
    for (let i = 0; i < 1000; i++) {
      watch.met('bakery/main', false)
      await clock.pass(20)
    }
    assert.deepEqual(changes, ['bakery/main up'], 'failures alone decide nothing')
    assert.ok(server.asked - asked >= 4 && server.asked - asked <= 5, `${server.asked - asked} in 20 s`)
    server.up = false
    await clock.pass(MINUTE)
    const before = server.asked
    for (let i = 0; i < 100; i++) {
      watch.met('bakery/main', false)
      await clock.pass(600)
    }
    assert.ok(server.asked - before <= 3, `${server.asked - before} in a minute of an outage`)
  })

  it('is down within seconds where deliveries fail all the time', async () => {
    const { clock, watch, server } = bench()
    watch.watch([route()])
    await clock.pass(10_000)
    server.up = false
    for (let i = 0; i < 60; i++) {
      watch.met('bakery/main', false)
      await clock.pass(100)
    }
    assert.equal(watch.state('bakery/main'), 'down')
  })

  /** A knock whose answer the test gives. */
  function slow() {
    const clock = new HandClock()
    const changes: string[] = []
    const knocks: { route: Route; answer: (up: boolean) => Promise<void> }[] = []
    const knock = (asked: Route): Promise<Knock> => {
      const { promise, resolve } = Promise.withResolvers<Knock>()
      knocks.push({
        route: asked,
        answer: (up) => {
          resolve({ up, text: 'x' })
          return quiet()
        },
      })
      return promise
    }
    const changed = (id: string, state: string) => void changes.push(`${id} ${state}`)
    const watch = new PrimaryWatch({ clock, random: () => 0.5, knock, changed })
    return { clock, changes, knocks, watch }
  }

  it('knocks once at a time, whoever has a reason to', async () => {
    const { clock, knocks, watch } = slow()
    watch.watch([route()])
    await clock.pass(2_000)
    assert.equal(knocks.length, 1)
    watch.hurry('bakery/main')
    watch.met('bakery/main', false)
    await clock.pass(MINUTE)
    assert.equal(knocks.length, 1)
    await knocks[0]?.answer(true)
    await clock.pass(2_000)
    assert.equal(knocks.length, 2)
  })

  it('lets a failed delivery bring a knock forward, never put it off', async () => {
    const { clock, watch, server } = bench()
    watch.watch([route()])
    await clock.pass(500)
    const { asked } = server
    assert.equal(asked, 1)
    watch.met('bakery/main', false)
    await clock.pass(2_000)
    assert.ok(server.asked > asked, 'the second of the first two answers was due after a second')
  })

  it('heeds no answer for a route that is watched no more, and asks the hosts that a route has now', async () => {
    const { clock, changes, knocks, watch } = slow()
    watch.watch([route()])
    await clock.pass(2_000)
    watch.watch([])
    await knocks[0]?.answer(false)
    await clock.pass(MINUTE)
    assert.deepEqual([knocks.length, clock.timers, changes], [1, 0, []])
    watch.watch([route()])
    const moved = { ...route(), hosts: [] } as Route
    watch.watch([moved])
    await clock.pass(2_000)
    assert.equal(knocks[1]?.route, moved)
  })

  it('leaves routes alone that are watched no more', async () => {
    const { clock, watch, server } = bench()
    watch.watch([route()])
    await clock.pass(5_000)
    watch.watch([])
    await clock.pass(10 * MINUTE)
    assert.deepEqual([server.asked, clock.timers], [ANSWERS_NEEDED, 0])
  })

  it('changes only after two equal answers in a row, whatever comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), async (answers) => {
        const { clock, changes, watch, server } = bench()
        server.answers = [...answers]
        watch.watch([route()])
        while (server.answers.length > 0) await clock.pass(1_000)
        const expected: string[] = []
        for (let i = 1; i < answers.length; i++) {
          const now = answers[i] ? 'bakery/main up' : 'bakery/main down'
          if (answers[i] === answers[i - 1] && expected.at(-1) !== now) expected.push(now)
        }
        watch.close()
        assert.deepEqual(changes.slice(0, expected.length), expected)
      }),
      { numRuns: 30 },
    )
  })
})
