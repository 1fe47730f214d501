import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { expandEnvironment, readSecret, Secret, type SecretSources } from './secret.ts'

const variable = (name: string): string => `\${ENV:${name}}`

test('variables are replaced, once', () => {
  const environment = { HOST: 'mx1', DOMAIN: 'relay.example', TRAP: variable('HOST') }
  const text = `${variable('HOST')}.${variable('DOMAIN')}`
  assert.deepEqual(expandEnvironment(text, environment), { ok: true, text: 'mx1.relay.example' })
  assert.deepEqual(expandEnvironment(variable('TRAP'), environment), { ok: true, text: variable('HOST') })
  assert.deepEqual(expandEnvironment('$HOME and {x}', environment), { ok: true, text: '$HOME and {x}' })
})

test('a variable that is not set, or not well written, is a fault', () => {
  assert.deepEqual(expandEnvironment(variable('NO'), {}), {
    ok: false,
    fault: 'the environment variable NO is not set',
  })
  assert.equal(expandEnvironment(variable('toString'), {}).ok, false)
  assert.equal(expandEnvironment(variable('A-B'), { 'A-B': 'x' }).ok, false)
  assert.equal(expandEnvironment('${ENV:A', { A: 'x' }).ok, false)
})

const sources: SecretSources = {
  environment: { KEY: 'from-environment', EMPTY: '' },
  readText: async (path) => {
    if (path === '/secret') return 'from-file\r\n'
    if (path === '/two-lines') return 'one\ntwo\n'
    if (path === '/empty') return '\n'
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  },
}

async function revealed(section: Record<string, string>): Promise<string> {
  const read = await readSecret(section, 'password', sources)
  return read.ok ? read.secret.reveal() : `fault: ${read.fault}`
}

test('a secret comes from the file, from the environment, or from a file of its own', async () => {
  assert.equal(await revealed({ password: 'written' }), 'written')
  assert.equal(await revealed({ 'password-env': 'KEY' }), 'from-environment')
  assert.equal(await revealed({ 'password-file': '/secret' }), 'from-file')
  assert.equal(await revealed({ 'password-file': '/two-lines' }), 'one\ntwo')
})

test('a secret that is absent, doubled, empty or unreadable is a fault', async () => {
  const ways = 'fault: needs exactly one of password, password-env, password-file'
  assert.equal(await revealed({}), ways)
  assert.equal(await revealed({ password: 'x', 'password-env': 'KEY' }), ways)
  assert.equal(await revealed({ 'password-env': 'NO' }), 'fault: the environment variable NO is not set')
  assert.equal(await revealed({ 'password-env': 'EMPTY' }), 'fault: EMPTY is empty')
  assert.equal(await revealed({ 'password-file': '/empty' }), 'fault: /empty is empty')
  assert.equal(await revealed({ 'password-file': '/no' }), 'fault: the file /no cannot be read (ENOENT)')
  assert.match(await revealed({ password: 'x'.repeat(65_537) }), /longer than 64 KiB/)
})

test('a secret does not show itself', () => {
  const secret = new Secret('hunter2')
  for (const text of [`${secret}`, JSON.stringify({ secret }), inspect({ secret }), inspect(secret)]) {
    assert.doesNotMatch(text, /hunter2/)
  }
})
