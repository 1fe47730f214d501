/** Texts that are nearly the same: recognised as such, counted by who sends them, and at a cost that does not grow. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { wordsOf } from '../classifier/words.ts'
import { DISTANCE_MAX, Fingerprints, LOOKS_MAX } from './fingerprints.ts'
import { NearDuplicates, SEEN_MS, SENDERS_MIN, type Sighting } from './near-duplicates.ts'
import { distance, type Fingerprint, simhash } from './simhash.ts'

let state = 7
/** Below n, always the same ones. */
function chance(n: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * n)
}
/** A text of so many words that nobody has written. */
const text = (count = 150): string[] =>
  Array.from({ length: count }, () => Array.from({ length: 5 }, () => 'abcdefghijklmnop'[chance(16)]).join(''))
const print = (words: readonly string[]): Fingerprint => simhash(wordsOf(words.join(' ')))
const apart = (a: Fingerprint, b: Fingerprint): number => distance(a[0] ^ b[0], a[1] ^ b[1])
const CAMPAIGN = print(text())

const sighting = (i: number, more: Partial<Sighting> = {}): Sighting => ({
  fingerprint: CAMPAIGN,
  domain: i,
  network: i,
  isAuthenticated: false,
  atMs: 1_000,
  ...more,
})
const symbols = (memory: NearDuplicates, tenant = 'bakery', nowMs = 1_000) =>
  memory.signs(tenant, CAMPAIGN, nowMs).map(({ symbol, strength = 1 }) => `${symbol} ${strength}`)

describe('a fingerprint', () => {
  it('stays near when a name, a number or a word is another one, and is far from another text', () => {
    const near = (changed: (words: string[]) => string[]) =>
      Array.from({ length: 200 }, () => text()).filter(
        (words) => apart(print(words), print(changed(words))) <= DISTANCE_MAX,
      )
    assert.equal(near((words) => [...words.slice(0, 75), '17', ...words.slice(75)]).length > 170, true)
    assert.equal(near((words) => ['anna', ...words.slice(1)]).length > 170, true)
    assert.equal(
      near((words) => [...words.slice(0, 145), 'five', 'other', 'words', 'than', 'before']).length > 80,
      true,
    )
    assert.equal(near(() => text()).length, 0)
    const words = text()
    assert.equal(apart(print([...words, '17']), print([...words, '23'])), 0)
  })

  it('is found by every one that differs in as many bits as are allowed, and by no other', () => {
    const bits = fc.uniqueArray(fc.integer({ min: 0, max: 63 }), { maxLength: 12 })
    const half = fc.integer({ min: 0, max: 0xffffffff })
    fc.assert(
      fc.property(half, half, bits, (high, low, flipped) => {
        const kept = new Fingerprints(4)
        kept.add([high, low])
        const other: [number, number] = [high, low]
        for (const bit of flipped) other[bit < 32 ? 1 : 0] ^= 1 << (bit % 32)
        const found = kept.near([other[0] >>> 0, other[1] >>> 0]).length
        assert.equal(found, flipped.length <= DISTANCE_MAX ? 1 : 0)
      }),
    )
  })

  it('that is the oldest makes room', () => {
    const kept = new Fingerprints(2)
    for (const one of [1, 2, 3]) kept.add([one * 0x01010101, one * 0x11111111])
    assert.equal(kept.size, 2)
    assert.deepEqual(kept.near([0x01010101, 0x11111111]), [])
    assert.deepEqual(kept.near([0x03030303, 0x33333333]), [0])
  })
})

describe('the same text', () => {
  it('from many domains and networks is a campaign', () => {
    const memory = new NearDuplicates(100)
    for (let i = 0; i < SENDERS_MIN - 1; i++) memory.see(sighting(i))
    assert.deepEqual(symbols(memory), [])
    memory.see(sighting(SENDERS_MIN))
    assert.deepEqual(symbols(memory), ['DUPLICATE_MANY_SENDERS 1'])
    assert.match(memory.signs('bakery', CAMPAIGN, 1_000)[0]!.detail!, /^5 messages of 5 domains from 5 networks$/)
    assert.deepEqual(symbols(memory, 'bakery', 1_001 + SEEN_MS), [])
  })

  it('of one sender, to however many, from however many servers, is none', () => {
    const memory = new NearDuplicates(100)
    for (let i = 0; i < 1_000; i++) memory.see(sighting(i, { domain: 7, isAuthenticated: true }))
    assert.deepEqual(symbols(memory), [])
  })

  it('of many that are authenticated counts half', () => {
    const memory = new NearDuplicates(100)
    for (let i = 0; i < 9; i++) memory.see(sighting(i, { isAuthenticated: true }))
    assert.deepEqual(symbols(memory), ['DUPLICATE_MANY_SENDERS 0.5'])
  })

  it('is spam where somebody of the tenant says so, elsewhere when two others do, and never where it was released', () => {
    const memory = new NearDuplicates(100)
    const judge = (tenant: string, isSpam = true) => memory.judge({ tenant, fingerprint: CAMPAIGN, isSpam })
    judge('smith')
    assert.deepEqual(symbols(memory, 'smith'), ['DUPLICATE_OF_SPAM 1'])
    assert.deepEqual(symbols(memory), [])
    judge('smith')
    assert.deepEqual(symbols(memory), [])
    judge('miller')
    assert.deepEqual(symbols(memory), ['DUPLICATE_OF_SPAM 0.5'])
    for (let i = 0; i < 9; i++) memory.see(sighting(i))
    judge('bakery', false)
    assert.deepEqual(symbols(memory), [])
    judge('bakery')
    assert.deepEqual(symbols(memory), ['DUPLICATE_OF_SPAM 1', 'DUPLICATE_MANY_SENDERS 1'])
  })
})

it('a look costs the same, whatever is kept, also if all share their pieces', () => {
  const memory = new NearDuplicates(5_000)
  for (let i = 0; i < 20_000; i++) {
    const low = Math.imul(i, 0x9e3779b1) >>> 0
    memory.see(sighting(i, { fingerprint: i % 2 === 0 ? [low, ~low >>> 0] : [0, low] }))
  }
  assert.equal(memory.size, 5_000)
  const before = memory.looks
  memory.signs('bakery', [0, 0], 1_000)
  assert.ok(memory.looks - before <= LOOKS_MAX)
})
