/** A tenant's servers known by the key of their client certificate: from anywhere, by TLS only, and nobody else. */
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { startSink } from '../harness/sink.ts'
import { greeted, type TalkOptions } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const MAIL = 'From: anna@dest.test\r\nTo: bob@elsewhere.test\r\nSubject: bread\r\n\r\nToday.\r\n'
const named = (name: string) => selfSignedCertificate({ names: [name], fromMs: Date.now() - 60_000, days: 1 })

test('the right key sends, also when its session is resumed; another, none, and clear text do not', async () => {
  const [certificate, other] = [named('mail.dest.test'), named('mail.far.test')]
  const spki = new X509Certificate(certificate.certificatePem).publicKey.export({ type: 'spki', format: 'der' })
  const key = createHash('sha256').update(spki).digest('hex')
  await using world = await startSink()
  const door = await freePort()
  const outbound = { 'from-networks': ['192.0.2.1'], 'from-client-keys': [key] }
  await using relay = await startVorposten({ config: leaving({ door, world: world.port, outbound }) })

  const secured = async (options: TalkOptions) => {
    const talk = await greeted(door, options)
    await talk.startTls()
    await talk.say('EHLO client.test', /^250/)
    return talk
  }
  const message = { from: 'anna@dest.test', to: ['bob@elsewhere.test'], content: MAIL }
  using first = await secured({ certificate })
  assert.match((await first.message(message)).text, /^250 /)
  assert.ok(first.tlsSession)
  using resumed = await secured({ certificate, resume: first.tlsSession })
  assert.match((await resumed.message(message)).text, /^250 /)
  await world.received(2)

  for (const [options, reply] of [
    [{ certificate: other }, /^550 5\.7\.1 .*neither your address nor your certificate belongs to a customer/],
    [{}, /^550 5\.7\.1 .*your address belongs to no customer/],
  ] as const) {
    using talk = await secured(options)
    await talk.say('MAIL FROM:<anna@dest.test>', reply)
  }
  using clear = await greeted(door, { certificate })
  await clear.say('MAIL FROM:<anna@dest.test>', /^550 5\.7\.1/)
  assert.equal(world.messages.length, 2)
  assert.equal(await relay.metric('vorposten_outbound_total{tenant="bakery",class="ordinary"}'), 2)
})
