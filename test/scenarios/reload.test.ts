/**
 * SIGHUP: a new configuration takes effect for the next decision, without closing a session. One with an error is refused
 * as a whole, and the old one holds.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

test('a new domain is served in a session that is already open', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port) })
  await relay.logged(/warning: tenants\.bakery: bakery has no postmaster: nobody is told .*; postmaster: the address/)
  using talk = await greeted(relay.port)
  const toNew = { from: 'a@x.test', to: ['anna@new.test'], content: 'Subject: x\r\n\r\nx\r\n' }
  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say('RCPT TO:<anna@new.test>', /^550 5\.7\.1 /)
  await talk.say('RSET', /^250 /)

  const domains = { 'new.test': { route: 'shop', recipients: 'accept-all' } }
  assert.doesNotMatch(await relay.reload(bakery(sink.port, { domains })), /not reloaded/)
  assert.match((await talk.message(toNew)).text, /^250 /)

  const broken = await relay.reload({ ...(bakery(sink.port) as object), hostnam: 'typo.test' })
  assert.match(broken, /not reloaded, the old settings hold: .*vorposten\.yaml.*hostnam/)
  assert.match((await talk.message(toNew)).text, /^250 /)

  const from = relay.log().length
  assert.doesNotMatch(await relay.reload(bakery(sink.port)), /not reloaded/)
  await relay.logged(/bakery has no postmaster/, from)
  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say('RCPT TO:<anna@new.test>', /^550 5\.7\.1 /)
  await talk.quit()

  await assertAccount(relay, [sink], { accepted: 2, delivered: 2, refused: 2, held: 0 })
})
