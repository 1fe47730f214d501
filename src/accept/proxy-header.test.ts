import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalAddress } from './networks.ts'
import { parseProxyHeader, V2_OCTETS_MAX } from './proxy-header.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const v2 = (hex: string, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(SIGNATURE + hex, 'hex'), Buffer.from([body.length >> 8, body.length & 255]), body])
const TCP4 = Buffer.from('c0000201c6336402cb200019', 'hex')
const TCP6 = Buffer.from(`${'20010db8000000000000000000000001'.repeat(2)}00190400`, 'hex')
const parse = (text: string) => parseProxyHeader(Buffer.from(text, 'latin1'))
const FROM_2001 = { address: '2001:db8::1', port: 25 }

test('version 1', () => {
  const line = 'PROXY TCP4 192.0.2.1 198.51.100.2 52000 25\r\n'
  const client = { address: '192.0.2.1', port: 52000 }
  const local = { address: '198.51.100.2', port: 25 }
  assert.deepEqual(parse(`${line}EHLO a\r\n`), { kind: 'proxied', client, local, octets: line.length })
  const six = parse('PROXY TCP6 2001:DB8::1 2001:db8:0::1 25 1024\r\n')
  assert.deepEqual(six.kind === 'proxied' && [six.client, six.local.port], [FROM_2001, 1024])
  assert.deepEqual(parse('PROXY UNKNOWN\r\n'), { kind: 'local', octets: 15 })
  assert.equal(parse('PROXY UNKNOWN ffff::1 what ever\r\nEHLO').kind, 'local')
})

test('version 1: what is not one', () => {
  for (const text of [
    'EHLO a\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 52000\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 52000 25 1\r\n',
    'PROXY TCP4 192.0.2.1  198.51.100.2 52000 25\r\n',
    'PROXY TCP4 ::1 ::1 52000 25\r\n',
    'PROXY TCP6 192.0.2.1 192.0.2.1 52000 25\r\n',
    'PROXY TCP6 fe80::1%lo ::1 52000 25\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 052 25\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1 25\n\r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.2 1 25\r\n',
    `PROXY UNKNOWN ${'x'.repeat(100)}\r\n`,
  ]) {
    assert.equal(parse(text).kind, 'invalid', text)
  }
})

test('version 2', () => {
  assert.deepEqual(parseProxyHeader(v2('2111', TCP4)), {
    kind: 'proxied',
    client: { address: '192.0.2.1', port: 52000 },
    local: { address: '198.51.100.2', port: 25 },
    octets: 28,
  })
  const withExtension = parseProxyHeader(Buffer.concat([v2('2121', Buffer.concat([TCP6, Buffer.alloc(9)])), TCP4]))
  assert.deepEqual(withExtension, {
    kind: 'proxied',
    client: FROM_2001,
    local: { address: '2001:db8::1', port: 1024 },
    octets: 16 + 36 + 9,
  })
  assert.deepEqual(parseProxyHeader(v2('2000', Buffer.alloc(0))), { kind: 'local', octets: 16 }, 'LOCAL')
  assert.equal(parseProxyHeader(v2('2011', TCP4)).kind, 'local', 'LOCAL with addresses')
  assert.equal(parseProxyHeader(v2('2100', TCP4)).kind, 'local', 'unspecified family')
})

test('version 2: what is not one', () => {
  for (const [hex, body] of [
    ['1111', TCP4],
    ['2211', TCP4],
    ['2111', TCP4.subarray(1)],
    ['2121', TCP4],
    ['2112', TCP4],
    ['2131', Buffer.alloc(216)],
    ['2111', Buffer.alloc(V2_OCTETS_MAX)],
  ] as const) {
    assert.equal(parseProxyHeader(v2(hex, body)).kind, 'invalid', hex)
  }
})

test('a header that arrives octet by octet is incomplete until its last', () => {
  for (const header of [Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 52000 25\r\n'), v2('2121', TCP6)]) {
    for (let length = 0; length < header.length; length++) {
      assert.equal(parseProxyHeader(header.subarray(0, length)).kind, 'incomplete', String(length))
    }
    assert.equal(parseProxyHeader(header).kind, 'proxied')
  }
})

test('any octets: never an exception, never beyond the input, always decided by 4096 octets, stable under what follows', () => {
  const starts = fc.constantFrom(
    '',
    'PROXY ',
    'PROXY TCP4 ',
    'PROXY TCP4 1.2.3.4 1.2.3.4 ',
    '\r\n\r\n\0\r\nQUIT\n',
    '\r\n\r\n\0\r\nQUIT\n!\x11\0',
  )
  fc.assert(
    fc.property(starts, fc.uint8Array({ maxLength: 120 }), (start, tail) => {
      const bytes = Buffer.concat([Buffer.from(start, 'latin1'), tail])
      const header = parseProxyHeader(bytes)
      if (header.kind === 'incomplete') {
        assert.notEqual(parseProxyHeader(Buffer.concat([bytes, Buffer.alloc(V2_OCTETS_MAX)])).kind, 'incomplete')
        return
      }
      assert.deepEqual(parseProxyHeader(Buffer.concat([bytes, Buffer.from('\r\n x')])), header)
      if (header.kind === 'invalid') return
      assert.ok(header.octets <= bytes.length)
      assert.equal(parseProxyHeader(bytes.subarray(0, header.octets)).kind, header.kind)
      if (header.kind === 'proxied') assert.equal(canonicalAddress(header.client.address), header.client.address)
    }),
    { numRuns: 5000 },
  )
})
