/**
 * R2: two automatic replies of an absent mailbox to one correspondent in a week, exactly, whatever the parallelism and
 * whatever happens in between. The third is taken and thrown away, and everybody can see it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { type Sink, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

const absence = (from: string, to: string): string =>
  `From: ${from}\r\nTo: ${to}\r\nSubject: Out of office: bread\r\nAuto-Submitted: auto-replied\r\n` +
  `Message-ID: <${Math.random()}@dest.test>\r\nX-Auto-Response-Suppress: All\r\n\r\nI am away until Monday.\r\n`

async function reply(door: number, from = 'anna@dest.test', to = 'bob@elsewhere.test', path = ''): Promise<string> {
  using talk = await greeted(door)
  const { text } = await talk.message({ from: path, to: [to], content: absence(from, to) })
  return text
}

const idOf = (text: string): string => /([0-9A-Z]{15})$/.exec(text)?.[1] ?? assert.fail(text)
const isDiscarded = (text: string): boolean => /^250 2\.0\.0 Ok: accepted and discarded by policy/.test(text)

async function nothingIsLeft(relay: Vorposten): Promise<void> {
  await waitFor('an empty spool', async () => (await relay.metric('vorposten_spool_messages')) === 0)
}

async function arrived(relay: Vorposten, world: Sink): Promise<number> {
  await nothingIsLeft(relay)
  return world.accepted.length
}

test('fifty at once over fifty connections and two workers: two go out; restarts and crashes keep the count', async () => {
  await using world = await startSink()
  const door = await freePort()
  await using relay = await startVorposten({ config: leaving({ door, world: world.port }), workers: 2 })

  const replies = await Promise.all(Array.from({ length: 50 }, () => reply(door)))
  assert.ok(
    replies.every((text) => text.startsWith('250 ')),
    replies.join('\n'),
  )
  const discarded = replies.filter(isDiscarded)
  assert.equal(discarded.length, 48)
  assert.equal(await arrived(relay, world), 2)
  assert.equal(await relay.metric('vorposten_auto_replies_total{tenant="bakery",decision="passed"}'), 2)
  assert.equal(await relay.metric('vorposten_auto_replies_total{tenant="bakery",decision="discarded"}'), 48)

  const id = idOf(discarded[0]!)
  await relay.logged(
    new RegExp(`${id}: .*status=discarded \\(automatic reply of anna@dest\\.test to bob@elsewhere\\.test`),
  )
  const shown = await waitFor('the trace', async () => {
    const { text } = await relay.command('trace', id)
    return text.includes('discarded') && text
  })
  assert.match(shown, /discarded: automatic reply of anna@dest\.test to bob@elsewhere\.test: more than 2 within 168 h/)

  // Another correspondent and another mailbox have counters of their own.
  assert.ok(!isDiscarded(await reply(door, 'anna@dest.test', 'eve@elsewhere.test')))
  assert.ok(!isDiscarded(await reply(door, 'carl@dest.test')))
  assert.equal(await arrived(relay, world), 4)

  await relay.stop()
  await relay.start()
  assert.ok(isDiscarded(await reply(door)))
  await relay.kill9('all')
  await relay.start()
  assert.ok(isDiscarded(await reply(door)))
  assert.ok(isDiscarded(await reply(door, 'ANNA@DEST.TEST', 'Bob@elsewhere.test', 'anna@dest.test')))
  assert.equal(await arrived(relay, world), 4)
})

test('a crash after the first reply: there is one more, not two', async () => {
  await using world = await startSink()
  const door = await freePort()
  await using relay = await startVorposten({ config: leaving({ door, world: world.port }), workers: 2 })
  assert.ok(!isDiscarded(await reply(door)))
  await relay.kill9('all')
  await relay.start()
  const replies = await Promise.all(Array.from({ length: 10 }, () => reply(door)))
  assert.equal(replies.filter(isDiscarded).length, 9)
  assert.equal(await arrived(relay, world), 2)
})

test('the mailbox alone, and another limit, if the tenant says so', async () => {
  await using world = await startSink()
  const door = await freePort()
  const outbound = { 'auto-replies': { limit: 1, per: 'mailbox' } }
  await using relay = await startVorposten({ config: leaving({ door, world: world.port, outbound }), workers: 1 })
  assert.ok(!isDiscarded(await reply(door)))
  assert.ok(isDiscarded(await reply(door, 'anna@dest.test', 'eve@elsewhere.test')))
  assert.equal(await arrived(relay, world), 1)
})

test('ordinary mail of the same people is not counted', async () => {
  await using world = await startSink()
  const door = await freePort()
  await using _relay = await startVorposten({ config: leaving({ door, world: world.port }) })
  using talk = await greeted(door)
  for (let i = 0; i < 5; i++) {
    const content = `From: anna@dest.test\r\nSubject: out of office supplies ${i}\r\n\r\nPlease order.\r\n`
    await talk.message({ from: 'anna@dest.test', to: ['bob@elsewhere.test'], content })
  }
  await world.received(5)
})

test('two auto-responders that answer each other stop', async () => {
  // The world and the shop are the same machine here: whatever it receives it answers, as anna and as bob.
  const door = await freePort()
  await using world = await startSink()
  await using relay = await startVorposten({ config: leaving({ door, world: world.port }), workers: 2 })
  const answered = new Set<unknown>()
  const rounds: string[] = []
  rounds.push(await reply(door, 'anna@dest.test', 'bob@elsewhere.test', 'anna@dest.test'))
  for (;;) {
    await nothingIsLeft(relay)
    const open = world.accepted.filter((message) => !answered.has(message))
    if (open.length === 0 || rounds.length > 50) break
    for (const message of open) {
      answered.add(message)
      const isForBob = message.recipients[0]?.mailbox === 'bob@elsewhere.test'
      if (isForBob) {
        // Bob's responder, far away, answers anna through our MX.
        using talk = await greeted(relay.port)
        const content = absence('bob@elsewhere.test', 'anna@dest.test')
        rounds.push((await talk.message({ from: 'bob@elsewhere.test', to: ['anna@dest.test'], content })).text)
      } else rounds.push(await reply(door, 'anna@dest.test', 'bob@elsewhere.test', 'anna@dest.test'))
    }
  }
  assert.equal(rounds.filter(isDiscarded).length, 1)
  assert.equal(rounds.length, 5)
  assert.equal(await relay.metric('vorposten_dsn_emitted_total{class="unverified"}'), 0)
})
