import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { loadConfig } from './load.ts'
import { problemLine } from './problem.ts'

const NOW_MS = Date.UTC(2026, 10, 1)
const DAY_MS = 86_400_000

async function folder(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'vorposten-config-'))
  t.after(() => rm(path, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text, { mode: 0o600 })
  return path
}

/** Problems or warnings, the folder's name taken out. */
async function told(path: string): Promise<string[]> {
  const result = await loadConfig(join(path, 'v.yaml'), { nowMs: NOW_MS, environment: { NAME: 'mx1' } })
  return (result.ok ? result.warnings : result.problems).map((one) => problemLine(one).replaceAll(`${path}/`, ''))
}

const file = (recipients: string): string => `hostname: \${ENV:NAME}.relay.example
listeners: {name: mx, addresses: 127.0.0.1:2525, tls: none}
tenants: {bakery: {postmaster: chef@bakery.example, domains: {bakery.example: {deliver-to: mail.bakery.example, recipients: ${recipients}}}}}
`

test('a list of recipients stands beside the configuration, and is not read with it', async (t) => {
  const path = await folder(t, { 'v.yaml': file('{file: list.txt, otherwise: live, subaddress-separator: "+"}') })
  const result = await loadConfig(join(path, 'v.yaml'), { environment: { NAME: 'mx1' } })
  assert.ok(result.ok)
  assert.equal(result.config.hostname, 'mx1.relay.example')
  const recipients = { kind: 'directory', otherwise: 'live', subaddressSeparator: '+' }
  assert.deepEqual(result.config.domains[0]?.recipients, recipients)
  assert.deepEqual(result.config.recipientFiles, [{ domain: 'bakery.example', path: join(path, 'list.txt') }])
  assert.deepEqual(result.files, [
    {
      domain: 'bakery.example',
      path: join(path, 'list.txt'),
      position: { file: join(path, 'v.yaml'), line: 3, column: 132 },
      setting: 'tenants.bakery.domains."bakery.example".recipients.file',
    },
  ])
})

test('a configuration that cannot be read says why', async (t) => {
  const path = await folder(t, { 'latin1.yaml': Buffer.from([0x61, 0xe4]) })
  const said = async (name: string) => {
    const result = await loadConfig(join(path, name))
    return result.ok ? '' : result.problems.map(problemLine).join()
  }
  assert.match(await said('absent.yaml'), /absent\.yaml:1:1: error: the file does not exist/)
  assert.match(await said('latin1.yaml'), /latin1\.yaml:1:1: error: the file is not text in UTF-8/)
  assert.match(await said('.'), /1:1: error: the file is a folder/)
})

test('a problem of the file is found before any other file is looked at', async (t) => {
  const path = await folder(t, { 'v.yaml': file('{file: no.txt, x: 1}') })
  assert.match((await told(path)).join(), /recipients\.x: "x" is not a setting/)
})

const withCertificate = (names: string): string => `hostname: mx1.relay.example
listeners:
  name: mx
  addresses: 127.0.0.1:2525
  certificates: {names: ${names}, certificate: a.crt, key: a.key}
tenants: {bakery: {postmaster: chef@bakery.example, domains: {bakery.example: {deliver-to: mail.bakery.example}}}}
`
const issued = (fromMs: number) => selfSignedCertificate({ names: ['mx1.relay.example'], fromMs, days: 30 })

test('a certificate and its key: sound, then each way in which they can be wrong', async (t) => {
  const pair = issued(NOW_MS - DAY_MS)
  const path = await folder(t, {
    'v.yaml': withCertificate('mx1.relay.example'),
    'a.crt': pair.certificatePem,
    'a.key': pair.keyPem,
  })
  assert.deepEqual(await told(path), [])

  await chmod(join(path, 'a.key'), 0o644)
  assert.match((await told(path)).join(), /^v\.yaml:5:\d+: warning: .*key: a\.key may be read by everyone/)
  await chmod(join(path, 'a.key'), 0o600)

  await writeFile(join(path, 'a.key'), issued(NOW_MS).keyPem)
  assert.match((await told(path)).join(), /^v\.yaml:5:\d+: error: .*key: a\.key is not the key of a\.crt$/)
  await writeFile(join(path, 'a.key'), 'x')
  await writeFile(join(path, 'a.crt'), 'x')
  const both = await told(path)
  assert.match(both.join(), /a\.crt does not hold a certificate in PEM form.*a\.key does not hold a private key/)
  await rm(join(path, 'a.crt'))
  assert.match((await told(path)).join(), /error: .*certificate: a\.crt does not exist/)
})

test('a certificate that ran out, is not yet valid, or has another name is a warning', async (t) => {
  const old = issued(NOW_MS - 100 * DAY_MS)
  const path = await folder(t, {
    'v.yaml': withCertificate('[mx1.relay.example, mx2.relay.example, "*.relay.example"]'),
    'a.crt': old.certificatePem,
    'a.key': old.keyPem,
  })
  const found = await told(path)
  assert.match(found[0] ?? '', /names\.1: a\.crt is not a certificate of mx2\.relay\.example/)
  assert.match(found[1] ?? '', /names\.2: a\.crt is not a certificate of \*\.relay\.example/)
  assert.match(found[2] ?? '', /warning: .*certificate: a\.crt ran out on 2026-08-23/)
  const early = issued(NOW_MS + 10 * DAY_MS)
  await writeFile(join(path, 'a.crt'), early.certificatePem)
  await writeFile(join(path, 'a.key'), early.keyPem)
  assert.match((await told(path)).join(), /warning: .*a\.crt is not valid before 2026-11-11/)
})
