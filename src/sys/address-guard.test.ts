import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressGuard } from './address-guard.ts'

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.1',
  '192.167.255.255',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700::1111',
  '2001:4860:4860::8888',
  '2a00:1450:4001::1a',
  '::ffff:1.1.1.1',
  '64:ff9b::808:808',
  '2002:808:808::1',
]

const NOT_PUBLIC: readonly (readonly [string, RegExp])[] = [
  ['0.0.0.0', /this network/],
  ['0.1.2.3', /this network/],
  ['10.0.0.1', /private/],
  ['10.255.255.255', /private/],
  ['100.64.0.0', /shared/],
  ['100.127.255.255', /shared/],
  ['127.0.0.1', /loopback/],
  ['127.255.255.254', /loopback/],
  ['169.254.169.254', /link-local/],
  ['172.16.0.1', /private/],
  ['172.31.255.255', /private/],
  ['192.0.0.8', /reserved/],
  ['192.0.2.1', /documentation/],
  ['192.88.99.1', /reserved/],
  ['192.168.0.1', /private/],
  ['198.18.0.1', /benchmarks/],
  ['198.19.255.255', /benchmarks/],
  ['198.51.100.1', /documentation/],
  ['203.0.113.1', /documentation/],
  ['224.0.0.1', /multicast/],
  ['239.255.255.255', /multicast/],
  ['240.0.0.1', /reserved/],
  ['255.255.255.255', /reserved/],
  ['::', /not public/],
  ['::1', /not public/],
  ['fe80::1', /not public/],
  ['fec0::1', /not public/],
  ['fc00::1', /not public/],
  ['fd12:3456::1', /not public/],
  ['ff02::1', /not public/],
  ['100::1', /not public/],
  ['64:ff9b:1::1', /not public/],
  ['2001::1', /reserved/],
  ['2001:2::1', /reserved/],
  ['2001:db8::1', /documentation/],
  ['3fff::1', /documentation/],
  ['::ffff:127.0.0.1', /loopback/],
  ['::ffff:a00:1', /private/],
  ['::127.0.0.1', /loopback/],
  ['64:ff9b::7f00:1', /loopback/],
  ['64:ff9b::192.168.0.1', /private/],
  ['2002:7f00:1::', /loopback/],
  ['2002:a9fe:a9fe::1', /link-local/],
  ['fe80::1%eth0', /no address/],
  ['0x7f.1', /no address/],
  ['127.1', /no address/],
  ['2130706433', /no address/],
  ['localhost', /no address/],
  ['', /no address/],
]

test('public addresses are taken', () => {
  const guard = addressGuard()
  for (const address of PUBLIC) assert.equal(guard(address), undefined, address)
})

test('all others are refused, with the kind they are', () => {
  const guard = addressGuard()
  for (const [address, why] of NOT_PUBLIC) assert.match(guard(address) ?? 'taken', why, address)
})

test('an allowed network is taken, in any clothes, and nothing beside it', () => {
  const guard = addressGuard(['127.0.0.0/8', 'fd00:1::/32', '192.168.7.7'])
  for (const address of ['127.0.0.1', '::ffff:127.3.2.1', '2002:7f00:1::', 'fd00:1::25', '192.168.7.7', '9.9.9.9']) {
    assert.equal(guard(address), undefined, address)
  }
  for (const address of ['126.255.255.255.1', '10.0.0.1', '::1', 'fd00:2::1', '192.168.7.8']) {
    assert.notEqual(guard(address), undefined, address)
  }
  assert.throws(() => addressGuard(['127.0.0.0/33']))
})

test('no address that reaches a private network through a carrier is taken', () => {
  const guard = addressGuard()
  const octet = fc.integer({ min: 0, max: 255 })
  fc.assert(
    fc.property(fc.constantFrom('10.', '127.'), octet, octet, octet, (first, a, b, c) => {
      const inner = `${first}${a}.${b}.${c}`
      const [one, two] = [hex(Number(first.slice(0, -1)), a), hex(b, c)]
      for (const outer of [`::ffff:${inner}`, `64:ff9b::${inner}`, `2002:${one}:${two}::1`, `::${one}:${two}`]) {
        assert.notEqual(guard(outer), undefined, outer)
      }
    }),
  )
})

const hex = (high: number, low: number): string => (high * 256 + low).toString(16)
