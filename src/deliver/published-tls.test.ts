/** What operators are shown of DANE: the same judgement as at delivery, and records that do not count with it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, Dns, RecordType } from '#sys/dns/answer.ts'
import { publishedTls } from './published-tls.ts'

type Said = { readonly records?: readonly unknown[]; readonly secure?: boolean; readonly name?: string } | 'unknown'

const TLSA = { usage: 3, selector: 1, matchingType: 1, data: new Uint8Array(32) }
const MX = [{ preference: 10, exchange: 'mx.dest.test' }]

function shown(entries: Record<string, Said>) {
  const dns = {
    async lookup(name: string, type: RecordType): Promise<Answer<RecordType>> {
      const said = entries[`${type} ${name}`] ?? {}
      if (said === 'unknown') return { kind: 'unknown', text: 'SERVFAIL' }
      const common = { name: said.name ?? name, secure: said.secure === true, ttlMs: 1000 }
      if (said.records) return { kind: 'found', records: said.records, ...common } as Answer<RecordType>
      return { kind: 'none', why: 'no-record', ...common }
    },
  } as Dns
  return publishedTls('dest.test', dns, 25)
}

const signed = {
  'MX dest.test': { records: MX, secure: true },
  'A mx.dest.test': { records: ['192.0.2.1'], secure: true },
  'TLSA _25._tcp.mx.dest.test': { records: [TLSA], secure: true },
} as const

test('records that count, that nobody can use, and that are not signed', async () => {
  const record = `3 1 1 ${'00'.repeat(32)}`
  const common = { host: 'mx.dest.test', mxSecure: true, records: [record], recordsSecure: true }
  assert.deepEqual(await shown(signed), { hosts: [{ ...common, dane: 'dane', base: 'mx.dest.test' }] })
  const [unusable] = (
    await shown({ ...signed, 'TLSA _25._tcp.mx.dest.test': { records: [{ ...TLSA, usage: 0 }], secure: true } })
  ).hosts
  assert.equal(unusable?.dane, 'encrypt')
  const [unsigned] = (await shown({ ...signed, 'MX dest.test': { records: MX } })).hosts
  assert.deepEqual(unsigned, { ...common, mxSecure: false, dane: 'none' })
  const [silent] = (await shown({ ...signed, 'TLSA _25._tcp.mx.dest.test': 'unknown' })).hosts
  assert.deepEqual([silent?.dane, silent?.text, silent?.records], ['unknown', 'mx.dest.test: TLSA: SERVFAIL', []])
})

test('the base domain is that of the alias; whole certificates are cut short', async () => {
  const whole = { ...TLSA, data: new Uint8Array(500) }
  const [host] = (
    await shown({
      ...signed,
      'A mx.dest.test': { records: ['192.0.2.1'], secure: true, name: 'real.host.test' },
      'TLSA _25._tcp.real.host.test': { records: [TLSA, whole], secure: true },
    })
  ).hosts
  assert.deepEqual([host?.base, host?.records.length, host?.records[1]?.length], ['real.host.test', 2, 6 + 128 + 1])
})

test('a domain without hosts says why', async () => {
  assert.deepEqual(await shown({ 'MX dest.test': 'unknown' }), { text: 'dest.test: SERVFAIL', hosts: [] })
  assert.match((await shown({ 'MX dest.test': { records: [{ preference: 0, exchange: '' }] } })).text!, /null MX/)
})
