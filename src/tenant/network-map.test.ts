import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { NetworkMap } from './network-map.ts'

const map = (networks: Readonly<Record<string, string>>): NetworkMap<string> => {
  const made = new NetworkMap<string>()
  for (const [network, owner] of Object.entries(networks)) made.set(network, owner)
  return made
}

test('an address belongs to its network, and to no other', () => {
  const found = map({ '10.1.0.0/16': 'a', '192.0.2.7': 'b', '2001:db8::/33': 'c', '198.51.100.128/25': 'd' })
  const expected: Readonly<Record<string, string | undefined>> = {
    '10.1.0.0': 'a',
    '10.1.255.255': 'a',
    '::ffff:10.1.2.3': 'a',
    '10.2.0.0': undefined,
    '192.0.2.7': 'b',
    '192.0.2.8': undefined,
    '2001:db8:7fff::1': 'c',
    '2001:db8:8000::1': undefined,
    '198.51.100.200': 'd',
    '198.51.100.127': undefined,
    'fe80::1%eth0': undefined,
    '': undefined,
    '010.1.0.0': undefined,
  }
  for (const [address, owner] of Object.entries(expected)) assert.equal(found.find(address), owner, address)
  assert.equal(map({}).find('10.1.0.0'), undefined)
  assert.equal(map({ '0.0.0.0/0': 'all' }).find('203.0.113.9'), 'all')
  assert.equal(map({ '0.0.0.0/0': 'all' }).find('2001:db8::1'), undefined)
})

test('the answer is that of the library, for any network and address', () => {
  const v4 = fc.tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
  const text = (number: number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
  fc.assert(
    fc.property(v4, fc.integer({ min: 0, max: 32 }), fc.boolean(), ([one, two], bits, near) => {
      const address = near ? text((one ^ (two >>> bits)) >>> 0) : text(two)
      const expected = ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parse(text(one)), bits)
      assert.equal(map({ [`${text(one)}/${bits}`]: 'x' }).find(address) === 'x', expected)
    }),
  )
})

test('what is no network is refused', () => {
  for (const text of ['', 'a', '10.0.0.0/33', '10.0.0.0/x', '::/129', 'fe80::1%1/64'])
    assert.throws(() => new NetworkMap().set(text, 1), TypeError, text)
})
