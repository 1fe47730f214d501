/**
 * A process can die at any moment. What was answered 250 is on disk: a killed worker is replaced, its spool resumed, and
 * after the death of everything a restart finds every message.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { type Sink, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

const COUNT = 20
const subjects = (sink: Sink) =>
  sink.accepted.map(({ content }) => /^Subject: (.*)\r$/m.exec(content.toString())?.[1]).sort()
const expected = Array.from({ length: COUNT }, (_, i) => `number ${100 + i}`)

async function fill(relay: Vorposten): Promise<void> {
  for (const subject of expected) {
    using talk = await greeted(relay.port)
    const content = `Subject: ${subject}\r\n\r\n${'x'.repeat(3000)}\r\n`
    assert.match((await talk.message({ from: 'a@x.test', to: ['anna@dest.test'], content })).text, /^250 /)
  }
}

async function flushed(relay: Vorposten, sink: Sink): Promise<void> {
  await relay.command('queue', 'flush')
  await sink.received(COUNT)
  await relay.loggedTimes(COUNT, /removed$/)
  assert.deepEqual(subjects(sink), expected)
}

test('a killed worker is replaced and its queue goes on', async () => {
  await using sink = await startSink({}, { started: false })
  await using relay = await startVorposten({ config: bakery(sink.port, { commit: 'spool' }), workers: 2 })
  await fill(relay)
  const before = relay.workers()
  assert.equal(before.length, 2)

  await relay.kill9('worker')
  // The other one serves on meanwhile.
  using talk = await greeted(relay.port)
  await talk.quit()
  await waitFor(
    'a new worker',
    async () => relay.workers().length === 2 && (await relay.get('/healthz/ready')).status === 200,
  )
  assert.notDeepEqual(relay.workers(), before)
  assert.equal(await relay.metric('vorposten_worker_restarts_total'), 1)

  await sink.start()
  await flushed(relay, sink)
})

test('everything is killed: after the restart every message is there, and arrives once', async () => {
  await using sink = await startSink({}, { started: false })
  await using relay = await startVorposten({ config: bakery(sink.port, { commit: 'spool' }) })
  await fill(relay)

  await relay.kill9('all')
  await assert.rejects(greeted(relay.port), { code: 'ECONNREFUSED' })
  // Nobody has to tell the new process: what was due goes out, the few that had failed before wait for their time.
  await sink.start()
  await relay.start()
  await sink.received(COUNT / 2)

  await flushed(relay, sink)
  // Counted by the new process, which accepted nothing.
  await assertAccount(relay, [sink], { accepted: 0, delivered: COUNT, refused: 0, held: 0 })
})
