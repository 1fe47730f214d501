import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadConfig } from './load.ts'
import { problemLine } from './problem.ts'

async function load(t: TestContext, keys: string, environment: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'keys-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'key'), 'a key from a file, with its line end\n')
  writeFileSync(join(folder, 'short'), 'short\n')
  const text = `hostname: mx1.relay.example
listeners: [{name: out, addresses: 192.0.2.1:26, tls: none, service: outbound}]
tenants:
  bakery:
    routes: {out: {hosts: smarthost.example}}
    domains: {bakery.example: {route: out}}
    outbound: {from-networks: 10.0.0.0/8, route: out, auto-replies: {window: 1d}}
    bounce-protection: {kind: batv, since: 2026-11-24, keys: ${keys}}
`
  writeFileSync(join(folder, 'v.yaml'), text)
  return loadConfig(join(folder, 'v.yaml'), { environment })
}

test('a key comes from the file, the environment or a file of its own; the rest has its defaults', async (t) => {
  for (const [key, expected] of [
    ['{secret: a key in the configuration}', 'a key in the configuration'],
    ['{secret-env: BATV_KEY}', 'a key of the environment'],
    ['{secret-file: key}', 'a key from a file, with its line end'],
  ]) {
    const result = await load(t, `{3: ${key}}`, { BATV_KEY: 'a key of the environment' })
    assert.ok(result.ok)
    const [tenant] = result.config.tenants
    assert.deepEqual(tenant?.bounceProtection, {
      kind: 'batv',
      sinceMs: Date.UTC(2026, 10, 24),
      warmUpMs: 7 * 86_400_000,
      signingKey: 3,
      keys: new Map([[3, Buffer.from(expected!)]]),
    })
    assert.deepEqual(tenant.outbound, {
      networks: ['10.0.0.0/8'],
      route: 'bakery/out',
      senders: 'own-domains',
      contentOctetsMax: result.config.listeners[0]?.limits.contentOctetsMax,
      ndrs: 'verified',
      autoReplies: { limit: 2, windowMs: 86_400_000, per: 'correspondent' },
      limits: { login: { per10Minutes: 300, perDay: 2_000 } },
      dkim: { ifUnavailable: 'defer' },
    })
    // As it goes to the workers.
    assert.deepEqual(structuredClone(result.config).tenants[0]?.bounceProtection?.kind, 'batv')
  }
})

test('a key that is absent, short or given twice is an error at its place', async (t) => {
  for (const [key, fault] of [
    [
      '{secret-env: BATV_KEY}',
      /:8:\d+: error: tenants\.bakery\.bounce-protection\.keys\.3: the environment variable BATV_KEY is not set/,
    ],
    ['{secret-file: none}', /the file \S*none cannot be read/],
    ['{secret-file: short}', /the key has 5 octets; 16 are needed/],
    ['{}', /needs exactly one of secret, secret-env, secret-file/],
    ['{secret: a key in the configuration, secret-file: key}', /needs exactly one of/],
  ] as const) {
    const result = await load(t, `{3: ${key}}`)
    assert.ok(!result.ok, key)
    assert.match(result.problems.map(problemLine).join(), fault)
  }
})
