/** DANE over real TLS: a pinned authority, and sessions that are resumed. */
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type net from 'node:net'
import { after, before, test } from 'node:test'
import tls from 'node:tls'
import { type DaneReference, daneMismatch } from './dane.ts'
import { selfSignedCertificate } from './self-signed.ts'
import { connectSocket } from './socket.ts'

const read = (name: string): string => readFileSync(new URL(`../../fixtures/dane/${name}`, import.meta.url), 'utf8')
const CHAIN_PEM = read('chain.pem')
const [own, authority] = CHAIN_PEM.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)!.map(
  (pem) => new X509Certificate(pem),
) as [X509Certificate, X509Certificate]
const stranger = new X509Certificate(selfSignedCertificate({ names: ['mx.test'], fromMs: 0, days: 1 }).certificatePem)

const pin = (certificate: X509Certificate, usage: 2 | 3, names = ['mx.test']): DaneReference => {
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' })
  return { records: [{ usage, selector: 1, matchingType: 1, data: createHash('sha256').update(key).digest() }], names }
}

let server: tls.Server
let port = 0
before(async () => {
  server = tls.createServer({ key: read('key.pem'), cert: CHAIN_PEM }, (socket) => {
    // A client that does not like the certificate resets.
    socket.on('error', () => {}).end('hello')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as net.AddressInfo).port
})
after(() => server.close())

/** Why it failed, or whether it passed as verified; and its session. */
async function session(dane: DaneReference | undefined, resume?: Buffer) {
  const wire = await connectSocket({ address: '127.0.0.1', port, timeoutMs: 5000 })
  let kept: Buffer | undefined
  const over = new Promise<void>((resolve) =>
    wire.listen({ data: () => {}, drained: () => {}, ended: () => wire.end(), closed: () => resolve() }),
  )
  const result = await wire
    .secure({
      side: 'client',
      serverName: 'mx.test',
      verify: false,
      ...(dane && { dane }),
      ...(resume && { resume }),
      onSession: (made) => (kept = made),
    })
    .then(
      ({ verifiedPeer }) => verifiedPeer ?? 'unverified',
      (error: Error) => error.message,
    )
  await over
  return { result, kept }
}

test('DANE-TA: a pinned authority verifies what it issued, for its names', () => {
  const at = Date.now()
  assert.equal(daneMismatch([own, authority], pin(authority, 2), at), undefined)
  assert.match(daneMismatch([own, authority], pin(authority, 2, ['x.test']), at) ?? '', /does not name x\.test/)
  assert.match(daneMismatch([own, authority], pin(stranger, 2), at) ?? '', /no TLSA record/)
  assert.match(daneMismatch([own], pin(authority, 2), at) ?? '', /no TLSA record/)
})

test('DANE-TA: over TLS too, where the server sends its authority along', async () => {
  assert.equal((await session(pin(authority, 2))).result, 'mx.test')
  assert.match((await session(pin(stranger, 2))).result, /no TLSA record/)
  assert.match((await session(pin(authority, 2, ['x.test']))).result, /does not name/)
})

test('a session is resumed under the records that verified it, and under no others', async () => {
  const reused = { count: 0 }
  server.on('secureConnection', (socket) => (reused.count += socket.isSessionReused() ? 1 : 0))
  const first = await session(pin(own, 3))
  assert.ok(first.kept)
  assert.equal((await session(pin(own, 3), first.kept)).result, 'mx.test')
  assert.equal(reused.count, 1)
  assert.match((await session(pin(stranger, 3), first.kept)).result, /no TLSA record/)
  assert.equal((await session(pin(authority, 2), first.kept)).result, 'mx.test')
  assert.equal(reused.count, 1)
  const unverified = await session(undefined)
  assert.match((await session(pin(stranger, 3), unverified.kept)).result, /no TLSA record/)
  assert.equal(reused.count, 1)
})
