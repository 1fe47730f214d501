/**
 * Who has written through us exists: mail for them is taken while their own server cannot be asked, and for nobody else.
 * What that server says when it is back counts more.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { knows, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

async function rcpt(relay: Vorposten, mailbox: string, expected: RegExp): Promise<void> {
  using talk = await greeted(relay.port)
  await talk.say('MAIL FROM:<bob@x.test>', /^250 /)
  await talk.say(`RCPT TO:<${mailbox}>`, expected)
}

test('who wrote is known during an outage; the server’s own no ends it, and writing again does not help', async () => {
  await using world = await startSink()
  await using shop = await startSink(knows('anna@dest.test'))
  const door = await freePort()
  const domains = { 'dest.test': { route: 'shop', recipients: 'live' } }
  const config = leaving({ door, world: world.port, shop: shop.port, tenant: { domains } })
  await using relay = await startVorposten({ config, workers: 2 })
  const write = async (from: string) => {
    using talk = await greeted(door)
    assert.match((await talk.message({ from, to: ['bob@far.test'], content: 'Subject: x\r\n\r\nx\r\n' })).text, /^250 /)
  }
  const shown = async (mailbox: string) => (await relay.command('recipients', 'show', mailbox)).text
  await shop.stop()
  await write('Anna@dest.test')
  await write('ghost@dest.test')
  await waitFor('the lessons', async () =>
    /known, learned .* from the tenant's outgoing mail/.test(await shown('ghost@dest.test')) ? true : undefined,
  )
  for (let i = 0; i < 4; i++) {
    await rcpt(relay, 'anna@dest.test', /^250 /)
    await rcpt(relay, 'ghost@dest.test', /^250 /)
    await rcpt(relay, 'carl@dest.test', /^450 4\.1\.1 /)
  }

  // A restart forgets nothing, and does not wait before it tries a host again.
  await relay.stop()
  await relay.start()
  await rcpt(relay, 'ghost@dest.test', /^250 /)
  await relay.stop()
  await shop.start()
  await relay.start()
  assert.match((await relay.command('recipients', 'probe', 'ghost@dest.test')).text, /ghost@dest\.test: unknown/)
  await write('ghost@dest.test')
  for (let i = 0; i < 4; i++) await rcpt(relay, 'ghost@dest.test', /^550 5\.1\.1 /)
  assert.match(await shown('ghost@dest.test'), /unknown, learned .* from a callout/)
})
