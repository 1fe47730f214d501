/** The standing of senders: what decays, what is bounded, and what it costs to be thought well or ill of. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { SenderCounts } from '#store/spam-senders.ts'
import {
  EVIDENCE,
  type EvidenceKind,
  forgottenMs,
  HALF_LIFE_MS,
  learned,
  leftOf,
  ODDS_MAX,
  reputationSigns,
  SHARED_MAX,
  sharedOf,
  standingOf,
  sumOf,
  TRUST_MS,
  VERDICTS_MAX,
} from './reputation.ts'

const DAY_MS = 86_400_000
const SHOP = { kind: 'domain', name: 'shop.example' } as const
const NETWORK = { kind: 'network', name: '192.0.2.0/24' } as const

/** So many of a kind, one a minute, from `startMs` on. */
function after(kind: EvidenceKind, count: number, before?: SenderCounts, startMs = 0): SenderCounts {
  let counts = before
  for (let i = 0; i < count; i++) counts = learned(counts, EVIDENCE[kind], startMs + i * 60_000)
  return counts!
}
const odds = (own: SenderCounts, nowMs = own.atMs): number => standingOf([{ sender: SHOP, own }], nowMs).odds

describe('counts', () => {
  it('halve in their half-life, and are forgotten when little is left', () => {
    const counts = after('released', 1)
    assert.deepEqual(leftOf(counts, HALF_LIFE_MS), { good: 0, bad: 0, sureGood: 5, sureBad: 0 })
    assert.ok(sumOf(leftOf(counts, forgottenMs(counts))) < 0.11)
    assert.ok(sumOf(leftOf(counts, forgottenMs(counts) - DAY_MS)) > 0.1)
  })

  it('grow no further than their bound, and keep their proportion', () => {
    const counts = after('judged-bad', 100, after('judged-good', 300))
    assert.ok(counts.good + counts.bad <= VERDICTS_MAX)
    assert.ok(counts.bad > counts.good / 2)
  })

  it('are not younger than they are when a clock goes back', () => {
    const counts = after('judged-bad', 10, undefined, DAY_MS)
    assert.deepEqual(leftOf(counts, 0), leftOf(counts, counts.atMs))
  })
})

describe('a standing', () => {
  it('is bounded, whatever was seen, and more bad makes it no better', () => {
    const kinds = fc.constantFrom<EvidenceKind>(...(Object.keys(EVIDENCE) as EvidenceKind[]))
    const steps = fc.array(fc.tuple(kinds, fc.integer({ min: 0, max: 30 * DAY_MS })), { maxLength: 80 })
    fc.assert(
      fc.property(steps, (all) => {
        let nowMs = 0
        let own: SenderCounts | undefined
        for (const [kind, passedMs] of all) {
          nowMs += passedMs
          own = learned(own, EVIDENCE[kind], nowMs)
        }
        if (own === undefined) return
        const before = odds(own, nowMs)
        assert.ok(Number.isFinite(before) && Math.abs(before) <= ODDS_MAX)
        const worse = odds(learned(own, EVIDENCE.reported, nowMs), nowMs)
        assert.ok(worse >= before - 1e-9, `${before} became ${worse}`)
        for (const { strength = 1 } of reputationSigns(standingOf([{ sender: SHOP, own }], nowMs)))
          assert.ok(strength >= 0 && strength <= 1)
      }),
    )
  })

  it('fades', () => {
    const own = after('reported', 5)
    assert.ok(odds(own) > 2)
    assert.ok(odds(own, 6 * HALF_LIFE_MS) < odds(own) / 2)
    assert.deepEqual(reputationSigns(standingOf([{ sender: SHOP, own }], 8 * HALF_LIFE_MS)), [])
  })

  it('is that of the sender himself where he has one, and leans on his network where not', () => {
    const network = { sender: NETWORK, own: after('reported', 20) }
    const alone = standingOf([network], 0).odds
    const newcomer = standingOf([network, { sender: SHOP }], 0)
    assert.ok(newcomer.odds > 0 && newcomer.odds <= alone / 2 + 1e-9)
    assert.equal(newcomer.isNew, true)
    const known = standingOf([network, { sender: SHOP, own: after('released', 20) }], 0)
    assert.ok(known.odds < -1)
    assert.equal(known.isNew, false)
    assert.equal(known.by?.sender, SHOP)
  })

  it('says nothing after one verdict, and only that he is new of whom nothing is known', () => {
    assert.deepEqual(reputationSigns(standingOf([{ sender: SHOP }], 0)), [{ symbol: 'REPUTATION_NEW_SENDER' }])
    assert.deepEqual(reputationSigns(standingOf([{ sender: SHOP, own: after('judged-bad', 1) }], 0)), [])
  })

  it('tells people how it came to be', () => {
    const [said] = reputationSigns(
      standingOf([{ sender: SHOP, own: after('reported', 2, after('judged-good', 3)) }], 0),
    )
    assert.equal(said?.symbol, 'REPUTATION_BAD')
    assert.equal(said?.detail, 'shop.example: 3 good, 20 bad')
  })
})

describe('a good name', () => {
  it('that verdicts alone have made counts half, and takes two weeks, with however much mail', () => {
    const own = after('judged-good', 5000)
    assert.ok(Math.abs(odds(own, own.atMs)) < 0.4)
    const later = after('judged-good', 200, own, TRUST_MS + DAY_MS)
    assert.equal(odds(later), -ODDS_MAX / 2)
  })

  it('is gone after a dozen reports, or a morning of mail that is surely spam', () => {
    const own = after('judged-good', 200, after('judged-good', 5000), TRUST_MS)
    assert.equal(odds(own), -1.5)
    assert.ok(odds(after('reported', 3, own, own.atMs)) > -1.5)
    assert.ok(odds(after('reported', 12, own, own.atMs)) > 0)
    assert.ok(odds(after('judged-bad', 80, own, own.atMs)) > 0)
  })
})

it('one tenant alone does not make a name for all, for good or ill', () => {
  let own: SenderCounts | undefined
  let everybody: SenderCounts | undefined
  for (let i = 0; i < 500; i++) {
    const shared = sharedOf(own, EVIDENCE.reported, i)
    everybody = learned(everybody, shared, i)
    own = learned(own, EVIDENCE.reported, i, shared)
  }
  assert.ok(Math.abs(sumOf(everybody!) - SHARED_MAX) < 0.1)
  // What it says to the contrary is heard all the same; and later there is room again.
  assert.deepEqual(sharedOf(own, EVIDENCE.released, 500), EVIDENCE.released)
  assert.ok(sumOf(sharedOf(own, EVIDENCE.reported, HALF_LIFE_MS)) > 9.9)
})
