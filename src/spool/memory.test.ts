/** Memory per queued message: a million must fit, so this is a figure to keep. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { traceIds } from '#mail/trace-id.ts'
import { applyChange } from './change.ts'
import { Entry } from './entry.ts'
import { Ledger } from './ledger.ts'

const COUNT = 50_000
/** Octets of heap for an entry and its place in the index. */
const OCTETS_MAX = 320

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test(`an entry takes at most ${OCTETS_MAX} octets, also after attempts`, () => {
  const ledger = new Ledger('/spool')
  const segment = ledger.newSegment(Buffer.alloc(8))
  const nextId = traceIds(1, Date.now, Math.random)
  collect()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < COUNT; i++) {
    const id = JSON.parse(JSON.stringify(nextId()))
    const facts = { id, tenant: ledger.texts.of('t'), receivedMs: Date.now(), octets: 4096 + i, recipientCount: 1 }
    const nextAttemptMs = Date.now() + i
    const route = ledger.texts.of('t/r')
    const standing = { turn: 0, route, attempts: 0, nextAttemptMs, recipients: undefined, lastText: undefined }
    const entry = new Entry(facts, standing, segment, i * 5000, 5000)
    ledger.admit(entry)
    const text = `connect to mx.customer.example[192.0.2.${i % 200}]:25: Connection refused`
    applyChange(entry, { kind: 'attempted', atMs: 0, recipients: new Map(), nextAttemptMs, text }, ledger.texts)
  }
  collect()
  const octets = (process.memoryUsage().heapUsed - before) / COUNT
  assert.equal(ledger.index.size, COUNT)
  assert.ok(octets < OCTETS_MAX, `${octets.toFixed(0)} octets`)
})
