import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressGuard } from '#sys/address-guard.ts'
import type { Answer, Dns, RecordType } from '#sys/dns/answer.ts'
import { createDestinations } from './destinations.ts'
import { EXCHANGERS_MAX } from './exchangers.ts'

type Said = readonly unknown[] | 'unknown'

/** By `MX bakery.example`. A name with no entry at all does not exist. */
function world(entries: Record<string, Said>, { served = [] as string[] } = {}) {
  const asked: string[] = []
  const dns = {
    async lookup(name: string, type: RecordType): Promise<Answer<RecordType>> {
      asked.push(`${type} ${name}`)
      const said = entries[`${type} ${name}`]
      if (said === 'unknown') return { kind: 'unknown', text: `SERVFAIL for ${name}` }
      const common = { name, secure: false, ttlMs: 1000 }
      if (said !== undefined) return { kind: 'found', records: said, ...common } as Answer<RecordType>
      const exists = Object.keys(entries).some((key) => key.endsWith(` ${name}`))
      return { kind: 'none', why: exists ? 'no-record' : 'no-name', ...common }
    },
  } as Dns
  const destinations = createDestinations({
    dns,
    guard: addressGuard(['127.0.0.0/8']),
    isOwnName: (name) => name === 'relay.example',
    isOwnAddress: (address, port) => address === '198.18.0.1' && port === 25,
    isServed: (domain) => served.includes(domain),
  })
  return { destinations, asked }
}
const mx = (...records: [number, string][]) => records.map(([preference, exchange]) => ({ preference, exchange }))

async function outcome(entries: Record<string, Said>, destination = 'bakery.example', served?: string[]) {
  const found = await world(entries, { ...(served && { served }) }).destinations.find(destination, 25)
  if (found.kind === 'hosts') return found.hosts.map(({ name, port, preference }) => `${preference} ${name}:${port}`)
  return found.kind === 'failed' ? found.status : found.kind
}

test('hosts come from MX, or are the domain itself', async () => {
  const entries = {
    'MX bakery.example': mx([20, 'two.example'], [10, 'one.example']),
    'A one.example': ['9.9.9.1'],
    'AAAA two.example': ['2a00::2'],
    'A plain.example': ['9.9.9.3'],
  }
  assert.deepEqual(await outcome(entries), ['10 one.example:25', '20 two.example:25'])
  assert.deepEqual(await outcome(entries, 'plain.example'), ['0 plain.example:25'])
  assert.equal(await outcome(entries, 'nobody.example'), '5.1.2')
})

test('where MX exists the address of the domain is no way round', async () => {
  const entries = { 'MX bakery.example': mx([10, 'gone.example']), 'A bakery.example': ['9.9.9.1'] }
  assert.equal(await outcome(entries), '5.4.4')
})

test('one family that nobody can say is no harm; both, or MX: later', async () => {
  const entries = { 'MX bakery.example': mx([10, 'mx.example']), 'A mx.example': ['9.9.9.1'] } as Record<string, Said>
  assert.deepEqual(await outcome({ ...entries, 'AAAA mx.example': 'unknown' }), ['10 mx.example:25'])
  assert.equal(await outcome({ 'MX bakery.example': mx([10, 'mx.example']), 'A mx.example': 'unknown' }), 'deferred')
  assert.equal(await outcome({ 'MX bakery.example': 'unknown' }), 'deferred')
  assert.equal(await outcome({ 'A plain.example': 'unknown' }, 'plain.example'), 'deferred')
})

test('addresses that strangers must not lead us to are not used', async () => {
  const to = (...addresses: string[]) => ({
    'MX bakery.example': mx([10, 'mx.example']),
    'A mx.example': addresses,
  })
  assert.equal(await outcome(to('10.0.0.1')), '5.4.4')
  assert.equal(await outcome(to('169.254.169.254', '192.168.1.1')), '5.4.4')
  assert.deepEqual(await outcome(to('10.0.0.1', '9.9.9.9')), ['10 mx.example:25'])
  const { destinations } = world(to('10.0.0.1', '9.9.9.9'))
  assert.deepEqual(await destinations.addresses('mx.example'), ['9.9.9.9'])
  await assert.rejects(world(to('10.0.0.1')).destinations.addresses('mx.example'), /leads to 10\.0\.0\.1 \(private\)/)
})

test('ourselves by name and by address; a domain that comes in here may lead to us', async () => {
  const byName = { 'MX bakery.example': mx([10, 'relay.example'], [20, 'x.example']), 'A x.example': ['9.9.9.1'] }
  const byAddress = { 'MX bakery.example': mx([5, 'x.example'], [10, 'alias.example']), 'A x.example': ['9.9.9.1'] }
  assert.equal(await outcome(byName), '5.4.6')
  assert.deepEqual(await outcome({ ...byAddress, 'A alias.example': ['198.18.0.1', '9.9.9.2'] }), ['5 x.example:25'])
  const entries = { ...byName, 'A relay.example': ['9.9.9.7'] }
  assert.deepEqual(await outcome(entries, 'bakery.example', ['bakery.example']), [
    '10 relay.example:25',
    '20 x.example:25',
  ])
})

test('address literals', async () => {
  assert.deepEqual(await outcome({}, '[9.9.9.9]'), ['0 9.9.9.9:25'])
  assert.deepEqual(await outcome({}, '[IPv6:2a00::2]'), ['0 2a00::2:25'])
  assert.equal(await outcome({}, '[192.168.0.1]'), '5.4.4')
  assert.equal(await outcome({}, '[IPv6:::1]'), '5.4.4')
  assert.equal(await outcome({}, '[198.18.0.1]'), '5.4.6')
  const { destinations } = world({})
  assert.deepEqual(await destinations.addresses('127.0.0.9'), ['127.0.0.9'])
  await assert.rejects(destinations.addresses('10.0.0.9'), /private/)
})

test('an MX that is the text of an address is a name, and no such name exists', async () => {
  assert.equal(await outcome({ 'MX bakery.example': mx([10, '9.9.9.9']) }), '5.4.4')
})

test('of a thousand hosts the best are asked for, and of a thousand addresses some are kept', async () => {
  const thousand = Array.from({ length: 1000 }, (_, i): [number, string] => [i, `mx${i}.example`])
  const { destinations, asked } = world({
    'MX bakery.example': mx(...thousand),
    'A mx0.example': Array.from({ length: 1000 }, (_, i) => `9.9.${i >> 8}.${i & 255}`),
  })
  await destinations.find('bakery.example', 25)
  assert.equal(asked.length, 1 + 2 * EXCHANGERS_MAX)
  assert.equal((await destinations.addresses('mx0.example')).length, 20)
})

test('the families take turns, IPv6 first', async () => {
  const { destinations } = world({ 'A mx.example': ['9.9.9.1', '9.9.9.2', '9.9.9.3'], 'AAAA mx.example': ['2a00::1'] })
  assert.deepEqual(await destinations.addresses('mx.example'), ['2a00::1', '9.9.9.1', '9.9.9.2', '9.9.9.3'])
})
