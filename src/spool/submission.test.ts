/** What the spool keeps for reports to senders: who submitted, who was told, and in which version of a record that stands. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { content } from '#mail/content.ts'
import type { Change, NewMessage, RecipientState } from '#mail/stored.ts'
import { newTraceId } from '#mail/testing.ts'
import { HOUR, newMessage } from '#queue/testing.ts'
import { applyChange } from './change.ts'
import { Entry, Interned } from './entry.ts'
import { decodeMessage, decodeState, encodeMessage, encodeState, type Standing } from './payload.ts'
import { FORMAT_VERSION, HEADER_OCTETS } from './record.ts'
import type { Segment } from './segment.ts'

const NOTHING: Standing = {
  turn: 0,
  route: 'bakery/main',
  attempts: 0,
  nextAttemptMs: 5,
  recipients: undefined,
  lastText: undefined,
}
const message = (more: Partial<NewMessage> = {}): NewMessage => ({
  ...newMessage(['bob@elsewhere.test', 'eve@elsewhere.test'], 'bakery/main', 1),
  ...more,
})
const SUBMITTED = message({ submission: { credential: 'network', automatic: true } })
const returned: RecipientState = { kind: 'returned', atMs: 3, report: newTraceId(), text: '550 5.1.1 no' }
const encoded = (of: NewMessage, standing = NOTHING) => encodeMessage(of, standing, content([])).head
const meta = (head: Buffer) => head.subarray(HEADER_OCTETS)
const entry = (standing = NOTHING) =>
  new Entry(
    { id: SUBMITTED.id, tenant: 'bakery', receivedMs: 1, octets: 0, recipientCount: 2 },
    standing,
    {} as Segment,
    0,
    0,
  )

describe('who submitted', () => {
  it('comes back as it was written, in version 3', () => {
    const head = encoded(SUBMITTED)
    assert.equal(head[4], 3)
    assert.deepEqual(decodeMessage(3, meta(head))?.message.submission, { credential: 'network', automatic: true })
    assert.equal(decodeMessage(3, meta(encoded(message())))?.message.submission, undefined)
  })

  it('is nothing that an older version says', () => {
    for (const version of [1, 2])
      assert.equal(decodeMessage(version, meta(encoded(SUBMITTED)))?.message.submission, undefined)
  })

  it('is damage if it says nothing sensible: no report goes out by half a proof', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (submission) => {
        const json = { ...JSON.parse(meta(encoded(SUBMITTED)).toString()), submission }
        const decoded = decodeMessage(3, Buffer.from(JSON.stringify(json)))
        const sensible = typeof (submission as { credential?: unknown } | null)?.credential === 'string'
        assert.equal(decoded !== undefined, sensible)
      }),
    )
  })
})

describe('what was asked of TLS (RFC 8689 §4.1)', () => {
  it('comes back with the envelope; to an older release it is the same record', () => {
    const { envelope } = message()
    const head = encoded(message({ envelope: { ...envelope, requireTls: true, tlsOptional: true } }))
    assert.equal(head[4], 1)
    const decoded = decodeMessage(1, meta(head))?.message.envelope
    assert.deepEqual([decoded?.requireTls, decoded?.tlsOptional], [true, true])
    assert.equal(decodeMessage(1, meta(encoded(message())))?.message.envelope.requireTls, undefined)
  })
})

describe('whose login gave it to us', () => {
  it('comes back; to an older release it is the same record', () => {
    const head = encoded(message({ login: 'anna@bakery.test' }))
    assert.equal(head[4], 1)
    assert.equal(decodeMessage(1, meta(head))?.message.login, 'anna@bakery.test')
    assert.ok(!('login' in decodeMessage(1, meta(encoded(message())))!.message))
  })

  it('is damage if it is no name', () => {
    const json = { ...JSON.parse(meta(encoded(message())).toString()), login: 7 }
    assert.equal(decodeMessage(1, Buffer.from(JSON.stringify(json))), undefined)
  })
})

describe('who was told', () => {
  it('is in a state record of version 3, and ends the recipient for good', () => {
    const one = entry()
    applyChange(
      one,
      { kind: 'attempted', atMs: 3, recipients: new Map([[0, returned]]), nextAttemptMs: HOUR, delayTold: true },
      new Interned(10),
    )
    const again: Change = {
      kind: 'attempted',
      atMs: 4,
      recipients: new Map([[0, { kind: 'pending' }]]),
      nextAttemptMs: 9,
    } as const
    applyChange(one, again, new Interned(10))
    applyChange(one, { kind: 'hold', atMs: 4, reason: 'operator', text: 'x' }, new Interned(10))
    applyChange(one, { kind: 'release', atMs: 5, nextAttemptMs: 6 }, new Interned(10))
    assert.deepEqual([one.recipients?.[0], one.recipients?.[1]?.kind, one.state], [returned, 'pending', 'active'])
    const { head } = encodeState(one.id, one.standing)
    assert.equal(head[4], FORMAT_VERSION)
    const decoded = decodeState(3, meta(head))?.standing
    assert.deepEqual([decoded?.delayTold, decoded?.recipients?.[0]], [true, returned])
    assert.deepEqual(entry(decoded).standing, one.standing)
  })

  it('settles the message when nobody is left', () => {
    const one = entry()
    const recipients = new Map([
      [0, returned],
      [1, returned],
    ])
    applyChange(one, { kind: 'attempted', atMs: 3, recipients, nextAttemptMs: 9 }, new Interned(10))
    assert.equal(one.settled, true)
  })

  it('a delay that was told makes version 3 too, and is forgotten by no later change', () => {
    const one = entry({ ...NOTHING, delayTold: true })
    applyChange(one, { kind: 'attempted', atMs: 3, recipients: new Map(), nextAttemptMs: 9 }, new Interned(10))
    assert.equal(one.standing.delayTold, true)
    assert.equal(encodeState(one.id, one.standing).head[4], 3)
    const other = entry()
    other.assume(one.standing)
    assert.equal(other.delayTold, true)
  })
})
