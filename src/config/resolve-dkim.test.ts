import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadConfig } from './load.ts'
import { problemLine } from './problem.ts'

function load(t: TestContext, dkim: string, environment = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'config-dkim-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'key'), 'a secret from a file\n')
  const domains = 'tenants: {bakery: {domains: {bakery.example: {deliver-to: mail.bakery.example}}}}'
  writeFileSync(join(folder, 'v.yaml'), `hostname: mx1.relay.example\n${dkim}\n${domains}\n`)
  return loadConfig(join(folder, 'v.yaml'), { environment })
}

test('the master key comes from a file or the environment; the rest has its defaults', async (t) => {
  const plain = await load(t, '')
  assert.ok(plain.ok)
  assert.deepEqual(plain.config.dkim, { masterKeys: new Map(), keepPublishedMs: 7 * 86_400_000 })
  for (const [key, expected] of [
    ['{secret-file: key}', 'a secret from a file'],
    ['{secret-env: KEY}', 'a secret of the environment'],
  ] as const) {
    const written = `dkim: {master-key: ${key}, dns-server: "127.0.0.1:5353", keep-published: 9d}`
    const result = await load(t, written, { KEY: 'a secret of the environment' })
    assert.ok(result.ok)
    assert.deepEqual(structuredClone(result.config.dkim), {
      masterKeys: new Map([[0, new Uint8Array(Buffer.from(expected))]]),
      keepPublishedMs: 9 * 86_400_000,
      dnsServer: { address: '127.0.0.1', port: 5353 },
    })
  }
})

test('a master key that is absent, short or written into the file is an error at its place', async (t) => {
  for (const [key, fault] of [
    ['{secret-env: KEY}', /v\.yaml:2:\d+: error: dkim\.master-key: the environment variable KEY is not set/],
    ['{secret-file: none}', /the file \S*none cannot be read/],
    ['{secret-env: SHORT}', /the key has 5 octets; 16 are needed/],
    ['{}', /needs exactly one of/],
    ['{secret: sixteen octets or more}', /"secret" is not a setting/],
  ] as const) {
    const result = await load(t, `dkim: {master-key: ${key}}`, { SHORT: 'short' })
    assert.ok(!result.ok, key)
    assert.match(result.problems.map(problemLine).join(), fault)
  }
})
