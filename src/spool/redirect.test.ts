/** Redirected recipients and notices in the spool: what is written, what comes back, what an older record still says. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { pathText } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import type { Change, RecipientState } from '#mail/stored.ts'
import { forwardPath } from '#mail/testing.ts'
import { TwinDisk } from '../../sim/disk.ts'
import { applyChange } from './change.ts'
import { Entry } from './entry.ts'
import { Ledger } from './ledger.ts'
import { decodeMessage, decodeState, encodeMessage, encodeState, type Standing } from './payload.ts'
import { FORMAT_VERSION, HEADER_OCTETS } from './record.ts'
import { bodyOf, newMessage, open, start } from './rig.test.ts'

const NOTHING: Standing = {
  turn: 0,
  route: 'customer/main',
  attempts: 0,
  nextAttemptMs: 0,
  recipients: undefined,
  lastText: undefined,
}
const hold: Change = { kind: 'hold', atMs: 5, reason: 'operator', text: 'held' }
const redirect = (to: string, ...recipients: number[]): Change => ({
  kind: 'redirect',
  atMs: 7,
  recipients,
  forwardPath: forwardPath(to),
  route: 'customer/other',
  nextAttemptMs: 9,
  text: 'one copy',
})

function entryOf(recipientCount: number): { entry: Entry; ledger: Ledger } {
  const ledger = new Ledger('/spool')
  const facts = { id: newMessage().id, tenant: 'customer', receivedMs: 1, octets: 1, recipientCount }
  return { entry: new Entry(facts, NOTHING, ledger.newSegment(Buffer.alloc(8)), 0, 100), ledger }
}

describe('a redirected recipient', () => {
  it('comes back after a restart and after compaction, with its first address beside it', async () => {
    const disk = new TwinDisk(1)
    const { spool, clock } = await open(disk.boot())
    const message = newMessage(3)
    await clock.until(spool.append(message, content([bodyOf(message)]), 0))
    spool.change(message.id, hold)
    spool.change(message.id, redirect('new@customer.example', 1, 2))
    // Enough other mail to leave the segment sparse, and time for a copy.
    for (let i = 0; i < 40; i++) {
      const other = newMessage()
      await clock.until(spool.append(other, content([bodyOf(other)]), 0))
      spool.change(other.id, { kind: 'drop', atMs: 1, text: 'x' })
    }
    await clock.pass(10_000)
    disk.kill()
    for (let round = 0; round < 2; round++) {
      const again = await start(disk)
      const read = await again.spool.read(message.id)
      assert.ok(read.kind === 'stored')
      const { envelope, recipients, redirected, route } = read.message
      assert.deepEqual(
        envelope.recipients.map((recipient) => pathText(recipient.forwardPath)),
        ['<r0@customer.example>', '<new@customer.example>', '<r2@customer.example>'],
      )
      assert.deepEqual(
        recipients.map(({ kind }) => kind),
        ['held', 'pending', 'dropped'],
      )
      assert.deepEqual(redirected, [{ recipient: 1, original: forwardPath('r1@customer.example'), atMs: 7 }])
      assert.equal(route, 'customer/other')
      assert.deepEqual(read.message.envelope.reversePath, message.envelope.reversePath)
      disk.kill()
    }
  })

  it('that has its end already is left alone', () => {
    const { entry, ledger } = entryOf(2)
    const delivered: RecipientState = { kind: 'delivered', atMs: 1, relay: 'x', text: '250' }
    const attempted: Change = { kind: 'attempted', atMs: 1, recipients: new Map([[0, delivered]]), nextAttemptMs: 2 }
    for (const change of [attempted, hold, redirect('new@customer.example', 0, 1)]) {
      applyChange(entry, change, ledger.texts)
    }
    assert.deepEqual(
      entry.recipients?.map(({ kind }) => kind),
      ['delivered', 'pending'],
    )
    assert.deepEqual(
      entry.redirects?.map(({ recipient }) => recipient),
      [1],
    )
    const before = entry.standing
    applyChange(entry, redirect('other@customer.example', 0, 7), ledger.texts)
    assert.deepEqual(entry.standing, { ...before, turn: before.turn + 1 })
  })
})

/** Meta of an encoded record, and its version. */
const metaOf = (head: Buffer) => ({ version: head[4]!, meta: head.subarray(HEADER_OCTETS) })

describe('the version of a record', () => {
  it('is the old one unless an older release would read it wrongly', () => {
    const message = newMessage()
    const versions = (notice: boolean, standing: Standing) => {
      const of = notice ? ({ ...message, notice: true } as const) : message
      return [encodeMessage(of, standing, content([])).head[4], encodeState(message.id, standing).head[4]]
    }
    assert.deepEqual(versions(false, NOTHING), [1, 1])
    assert.deepEqual(versions(true, NOTHING), [2, 1])
    const { entry, ledger } = entryOf(1)
    applyChange(entry, redirect('new@customer.example', 0), ledger.texts)
    assert.deepEqual(versions(false, entry.standing), [2, 2])
  })

  it('1 has neither redirects nor notices, whatever it says', () => {
    const { entry, ledger } = entryOf(1)
    applyChange(entry, redirect('new@customer.example', 0), ledger.texts)
    const notice = { ...newMessage(), notice: true } as const
    const { meta } = metaOf(encodeMessage(notice, entry.standing, content([])).head)
    const now = decodeMessage(FORMAT_VERSION, meta)
    assert.deepEqual([now?.message.notice, now?.standing.redirects?.length], [true, 1])
    const old = decodeMessage(1, meta)
    assert.deepEqual([old?.message.notice, old?.standing.redirects], [undefined, undefined])
  })

  it('2 with redirects that say nothing sensible is damage, never a delivery to the first address', () => {
    const { id } = newMessage()
    fc.assert(
      fc.property(fc.jsonValue(), (redirects) => {
        const meta = Buffer.from(JSON.stringify({ id, ...NOTHING, redirects }))
        const decoded = decodeState(2, meta)
        if (!Array.isArray(redirects)) return decoded === undefined
        return decoded === undefined || redirects.length === 0
      }),
    )
  })
})

const change = fc.oneof(
  fc.constant(hold),
  fc.constant<Change>({ kind: 'release', atMs: 3, nextAttemptMs: 4 }),
  fc
    .tuple(fc.uniqueArray(fc.nat(3), { minLength: 1 }), fc.constantFrom('a@x.test', 'b@x.test', '\u00fc@x.test'))
    .map(([recipients, to]) => redirect(to, ...recipients)),
  fc.nat(2).map<Change>((index) => ({
    kind: 'attempted',
    atMs: 8,
    recipients: new Map([[index, { kind: 'delivered', atMs: 8, relay: 'x', text: '250' }]]),
    nextAttemptMs: 9,
  })),
)

it('any changes: the record says the state, a final recipient keeps its end, and nobody is forgotten', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const { entry, ledger } = entryOf(3)
      let ends: (RecipientState | undefined)[] = []
      for (const next of changes) {
        applyChange(entry, next, ledger.texts)
        const states = entry.recipients ?? []
        for (const [i, end] of ends.entries()) if (end) assert.deepEqual(states[i], end)
        ends = states.map((state) => (state.kind === 'delivered' || state.kind === 'dropped' ? state : undefined))
        // Whoever is dropped by a redirect has a companion that is not, or was delivered.
        const kinds = states.map(({ kind }) => kind)
        if (kinds.length > 0) assert.ok(kinds.some((kind) => kind !== 'dropped'))
        const { version, meta } = metaOf(encodeState(entry.id, entry.standing).head)
        assert.deepEqual(decodeState(version, meta)?.standing, JSON.parse(JSON.stringify(entry.standing), undef))
      }
    }),
  )
})

// JSON has no undefined; the reader gives it back for these two.
function undef(key: string, value: unknown): unknown {
  return key === '' ? { recipients: undefined, lastText: undefined, ...(value as object) } : value
}
