/**
 * An address that a server says does not exist gets nothing more for a while: its sender hears it at RCPT, with the way out.
 * Each tenant has its own list.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { knows, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

test('a recipient that was refused is refused by us, until an operator removes it', async () => {
  await using world = await startSink(knows('bob@elsewhere.test'))
  const door = await freePort()
  await using relay = await startVorposten({ config: leaving({ door, world: world.port }), workers: 2 })
  using talk = await greeted(door)
  await talk.say('EHLO shop.test', /^250/)
  const from = 'anna@dest.test'
  const to = ['gone@elsewhere.test', 'bob@elsewhere.test']
  assert.match(
    (await talk.message({ from, to, content: `From: ${from}\r\nSubject: hello\r\n\r\nText.\r\n` })).text,
    /^250 /,
  )
  await world.received(1)
  await waitFor('it to be on the list', async () => /gone/.test((await relay.command('suppressions', 'list')).text))
  const ask = async (pattern: RegExp) => {
    await talk.say(`MAIL FROM:<${from}>`, /^250 /)
    await talk.say('RCPT TO:<bob@elsewhere.test>', /^250 /)
    await talk.say('RCPT TO:<Gone@elsewhere.test>', pattern)
    await talk.say('RSET', /^250 /)
  }
  await ask(/^550 5\.1\.1 Nothing is sent to this address: its server said that it does not exist on /)
  await relay.stop()
  await relay.start()
  const removed = await relay.command('suppressions', 'remove', 'bakery', 'gone@elsewhere.test')
  assert.match(removed.text, /bakery sends to gone@elsewhere\.test again/)
  using again = await greeted(door)
  await again.say('EHLO shop.test', /^250/)
  await again.say(`MAIL FROM:<${from}>`, /^250 /)
  await again.say('RCPT TO:<gone@elsewhere.test>', /^250 /)
})
