/**
 * What the spam filter remembers: whom a tenant wrote to, by both workers and over a restart; not where the mail was an absence
 * note, and not for another tenant.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { knows, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

test('a correspondent is known to the tenant that wrote to him', async () => {
  await using world = await startSink(knows('Bob@elsewhere.test', 'away@elsewhere.test'))
  const door = await freePort()
  await using relay = await startVorposten({ config: leaving({ door, world: world.port }), workers: 2 })
  using talk = await greeted(door)
  await talk.say('EHLO shop.test', /^250/)
  const from = 'anna@dest.test'
  const header = `From: ${from}\r\nSubject: hello\r\nMessage-ID: <1@dest.test>\r\n`
  const send = (to: string, more = '') => talk.message({ from, to: [to], content: `${header}${more}\r\nText.\r\n` })
  assert.match((await send('away@elsewhere.test', 'Auto-Submitted: auto-replied\r\n')).text, /^250 /)
  assert.match((await send('Bob@elsewhere.test')).text, /^250 /)
  await world.received(2)
  const asked = async (...words: string[]) => (await relay.command('spam', 'reputation', ...words)).text
  await waitFor('it to be remembered', async () =>
    /bakery wrote there on one day/.test(await asked('bob@elsewhere.test', '--tenant', 'bakery')),
  )
  await relay.stop()
  await relay.start()
  assert.match(await asked('bob@elsewhere.test', '--tenant', 'bakery'), /bakery wrote there on one day/)
  assert.match(await asked('away@elsewhere.test', '--tenant', 'bakery'), /bakery wrote there on no day/)
  assert.doesNotMatch(await asked('bob@elsewhere.test'), /wrote/)
})
