/** DANE for SMTP (RFC 7672): unbound verifies signed zones, and content never goes to the wrong server, nor in clear. */
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { freePort } from '../harness/free-port.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { startUnbound, withoutUnbound } from '../peers/unbound.ts'

const skip = withoutUnbound()
const WRONG = '12345678'.repeat(8)

test('verified goes; a wrong certificate, no STARTTLS and a forged record wait', { skip }, async () => {
  const [door, port] = [await freePort(), await freePort()]
  const tls = selfSignedCertificate({ names: ['whoever.test'], fromMs: 0, days: 1 })
  const key = new X509Certificate(tls.certificatePem).publicKey.export({ type: 'spki', format: 'der' })
  const right = createHash('sha256').update(key).digest('hex')
  await using sink = await startSink({}, { port, address: '127.0.1.1', tls })
  await using plain = await startSink({}, { port, address: '127.0.1.2' })
  const zone = (name: string, address: string, hash: string) => ({
    name,
    signed: true,
    records: ['@ IN MX 10 mx', `mx IN A ${address}`, `_${port}._tcp.mx IN TLSA 3 1 1 ${hash}`],
  })
  await using unbound = await startUnbound([
    zone('good.test', '127.0.1.1', right),
    zone('wrong.test', '127.0.1.1', WRONG),
    zone('plain.test', '127.0.1.2', right),
    { ...zone('forged.test', '127.0.1.2', WRONG), forged: ['12345678', '12345679'] },
  ])
  await using relay = await startVorposten({
    config: {
      hostname: 'relay.test',
      'name-servers': `127.0.0.1:${unbound.endpoint.port}`,
      destinations: { 'allow-networks': ['127.0.1.0/24'] },
      listeners: [
        { name: 'mx', addresses: [`127.0.0.1:\${ENV:MX_PORT}`] },
        { name: 'out', addresses: [`127.0.0.1:${door}`], service: 'outbound' },
      ],
      tenants: {
        bakery: {
          routes: { internet: { 'use-mx': true, 'mx-port': port }, shop: { hosts: ['127.0.1.9'] } },
          domains: { 'dest.test': { route: 'shop', recipients: 'accept-all' } },
          outbound: { 'from-networks': ['127.0.0.1'], route: 'internet' },
        },
      },
    },
  })
  const submit = async (to: string) => {
    using talk = await greeted(door)
    const { text } = await talk.message({ from: 'a@dest.test', to: [to], content: 'From: a@dest.test\r\n\r\nx\r\n' })
    return /queued as (\w+)/.exec(text)?.[1] ?? assert.fail(text)
  }
  for (const [domain, why] of [
    ['wrong.test', 'no TLSA record matches'],
    ['plain.test', 'does not offer STARTTLS'],
    ['forged.test', 'TLSA: .*SERVFAIL'],
  ] as const) {
    const id = await submit(`x@${domain}`)
    await relay.logged(new RegExp(`${id}: .*status=deferred .*${why}`))
  }
  assert.deepEqual([sink.messages.length, plain.messages.length], [0, 0])
  const id = await submit('x@good.test')
  await relay.logged(new RegExp(`${id}: .*status=sent`))
  await sink.received(1)
  assert.match((await relay.command('trace', id)).text, /with TLS, DANE-verified/)
  assert.equal(plain.messages.length, 0)
})
