/**
 * The deliverability desk: what an operator sees of a new domain, publishes, and sees then; and that a name server which does
 * not answer is not a missing record.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer as WireRecord } from 'dns-packet'
import { a, fakeNameServer, mx, type Zone, zoneScript } from '#sys/dns/testing.ts'
import { freePort } from '../harness/free-port.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'

const SOURCE = '127.0.2.7'
const REVERSE = '7.2.0.127.in-addr.arpa'

const text = (name: string, data: string[]): WireRecord => ({ type: 'TXT', name, ttl: 60, data })
const strings = (line: string): string[] => (line.match(/"[^"]*"/g) ?? []).map((one) => one.slice(1, -1))

interface Row {
  readonly kind: string
  readonly name: string
  readonly state: string
  readonly paste?: readonly string[]
}

const config = (names: number, door: number) => ({
  hostname: 'relay.test',
  'name-servers': `127.0.0.1:${names}`,
  destinations: { 'allow-networks': ['127.0.2.0/24'] },
  listeners: [
    { name: 'mx', addresses: [`127.0.0.1:\${ENV:MX_PORT}`] },
    { name: 'out', addresses: [`127.0.0.1:${door}`], service: 'outbound' },
  ],
  tenants: {
    bakery: {
      routes: {
        internet: { 'use-mx': true, 'source-addresses': { address: SOURCE } },
        shop: { hosts: ['127.0.0.1:1'] },
      },
      domains: { 'dest.test': { route: 'shop', recipients: 'accept-all' } },
      outbound: { 'from-networks': ['127.0.0.1'], route: 'internet', 'sender-domains': ['shop.test'] },
    },
  },
})

test('a new domain, from nothing to all there, and a name server that is silent', async () => {
  let zone: Zone = {}
  await using names = await fakeNameServer(zoneScript(() => zone))
  const door = await freePort()
  await using relay = await startVorposten({
    config: config(names.endpoint.port, door),
  })
  const desk = async (...more: string[]) => {
    const { code, text: said } = await relay.command('dns', 'dest.test', '--json', ...more)
    const rows = said
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Row)
    return { code, rows }
  }
  assert.equal((await relay.command('dkim', 'create', 'dest.test')).code, 0)
  const before = await desk()
  assert.equal(before.code, 69)
  const missing = before.rows.filter(({ state }) => state === 'missing')
  assert.deepEqual(missing.map(({ kind }) => kind).sort(), ['DKIM', 'DMARC', 'MX', 'PTR', 'SPF', 'address'])
  const human = (await relay.command('dns', 'dest.test')).text
  assert.match(human, /^; sending addresses: 127\.0\.2\.7 \(source-addresses of its routes\)$/m)
  assert.match(human, /^dest\.test\. IN MX 10 relay\.test\.$/m)

  // What was printed is published, word for word where it is text.
  const published: Record<string, WireRecord[]> = {
    'dest.test': [mx('dest.test', 10, 'relay.test')],
    'relay.test': [a('relay.test', SOURCE)],
    [REVERSE]: [{ type: 'PTR', name: REVERSE, ttl: 60, data: 'relay.test' }],
  }
  for (const { name, paste = [] } of missing) {
    for (const line of paste.filter((one) => one.includes(' IN TXT '))) {
      published[name] = [...(published[name] ?? []), text(name, strings(line))]
    }
  }
  zone = published
  const after = await desk()
  assert.equal(after.code, 0, JSON.stringify(after.rows))
  assert.ok(after.rows.every(({ state }) => state === 'there' || state === 'advised' || state === 'not-needed'))

  await senderDomain(relay, (more) => {
    zone = { ...published, ...more }
  })
  zone = Object.fromEntries(Object.keys(published).map((name) => [name, 'servfail' as const]))
  const silent = await desk()
  assert.equal(silent.rows.find(({ kind }) => kind === 'MX')?.state, 'unknown')
  names.script = ({ reply }) => [reply({ rcode: 2 })]
  assert.equal((await desk()).code, 75)

  zone = { ...published, 'dest.test': [mx('dest.test', 10, 'relay.test'), text('dest.test', ['v=spf1 +all'])] }
  await using other = await fakeNameServer(zoneScript(() => zone))
  const wrong = await desk('--name-server', `127.0.0.1:${other.endpoint.port}`)
  assert.equal(wrong.code, 69)
  assert.equal(wrong.rows.find(({ kind }) => kind === 'SPF')?.state, 'wrong')
  assert.match((await relay.command('dns', 'elsewhere.test')).text, /is not a domain of this relay/)
})

async function senderDomain(relay: Vorposten, publish: (more: Zone) => void): Promise<void> {
  const show = await relay.command('domains', 'show', 'shop.test')
  const [line, name, token] = /^(_vorposten\.shop\.test)\. IN TXT (.*)$/m.exec(show.text)!
  const before = (await relay.command('dns', 'shop.test')).text
  assert.ok(before.includes(line), before)
  assert.match(before, /^; not needed: MX shop\.test: /m)
  publish({ [name!]: [text(name!, strings(token!))] })
  assert.match((await relay.command('dns', 'shop.test')).text, /^; ok: sender token /m)
}
