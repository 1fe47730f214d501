/** Names of questions: what they look like, and that each leads back to its address. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressSubject, isOnlyOurs, nibbles, questionName, reverseZoneName } from './question-name.ts'

test('an address is written backwards, by octets or by nibbles', () => {
  assert.deepEqual(addressSubject('192.0.2.99'), { labels: '99.2.0.192', family: 4 })
  // RFC 5782 §2.4 has this one.
  assert.equal(
    addressSubject('2001:db8:1:2:3:4:567:89ab')?.labels,
    'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2',
  )
  assert.equal(nibbles('::ffff:7f00:2'), '2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0')
  assert.deepEqual(addressSubject('::ffff:192.0.2.99'), addressSubject('192.0.2.99'), 'the same client')
  for (const none of ['', 'bakery.example', '1.2.3', '1.2.3.4.5', 'fe80::1%eth0', '0x7f.1']) {
    assert.equal(addressSubject(none), undefined, none)
  }
})

test('every address leads back to itself', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const { labels, family } = addressSubject(address)!
      assert.equal(labels.split('.').reverse().join('.'), address)
      assert.equal(family, 4)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
      const hex = Buffer.from(octets).toString('hex')
      const address = hex.match(/.{4}/g)!.join(':')
      assert.equal(nibbles(address).split('.').reverse().join(''), hex)
      const mapped = hex.startsWith('00000000000000000000ffff')
      assert.equal(addressSubject(address)?.family, mapped ? 4 : 6)
    }),
  )
})

test('the key stands in front of the zone; what does not fit into DNS is not asked', () => {
  assert.equal(questionName('2.0.0.127', 'zen.list.example', 'k3y'), '2.0.0.127.k3y.zen.list.example')
  const labels = `${'a'.repeat(63)}.`.repeat(3) + 'a'.repeat(50)
  assert.equal(questionName(labels, 'list.test')?.length, 252)
  assert.equal(questionName(`${labels}aa`, 'list.test'), undefined)
  assert.equal(reverseZoneName({ labels: '1.2.0.192', family: 4 }), '1.2.0.192.in-addr.arpa')
  assert.match(reverseZoneName(addressSubject('2001:db8::1')!), /\.8\.b\.d\.0\.1\.0\.0\.2\.ip6\.arpa$/)
})

test('private addresses are nobody’s business', () => {
  for (const address of [
    '10.1.2.3',
    '127.0.0.1',
    '169.254.1.1',
    '100.64.0.1',
    '::1',
    'fd00::1',
    'fe80::1',
    '::ffff:10.0.0.1',
  ]) {
    assert.ok(isOnlyOurs(address), address)
  }
  for (const address of ['192.0.2.1', '8.8.8.8', '2001:db8::1', '2a00::1']) assert.ok(!isOnlyOurs(address), address)
})
