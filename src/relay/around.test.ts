/** What stands around the path: lessons from deliveries, room for contents, and the spool's face to queue and operator. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PathEvent } from '#mail/event.ts'
import type { Outcome } from '#mail/outcome.ts'
import { attempted, deferred, delivered, failed, newTraceId, recipient } from '#mail/testing.ts'
import { HandClock } from '#queue/testing.ts'
import type { Spool } from '#spool/contract.ts'
import { lessonsFor } from './lessons.ts'
import { Room, type SpoolRoom } from './room.ts'
import { keepOf, spoolAlarmEvent } from './spool-faults.ts'

describe('lessons (law 4)', () => {
  function learned(outcome: Outcome, to = 'Bob@bakery.test') {
    const lessons: string[] = []
    const told: PathEvent[] = []
    const learner = {
      learn: (key: string, state: string) => void lessons.push(`${state} ${key}`),
      wrote: () => assert.fail('nobody wrote'),
      reached: (routeId: string) => void lessons.push(`reached ${routeId}`),
      missed: (routeId: string) => void lessons.push(`missed ${routeId}`),
    }
    const event: PathEvent = {
      kind: 'attempted',
      id: newTraceId(),
      tenant: 'bakery',
      route: 'bakery/main',
      recipients: [recipient(to)],
      attempt: attempted(outcome),
      ageMs: 1,
      inSession: true,
    }
    lessonsFor(
      learner,
      () => assert.fail('no need to look'),
      (one) => void told.push(one),
    )(event)
    assert.deepEqual(told, [event])
    return lessons
  }

  it('a delivery teaches known, a 5yz to RCPT teaches unknown', () => {
    assert.deepEqual(learned(delivered()), ['reached bakery/main', 'known bob@bakery.test'])
    assert.deepEqual(learned(failed('550 5.1.1 no')), ['unknown bob@bakery.test'])
    assert.deepEqual(learned(failed('550 no')), ['unknown bob@bakery.test'])
  })

  it('nothing else teaches anything of the recipient', () => {
    const silent: Outcome[] = [
      failed('550 5.1.1 no', 'content'),
      failed('554 5.7.1 spam', 'content'),
      { kind: 'failed', stage: 'rcpt', text: 'cannot be sent' },
      deferred('refused-for-now', '450 4.1.1 no'),
      deferred('tls'),
      deferred('busy'),
      deferred('lost'),
      // Of the sender, of us, of the size: all said at RCPT.
      failed('550 5.7.1 we do not like your sender'),
      failed('552 5.2.2 mailbox full'),
      failed('530 5.7.0 authenticate first'),
      failed('530 no'),
    ]
    for (const outcome of silent) assert.deepEqual(learned(outcome), [])
    assert.deepEqual(learned(failed('550 5.1.1 no'), 'postmaster'), [])
  })

  it('nobody there teaches that, and nothing of the recipient', () => {
    for (const obstacle of ['connect', 'dns', 'timeout', 'closed'] as const) {
      assert.deepEqual(learned(deferred(obstacle)), ['missed bakery/main'])
    }
  })
})

describe('room for content', () => {
  const usedOctets = () => process.memoryUsage().arrayBuffers
  function bench(spareOctets: number) {
    const clock = new HandClock()
    const spool: { health: SpoolRoom['health']; roomOctets: number } = {
      health: { kind: 'ok' },
      roomOctets: Number.POSITIVE_INFINITY,
    }
    const octetsMax = usedOctets() + spareOctets
    const room = new Room(clock, () => octetsMax, spool)
    const ask = (octets: number, copies?: number) => {
      const gate = room.for(octets, copies)
      return gate.kind === 'accept' ? 'accept' : gate.reasons[0]?.symbol
    }
    const disk = (kind: SpoolRoom['health']['kind']) => void (spool.health = { kind })
    return { clock, ask, room, disk, spool }
  }
  const MIB = 1024 * 1024

  it('is promised once, until memory is measured again', async () => {
    const { ask, clock, room } = bench(200 * MIB)
    assert.equal(ask(90 * MIB), 'accept')
    assert.equal(ask(90 * MIB), 'accept')
    assert.equal(ask(90 * MIB), 'no-memory')
    assert.equal(ask(0), 'accept')
    await clock.pass(1000)
    assert.equal(ask(90 * MIB), 'accept')
    assert.ok(room.hasMemory)
  })

  it('on disk is needed once for each destination', () => {
    const { ask, spool } = bench(200 * MIB)
    spool.roomOctets = 10 * MIB
    assert.equal(ask(5 * MIB, 2), 'accept')
    assert.equal(ask(5 * MIB, 3), 'spool-full')
    assert.equal(ask(11 * MIB), 'spool-full')
    assert.equal(ask(0, 100), 'accept')
  })

  it('is none where memory is used up, whatever the client declares', () => {
    const { ask, room } = bench(-1)
    assert.equal(ask(0), 'no-memory')
    assert.equal(room.hasMemory, false)
  })

  it('is none without a disk to keep it', () => {
    const { ask, disk } = bench(200 * MIB)
    disk('full')
    assert.equal(ask(1), 'spool-full')
    disk('broken')
    assert.equal(ask(1), 'spool-broken')
    disk('ok')
    assert.equal(ask(1), 'accept')
  })
})

describe('the spool as the queue sees it', () => {
  const reading = (result: unknown) => keepOf({ read: () => result } as unknown as Spool).load(newTraceId())
  it('a message is there or not; a disk that does not answer is neither', async () => {
    const message = { id: newTraceId() }
    assert.equal(reading({ kind: 'stored', message }), message)
    assert.equal(reading({ kind: 'gone' }), undefined)
    assert.equal(reading({ kind: 'corrupt' }), undefined)
    assert.throws(() => reading({ kind: 'unreadable', error: new Error('EIO') }), /could not be read/)
    assert.equal(await reading(Promise.resolve({ kind: 'stored', message })), message)
    const later = reading(Promise.resolve({ kind: 'unreadable', error: new Error('EIO') }))
    await assert.rejects(Promise.resolve(later), /could not be read/)
  })

  it('its alarms say what to do, with their facts on one line', () => {
    const event = spoolAlarmEvent({ kind: 'unreadable', segment: '7.seg', error: new Error('EIO: bad\nsector') }, 3)
    assert.ok(event.kind === 'alarm')
    assert.equal(event.symbol, 'spool-unreadable')
    assert.match(event.text, /^worker 3: .*look at the disk.*"segment":"7\.seg".*EIO: bad\\nsector/)
  })
})
