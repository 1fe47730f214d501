/** What policies and reports rest on, beside what their own tests show: the answer is bounded, and its end is told. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { addressGuard } from './address-guard.ts'
import type { Dns } from './dns/answer.ts'
import { askHttps } from './guarded-https.ts'
import { selfSignedCertificate } from './self-signed.ts'

const SHOWN = selfSignedCertificate({ names: ['r.test'], fromMs: Date.now() - 60_000, days: 1 })
tls.setDefaultCACertificates([SHOWN.certificatePem])

async function answered(listener: RequestListener) {
  const server = createServer({ key: SHOWN.keyPem, cert: SHOWN.certificatePem }, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const dns = {
    lookup: async (_: string, type: string) =>
      type === 'A' ? { kind: 'found', records: ['127.0.0.1'] } : { kind: 'none', why: 'no-record' },
  } as unknown as Dns
  const question = { method: 'GET', headers: {}, octetsMax: 10, msMax: 5_000 } as const
  const parts = { dns, guard: addressGuard(['127.0.0.0/8']) }
  const answer = await askHttps({ ...question, url: new URL(`https://r.test:${port}/`) }, parts)
  server.close()
  server.closeAllConnections()
  assert.ok(answer.kind === 'answered', JSON.stringify(answer))
  return [answer.end.kind, answer.body.toString()]
}

test('an answer is whole, too long, or ends early', async () => {
  assert.deepEqual(await answered((_, response) => response.end('ten octets')), ['whole', 'ten octets'])
  assert.deepEqual(await answered((_, response) => response.end('more than ten')), ['too-long', ''])
  const broken = await answered((_, response) => {
    response.writeHead(200, { 'content-length': '9' }).write('four')
    setTimeout(() => response.destroy(), 50)
  })
  assert.equal(broken[0], 'broken')
})
