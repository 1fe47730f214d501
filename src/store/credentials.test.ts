import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  APPLICATION_PASSWORDS_MAX,
  CREDENTIALS,
  CredentialReader,
  CredentialStore,
  KNOWN_NETWORKS_MAX,
  NETWORK_FADES_MS,
  RESTRICTIONS_MAX,
  textsOf,
} from './credentials.ts'
import { openStore, readStore } from './database.ts'

const password = (octet: number) => ({
  hash: `hash ${octet}`,
  scram: {
    salt: new Uint8Array(16).fill(octet),
    iterations: 4096,
    storedKey: new Uint8Array(32).fill(octet),
    serverKey: new Uint8Array(32).fill(octet),
  },
})
const anna = { login: 'anna@bakery.test', tenant: 'bakery', networks: ['10.0.0.0/8'], senders: ['@bakery.test'] }

function bench() {
  const database = openStore(':memory:', [CREDENTIALS])
  const store = new CredentialStore(database)
  assert.equal(store.add({ ...anna, ...password(1) }, 1000), true)
  return { database, store }
}

test('what is added is found, once in the whole relay', () => {
  const { store } = bench()
  assert.deepEqual(store.find(anna.login), {
    ...anna,
    ...password(1),
    createdAtMs: 1000,
    changedAtMs: 1000,
    disabled: false,
  })
  assert.equal(store.add({ ...anna, tenant: 'smith', ...password(2) }, 2000), false)
  assert.equal(store.find(anna.login)?.tenant, 'bakery')
  assert.equal(store.find('bert@bakery.test'), undefined)
})

test('a reader in another process sees each change at once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'credentials-'))
  try {
    const path = join(folder, 'store.db')
    const database = openStore(path, [CREDENTIALS])
    const store = new CredentialStore(database)
    const reader = new CredentialReader(readStore(path))
    assert.equal(reader.find(anna.login), undefined)
    store.add({ ...anna, ...password(1) }, 1000)
    store.setPassword(anna.login, password(2), 2000)
    assert.equal(reader.find(anna.login)?.hash, 'hash 2')
    store.lock(anna.login, 'spam', 3000)
    store.lock(anna.login, 'more spam', 4000)
    assert.deepEqual(reader.find(anna.login)?.locked, { reason: 'spam', atMs: 3000 })
    store.unlock(anna.login)
    store.restrict(anna.login, { networks: [], senders: ['bert@bakery.test'] })
    assert.deepEqual(reader.find(anna.login)?.senders, ['bert@bakery.test'])
    store.setDisabled(anna.login, true)
    const { locked, disabled } = reader.find(anna.login)!
    assert.deepEqual([locked, disabled], [undefined, true])
    assert.deepEqual(reader.secret(), store.secret())
    database.close()
    const again = openStore(path, [CREDENTIALS])
    assert.deepEqual(new CredentialStore(again).secret(), reader.secret())
    again.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('application passwords: one of a label, so many of a login, gone with the login', () => {
  const { store, database } = bench()
  const digest = (n: number) => new Uint8Array(32).fill(n)
  assert.equal(store.addApplicationPassword(anna.login, 'phone', digest(1), 1), 'added')
  assert.equal(store.addApplicationPassword(anna.login, 'phone', digest(2), 1), 'exists')
  for (let n = 2; n <= APPLICATION_PASSWORDS_MAX; n++)
    assert.equal(store.addApplicationPassword(anna.login, `device ${n}`, digest(n), 1), 'added')
  assert.equal(store.addApplicationPassword(anna.login, 'one more', digest(99), 1), 'full')
  const [phone] = store.digests(anna.login)
  assert.deepEqual(phone?.digest, digest(1))
  store.used(anna.login, phone?.id, 5000)
  assert.equal(store.applicationPasswords(anna.login)[0]?.lastUsedAtMs, 5000)
  assert.equal(store.applicationPasswords(anna.login)[1]?.lastUsedAtMs, undefined)
  assert.equal(store.find(anna.login)?.lastUsedAtMs, 5000)
  assert.equal(store.removeApplicationPassword(anna.login, 'phone'), true)
  assert.equal(store.removeApplicationPassword(anna.login, 'phone'), false)
  store.usedFrom(anna.login, '192.0.2', 1)
  store.remove(anna.login)
  for (const table of ['credentials', 'application_passwords', 'credential_networks']) {
    assert.deepEqual(database.prepare(`SELECT * FROM ${table}`).all(), [], table)
  }
  assert.equal(store.find(anna.login), undefined)
})

test('networks of use, of logins that exist: a thief with a hundred of them does not drive out the old ones', () => {
  const { store } = bench()
  for (let n = 0; n < 2 * KNOWN_NETWORKS_MAX; n++) store.usedFrom(anna.login, `192.0.${n}`, n)
  assert.equal(store.networks(anna.login).length, KNOWN_NETWORKS_MAX)
  const known = (n: number) => store.knows(anna.login, `192.0.${n}`)
  assert.deepEqual([0, 1, 48, 49, 98, 99].map(known), [true, true, true, false, false, true])
  store.usedFrom(anna.login, '192.0.1', 1000)
  assert.deepEqual(store.networks(anna.login)[0], { network: '192.0.1', firstAtMs: 1, lastAtMs: 1000 })
  store.usedFrom(anna.login, '10.0.0', NETWORK_FADES_MS + 50)
  assert.deepEqual([known(1), known(47), known(48), known(99)], [true, true, false, true], 'unused for long goes first')
  store.usedFrom('nobody', '192.0.2', 1)
  assert.deepEqual(store.networks('nobody'), [])
})

test('pages are in order, of one tenant or all', () => {
  const { store } = bench()
  for (const login of ['carl', 'bert']) store.add({ ...anna, login, tenant: 'smith', ...password(3) }, 1)
  const logins = (tenant: string | undefined, after = '', rowsMax = 10) =>
    store.page(tenant, after, rowsMax).map(({ login }) => login)
  assert.deepEqual(logins(undefined), [anna.login, 'bert', 'carl'])
  assert.deepEqual([store.count('smith'), store.count('bakery'), store.count('x')], [2, 1, 0])
  assert.deepEqual(logins('smith'), ['bert', 'carl'])
  assert.deepEqual(logins(undefined, 'bert'), ['carl'])
  assert.deepEqual(logins(undefined, '', 2), [anna.login, 'bert'])
})

test('limits of its own are kept; what cannot be understood is never no limit', () => {
  const { store, database } = bench()
  store.limit(anna.login, { perDay: 7 })
  assert.deepEqual(store.find(anna.login)?.limits, { perDay: 7 })
  store.limit(anna.login, {})
  assert.equal(store.find(anna.login)?.limits, undefined)
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (json) => {
      database.prepare('UPDATE credentials SET limits = ?').run(json)
      try {
        const { limits } = store.find(anna.login)!
        assert.ok(Object.values(limits!).every((count) => Number.isSafeInteger(count) && count > 0))
      } catch (error) {
        assert.doesNotMatch(String(error), /Assertion/)
      }
    }),
  )
  for (const json of ['[]', '7', '{"perDay":0}', '{"perDay":"7"}', '{"perDay":null}', 'null']) {
    database.prepare('UPDATE credentials SET limits = ?').run(json)
    assert.throws(() => store.find(anna.login), json)
  }
})

test('a list that cannot be understood is never an empty one', () => {
  const { store, database } = bench()
  for (const json of ['', '{}', '[1]', 'null', '[]]', '"x"', JSON.stringify(Array(RESTRICTIONS_MAX + 1).fill('x'))]) {
    database.prepare('UPDATE credentials SET networks = ?').run(json)
    assert.throws(() => store.find(anna.login), json)
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (json) => {
      let texts: string[] | undefined
      try {
        texts = textsOf(json)
      } catch {
        return
      }
      assert.deepEqual(texts, JSON.parse(json))
      assert.ok(texts.every((text) => typeof text === 'string'))
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: RESTRICTIONS_MAX }), (texts) => {
      assert.deepEqual(textsOf(JSON.stringify(texts)), texts)
    }),
  )
})
