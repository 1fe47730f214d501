/**
 * R6: a non-delivery message leaves a tenant's server if the mail that it answers came through us with a reverse-path that
 * SPF verified; that of a forged one is held, and so is one of mail that was never seen.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeNameServer, fakeNameServer, zoneScript } from '#sys/dns/testing.ts'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

const txt = (name: string, data: string) => [{ type: 'TXT', name, data, ttl: 60 }] as const
const ZONE = {
  'honest.test': txt('honest.test', 'v=spf1 ip4:127.0.0.1 -all'),
  'forged.test': txt('forged.test', 'v=spf1 ip4:192.0.2.1 -all'),
}

const incoming = (id: string) => `From: x@y.test\r\nMessage-ID: <${id}>\r\nSubject: bread\r\n\r\nToday.\r\n`

const bounceOf = (to: string, original: string): string =>
  [
    'From: MAILER-DAEMON@mail.test',
    `To: ${to}`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
    '',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mail.test',
    '',
    'Final-Recipient: rfc822; nobody@dest.test',
    'Action: failed',
    'Status: 5.1.1',
    '',
    '--b',
    'Content-Type: message/rfc822',
    '',
    `Message-ID: <${original}>`,
    '',
    'text',
    '--b--',
    '',
  ].join('\r\n')

const result = (relay: Vorposten, name: string) =>
  relay.metric(`vorposten_return_paths_total{tenant="bakery",result="${name}"}`)

async function started(names: FakeNameServer, world: number, shop: number) {
  const door = await freePort()
  const { address, port } = names.endpoint
  const config = {
    ...(leaving({ door, world, shop }) as object),
    'name-servers': `${address}:${port}`,
    authentication: true,
  }
  const relay = await startVorposten({ config, workers: 2 })
  const bounce = async (to: string, original: string) => {
    using talk = await greeted(door)
    assert.match((await talk.message({ from: '', to: [to], content: bounceOf(to, original) })).text, /^250 /)
  }
  return { relay, bounce, [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose]() }
}

test('a non-delivery message leaves for a verified sender; those for forged ones are held', async () => {
  await using names = await fakeNameServer(zoneScript(() => ZONE))
  await using world = await startSink()
  await using shop = await startSink()
  await using bench = await started(names, world.port, shop.port)
  const { relay, bounce } = bench
  using talk = await greeted(relay.port)
  await talk.message({ from: 'bob@honest.test', to: ['nobody@dest.test'], content: incoming('1@honest.test') })
  await talk.message({ from: 'bob@forged.test', to: ['nobody@dest.test'], content: incoming('1@forged.test') })
  await waitFor('both to be looked at', async () => {
    return (await result(relay, 'spf-pass')) === 1 && (await result(relay, 'none')) === 1
  })
  await bounce('bob@forged.test', '1@forged.test')
  // What was verified was one message of one sender.
  await bounce('eve@honest.test', '1@honest.test')
  await bounce('bob@honest.test', '2@honest.test')
  await bounce('bob@honest.test', '1@honest.test')
  await world.received(1)
  assert.deepEqual(
    world.messages.map(({ recipients }) => recipients[0]?.mailbox),
    ['bob@honest.test'],
  )
  const ndrs = (decision: string) =>
    relay.metric(`vorposten_outbound_ndrs_total{tenant="bakery",decision="${decision}"}`)
  assert.equal(await ndrs('held'), 3)
  assert.equal(await ndrs('verified'), 1)
})
