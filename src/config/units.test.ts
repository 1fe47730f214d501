import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as units from './units.ts'

function table<T>(name: string, read: (text: string) => T, rows: readonly (readonly [string, T])[]): void {
  for (const [text, expected] of rows) {
    test(`${name} reads ${JSON.stringify(text)}`, () => assert.deepEqual(read(text), expected))
  }
}

table('duration', units.readDuration, [
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['4h', 14_400_000],
  ['5d', 432_000_000],
  ['0s', 0],
  ['5', undefined],
  ['-5s', undefined],
  ['1.5h', undefined],
  ['5 m', undefined],
  ['5M', undefined],
  ['', undefined],
])

table('size', units.readSize, [
  ['25MB', 25_000_000],
  ['64KiB', 65_536],
  ['1kB', 1000],
  ['1KB', 1000],
  ['512B', 512],
  ['1TiB', 2 ** 40],
  ['999999999999TiB', undefined],
  ['25', undefined],
  ['25M', undefined],
  ['25mb', undefined],
  ['-1MB', undefined],
])

table('endpoint', units.readEndpoint, [
  ['0.0.0.0:25', { address: '0.0.0.0', port: 25 }],
  ['[::]:25', { address: '::', port: 25 }],
  ['[2001:0DB8::0001]:2525', { address: '2001:db8::1', port: 2525 }],
  ['127.0.0.1:0', { address: '127.0.0.1', port: 0 }],
  ['127.0.0.1:65536', undefined],
  ['127.0.0.1', undefined],
  ['::1:25', undefined],
  ['localhost:25', undefined],
  ['0x7f.1:25', undefined],
  ['[127.0.0.1]:25', undefined],
  ['[fe80::1%eth0]:25', undefined],
  ['127.0.0.1:+5', undefined],
])

table('network', units.readNetwork, [
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['192.0.2.1', '192.0.2.1'],
  ['2001:DB8::/32', '2001:db8::/32'],
  ['::/0', '::/0'],
  ['10.0.0.1/8', undefined],
  ['10.0.0.0/33', undefined],
  ['10.0.0.0/', undefined],
  ['10.0.0.0/8/8', undefined],
  ['10.0/8', undefined],
  ['bakery.example', undefined],
])

table('meant network', units.networkMeant, [
  ['10.1.2.3/8', '10.0.0.0/8'],
  ['2001:db8::1/32', '2001:db8::/32'],
  ['10.0.0.0/8', undefined],
  ['x', undefined],
])

table('host', units.readHostPort, [
  ['mail.bakery.example', { name: 'mail.bakery.example' }],
  ['Mail.Bakery.Example:2525', { name: 'mail.bakery.example', port: 2525 }],
  ['mail.bäckerei.example', { name: 'mail.xn--bckerei-5wa.example' }],
  ['192.0.2.1:25', { name: '192.0.2.1', port: 25 }],
  ['[2001:db8::1]:25', { name: '2001:db8::1', port: 25 }],
  ['2001:db8:0::1', { name: '2001:db8::1' }],
  ['[::ffff:192.0.2.1]:25', { name: '192.0.2.1', port: 25 }],
  ['mail.bakery.example:0', undefined],
  ['mail.bakery.example:', undefined],
  ['192.0.2.300', undefined],
  ['10.1.2', undefined],
  ['[mail.bakery.example]:25', undefined],
  ['smtp://mail.bakery.example', undefined],
  ['-x.example', undefined],
  ['', undefined],
])

table('full domain', units.readFullDomain, [
  ['Bakery.Example', 'bakery.example'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['localhost', undefined],
  ['10.1.2.3', undefined],
  ['bakery..example', undefined],
  ['bakery.example.', undefined],
])

table('canonical address', units.canonicalAddress, [
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['010.0.0.1', undefined],
])

test('durations and sizes are written back in the form that reads the same', () => {
  for (const ms of [0, 1, 250, 1000, 90_000, 300_000, 432_000_000]) {
    assert.equal(units.readDuration(units.durationText(ms)), ms)
  }
  for (const octets of [0, 1, 1000, 1024, 25_000_000, 50 * 2 ** 20]) {
    assert.equal(units.readSize(units.sizeText(octets)), octets)
  }
  assert.equal(units.durationText(120_000), '2m')
  assert.equal(units.sizeText(50 * 2 ** 20), '50MiB')
})
