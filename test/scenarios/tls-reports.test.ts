/**
 * TLS reports (RFC 8460) from real sessions to real receivers: counted by the program, sent when the day is over to a mail
 * server with broken TLS, to Postfix, and over HTTPS; signed, valid, and once.
 */
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { openStore } from '#store/database.ts'
import { type KeyAndCertificate, selfSignedCertificate } from '#sys/self-signed.ts'
import { PARTS } from '../../src/cli/desk.ts'
import { storePath } from '../../src/cli/folders.ts'
import { freePort } from '../harness/free-port.ts'
import { startPolicyHost } from '../harness/policy-host.ts'
import { type SinkMessage, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { tempFolder } from '../harness/temp-folder.ts'
import { validReport } from '../harness/tls-report.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { without } from '../peers/peer.ts'
import { startPostfix } from '../peers/postfix.ts'
import { startUnbound, withoutUnbound, type ZoneSource } from '../peers/unbound.ts'

const WRONG = '12345678'.repeat(8)
const DAY_MS = 86_400_000
const REPORTED_DAY = Math.floor(Date.now() / DAY_MS) - 2
const REPORTED_DATE = new Date(REPORTED_DAY * DAY_MS).toISOString().slice(0, 10)
const WEB = '127.0.1.100'

interface SigningKey {
  readonly recordName: string
  readonly record: string
}

/** A receiver of reports; `status` is what it answers now. */
async function startCollector(t: TestContext, tls: KeyAndCertificate) {
  const taken: { type: string | undefined; report: unknown }[] = []
  const state = { status: 503 }
  const server = createServer({ key: tls.keyPem, cert: tls.certificatePem }, async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    taken.push({
      type: request.headers['content-type'],
      report: JSON.parse(gunzipSync(Buffer.concat(parts)).toString()),
    })
    response.writeHead(state.status).end()
  })
  server.listen(0, WEB)
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { taken, state, port: (server.address() as AddressInfo).port }
}

const configOf = (ports: { dns: number; door: number; mx: number; sts: number }) => ({
  'name-servers': `127.0.0.1:${ports.dns}`,
  destinations: { 'allow-networks': ['127.0.1.0/24'], 'mta-sts-port': ports.sts },
  'tls-reports': { organization: 'Relay Test', contact: 'tls@dest.test' },
  listeners: [
    { name: 'mx', addresses: [`127.0.0.1:\${ENV:MX_PORT}`] },
    { name: 'out', addresses: [`127.0.0.1:${ports.door}`], service: 'outbound' },
  ],
  tenants: {
    bakery: {
      routes: { internet: { 'use-mx': true, 'mx-port': ports.mx }, shop: { hosts: ['127.0.0.1:1'] } },
      domains: { 'dest.test': { route: 'shop', recipients: 'accept-all' } },
      outbound: { 'from-networks': ['127.0.0.1'], route: 'internet' },
    },
  },
})

async function send(door: number, to: string): Promise<void> {
  using talk = await greeted(door)
  assert.match(
    (await talk.message({ from: 'a@dest.test', to: [to], content: 'From: a@dest.test\r\n\r\nx\r\n' })).text,
    /^250 /,
  )
}

/** The day is over, and two more. */
async function twoDaysLater(relay: Vorposten): Promise<void> {
  await relay.stop()
  const store = openStore(storePath(`${relay.folder}/data`), PARTS)
  store.exec('UPDATE tls_results SET day = day - 2')
  store.close()
  await relay.start()
}

/** The packed part of a report by mail, after its signature was verified with the key. */
async function reportIn({ content }: SinkMessage, key: SigningKey): Promise<unknown> {
  const resolver = async (name: string) => {
    if (name === key.recordName) return [[key.record]]
    throw Object.assign(new Error('no name'), { code: 'ENOTFOUND' })
  }
  const { results } = await dkimVerify(content, { resolver } as never)
  assert.deepEqual(
    results.map(({ signingDomain, status }) => [signingDomain, status.result, status.aligned]),
    [['dest.test', 'pass', 'dest.test']],
  )
  const text = content.toString('latin1')
  assert.match(text, /^DKIM-Signature: [\s\S]*?\sh=[^;]*tls-report-domain/im)
  const base64 = /application\/tlsrpt\+gzip\r\n[\s\S]*?\r\n\r\n([A-Za-z0-9+/=\r\n]+?)\r\n--/.exec(text)?.[1]
  return JSON.parse(gunzipSync(Buffer.from(base64 ?? assert.fail(text), 'base64')).toString())
}

/** The web server's authority is trusted by the relay that starts while this is set. */
function trust(t: TestContext, { certificatePem }: KeyAndCertificate): void {
  const ca = tempFolder('ca')
  writeFileSync(`${ca.path}/ca.pem`, certificatePem)
  process.env['NODE_EXTRA_CA_CERTS'] = `${ca.path}/ca.pem`
  t.after(() => {
    delete process.env['NODE_EXTRA_CA_CERTS']
    ca.remove()
  })
}

function zones(mx: number, collector: number, hash: string): ZoneSource[] {
  const wants = (...places: string[]) => `_smtp._tls IN TXT "v=TLSRPTv1; rua=${places.join(',')}"`
  const https = `https://collect.test:${collector}/v1`
  const sts = [`mta-sts IN A ${WEB}`, '_mta-sts IN TXT "v=STSv1; id=1"']
  const zone = (name: string, address: string, ...more: string[]) => ({
    name,
    signed: name === 'dane.test' || name === 'reports.test',
    records: ['@ IN MX 10 mx', `mx IN A ${address}`, ...more],
  })
  return [
    zone('dane.test', '127.0.1.1', `_${mx}._tcp.mx IN TLSA 3 1 1 ${hash}`, wants('mailto:tls@reports.test', https)),
    zone('sts.test', '127.0.1.2', ...sts, wants('mailto:tls%40reports.test')),
    zone('none.test', '127.0.1.2', ...sts, wants(https)),
    zone('quiet.test', '127.0.1.2', wants('mailto:a@quiet.test'), wants('mailto:b@quiet.test')),
    // What DNS says of its TLS nobody can keep.
    zone('reports.test', '127.0.1.3', `_${mx}._tcp.mx IN TLSA 3 1 1 ${WRONG}`),
    { name: 'collect.test', records: [`@ IN A ${WEB}`] },
  ]
}

/** Domains of all kinds, receivers of their reports, and the relay with a key that signs. */
async function startWorld(t: TestContext) {
  const stack = new AsyncDisposableStack()
  t.after(() => stack.disposeAsync())
  const now = Date.now() - 60_000
  const made = (names: string[], fromMs = now) => selfSignedCertificate({ names, fromMs, days: 1 })
  const web = made(['collect.test', 'mta-sts.sts.test', 'mta-sts.none.test'])
  const good = made(['mx.dane.test'])
  trust(t, web)
  const collector = await startCollector(t, web)
  const [door, mx, sts] = [await freePort(), await freePort(), await freePort()]
  const policies = new Map([
    ['sts.test', 'version: STSv1\nmode: testing\nmx: *.sts.test\nmax_age: 86400\n'],
    ['none.test', 'version: STSv1\nmode: what\n'],
  ])
  stack.use(await startPolicyHost({ address: WEB, port: sts, tls: web }, policies))
  const dane = stack.use(await startSink({}, { port: mx, address: '127.0.1.1', tls: good }))
  const plain = stack.use(await startSink({}, { port: mx, address: '127.0.1.2' }))
  const broken = stack.use(await startSink({}, { port: mx, address: '127.0.1.3', tls: made(['x.test'], 0) }))
  const key = new X509Certificate(good.certificatePem).publicKey.export({ type: 'spki', format: 'der' })
  const hash = createHash('sha256').update(key).digest('hex')
  const unbound = stack.use(await startUnbound(zones(mx, collector.port, hash)))
  const config = configOf({ dns: unbound.endpoint.port, door, mx, sts })
  const relay = stack.use(await startVorposten({ config }))
  const [line] = (await relay.command('dkim', 'create', 'dest.test', '--activate', '--json')).text.split('\n')
  const signing = JSON.parse(line!) as SigningKey
  return { relay, config, door, dane, plain, broken, collector, hash, signing }
}
type World = Awaited<ReturnType<typeof startWorld>>

const ABOUT = { organization: 'Relay Test', contact: 'tls@dest.test', day: REPORTED_DAY }
const reportTo = (domain: string, reports: readonly unknown[]): unknown =>
  reports.find((one) => JSON.stringify(one).includes(`${REPORTED_DATE}.${domain}@dest.test`))

async function checkMailed({ broken, signing, hash }: World): Promise<unknown> {
  const mailed = await broken.received(2)
  const reports = await Promise.all(mailed.map((message) => reportIn(message, signing)))
  for (const { reversePath, content } of mailed) {
    assert.equal(reversePath, '')
    assert.match(content.toString(), /^TLS-Report-Submitter: dest\.test\r$/m)
  }
  assert.deepEqual(validReport(reportTo('dane.test', reports), { ...ABOUT, domain: 'dane.test' }), [
    { type: 'tlsa', domain: 'mx.dane.test', strings: [`3 1 1 ${hash}`], succeeded: 1, failed: 0, failures: [] },
  ])
  const strings = ['version: STSv1', 'mode: testing', 'mx: *.sts.test', 'max_age: 86400']
  const toSts = reportTo('sts.test', reports)
  assert.deepEqual(validReport(toSts, { ...ABOUT, domain: 'sts.test' }), [
    {
      ...{ type: 'sts', domain: 'sts.test', strings, mxHosts: ['*.sts.test'], succeeded: 0, failed: 1 },
      failures: ['starttls-not-supported mx.sts.test 127.0.1.2'],
    },
  ])
  return toSts
}

async function checkCollected({ collector: { taken } }: World): Promise<void> {
  await waitFor('both domains at the collector', () => taken.length >= 2)
  assert.ok(taken.every(({ type }) => type === 'application/tlsrpt+gzip'))
  const reports = taken.map(({ report }) => report)
  assert.deepEqual(validReport(reportTo('none.test', reports), { ...ABOUT, domain: 'none.test' }), [
    {
      ...{ type: 'sts', domain: 'none.test', strings: [], succeeded: 0, failed: 1 },
      failures: ['sts-policy-invalid mx.none.test 127.0.1.2'],
    },
  ])
}

const command = async ({ relay }: World, ...words: string[]): Promise<string> =>
  (await relay.command('tls-reports', ...words, '--day', REPORTED_DATE)).text

/** What was refused waits, over a crash too, until it is asked for; what was sent is not sent again. */
async function checkSent(world: World): Promise<void> {
  const { relay, collector, broken } = world
  const shown = await waitFor('all to be tried', async () => {
    const text = await command(world, 'sent')
    return text.match(/is due .*answers 503/g)?.length === 2 ? text : undefined
  })
  assert.match(shown, /^dane\.test {2}mailto:tls@reports\.test {2}sent .*: queued as \w+$/m)
  assert.match(shown, /^quiet\.test {2}- {2}wants no report, /m)
  collector.state.status = 201
  await relay.kill9('all')
  await relay.start()
  assert.match(await command(world, 'send', 'none.test'), /collect\.test:\d+\/v1 {2}sent/)
  assert.deepEqual([collector.taken.length, broken.accepted.length], [3, 2])
  assert.equal(await relay.metric('vorposten_tls_reports_total{way="https",result="sent"}'), 1)
  // The sessions that brought them count in no report.
  assert.equal((await relay.command('tls-reports', 'list')).text, 'No session was counted on that day.')
}

test('a day is told to whom it may concern: by mail in spite of broken TLS, over HTTPS, signed, and once', {
  skip: withoutUnbound(),
}, async (t) => {
  const world = await startWorld(t)
  const { relay, config, door, dane, plain, signing } = world
  for (const domain of ['dane.test', 'sts.test', 'none.test', 'quiet.test']) await send(door, `x@${domain}`)
  await dane.received(1)
  await plain.received(3)
  await waitFor('TLS to be counted', async () => {
    const { text } = await relay.command('tls-reports', 'list')
    return text.split('\n').length === 4 || undefined
  })
  await twoDaysLater(relay)
  const toSts = await checkMailed(world)
  await checkCollected(world)
  await checkSent(world)
  await t.test('through Postfix', { skip: without('postfix') }, async () => {
    await using inside = await startSink()
    await using postfix = await startPostfix({ relayTo: inside.port })
    const provider = { routes: { post: { hosts: [`127.0.0.1:${postfix.port}`] } }, domains: {} }
    const { bakery } = config.tenants
    const to = { ...config['tls-reports'], route: 'provider/post' }
    await relay.reload({ ...config, 'tls-reports': to, tenants: { bakery, provider } })
    assert.match(await command(world, 'send', 'sts.test'), /mailto:tls@reports\.test {2}sent/)
    const [message] = await inside.received(1)
    assert.deepEqual(await reportIn(message!, signing), toSts)
  })
})
