/** REQUIRETLS and TLS-Required (RFC 8689) on their way through the program, and what it counts of TLS (RFC 8460). */
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { freePort } from '../harness/free-port.ts'
import { SINK_EXTENSIONS, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { startUnbound, withoutUnbound } from '../peers/unbound.ts'

const skip = withoutUnbound()
const WRONG = '12345678'.repeat(8)

const configOf = (ports: { dns: number; door: number; mx: number; shop: number }) => ({
  hostname: 'relay.test',
  'name-servers': `127.0.0.1:${ports.dns}`,
  destinations: { 'allow-networks': ['127.0.1.0/24'] },
  'tls-reports': { organization: 'Relay Test', contact: 'tls@dest.test' },
  listeners: [
    { name: 'mx', addresses: [`127.0.0.1:\${ENV:MX_PORT}`] },
    { name: 'out', addresses: [`127.0.0.1:${ports.door}`], service: 'outbound' },
  ],
  tenants: {
    bakery: {
      routes: { internet: { 'use-mx': true, 'mx-port': ports.mx }, shop: { hosts: [`127.0.0.1:${ports.shop}`] } },
      domains: { 'dest.test': { route: 'shop', recipients: 'accept-all' } },
      outbound: { 'from-networks': ['127.0.0.1'], route: 'internet' },
    },
  },
})

test('REQUIRETLS goes on where it is kept, else its sender hears; TLS-Required: No goes in spite of DANE', {
  skip,
}, async () => {
  const [door, port] = [await freePort(), await freePort()]
  const tls = selfSignedCertificate({ names: ['whoever.test'], fromMs: 0, days: 1 })
  const key = new X509Certificate(tls.certificatePem).publicKey.export({ type: 'spki', format: 'der' })
  const right = createHash('sha256').update(key).digest('hex')
  const extensions = [...SINK_EXTENSIONS, 'REQUIRETLS']
  await using keeps = await startSink({}, { port, address: '127.0.1.1', tls, extensions })
  await using lacks = await startSink({}, { port, address: '127.0.1.2', tls })
  await using shop = await startSink()
  const zone = (name: string, address: string, hash: string, signed = true) => ({
    name,
    signed,
    records: ['@ IN MX 10 mx', `mx IN A ${address}`, `_${port}._tcp.mx IN TLSA 3 1 1 ${hash}`],
  })
  await using unbound = await startUnbound([
    zone('keeps.test', '127.0.1.1', right),
    zone('lacks.test', '127.0.1.2', right),
    zone('wrong.test', '127.0.1.1', WRONG),
    zone('unsigned.test', '127.0.1.1', right, false),
  ])
  await using relay = await startVorposten({
    config: configOf({ dns: unbound.endpoint.port, door, mx: port, shop: shop.port }),
  })
  const submit = async (to: string, parameter: string, field = '') => {
    using talk = await greeted(door)
    await talk.say('MAIL FROM:<a@dest.test> REQUIRETLS', /^555 /)
    await talk.startTls()
    await talk.say('EHLO client.test', /\n250-REQUIRETLS\n/)
    await talk.say(`MAIL FROM:<a@dest.test>${parameter}`, /^250 /)
    await talk.say(`RCPT TO:<${to}>`, /^250 /)
    await talk.say('DATA', /^354 /)
    const { text } = await talk.content(`From: a@dest.test\r\n${field}\r\nbody of it\r\n`)
    return /queued as (\w+)/.exec(text)?.[1] ?? assert.fail(text)
  }
  await submit('x@keeps.test', ' REQUIRETLS RET=FULL')
  const [kept] = await keeps.received(1)
  assert.match(kept!.parameters ?? '', /REQUIRETLS/)
  for (const [domain, status] of [
    ['lacks.test', '5.7.30'],
    ['wrong.test', '5.7.10'],
    ['unsigned.test', '5.7.10'],
  ] as const) {
    const told = shop.accepted.length
    await submit(`x@${domain}`, ' REQUIRETLS RET=FULL')
    const report = (await shop.received(told + 1))[told]!.content.toString('latin1')
    assert.match(report, new RegExp(`Status: ${status}`))
    assert.doesNotMatch(report, /body of it/)
  }
  assert.deepEqual([keeps.messages.length, lacks.messages.length], [1, 0])
  const waiting = await submit('x@wrong.test', '')
  await relay.logged(new RegExp(`${waiting}: .*status=deferred .*no TLSA record matches`))
  await submit('y@wrong.test', '', 'TLS-Required: No\r\n')
  await keeps.received(2)
  await waitFor('TLS to be counted', async () => {
    const { text } = await relay.command('tls-reports', 'list')
    return /^wrong\.test {2}tlsa {2}0 with TLS, [1-9]\d* failed: validation-failure$/m.test(text) || undefined
  })
})
