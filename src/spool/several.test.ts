import assert from 'node:assert/strict'
import { it } from 'node:test'
import { content } from '#mail/content.ts'
import { SpoolReceipt } from '#mail/custody.ts'
import type { QueueEntry } from '#mail/stored.ts'
import { MemoryKeep, newMessage } from '#queue/testing.ts'
import type { Spool } from './contract.ts'
import { severalSpools } from './several.ts'

/** As much of a spool as is asked here. */
function memorySpool() {
  const keep = new MemoryKeep()
  const callbacks: ((entry: QueueEntry) => void)[] = []
  const state = { closed: false }
  const spool: Spool = {
    async append(message) {
      keep.put(message, 0)
      return SpoolReceipt.afterSync(message.id)
    },
    change: (id, change) => keep.change(id, change),
    entries: () => [...keep.messages.keys()].flatMap((id) => keep.get(id) ?? []),
    get: (id) => keep.get(id),
    read(id) {
      const message = keep.load(id)
      return message ? { kind: 'stored', message } : { kind: 'gone' }
    },
    onEntry: (callback) => void callbacks.push(callback),
    replayed: Promise.resolve({ messages: 1, corrupt: 2, torn: 3 }),
    health: { kind: 'ok' },
    roomOctets: 7,
    get counts() {
      return { messages: keep.messages.size, octets: 10, segments: 1, batches: 1, syncs: 1 }
    },
    async close() {
      state.closed = true
    },
  }
  return { spool, keep, state, callbacks }
}

const message = () => newMessage(['bob@bakery.test'], 'bakery/main', 0)

it('new mail goes to the own spool; what lies in the others is found, changed and counted there', async () => {
  const [own, one, two] = [memorySpool(), memorySpool(), memorySpool()]
  const all = severalSpools(own.spool, [one.spool, two.spool])
  const [fresh, old] = [message(), message()]
  two.keep.put(old, 0)
  await all.append(fresh, content([]), 0)
  assert.ok(own.keep.get(fresh.id))
  assert.deepEqual(
    [...all.entries()].map(({ id }) => id),
    [fresh.id, old.id],
  )
  assert.equal((await all.read(old.id)).kind, 'stored')
  all.change(old.id, { kind: 'hold', atMs: 0, reason: 'operator', text: '' })
  assert.equal(two.keep.get(old.id)?.state, 'held')
  assert.equal(all.get(fresh.id)?.state, 'active')
  assert.deepEqual([all.counts.messages, all.counts.octets, all.counts.segments], [2, 30, 3])
  all.change(old.id, { kind: 'drop', atMs: 0, text: '' })
  assert.equal((await all.read(old.id)).kind, 'gone')
  // Of a message that nobody has: nothing happens.
  all.change(old.id, { kind: 'drop', atMs: 0, text: '' })
})

it('replay, callbacks, health and the end are those of all', async () => {
  const [own, one] = [memorySpool(), memorySpool()]
  const all = severalSpools(own.spool, [one.spool])
  assert.deepEqual(await all.replayed, { messages: 2, corrupt: 4, torn: 6 })
  const seen: QueueEntry[] = []
  all.onEntry((entry) => void seen.push(entry))
  assert.deepEqual([own.callbacks.length, one.callbacks.length], [1, 1])
  assert.equal(all.health.kind, 'ok')
  await all.close()
  assert.deepEqual([own.state.closed, one.state.closed], [true, true])
})

it('one spool alone stands for itself', () => {
  const { spool } = memorySpool()
  assert.equal(severalSpools(spool, []), spool)
})
