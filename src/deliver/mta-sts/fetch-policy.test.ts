/** Policies over real HTTPS, from servers that do as they please. */
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
import { fetchPolicy } from './fetch-policy.ts'
import { POLICY_OCTETS_MAX } from './policy.ts'

const BODY = 'version: STSv1\nmode: enforce\nmx: mx.good.test\nmax_age: 86400\n'
const TEXT = { 'content-type': 'text/plain; charset=us-ascii' }
const certificate = (name: string, fromMs = Date.now() - 60_000) =>
  selfSignedCertificate({ names: [name], fromMs, days: 1 })
const [GOOD, WRONG] = [certificate('mta-sts.good.test'), certificate('good.test')]
const EXPIRED = certificate('mta-sts.good.test', 0)
tls.setDefaultCACertificates([GOOD, WRONG, EXPIRED].map(({ certificatePem }) => certificatePem))

interface Scene {
  readonly shown?: { readonly keyPem: string; readonly certificatePem: string }
  readonly addresses?: readonly string[] | 'unknown'
  readonly allowed?: readonly string[]
  readonly msMax?: number
}

async function fetched(answer: RequestListener, scene: Scene = {}) {
  const { shown = GOOD, addresses = ['127.0.0.1'], allowed = ['127.0.0.0/8'], msMax } = scene
  const asked: string[] = []
  const server = createServer({ key: shown.keyPem, cert: shown.certificatePem }, (request, response) => {
    asked.push(`${request.method} ${request.headers.host}${request.url}`)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const dns = {
    async lookup(name: string, type: string) {
      const common = { name, secure: false, ttlMs: 1000 }
      if (addresses === 'unknown') return { kind: 'unknown', text: 'SERVFAIL' }
      const here = type === 'A' && name === 'mta-sts.good.test' && addresses.length > 0
      return here ? { kind: 'found', records: addresses, ...common } : { kind: 'none', why: 'no-record', ...common }
    },
  } as Dns
  const guard = addressGuard(allowed)
  const result = await fetchPolicy('good.test', { dns, guard, port, ...(msMax !== undefined && { msMax }) })
  server.close()
  server.closeAllConnections()
  return { result, asked, text: result.kind === 'failed' ? `${result.fault}: ${result.text}` : '' }
}

test('a policy is fetched from the host of that name', async () => {
  const { result, asked } = await fetched((_, response) => response.writeHead(200, TEXT).end(BODY))
  assert.equal(result.kind === 'fetched' && result.body, BODY)
  assert.deepEqual(asked, ['GET mta-sts.good.test/.well-known/mta-sts.txt'])
})

test('a certificate that is not right is not spoken to', async () => {
  const strangers = certificate('mta-sts.good.test')
  for (const [shown, why] of [
    [WRONG, /^sts-webpki-invalid: .*altnames/],
    [EXPIRED, /^sts-webpki-invalid: .*expired/],
    [strangers, /^sts-webpki-invalid: .*self-signed/],
  ] as const) {
    const { text, asked } = await fetched((_, response) => response.writeHead(200, TEXT).end(BODY), { shown })
    assert.match(text, why)
    assert.deepEqual(asked, [])
  }
})

test('redirects are not followed; other answers are none', async () => {
  const { text, asked } = await fetched((_, response) => response.writeHead(302, { location: '/other' }).end())
  assert.match(text, /^sts-policy-fetch-error: .*answers 302/)
  assert.equal(asked.length, 1)
  assert.match((await fetched((_, response) => response.writeHead(404, TEXT).end(BODY))).text, /404/)
  const html = { 'content-type': 'text/html' }
  assert.match(
    (await fetched((_, response) => response.writeHead(200, html).end(BODY))).text,
    /^sts-policy-invalid: .*text\/plain/,
  )
  assert.match(
    (await fetched((_, response) => response.writeHead(200, TEXT).end('no'))).text,
    /^sts-policy-invalid: .*no field/,
  )
})

test('size and time have an end', async () => {
  const long = await fetched((_, response) => response.writeHead(200, TEXT).end('#'.repeat(POLICY_OCTETS_MAX * 4)))
  assert.match(long.text, /^sts-policy-invalid: .*longer than/)
  const slow = await fetched((_, response) => void response.writeHead(200, TEXT).write(BODY), { msMax: 200 })
  assert.match(slow.text, /^sts-policy-fetch-error: .*too slow/)
  const short = await fetched((_, response) => {
    response.writeHead(200, { ...TEXT, 'content-length': '500' }).write(BODY)
    setImmediate(() => response.destroy())
  })
  assert.equal(short.result.kind, 'failed')
})

test('addresses are judged, and the next one is tried', async () => {
  const answer: RequestListener = (_, response) => response.writeHead(200, TEXT).end(BODY)
  const inside = await fetched(answer, { allowed: [] })
  assert.match(inside.text, /leads to 127\.0\.0\.1 \(loopback\)/)
  assert.deepEqual(inside.asked, [])
  assert.match((await fetched(answer, { addresses: [] })).text, /no address/)
  assert.match((await fetched(answer, { addresses: 'unknown' })).text, /SERVFAIL/)
  const second = await fetched(answer, { addresses: ['10.0.0.1', '127.0.9.9', '127.0.0.1'] })
  assert.equal(second.result.kind, 'fetched')
})
