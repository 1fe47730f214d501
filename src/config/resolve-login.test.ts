/** Logins at smarthosts, as a configuration file names them: what is refused, what is read, and that nobody sees a password. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { diffFromDefaults } from './diff.ts'
import { loadConfig } from './load.ts'
import { problemLine } from './problem.ts'

const { certificatePem } = selfSignedCertificate({ names: ['smtp.provider.example'], fromMs: 0, days: 1 })
const PASSWORD = 'correct horse battery'

async function load(t: TestContext, route: string, files: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'vorposten-login-'))
  t.after(() => rm(folder, { recursive: true }))
  const text = `hostname: mx1.relay.example
listeners: [{name: mx, addresses: 127.0.0.1:2525, tls: none}, {name: out, addresses: 127.0.0.1:2526, tls: none, service: outbound}]
tenants:
  bakery:
    postmaster: chef@bakery.example
    routes: {main: {hosts: a.example}, out: ${route}}
    domains: {bakery.example: {route: main}}
    outbound: {from-networks: 10.0.0.0/8, route: out}
`
  for (const [name, content] of Object.entries({ 'v.yaml': text, pw: `${PASSWORD}\n`, ca: certificatePem, ...files })) {
    await writeFile(join(folder, name), content, { mode: 0o600 })
  }
  const result = await loadConfig(join(folder, 'v.yaml'), { environment: { PW: PASSWORD } })
  const told = (result.ok ? result.warnings : result.problems)
    .map((one) => problemLine(one).replaceAll(`${folder}/`, ''))
    .join('\n')
  return { result, told, route: result.ok ? result.config.routes.find(({ id }) => id === 'bakery/out') : undefined }
}

const LOGIN = 'login: {name: relay@bakery.example, password-file: pw}'

test('the password comes from a file or the environment, the authorities from a file', async (t) => {
  const first = await load(t, `{hosts: smtp.provider.example:587, tls: verified, ca-file: ca, ${LOGIN}}`)
  assert.equal(first.told, '')
  assert.equal(first.route?.login?.name, 'relay@bakery.example')
  assert.equal(Buffer.from(first.route.login.password).toString(), PASSWORD)
  assert.equal(first.route.authorities?.pem, certificatePem)
  const second = await load(
    t,
    '{hosts: a.example, tls: verified, login: {name: x, password-env: PW, mechanisms: [PLAIN, LOGIN]}}',
  )
  assert.equal(Buffer.from(second.route!.login!.password).toString(), PASSWORD)
  assert.deepEqual(second.route!.login!.mechanisms, ['PLAIN', 'LOGIN'])
  assert.equal(second.route!.authorities, undefined)
})

test('what is shown of a configuration holds no password', async (t) => {
  const { result } = await load(t, `{hosts: smtp.provider.example:587, tls: verified, ${LOGIN}}`)
  assert.ok(result.ok)
  assert.doesNotMatch(JSON.stringify(diffFromDefaults(result.written)), new RegExp(PASSWORD))
})

for (const [what, route, expected] of [
  [
    'without TLS that is verified',
    `{hosts: a.example, ${LOGIN}}`,
    /out\.login: would be sent to a server that nobody has/,
  ],
  ['with required TLS', `{hosts: a.example, tls: required, ${LOGIN}}`, /tls: required.*allowed: tls: verified/],
  ['with use-mx', `{use-mx: true, tls: verified, ${LOGIN}}`, /whatever host a recipient’s domain names/],
  [
    'with two passwords',
    '{hosts: a.example, tls: verified, login: {name: x, password-file: pw, password-env: PW}}',
    /exactly one of/,
  ],
  ['with none', '{hosts: a.example, tls: verified, login: {name: x}}', /exactly one of password-file, password-env/],
  [
    'with the password itself',
    '{hosts: a.example, tls: verified, login: {name: x, password: y}}',
    /login\.password: .*password-file/,
  ],
  [
    'with a file that is absent',
    '{hosts: a.example, tls: verified, login: {name: x, password-file: no}}',
    /file no cannot be read \(does not exist\)/,
  ],
  [
    'with a variable that is not set',
    '{hosts: a.example, tls: verified, login: {name: x, password-env: NO}}',
    /variable NO is not set/,
  ],
  [
    'with a file of several lines',
    '{hosts: a.example, tls: verified, login: {name: x, password-file: ca}}',
    /control character/,
  ],
  [
    'with a mechanism that nobody knows',
    '{hosts: a.example, tls: verified, login: {name: x, password-file: pw, mechanisms: CRAM-MD5}}',
    /SCRAM-SHA-256/,
  ],
  [
    'with authorities and no verification',
    '{hosts: a.example, ca-file: ca}',
    /ca-file: is of no use with tls: opportunistic/,
  ],
  [
    'with authorities that are none',
    '{hosts: a.example, tls: verified, ca-file: pw}',
    /ca-file: pw holds no certificate/,
  ],
  ['with authorities that are absent', '{hosts: a.example, tls: verified, ca-file: no}', /ca-file: no does not exist/],
] as const)
  test(`a route ${what} is refused`, async (t) => {
    const { result, told } = await load(t, route)
    assert.equal(result.ok, false)
    assert.match(told, expected)
    assert.doesNotMatch(told, new RegExp(PASSWORD))
  })
