import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TlsSessionResult } from '#mail/tls-result.ts'
import type { Destinations } from './destinations.ts'
import { good, host, message, route, World } from './testing.ts'
import type { TlsPolicy } from './tls-policy.ts'
import { POLICY_CHARACTERS_MAX, type SessionSeen, tlsResult } from './tls-results.ts'

const NONE = { type: 'no-policy-found', domain: 'far.example', strings: [] }
const DANE: TlsPolicy = {
  kind: 'dane',
  serverName: 'base.example',
  reference: { records: [{ usage: 3, selector: 1, matchingType: 1, data: Buffer.from('ab', 'hex') }], names: [] },
}

describe('what attempts tell', () => {
  async function told(options: {
    policy?: TlsPolicy
    keywords?: string[]
    handshake?: 'ok' | 'fails' | 'breaks'
    destination?: string
    more?: object
    notice?: true
  }) {
    const {
      policy = { kind: 'none' },
      keywords = ['STARTTLS'],
      handshake = 'ok',
      destination = 'far.example',
    } = options
    const results: TlsSessionResult[] = []
    const destinations: Destinations = {
      find: async () => ({ kind: 'hosts', secure: false, hosts: [host('mx')] }),
      addresses: async (name) => [name],
      tlsPolicy: async () => policy,
    }
    const world = new World({ destinations, tellTls: (result) => void results.push(result) })
    world.server('mx', good({}, keywords)).tls = handshake
    const to = route([], { byMx: { port: 25 }, destination, tls: 'opportunistic' })
    const one = message()
    const attempt = await world.delivery.attempt(
      to,
      { ...one, ...(options.notice && { notice: true }), envelope: { ...one.envelope, ...options.more } },
      { onMixed: 'send' },
    )
    if (options.notice) assert.equal(attempt.outcomes[0]?.kind, 'delivered')
    return results.map(({ policy: applied, failure }) => [applied, failure?.type])
  }

  it('success, and each kind of failure, under the policy that was applied', async () => {
    const dane = { type: 'tlsa', domain: 'base.example', strings: ['3 1 1 ab'] }
    assert.deepEqual(await told({}), [[NONE, undefined]])
    assert.deepEqual(await told({ keywords: [] }), [[NONE, 'starttls-not-supported']])
    assert.deepEqual(await told({ handshake: 'fails' }), [[NONE, 'validation-failure']])
    assert.deepEqual(await told({ handshake: 'breaks' }), [[NONE, 'certificate-expired']])
    assert.deepEqual(await told({ policy: DANE }), [[dane, undefined]])
    assert.deepEqual(await told({ policy: DANE, keywords: [] }), [[dane, 'starttls-not-supported']])
    assert.deepEqual(await told({ policy: DANE, handshake: 'fails' }), [[dane, 'validation-failure']])
    const unread = { type: 'tlsa', domain: 'far.example', strings: [] }
    assert.deepEqual(await told({ policy: { kind: 'encrypt' } }), [[unread, 'tlsa-invalid']])
    const says = (by: 'dane' | 'sts'): TlsPolicy => ({ kind: 'unknown', by, text: 'nobody knows' })
    assert.deepEqual(await told({ policy: says('dane') }), [[unread, 'dnssec-invalid']])
    const domain = 'far.example'
    const unfetched = { type: 'sts', domain, strings: [] }
    assert.deepEqual(await told({ policy: says('sts') }), [[unfetched, 'sts-policy-fetch-error']])
    for (const type of ['sts-policy-fetch-error', 'sts-policy-invalid', 'sts-webpki-invalid'] as const) {
      assert.deepEqual(await told({ policy: { kind: 'none', failure: { type, text: 'why' } } }), [[unfetched, type]])
    }
    const policy = { mode: 'testing', mx: ['mx1.far.example', '*.far.example'], maxAgeMs: 86_400_000 } as const
    const lines = ['version: STSv1', 'mode: testing', 'mx: mx1.far.example', 'mx: *.far.example', 'max_age: 86400']
    const sts = { type: 'sts', domain, strings: lines, mxHosts: policy.mx }
    const unnamed: TlsPolicy = { kind: 'refused', by: 'sts', policy, text: 'not named' }
    assert.deepEqual(await told({ policy: unnamed }), [[sts, 'validation-failure']])
    assert.deepEqual(await told({ policy: { kind: 'sts', domain, policy } }), [[sts, undefined]])
    const testing: TlsPolicy = { kind: 'sts-testing', domain, named: false, policy }
    assert.deepEqual(await told({ policy: testing }), [[sts, 'validation-failure']])
  })

  it('nothing of the sessions that bring our own reports, which go whatever TLS says (RFC 8460 §3)', async () => {
    const report = { notice: true, more: { tlsOptional: true, reversePath: { kind: 'null' } } } as const
    for (const policy of [{ kind: 'none' }, DANE] as const) {
      for (const handshake of ['ok', 'fails'] as const)
        assert.deepEqual(await told({ ...report, policy, handshake }), [])
    }
    assert.deepEqual(await told({ notice: true }), [[NONE, undefined]])
  })

  it('nothing of address literals, nor of what one message alone wanted', async () => {
    assert.deepEqual(await told({ destination: '[192.0.2.1]' }), [])
    assert.deepEqual(await told({ more: { requireTls: true } }), [])
    assert.deepEqual(await told({ policy: DANE, handshake: 'fails', more: { tlsOptional: true } }), [
      [{ type: 'tlsa', domain: 'base.example', strings: ['3 1 1 ab'] }, 'validation-failure'],
    ])
  })
})

describe('a result', () => {
  const wire = { local: { address: '192.0.2.9' }, remote: { address: '192.0.2.1' } }
  const seen = (more: Partial<SessionSeen>) =>
    tlsResult({ domain: 'far.example', mxHost: 'mx', policy: { kind: 'none' }, tls: false, ...more })

  it('names the certificate’s fault by the code of the handshake', () => {
    const cases = { CERT_HAS_EXPIRED: 'certificate-expired', ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-host-mismatch' }
    for (const [code, type] of Object.entries(cases)) {
      const result = seen({ wire, handshake: { code }, fault: { obstacle: 'tls', text: 'x' } })
      const failure = { type, mxHost: 'mx', sendingIp: '192.0.2.9', receivingIp: '192.0.2.1', reason: code }
      assert.deepEqual(result?.failure, failure)
    }
  })

  it('says why a policy could not be had, and cuts a policy that is very long', () => {
    const failure = { type: 'sts-policy-invalid', text: 'its mode is none of enforce, testing, none' } as const
    assert.equal(seen({ wire, tls: true, policy: { kind: 'none', failure } })?.failure?.reason, failure.text)
    const mx = Array.from({ length: 500 }, (_, i) => `mx${i}.far.example`)
    const policy = { kind: 'sts', domain: 'far.example', policy: { mode: 'enforce', mx, maxAgeMs: 1000 } } as const
    const { strings, mxHosts } = seen({ wire, tls: true, policy })!.policy
    for (const cut of [strings, mxHosts!]) assert.ok(cut.length > 50 && cut.join('').length <= POLICY_CHARACTERS_MAX)
  })

  it('is none where the session ended before TLS', () => {
    for (const obstacle of ['connect', 'refused-for-now', 'timeout', 'closed', 'dns'] as const)
      assert.equal(seen({ wire, fault: { obstacle, text: 'x' } }), undefined)
  })
})
