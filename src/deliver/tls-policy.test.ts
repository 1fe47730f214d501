/** What a domain wants of TLS: DANE first, then MTA-STS. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, Dns, RecordType } from '#sys/dns/answer.ts'
import type { StsPolicy } from './mta-sts/policy.ts'
import type { StsFound } from './mta-sts/sts-policies.ts'
import { tlsPolicyOf, tlsUseUnder } from './tls-policy.ts'

type Said = { readonly records?: readonly unknown[]; readonly secure?: boolean; readonly name?: string } | 'unknown'

const TLSA = { usage: 3, selector: 1, matchingType: 1, data: new Uint8Array(32) }
const UNUSABLE = { ...TLSA, usage: 0 }
const HOST = { name: 'mx.dest.test', port: 25, preference: 10 }
const SECURE = { secure: true }
const A = { records: ['192.0.2.1'], ...SECURE }
const TLSA_NAME = 'TLSA _25._tcp.mx.dest.test'

function dnsOf(entries: Record<string, Said>): Dns {
  return {
    async lookup(name: string, type: RecordType): Promise<Answer<RecordType>> {
      const said = entries[`${type} ${name}`] ?? {}
      if (said === 'unknown') return { kind: 'unknown', text: 'SERVFAIL' }
      const common = { name: said.name ?? name, secure: said.secure === true, ttlMs: 1000 }
      if (said.records) return { kind: 'found', records: said.records, ...common } as Answer<RecordType>
      return { kind: 'none', why: 'no-record', ...common }
    },
  } as Dns
}

const policy = (mode: StsPolicy['mode'], ...mx: string[]): StsFound => ({
  kind: 'policy',
  policy: { mode, mx, maxAgeMs: 1000 },
})
const NO_STS: StsFound = { kind: 'none' }

async function kind(entries: Record<string, Said>, sts = NO_STS, { signed = true, domain = 'dest.test' } = {}) {
  const host = signed ? { ...HOST, secureFor: 'dest.test' } : HOST
  return (await tlsPolicyOf(host, domain, { dns: dnsOf(entries), sts: async () => sts })).kind
}

test('DANE: only what is signed all the way counts, and what nobody can say leaves the host out', async () => {
  const both = { 'A mx.dest.test': A, [TLSA_NAME]: { records: [TLSA], ...SECURE } }
  assert.equal(await kind(both), 'dane')
  assert.equal(await kind(both, NO_STS, { signed: false }), 'none')
  assert.equal(await kind({ ...both, 'A mx.dest.test': { records: ['192.0.2.1'] } }), 'none')
  assert.equal(await kind({ ...both, [TLSA_NAME]: { records: [TLSA] } }), 'none')
  assert.equal(await kind({ ...both, [TLSA_NAME]: SECURE }), 'none')
  assert.equal(await kind({ ...both, [TLSA_NAME]: { records: [UNUSABLE], ...SECURE } }), 'encrypt')
  assert.equal(await kind({ ...both, [TLSA_NAME]: 'unknown' }), 'unknown')
  assert.equal(await kind({ 'A mx.dest.test': 'unknown', 'AAAA mx.dest.test': 'unknown' }), 'unknown')
})

test('DANE: an alias that is signed is followed, then the name itself; SNI and names follow it', async () => {
  const alias = { 'A mx.dest.test': { ...A, name: 'real.host.test' } }
  const at = (name: string) => ({ ...alias, [`TLSA _25._tcp.${name}`]: { records: [TLSA], ...SECURE } })
  const host = { ...HOST, secureFor: 'dest.test' }
  const far = await tlsPolicyOf(host, 'dest.test', { dns: dnsOf(at('real.host.test')) })
  assert.equal(far.kind === 'dane' && far.serverName, 'real.host.test')
  assert.deepEqual(far.kind === 'dane' && far.reference.names, ['real.host.test', 'mx.dest.test', 'dest.test'])
  const near = await tlsPolicyOf(host, 'dest.test', { dns: dnsOf(at('mx.dest.test')) })
  assert.equal(near.kind === 'dane' && near.serverName, 'mx.dest.test')
  // The alias leads out of the signed world: only its own name may have records.
  const insecure = { 'A mx.dest.test': { records: ['192.0.2.1'], name: 'real.host.test' } }
  const tlsa = { [TLSA_NAME]: { records: [TLSA], ...SECURE } }
  assert.equal(await kind({ ...insecure, ...tlsa, 'CNAME mx.dest.test': { records: ['x'], ...SECURE } }), 'dane')
  assert.equal(await kind({ ...insecure, ...tlsa, 'CNAME mx.dest.test': { records: ['x'] } }), 'none')
  assert.equal(await kind({ ...insecure, ...tlsa, 'CNAME mx.dest.test': 'unknown' }), 'unknown')
})

test('MTA-STS: its modes, with a host that it names and one that it does not', async () => {
  const expected = { enforce: ['sts', 'refused'], testing: ['sts-testing', 'sts-testing'], none: ['none', 'none'] }
  for (const [mode, kinds] of Object.entries(expected)) {
    const seen = [
      await kind({}, policy(mode as 'none', '*.dest.test')),
      await kind({}, policy(mode as 'none', 'x.test')),
    ]
    assert.deepEqual(seen, kinds, mode)
  }
  assert.equal(await kind({}, { kind: 'unknown', text: 'the desk is away' }), 'unknown')
  assert.equal(await kind({}, policy('enforce', 'x.test'), { domain: '[192.0.2.1]' }), 'none')
  const refused = await tlsPolicyOf(HOST, 'dest.test', { dns: dnsOf({}), sts: async () => policy('enforce', 'x.test') })
  assert.match(refused.kind === 'refused' ? refused.text : '', /x\.test; .*mta-sts\.dest\.test.*tls-by-domain/)
})

test('MTA-STS whose policy cannot be had is no policy, and its domain can be told why', async () => {
  const failure = { type: 'sts-policy-fetch-error', text: '404' } as const
  const sts = async (): Promise<StsFound> => ({ kind: 'none', failure })
  assert.deepEqual(await tlsPolicyOf(HOST, 'dest.test', { dns: dnsOf({}), sts }), { kind: 'none', failure })
  const encrypt = { 'A mx.dest.test': A, [TLSA_NAME]: { records: [UNUSABLE], ...SECURE } }
  assert.equal(await kind(encrypt, await sts()), 'encrypt')
})

test('DANE beats MTA-STS, but records that nobody can use do not weaken it', async () => {
  const dane = { 'A mx.dest.test': A, [TLSA_NAME]: { records: [TLSA], ...SECURE } }
  const encrypt = { ...dane, [TLSA_NAME]: { records: [UNUSABLE], ...SECURE } }
  assert.equal(await kind(dane, policy('enforce', 'x.test')), 'dane')
  assert.equal(await kind({ ...dane, [TLSA_NAME]: 'unknown' }, policy('enforce', '*.dest.test')), 'unknown')
  assert.equal(await kind(encrypt, policy('enforce', '*.dest.test')), 'sts')
  assert.equal(await kind(encrypt, policy('enforce', 'x.test')), 'refused')
  assert.equal(await kind(encrypt, policy('testing', '*.dest.test')), 'encrypt')
})

test('no policy takes away from what the route says', () => {
  const sts = { mode: 'enforce', mx: ['mx'], maxAgeMs: 1 } as const
  const any = { kind: 'sts', domain: 'dest.test', policy: sts } as const
  assert.equal(tlsUseUnder(any, 'opportunistic'), 'verified')
  assert.equal(tlsUseUnder({ kind: 'encrypt' }, 'opportunistic'), 'required')
  assert.equal(tlsUseUnder({ kind: 'none' }, 'required'), 'required')
  assert.equal(
    tlsUseUnder({ kind: 'sts-testing', domain: 'dest.test', named: false, policy: sts }, 'required'),
    'required',
  )
})
