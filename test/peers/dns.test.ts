/** Our DNS against unbound with zones of its own: what is verified, what is forged, and what is not there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, RecordType } from '#sys/dns/answer.ts'
import { createDns } from '#sys/dns/dns.ts'
import { startUnbound, withoutUnbound, type ZoneSource } from './unbound.ts'

const skip = withoutUnbound()

const TLSA = '3 1 1 0d6fce3355c0b2f7d8d2c3ce9b0d3c4e1a7d8b5e6f708192a3b4c5d6e7f80912'
const LONG = Array.from({ length: 120 }, (_, i) => `many 60 IN A 127.1.0.${i}`)
const ZONES: readonly ZoneSource[] = [
  {
    name: 'signed.test',
    signed: true,
    records: [
      '@ 60 IN MX 10 mx.signed.test.',
      '@ 60 IN TXT "v=spf1 mx " "-all"',
      'mx 60 IN A 127.0.0.9',
      'mx 60 IN AAAA 2001:db8::9',
      `_25._tcp.mx 60 IN TLSA ${TLSA}`,
      'alias 60 IN CNAME mx.signed.test.',
      'away 60 IN CNAME mx.plain.test.',
      ...LONG,
    ],
  },
  { name: 'plain.test', records: ['@ 60 IN MX 0 .', 'mx 60 IN A 127.0.0.8'] },
  { name: 'forged.test', signed: true, records: ['mx 60 IN A 127.0.0.7'], forged: ['127.0.0.7', '127.0.0.66'] },
]

const short = (answer: Answer<RecordType>): unknown =>
  answer.kind === 'found'
    ? [answer.records, answer.secure]
    : answer.kind === 'none'
      ? [answer.why, answer.secure]
      : answer.kind

test('verified, plain, forged, absent', { skip }, async () => {
  await using unbound = await startUnbound(ZONES)
  const clock = { monotonic: () => performance.now() }
  const dns = createDns({ clock, servers: () => Promise.resolve([unbound.endpoint]) })
  const ask = async (name: string, type: RecordType) => short(await dns.lookup(name, type))
  assert.deepEqual(await ask('signed.test', 'MX'), [[{ preference: 10, exchange: 'mx.signed.test' }], true])
  assert.deepEqual(await ask('signed.test', 'TXT'), [['v=spf1 mx -all'], true])
  assert.deepEqual(await ask('mx.signed.test', 'A'), [['127.0.0.9'], true])
  assert.deepEqual(await ask('mx.signed.test', 'AAAA'), [['2001:db8::9'], true])
  assert.deepEqual(await ask('alias.signed.test', 'A'), [['127.0.0.9'], true])
  assert.deepEqual(await ask('away.signed.test', 'A'), [['127.0.0.8'], false], 'half of the chain is signed')
  const tlsa = await dns.lookup('_25._tcp.mx.signed.test', 'TLSA')
  assert.ok(tlsa.kind === 'found' && tlsa.secure)
  const { data, ...use } = tlsa.records[0]!
  assert.deepEqual(
    [use, Buffer.from(data).toString('hex')],
    [{ usage: 3, selector: 1, matchingType: 1 }, TLSA.slice(6)],
  )
  assert.deepEqual(await ask('nobody.signed.test', 'MX'), ['no-name', true])
  assert.deepEqual(await ask('mx.signed.test', 'MX'), ['no-record', true])
  assert.deepEqual(await ask('plain.test', 'MX'), [[{ preference: 0, exchange: '' }], false])
  assert.deepEqual(await ask('nobody.plain.test', 'A'), ['no-name', false])
  assert.equal(await ask('mx.forged.test', 'A'), 'unknown', 'a forged answer is SERVFAIL, and that is no no')
  const many = await dns.lookup('many.signed.test', 'A')
  assert.equal(many.kind === 'found' && many.records.length, 100, 'too long for a datagram')
})
