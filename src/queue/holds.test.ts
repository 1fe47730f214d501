import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { attempted, deferred, failed } from '#mail/testing.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { Holds, RETENTION_GRACE_MS, SWEEP_MS_MAX } from './holds.ts'
import { DAY, HOUR, MINUTE, newMessage, queueBench, settle } from './testing.ts'

const KEEP_MS = 14 * DAY

function bench() {
  const all = queueBench()
  const { clock, keep, queue, events, report } = all
  const keepMs = { value: KEEP_MS }
  const start = () => new Holds({ clock, nowMs: () => queue.nowMs(), keep, keepMs: () => keepMs.value, report })
  const holds = start()
  const change = keep.change.bind(keep)
  keep.change = (id, what) => {
    change(id, what)
    holds.saw(id)
  }
  const refused = async (...to: string[]) => {
    const id = all.add(to)
    await settle()
    await all.trying.at(-1)?.end(attempted(...to.map(() => failed('554 5.7.1 spam', 'content'))))
    return id
  }
  const dropped = () => events.filter(({ kind }) => kind === 'dropped')
  return { ...all, holds, keepMs, refused, dropped, start }
}

describe('a held message', () => {
  it('is dropped after its time, and not before', async () => {
    const { refused, clock, keep, dropped, holds, events } = bench()
    const id = await refused('bob@bakery.test')
    await clock.pass(KEEP_MS - MINUTE)
    assert.equal(keep.messages.size, 1)
    await clock.pass(2 * MINUTE)
    assert.equal(keep.messages.size, 0)
    const [event] = dropped()
    assert.ok(event?.kind === 'dropped')
    assert.deepEqual([event.entry.id, event.reason], [id, 'kept'])
    assert.equal(event.text, 'held for 14 days, nobody released it')
    assert.equal(event.recipients.length, 1)
    assert.equal(events.at(-1)?.kind, 'settled')
    assert.equal(holds.size, 0)
  })

  it('that was released and held again has its whole time again', async () => {
    const { refused, clock, keep, trying, queue } = bench()
    const id = await refused('bob@bakery.test')
    await clock.pass(10 * DAY)
    keep.change(id, { kind: 'release', atMs: queue.nowMs(), nextAttemptMs: queue.nowMs() })
    queue.flush(id)
    await settle()
    await trying.at(-1)?.end(attempted(failed('554 5.7.1 spam', 'content')))
    await clock.pass(10 * DAY)
    assert.equal(keep.messages.size, 1)
    await clock.pass(5 * DAY)
    assert.equal(keep.messages.size, 0)
  })

  it('that was held again is not dropped because the wall clock ran ahead', async () => {
    const { refused, clock, keep, trying, queue } = bench()
    const id = await refused('bob@bakery.test')
    await clock.pass(10 * DAY)
    keep.change(id, { kind: 'release', atMs: queue.nowMs(), nextAttemptMs: queue.nowMs() })
    queue.flush(id)
    await settle()
    await trying.at(-1)?.end(attempted(failed('554 5.7.1 spam', 'content')))
    clock.jumpMs = 100 * DAY
    await clock.pass(10 * DAY)
    assert.equal(keep.messages.size, 1)
  })

  it('that an operator releases while the disk is read is not dropped', async () => {
    const { refused, clock, keep, dropped, queue } = bench()
    const id = await refused('bob@bakery.test')
    const load = keep.load.bind(keep)
    const disk = Promise.withResolvers<void>()
    Object.assign(keep, { load: (wanted: TraceId) => disk.promise.then(() => load(wanted)) })
    await clock.pass(KEEP_MS + MINUTE)
    keep.change(id, { kind: 'release', atMs: queue.nowMs(), nextAttemptMs: queue.nowMs() + DAY })
    await settle(disk.resolve())
    assert.deepEqual([dropped().length, keep.messages.size], [0, 1])
  })

  it('waits for its last recipient', async () => {
    const { add, trying, clock, keep } = bench()
    add(['bob@bakery.test', 'joe@bakery.test'], 'bakery/main')
    await settle()
    await trying.at(-1)?.end(attempted(failed('554 5.7.1 spam'), deferred('timeout')))
    await clock.pass(HOUR)
    await trying.at(-1)?.end(attempted(failed('554 5.7.1 spam')))
    await clock.pass(KEEP_MS - MINUTE)
    assert.equal(keep.messages.size, 1)
  })

  it('is not dropped by a wall clock that was wrong, nor soon after a start', async () => {
    const { keep, clock, start, queue, dropped, holds } = bench()
    holds.stop()
    const { id } = keep.put(newMessage(['bob@bakery.test'], 'bakery/main', queue.nowMs() - 20 * DAY), 0)
    const atMs = queue.nowMs() - 20 * DAY
    keep.change(id, { kind: 'hold', atMs, reason: 'operator', text: 'x' })
    const after = start()
    after.found(keep.get(id)!)
    await clock.pass(RETENTION_GRACE_MS - MINUTE)
    assert.equal(dropped().length, 0)
    // Somebody puts the clock right: it is 10 days earlier.
    clock.jumpMs = -10 * DAY
    await clock.pass(3 * DAY)
    assert.equal(dropped().length, 0)
    await clock.pass(2 * DAY)
    assert.equal(dropped().length, 1)
  })

  it('that cannot be read is tried again later', async () => {
    const { refused, clock, keep, dropped } = bench()
    await refused('bob@bakery.test')
    keep.unreadable = true
    await clock.pass(KEEP_MS + HOUR)
    assert.equal(dropped().length, 0)
    keep.unreadable = false
    await clock.pass(HOUR)
    assert.equal(dropped().length, 1)
  })

  it('follows a configuration that changes', async () => {
    const { refused, clock, keepMs, holds, keep } = bench()
    await refused('bob@bakery.test')
    await clock.pass(2 * DAY)
    keepMs.value = DAY
    holds.changed()
    await clock.pass(MINUTE)
    assert.equal(keep.messages.size, 0)
  })

  it('costs one timer, however many there are', async () => {
    const { refused, clock, keep, dropped } = bench()
    for (let i = 0; i < 300; i++) await refused('bob@bakery.test')
    assert.equal(clock.timers, 1)
    await clock.pass(SWEEP_MS_MAX)
    assert.equal(clock.timers, 1)
    await clock.pass(KEEP_MS)
    assert.deepEqual([keep.messages.size, dropped().length, clock.timers], [0, 300, 0])
  })
})

describe('the list', () => {
  it('has the facts of a digest, the oldest first', async () => {
    const { refused, holds, clock, queue } = bench()
    const first = await refused('bob@bakery.test')
    await clock.pass(HOUR)
    const second = await refused('bob@bakery.test', 'joe@bakery.test')
    const { rows, more } = await holds.list({ rowsMax: 10 })
    assert.deepEqual([rows.map(({ id }) => id), more], [[first, second], false])
    const row = rows[1]
    assert.equal(row?.subject, ' hello')
    assert.equal(row.from, undefined)
    assert.deepEqual(
      row.recipients.map(({ reason, text, sinceMs }) => [reason, text, sinceMs]),
      Array(2).fill(['refused', '554 5.7.1 spam', queue.nowMs()]),
    )
    assert.equal(row.keptUntilMs, row.heldSinceMs + KEEP_MS)
    assert.deepEqual((await holds.list({ rowsMax: 1 })).more, true)
    assert.deepEqual(await holds.list({ rowsMax: 10, tenant: 'smith' }), { rows: [], found: 0, more: false })
    const afterMs = rows[0]!.heldSinceMs
    const next = await holds.list({ rowsMax: 10, afterMs })
    assert.deepEqual([next.rows.map(({ id }) => id), next.found], [[second], 1])
    assert.deepEqual((await holds.list({ rowsMax: 1 })).found, 2)
    assert.deepEqual(holds.summary(), { bakery: { held: 2, newestMs: queue.nowMs() } })
  })

  it('has no notice of ours that an operator holds', async () => {
    const { keep, holds, queue } = bench()
    const { id } = keep.put({ ...newMessage(['chef@bakery.test'], 'bakery/main', queue.nowMs()), notice: true }, 0)
    keep.change(id, { kind: 'hold', atMs: queue.nowMs(), reason: 'operator', text: 'x' })
    assert.deepEqual(await holds.list({ rowsMax: 10 }), { rows: [], found: 0, more: false })
  })

  it('forgets what is released or deleted', async () => {
    const { refused, holds, keep } = bench()
    const [a, b] = [await refused('bob@bakery.test'), await refused('bob@bakery.test')]
    keep.change(a, { kind: 'release', atMs: 0, nextAttemptMs: 0 })
    keep.change(b, { kind: 'drop', atMs: 0, text: 'x' })
    assert.deepEqual([holds.size, (await holds.list({ rowsMax: 10 })).rows], [0, []])
  })
})

describe('the counts', () => {
  it('are of recipients by reason, through every end of a hold', async () => {
    const { refused, add, holds, keep, trying, clock, queue } = bench()
    const none = { refused: 0, expired: 0, operator: 0, loop: 0, policy: 0, locked: 0 }
    assert.deepEqual(holds.counts, none)
    const two = await refused('bob@bakery.test', 'joe@bakery.test')
    const waiting = add(['ida@bakery.test', 'ken@bakery.test'])
    await settle()
    await trying.at(-1)?.end(attempted(failed('554 5.7.1 spam'), deferred('timeout')))
    assert.deepEqual(holds.counts, { ...none, refused: 2 }, 'one of the other message is still tried')
    keep.change(waiting, { kind: 'hold', atMs: queue.nowMs(), reason: 'operator', text: 'x' })
    assert.deepEqual(holds.counts, { ...none, refused: 3, operator: 1 })
    keep.change(waiting, { kind: 'hold', atMs: queue.nowMs(), reason: 'operator', text: 'x' })
    assert.deepEqual(holds.counts, { ...none, refused: 3, operator: 1 }, 'once, however often it is heard of')
    keep.change(two, { kind: 'release', atMs: 0, nextAttemptMs: 0 })
    assert.deepEqual(holds.counts, { ...none, refused: 1, operator: 1 })
    await clock.pass(KEEP_MS + HOUR)
    assert.deepEqual([holds.counts, holds.size], [none, 0])
  })

  it('cost nothing to read, and what replay finds is among them', () => {
    const { keep, holds, queue, start } = bench()
    holds.stop()
    const atMs = queue.nowMs()
    const entries = Array.from({ length: 1000 }, () => {
      const { id } = keep.put(newMessage(['bob@bakery.test'], 'bakery/main', atMs), 0)
      keep.change(id, { kind: 'hold', atMs, reason: 'policy', text: 'x' })
      return keep.get(id)!
    })
    const after = start()
    for (const entry of entries) after.found(entry)
    after.stop()
    const get = keep.get.bind(keep)
    let asked = 0
    keep.get = (id) => {
      asked++
      return get(id)
    }
    assert.deepEqual([after.counts.policy, asked], [1000, 0])
  })
})

describe('a notice of ours', () => {
  for (const [how, outcome] of [
    ['refused', failed('550 5.1.1 no such user')],
    ['expired', deferred('timeout')],
  ] as const) {
    it(`that is ${how} is dropped, never held`, async () => {
      const { keep, queue, clock, answer, dropped, events, holds } = bench()
      answer.with = () => attempted(outcome)
      queue.add(keep.put({ ...newMessage(['postmaster@bakery.test'], 'bakery/main', queue.nowMs()), notice: true }, 0))
      await clock.pass(6 * DAY)
      assert.equal(keep.messages.size, 0)
      assert.deepEqual(
        dropped().map((event) => event.kind === 'dropped' && event.reason),
        [how],
      )
      assert.ok(!events.some(({ kind }) => kind === 'held'))
      assert.deepEqual([events.at(-1)?.kind, holds.size], ['settled', 0])
    })
  }
})

it('the event of a hold says where it was refused, and in whose words', async () => {
  const { refused, events } = bench()
  await refused('bob@bakery.test')
  const held = events.find(({ kind }) => kind === 'held')
  assert.ok(held?.kind === 'held')
  assert.deepEqual([held.stage, held.reply?.code, held.text], ['content', 554, '554 5.7.1 spam'])
})
