/** Clients that show a certificate: their key is known, also when the session is resumed; those without one are not stopped. */
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { type TestContext, test } from 'node:test'
import tls from 'node:tls'
import type { TlsFacts } from '#mail/session.ts'
import { selfSignedCertificate } from './self-signed.ts'
import { socketWire } from './socket.ts'

const named = (name: string) => selfSignedCertificate({ names: [name], fromMs: Date.now() - 60_000, days: 1 })
const SERVER = named('mx.example.test')
const CLIENT = named('mail.bakery.test')
const spki = new X509Certificate(CLIENT.certificatePem).publicKey.export({ type: 'spki', format: 'der' })
const KEY = createHash('sha256').update(spki).digest('hex')
const context = tls.createSecureContext({
  key: SERVER.keyPem,
  cert: SERVER.certificatePem,
  ticketKeys: Buffer.alloc(48, 7),
  sessionIdContext: 'vorposten',
})

async function listening(t: TestContext, asksForCertificate: boolean) {
  const facts: Promise<TlsFacts>[] = []
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const wire = socketWire(socket)
    wire.listen({ data() {}, drained() {}, ended: () => wire.end(), closed() {} })
    facts.push(
      wire.secure({ side: 'server', context, asksForCertificate }).then((found) => {
        wire.write('hello')
        return found
      }),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as net.AddressInfo
  return async (options: tls.ConnectionOptions) => {
    const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    let session: Buffer | undefined
    client.on('session', (one: Buffer) => {
      session = one
    })
    await once(client, 'data')
    const reused = client.isSessionReused()
    client.end()
    await once(client, 'close')
    return { facts: await facts.at(-1)!, session, reused }
  }
}

const OWN = { key: CLIENT.keyPem, cert: CLIENT.certificatePem }

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`${version}: the key of a client is known, and stays known when the session is resumed`, async (t) => {
    const connect = await listening(t, true)
    const options = { minVersion: version, maxVersion: version }
    const first = await connect({ ...options, ...OWN })
    assert.equal(first.facts.clientKey, KEY)
    const second = await connect({ ...options, ...OWN, session: first.session })
    assert.equal(second.reused, true)
    assert.equal(second.facts.clientKey, KEY)
    const nobody = await connect(options)
    assert.equal(nobody.facts.clientKey, undefined)
    const again = await connect({ ...options, session: nobody.session })
    assert.equal(again.facts.clientKey, undefined)
  })

test('who is not asked does not show it', async (t) => {
  const connect = await listening(t, false)
  assert.equal((await connect(OWN)).facts.clientKey, undefined)
})
