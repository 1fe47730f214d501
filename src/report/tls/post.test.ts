/** Reports over real HTTPS, to servers that do as they please. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { addressGuard } from '#sys/address-guard.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { postReport } from './post.ts'

const certificate = (name: string) => selfSignedCertificate({ names: [name], fromMs: Date.now() - 60_000, days: 1 })
const [GOOD, WRONG] = [certificate('r.test'), certificate('other.test')]
tls.setDefaultCACertificates([GOOD, WRONG].map(({ certificatePem }) => certificatePem))
const OCTETS = Buffer.from('packed')

interface Scene {
  readonly shown?: { readonly keyPem: string; readonly certificatePem: string }
  readonly host?: string
  readonly allowed?: readonly string[]
  readonly addresses?: readonly string[]
}

async function posted(answer: RequestListener, scene: Scene = {}) {
  const { shown = GOOD, host = 'r.test', allowed = ['127.0.0.0/8'], addresses = ['127.0.0.1'] } = scene
  const asked: { line: string; headers: NodeJS.Dict<string | string[]>; body: string }[] = []
  const server = createServer({ key: shown.keyPem, cert: shown.certificatePem }, async (request, response) => {
    const body: Buffer[] = []
    for await (const part of request) body.push(part)
    asked.push({
      line: `${request.method} ${request.url}`,
      headers: request.headers,
      body: Buffer.concat(body).toString(),
    })
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const dns = {
    async lookup(name: string, type: string) {
      const common = { name, secure: false, ttlMs: 1000 }
      if (type === 'A' && name === 'r.test') return { kind: 'found', records: addresses, ...common }
      return { kind: 'none', why: 'no-record', ...common }
    },
  } as Dns
  const url = new URL(`https://${host}:${port}/v1/reports?for=a%2Cb`)
  const handed = await postReport(url, OCTETS, { dns, guard: addressGuard(allowed) }, 500)
  server.close()
  server.closeAllConnections()
  return { ...handed, asked, port }
}

test('a report is posted as RFC 8460 §5.4 wants it, and any 2xx takes it', async () => {
  for (const status of [200, 201, 202, 204]) {
    const { kind, asked, port } = await posted((_, response) => response.writeHead(status).end())
    assert.equal(kind, 'sent')
    const [{ line, headers, body }] = asked as [(typeof asked)[0]]
    assert.equal(line, 'POST /v1/reports?for=a%2Cb')
    assert.equal(headers['content-type'], 'application/tlsrpt+gzip')
    assert.deepEqual([headers['content-length'], headers['host'], body], ['6', `r.test:${port}`, 'packed'])
  }
})

test('another answer is a failure; a redirect leads nowhere; a long answer is not read', async () => {
  for (const status of [302, 404, 503]) {
    const { kind, text, asked } = await posted((_, response) => response.writeHead(status, { location: '/x' }).end())
    assert.deepEqual([kind, asked.length], ['failed', 1])
    assert.match(text, new RegExp(`answers ${status}`))
  }
  const endless = await posted((_, response) => {
    response.writeHead(200)
    const more = () => response.write('x'.repeat(10_000), (error) => error || more())
    more()
  })
  assert.equal(endless.kind, 'sent')
})

test('who may have taken it is not known: silence, and a connection that breaks behind the question', async () => {
  const silent = await posted(() => {})
  assert.deepEqual([silent.kind, silent.asked.length], ['unclear', 1])
  assert.match(silent.text, /too slow/)
  const broken = await posted((request) => request.socket.destroy())
  assert.equal(broken.kind, 'unclear')
})

test('who is not the host, or lives where strangers must not lead us, hears nothing', async () => {
  const answer: RequestListener = (_, response) => response.writeHead(200).end()
  for (const [scene, why] of [
    [{ shown: WRONG }, /altnames/],
    [{ shown: certificate('r.test') }, /self-signed/],
    [{ allowed: [] }, /leads to 127\.0\.0\.1 \(loopback\)/],
    [{ allowed: [], host: '127.0.0.1' }, /leads to 127\.0\.0\.1 \(loopback\)/],
    [{ allowed: [], host: '[::ffff:127.0.0.1]' }, /loopback/],
    [{ allowed: [], host: '0x7f.1' }, /loopback/],
    [{ addresses: [] }, /no address/],
  ] as const) {
    const { kind, text, asked } = await posted(answer, scene)
    assert.deepEqual([kind, asked.length], ['failed', 0], text)
    assert.match(text, why)
  }
})

test('where nobody listens, the next address is tried', async () => {
  const answer: RequestListener = (_, response) => response.writeHead(200).end()
  assert.equal((await posted(answer, { addresses: ['127.0.9.9', '127.0.0.1'] })).kind, 'sent')
  assert.equal((await posted(answer, { addresses: ['127.0.9.9'] })).kind, 'failed')
})
