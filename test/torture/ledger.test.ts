import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fate } from '../../bench/load-session.ts'
import type { ContentReply } from '../../bench/sink-session.ts'
import { Ledger, type ViolationKind } from './ledger.ts'

/** A ledger with a clock of its own and one message, number 1, for `recipients` recipients. */
function ledger(recipients = 1) {
  let nowMs = 10_000
  const book = new Ledger(() => nowMs)
  book.begun(1, recipients)
  return {
    book,
    settled: (fate: Fate) => book.settled(1, fate),
    arrives: (index = 0, reply: ContentReply = 'accept', intact = true) =>
      book.arrived({ number: 1, reply, intact, recipients: [`to-${index}@dest.test`] }),
    passes: (ms: number) => {
      nowMs += ms
    },
    kinds: (): ViolationKind[] => book.account().violations.map(({ kind }) => kind),
  }
}

test('an acknowledged message must end for each recipient that was accepted', () => {
  const { book, settled, arrives, kinds } = ledger(3)
  book.recipientRefused(1, 1)
  settled('acknowledged')
  assert.equal(book.outstanding, 2)
  arrives(0)
  assert.deepEqual(book.account(false).violations, [])
  assert.deepEqual(kinds(), ['lost'])
  arrives(2)
  assert.equal(book.outstanding, 0)
  assert.deepEqual(kinds(), [])
})

test('a 5yz of the next hop is an end, a 4yz is none', () => {
  const { book, settled, arrives, kinds } = ledger()
  settled('acknowledged')
  arrives(0, 'defer')
  assert.equal(book.outstanding, 1)
  assert.deepEqual(kinds(), ['lost'])
  arrives(0, 'reject')
  assert.equal(book.outstanding, 0)
  assert.deepEqual(kinds(), [])
})

test('the order of acknowledgement and arrival does not matter', () => {
  const { book, settled, arrives, kinds } = ledger()
  arrives()
  settled('acknowledged')
  assert.equal(book.outstanding, 0)
  assert.deepEqual(kinds(), [])
})

test('what was refused, incomplete or unknown to us may not arrive; without an answer it may', () => {
  const expected: readonly (readonly [Fate, readonly ViolationKind[]])[] = [
    ['deferred', ['delivered-after-refusal']],
    ['rejected', ['delivered-after-refusal']],
    ['unsent', ['delivered-though-incomplete']],
    ['unknown', []],
  ]
  for (const [fate, alarm] of expected) {
    const { settled, arrives, kinds } = ledger()
    settled(fate)
    assert.deepEqual(kinds(), [], fate)
    arrives()
    assert.deepEqual(kinds(), alarm, fate)
  }
  const { book, settled, kinds } = ledger()
  settled('unknown')
  book.arrived({ number: 0, reply: 'accept', intact: true, recipients: ['to-0@dest.test'] })
  assert.deepEqual(kinds(), ['unknown-number'])
})

test('a refused recipient of an accepted message may not get it', () => {
  const { book, settled, arrives, kinds } = ledger(2)
  book.recipientRefused(1, 0)
  settled('acknowledged')
  arrives(1)
  arrives(0)
  assert.deepEqual(kinds(), ['delivered-after-refusal'])
})

test('twice is excused only by a kill close behind the first end and before the second', () => {
  const again = (waitBefore: number, waitAfter: number, kill: boolean): ViolationKind[] => {
    const { book, settled, arrives, passes, kinds } = ledger()
    settled('acknowledged')
    arrives()
    passes(waitBefore)
    if (kill) book.killed()
    passes(waitAfter)
    arrives()
    return kinds()
  }
  assert.deepEqual(again(10, 5000, true), [])
  assert.deepEqual(again(10, 5000, false), ['ended-twice'])
  assert.deepEqual(again(3000, 10, true), ['ended-twice'])
})

test('damage is told, wherever the message ends', () => {
  const { settled, arrives, kinds } = ledger()
  settled('acknowledged')
  arrives(0, 'accept', false)
  assert.deepEqual(kinds(), ['damaged'])
})
