/**
 * A message that runs in a circle is stopped (RFC 5321 §6.3): by the number of its hops, and by our own marks in it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const hop = (by: string, recipient = 'anna@dest.test') =>
  `Received: from a.test ([192.0.2.1])\r\n\tby ${by} (Vorposten) with ESMTP id 1M868FQHQ00WT2R\r\n\tfor <${recipient}>;\r\n\tTue, 24 Nov 2026 07:49:20 +0000\r\n`
const content = (hops: readonly string[]) => `${hops.join('')}Subject: round and round\r\n\r\nx\r\n`
const times = (count: number, text: string): string[] => Array<string>(count).fill(text)

test('many hops are no loop, too many are', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port, { top: { limits: { 'hops-max': 30 } } }) })
  using talk = await greeted(relay.port)
  const send = (hops: readonly string[]) =>
    talk.message({ from: 'a@x.test', to: ['anna@dest.test'], content: content(hops) })

  assert.match((await send(times(30, hop('other.test')))).text, /^250 /)
  assert.match((await send(times(31, hop('other.test')))).text, /^554 5\.4\.6 /)
  // What stands in the body is no trace field.
  const body = {
    from: 'a@x.test',
    to: ['anna@dest.test'],
    content: `Subject: x\r\n\r\n${times(40, hop('other.test')).join('')}`,
  }
  assert.match((await talk.message(body)).text, /^250 /)

  await assertAccount(relay, [sink], { accepted: 2, delivered: 2, refused: 1, held: 0 })
})

test('once through here may be a forwarder’s detour, twice for one recipient is a circle', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port) })
  using talk = await greeted(relay.port)
  const send = (hops: readonly string[]) =>
    talk.message({ from: 'a@x.test', to: ['anna@dest.test'], content: content(hops) })

  assert.match((await send([hop('relay.test')])).text, /^250 /)
  assert.match((await send(times(2, hop('relay.test')))).text, /^554 5\.4\.6 /)
  assert.match((await send(times(2, hop('relay.test', 'ben@dest.test')))).text, /^250 /)
  assert.match((await send(times(6, hop('relay.test', 'ben@dest.test')))).text, /^554 5\.4\.6 /)

  await assertAccount(relay, [sink], { accepted: 2, delivered: 2, refused: 2, held: 0 })
})

test('a customer’s server that sends everything back to us ends the circle with a refusal', async () => {
  await using relay = await startVorposten({ started: false, config: '' })
  const top = { hostname: 'customer.test' }
  await using customer = await startVorposten({ config: bakery(relay.port, { commit: 'spool', top }) })
  relay.configure(bakery(customer.port, { commit: 'spool' }))
  await relay.start()
  using talk = await greeted(relay.port)
  assert.match((await talk.message({ from: 'a@x.test', to: ['anna@dest.test'], content: content([]) })).text, /^250 /)

  // At the third time the relay refuses it, and it stays where it was last.
  await customer.logged(/status=held/)
  await assertAccount(relay, [], { accepted: 2, delivered: 0, refused: 1, held: 0 })
  await assertAccount(customer, [], { accepted: 2, delivered: 0, refused: 0, held: 1 })
})
