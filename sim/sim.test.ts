/**
 * A handful of worlds on every run; `npm run sim` has more of them. Then the alarm itself: a relay with a broken part
 * must be found out, and so must each kind of fault that the judge knows.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Outside } from '#cli/assemble.ts'
import { judge, type Kept } from './judge.ts'
import { Ledger, type Letter } from './ledger.ts'
import { account, summary } from './run.ts'
import { simulate } from './simulation.ts'
import { Timeline } from './timeline.ts'

describe('a simulated world', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it(`keeps every promise through half a day of weather, seed ${seed}`, async (t) => {
      const verdict = await simulate({ seed, days: 0.5, lettersPerDay: 300 })
      t.diagnostic(summary(verdict, 0))
      assert.equal(verdict.violations.length, 0, account(verdict))
      assert.ok(verdict.counts.accepted > 50 && verdict.counts.deaths > 0, 'there was something to see')
    })
  }

  it('is the same again from the same seed, and another from another', async () => {
    const hashes = []
    for (const seed of [6, 6, 7]) hashes.push((await simulate({ seed, days: 0.2 })).hash)
    assert.equal(hashes[0], hashes[1])
    assert.notEqual(hashes[0], hashes[2])
  })

  it('finds out a spool that promises before the sync', async () => {
    const { violations } = await simulate({
      seed: 1,
      days: 0.5,
      spoil: (outside) => ({ ...outside, disk: unsynced(outside) }),
    })
    assert.ok(
      violations.some((violation) => violation.endsWith('LOST')),
      'nobody noticed',
    )
  })

  it('finds out a relay that asks strangers', async () => {
    const spoil = (outside: Outside): Outside => ({ ...outside, resolve: async () => ['203.0.113.9'] })
    const { violations } = await simulate({ seed: 1, days: 0.1, spoil })
    assert.ok(violations.some((violation) => violation.includes('connects to a stranger')))
  })
})

// Says that it has synced, and has not.
function unsynced({ disk }: Outside): Outside['disk'] {
  return {
    ...disk,
    open: async (path, mode) => ({ ...(await disk.open(path, mode)), datasync: async () => undefined }),
  }
}

const LETTER: Letter = {
  id: 'L1',
  from: 'a@sender.test',
  domain: 'domain-0.test',
  recipients: ['anna'],
  body: 'Subject: x\r\n\r\nx\r\n',
  refusable: false,
}

/** A letter that was tried once, and heard `heard`. */
function tried(heard: number | undefined) {
  const ledger = new Ledger(new Timeline(), () => undefined)
  const made = ledger.began(LETTER, 1)
  made.accepted.push('anna')
  made.dotSent = true
  made.heard = heard
  const arrive = (givenMs: number, takenMs?: number, content = `Received: x\r\n${made.content}`) => {
    ledger.arrived('a@sender.test', 'anna', content, givenMs).takenMs = takenMs
  }
  const faults = (kept: Kept = new Map()) => {
    judge(ledger, kept)
    return ledger.violations.map((violation) => violation.replace(/^[\d.]+s L1\.1: /, ''))
  }
  return { ledger, made, arrive, faults }
}

const standing = (state: 'held' | 'pending'): Kept => new Map([['L1.1', new Map([['anna', state]])]])

describe('the judge', () => {
  it('is content with one delivery, with a hold, and with nothing where nothing was promised', () => {
    const delivered = tried(250)
    delivered.arrive(1, 2)
    assert.deepEqual(delivered.faults(), [])
    assert.deepEqual(tried(250).faults(standing('held')), [])
    assert.deepEqual(tried(451).faults(), [])
    assert.deepEqual(tried(undefined).faults(), [])
  })

  it('misses a promised message that is nowhere, or still waits', () => {
    assert.deepEqual(tried(250).faults(), ['anna: LOST'])
    assert.deepEqual(tried(250).faults(standing('pending')), ['anna: still in the queue after a long calm'])
  })

  it('sees what was delivered or kept after a refusal', () => {
    const refused = tried(451)
    refused.arrive(1, 2)
    assert.deepEqual(refused.faults(standing('held')), [
      'delivered, and the sender heard 451',
      'kept, and the sender heard 451',
      'anna: held, and delivered',
    ])
  })

  it('excuses a duplicate after a lost reply or a death, and no other', () => {
    const twice = tried(250)
    twice.arrive(1, 2)
    twice.arrive(5, 6)
    assert.deepEqual(twice.faults(), ['anna: delivered 2 times'])
    const lostReply = tried(250)
    lostReply.arrive(1)
    lostReply.arrive(5, 6)
    assert.deepEqual(lostReply.faults(), [])
    const died = tried(250)
    died.arrive(1, 2)
    died.ledger.deathsMs.push(3)
    died.arrive(5, 6)
    assert.deepEqual(died.faults(), [])
  })

  it('sees mail that nobody sent, that was changed, that was never whole, or that went to someone else', () => {
    const world = tried(250)
    world.made.dotSent = false
    world.made.accepted.length = 0
    world.arrive(1, 2, 'Subject: Undeliverable\r\n\r\n')
    world.arrive(1, 2, `Received: x\r\n${world.made.content}changed`)
    const faults = world.faults().join('\n')
    for (const fault of ['mail that nobody sent', 'the content was changed', 'never whole', 'whom we did not accept']) {
      assert.ok(faults.includes(fault), fault)
    }
  })
})
