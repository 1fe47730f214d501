/**
 * Mail that the customer's server refused after our 250 is held. The operator releases it to another address of the same
 * customer, or nobody does anything and it ends after its time. The sender, who may be forged, never hears of it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { without } from '../peers/peer.ts'
import { startPostfix } from '../peers/postfix.ts'

const message = (...to: readonly string[]) => ({
  from: 'forged@victim.test',
  to,
  content: 'Subject: two loaves\r\n\r\nplease\r\n',
})

interface Row {
  readonly id: string
  readonly heldSinceMs: number
  readonly keptUntilMs: number
}

test('released to another address it takes the way of that domain, reverse-path unchanged', async () => {
  await using shop = await startSink({ rcpt: '550 5.1.1 no such user here' })
  await using other = await startSink()
  const domains = { 'other.test': { 'deliver-to': `127.0.0.1:${other.port}`, recipients: 'accept-all' } }
  const config = bakery(shop.port, { commit: 'spool', domains })
  const smith = { domains: { 'smith.test': { 'deliver-to': `127.0.0.1:${other.port}`, recipients: 'accept-all' } } }
  const tenants = { ...(config as { tenants: object }).tenants, smith }
  await using relay = await startVorposten({ config: { ...(config as object), tenants } })
  using talk = await greeted(relay.port)
  assert.match((await talk.message(message('anna@dest.test'))).text, /^250 /)
  await relay.logged(/status=held \(refused: 550 5\.1\.1 no such user/)

  const row = (await relay.command('queue', 'list', '--state', 'held', '--json')).json() as Row
  assert.equal(row.keptUntilMs - row.heldSinceMs, 14 * 86_400_000)
  assert.match((await relay.command('queue', 'show', row.id)).text, /held since 20\d\d-.*, kept until 20\d\d-/)
  const release = (...args: readonly string[]) => relay.command('queue', 'release', row.id, ...args)
  assert.match((await release('--to', 'info@smith.test')).text, /no domain that bakery has/)
  assert.match((await release('--to', 'info@other.test', '--dry-run')).text, /would release: <anna@dest.test> goes/)
  const done = await release('--to', 'info@other.test', '--recipient', 'anna@dest.test')
  assert.match(done.text, /<anna@dest\.test> goes to <info@other\.test> by bakery\/other\.test, due now/)
  assert.equal(done.code, 0)

  const [arrived] = await other.received(1)
  await relay.logged(/removed$/)
  assert.equal(arrived?.reversePath, 'forged@victim.test')
  assert.deepEqual(
    arrived?.recipients.map(({ mailbox }) => mailbox),
    ['info@other.test'],
  )
  assert.match(arrived?.content.toString() ?? '', /^Subject: two loaves$/m)
  assert.match(await relay.logged(/redirected by operator/), /<anna@dest\.test> goes to <info@other\.test>/)
  assert.match((await relay.command('queue', 'list')).text, /^The queue is empty\.$/)
  // Law 2: whatever went anywhere went to a recipient of the customer.
  const everybody = [shop, other].flatMap((sink) => sink.commands.filter((line) => line.startsWith('RCPT')))
  assert.ok(!everybody.some((line) => line.includes('victim.test')))
  await assertAccount(relay, [shop, other], { accepted: 1, delivered: 1, refused: 0, held: 1 })
})

test('a real Postfix hears whom a redirected message was for, and passes it on', {
  skip: without('postfix'),
}, async () => {
  await using shop = await startSink({ rcpt: '550 5.1.1 no such user here' })
  await using beyond = await startSink()
  const accept = { domain: 'other.test', users: ['info@other.test'] }
  await using postfix = await startPostfix({ relayTo: beyond.port, accept })
  const domains = { 'other.test': { 'deliver-to': `127.0.0.1:${postfix.port}`, recipients: 'accept-all' } }
  await using relay = await startVorposten({ config: bakery(shop.port, { commit: 'spool', domains }) })
  using talk = await greeted(relay.port)
  await talk.message(message('anna+shop@dest.test'))
  await relay.logged(/status=held/)
  const { id } = (await relay.command('queue', 'list', '--json')).json() as Row
  assert.equal((await relay.command('queue', 'release', id, '--to', 'info@other.test')).code, 0)
  const [arrived] = await beyond.received(1, 60_000)
  assert.deepEqual(
    arrived?.recipients.map(({ mailbox }) => mailbox),
    ['info@other.test'],
  )
  // RFC 3461 §5.2.1. Postfix would have named info@other.test itself, had it heard nothing.
  const [rcpt] = beyond.commands.filter((line) => line.startsWith('RCPT'))
  assert.match(rcpt ?? '', / ORCPT=rfc822;anna\+2Bshop@dest\.test$/)
})

test('a redirected message survives a kill of everything, and goes where it was sent', async () => {
  await using shop = await startSink({ dot: '554 5.7.1 smells of spam' })
  await using other = await startSink({ rcpt: '451 4.3.0 not now' })
  const domains = { 'other.test': { 'deliver-to': `127.0.0.1:${other.port}`, recipients: 'accept-all' } }
  await using relay = await startVorposten({ config: bakery(shop.port, { commit: 'spool', domains }) })
  using talk = await greeted(relay.port)
  await talk.message(message('anna@dest.test', 'bob@dest.test'))
  await relay.loggedTimes(2, /status=held/)
  const { id } = (await relay.command('queue', 'list', '--json')).json() as Row
  const alone = await relay.command('queue', 'release', id, '--to', 'info@other.test', '--recipient', 'bob@dest.test')
  assert.match(alone.text, /<anna@dest\.test> must stay on bakery\/shop/)
  assert.equal((await relay.command('queue', 'release', id, '--to', 'info@other.test')).code, 0)
  await relay.logged(/to=<info@other\.test>.*status=deferred/)
  // The state of a message is synced within 100 ms.
  await new Promise((resolve) => setTimeout(resolve, 300))
  await relay.kill9('all')
  const offline = (await relay.command('queue', 'show', id)).text
  assert.match(offline, /pending <info@other\.test> instead of <anna@dest\.test>/)
  assert.match(offline, /dropped <bob@dest\.test>: released to <info@other\.test>/)
  other.behave({})
  await relay.start()
  await relay.command('queue', 'flush')
  const [arrived] = await other.received(1)
  assert.equal(arrived?.recipients.length, 1)
  await relay.logged(/removed$/)
})

test('what nobody releases is dropped after its time, with a line that says so', async () => {
  await using shop = await startSink({ dot: '554 5.7.1 smells of spam' })
  const top = { holds: { keep: '2s' } }
  await using relay = await startVorposten({ config: bakery(shop.port, { commit: 'spool', top }) })
  using talk = await greeted(relay.port)
  await talk.message(message('anna@dest.test'))
  const held = await relay.logged(/status=held/)
  const line = await relay.logged(/status=dropped/)
  assert.match(line, /to=<anna@dest\.test>, status=dropped \(kept: held for 2 seconds, nobody released it\)/)
  await relay.logged(/removed$/)
  assert.match((await relay.command('queue', 'list')).text, /^The queue is empty\.$/)
  assert.equal(await relay.metric('vorposten_holds_dropped_total'), 1)
  const [id] = /\b[0-9A-Z]{15}\b/.exec(held) ?? []
  const story = async () => (await relay.command('trace', id ?? '')).text
  await waitFor('the trace of the drop', async () => /dropped for <anna@dest\.test>: kept/.test(await story()))
  assert.match(await story(), /held for <anna@dest\.test>: refused at content/)
  assert.deepEqual([...new Set(shop.commands.filter((text) => text.startsWith('RCPT')))].length, 1)
})
