import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalAddress, isNetwork, Networks, networkKey } from './networks.ts'

test('one spelling for each address', () => {
  assert.equal(canonicalAddress('2001:DB8:0:0:0:0:0:1'), '2001:db8::1')
  assert.equal(canonicalAddress('::ffff:192.0.2.1'), '192.0.2.1')
  for (const text of ['0x7f.1', '1', '010.0.0.1', '', 'fe80::1%eth0', '1.2.3.4 ']) {
    assert.equal(canonicalAddress(text), undefined, text)
  }
})

test('networks as an operator writes them', () => {
  for (const text of ['192.0.2.0/24', '192.0.2.1', '::/0', '2001:db8::/32', '::ffff:10.0.0.0/8']) {
    assert.ok(isNetwork(text), text)
  }
  for (const text of [
    '10/8',
    '192.0.2.0/33',
    '::1/129',
    '192.0.2.0/',
    '192.0.2.0/24/1',
    'example.net',
    '10.0.0.0/-1',
  ]) {
    assert.ok(!isNetwork(text), text)
  }
  assert.throws(() => new Networks(['192.0.2.0/24', 'x']), /not an address or network: "x"/)
})

test('an address is in a list by its bits, and never across families', () => {
  const list = new Networks(['192.0.2.128/25', '2001:db8:1::/48'])
  assert.deepEqual(
    ['192.0.2.128', '::ffff:192.0.2.255', '2001:db8:1:ffff::1'].map((a) => list.has(a)),
    [true, true, true],
  )
  assert.deepEqual(
    ['192.0.2.127', '2001:db8:2::1', '::', 'nonsense'].map((a) => list.has(a)),
    [false, false, false, false],
  )
  assert.ok(!new Networks(['0.0.0.0/0']).has('::1'))
})

test('neighbours share a network key', () => {
  assert.equal(networkKey('192.0.2.1'), networkKey('192.0.2.254'))
  assert.notEqual(networkKey('192.0.2.1'), networkKey('192.0.3.1'))
  assert.equal(networkKey('2001:db8::1'), networkKey('2001:db8::ffff:0:0:1'))
  assert.notEqual(networkKey('2001:db8::1'), networkKey('2001:db8:0:1::1'))
})
