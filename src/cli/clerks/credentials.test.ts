import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applicationDigest } from '#auth/application-password.ts'
import { UserError } from '#cli/exit.ts'
import { Desk } from '#cli/serve/desk.ts'
import type { Config } from '#config/config.ts'
import { HandClock } from '#queue/testing.ts'
import { APPLICATION_PASSWORDS_MAX, CREDENTIALS, CredentialStore } from '#store/credentials.ts'
import { openStore } from '#store/database.ts'
import { GroupCommit } from '#store/group-commit.ts'
import {
  type CredentialRow,
  type CredentialShown,
  CredentialsClerk,
  LIST_ROWS_MAX,
  type PasswordSet,
} from './credentials.ts'

const PASSWORD = 'correct horse battery'

const configOf = (...tenants: string[]): Config =>
  ({
    tenants: tenants.map((name) => ({ name, outbound: { limits: { login: { per10Minutes: 30, perDay: 200 } } } })),
    domains: tenants.map((name) => ({ name: `${name}.test`, tenant: { name } })),
  }) as unknown as Config

function bench() {
  const database = openStore(':memory:', [CREDENTIALS])
  const store = new CredentialStore(database)
  const lines: string[] = []
  const clerk = new CredentialsClerk({
    store,
    commits: new GroupCommit(database),
    clock: new HandClock(),
    config: configOf('bakery', 'smith'),
    log: (line) => void lines.push(line),
  })
  const desk = new Desk<Config>([clerk])
  const command = (what: string, body: unknown) => desk.command(`credentials/${what}`, body)
  const add = (more: object = {}) =>
    command('add', { tenant: 'bakery', login: 'Anna', networks: [], senders: [], password: PASSWORD, ...more })
  return { store, desk, command, add: (more?: object) => add(more) as Promise<PasswordSet>, lines }
}

const refused = (pattern: RegExp) => (error: unknown) => error instanceof UserError && pattern.test(error.line)

test('networks and senders are kept in one spelling; those of others are pointed out', async () => {
  const { add, store, lines } = bench()
  const set = await add({
    networks: ['2001:DB8::/32', '10.0.0.0/8'],
    senders: ['Anna@Bakery.test', '@SMITH.test', 'x@müller.example'],
  })
  const { networks, senders } = store.find('anna')!
  assert.deepEqual(networks, ['2001:db8::/32', '10.0.0.0/8'])
  assert.deepEqual(senders, ['anna@bakery.test', '@smith.test', 'x@xn--mller-kva.example'])
  assert.deepEqual(set.notes, [
    'smith.test is not a domain of bakery',
    'xn--mller-kva.example is not a domain of bakery',
  ])
  assert.deepEqual(lines, ['credential anna of bakery: added'])
})

test('what cannot be is refused, with what to do', async () => {
  const { add, command, store } = bench()
  await assert.rejects(add({ networks: ['10.1.0.0/8'] }), refused(/Did you mean 10\.0\.0\.0\/8\?/))
  await assert.rejects(add({ networks: ['home'] }), refused(/home is no network/))
  for (const sender of ['anna', '@', 'a@[127.0.0.1]', '@localhost', 'a b@bakery.test']) {
    await assert.rejects(add({ senders: [sender] }), refused(/is no sender/), sender)
  }
  await assert.rejects(add({ login: 'a b' }), refused(/"a b" is no login/))
  await assert.rejects(add({ tenant: 'jones' }), refused(/jones is not a tenant/))
  await assert.rejects(add({ password: 'eleven char' }), refused(/11 characters only\. At least 12/))
  await assert.rejects(add({ password: 'twelve\tcharacters' }), refused(/U\+0009/))
  await assert.rejects(
    add({ login: 'anna.miller@bakery.test', password: 'Anna.Miller@bakery.test' }),
    refused(/the login/),
  )
  await assert.rejects(command('add', {}), refused(/not understood/))
  await assert.rejects(command('dance', {}), refused(/not understood/))
  assert.deepEqual(store.page(undefined, '', 10), [])
})

test('nothing of a password is shown, and one that was made is answered once', async () => {
  const { add, command } = bench()
  const { password } = await add({ password: undefined })
  assert.match(password ?? '', /^([a-z2-7]{5}-){5}[a-z2-7]$/)
  const shown = (await command('show', { login: 'ANNA' })) as CredentialShown
  assert.deepEqual(
    Object.keys(shown).sort(),
    'applicationPasswords changedAtMs createdAtMs disabled login networks senders tenant usedFrom works'.split(' '),
  )
})

test('restrictions that are not named stay', async () => {
  const { add, command } = bench()
  await add({ networks: ['10.0.0.0/8'], senders: ['@bakery.test'] })
  await command('restrict', { login: 'anna', networks: ['192.0.2.1'] })
  const { row } = (await command('restrict', { login: 'anna', senders: [] })) as { row: CredentialRow }
  assert.deepEqual([row.networks, row.senders], [['192.0.2.1'], []])
})

test('limits of its own: what is not named stays, null is as the tenant, and the tenant has a ceiling', async () => {
  const { add, command, store } = bench()
  await assert.rejects(
    add({ limits: { perDay: 2_001 } }),
    refused(/no login of bakery may have more than 2000 .* in 24/),
  )
  await add({ limits: { perDay: 2_000, toOneDomainPerDay: 50 } })
  const limit = (limits: object) => command('limit', { login: 'anna', limits }) as Promise<CredentialRow>
  assert.deepEqual((await limit({ per10Minutes: 5 })).limits, { perDay: 2_000, toOneDomainPerDay: 50, per10Minutes: 5 })
  await assert.rejects(limit({ per10Minutes: 301 }), refused(/login-max and reload/))
  for (const per10Minutes of [0, -1, 1.5, '7', Number.NaN]) await assert.rejects(limit({ per10Minutes }), UserError)
  assert.deepEqual((await limit({ perDay: null, per10Minutes: undefined })).limits, {
    toOneDomainPerDay: 50,
    per10Minutes: 5,
  })
  await limit({ toOneDomainPerDay: null, per10Minutes: null })
  assert.ok(!('limits' in store.find('anna')!))
})

test('application passwords up to the limit, each with its label', async () => {
  const { add, command, store, desk } = bench()
  await add()
  const device = (label: string) =>
    command('application-password-add', { login: 'anna', label }) as Promise<PasswordSet>
  const { password } = await device(' phone ')
  assert.deepEqual(store.digests('anna')[0]?.digest, new Uint8Array(applicationDigest(password!)!))
  await assert.rejects(device('phone'), refused(/already.*application-password remove anna/))
  await assert.rejects(device('\u202e'), refused(/no label/))
  for (let n = 1; n < APPLICATION_PASSWORDS_MAX; n++) await device(`device ${n}`)
  await assert.rejects(device('one more'), refused(/has 20 application passwords/))
  await desk.answer(1, 'credentials/used', { login: 'anna', applicationPassword: store.digests('anna')[0]?.id })
  const [phone] = store.applicationPasswords('anna')
  assert.ok(phone?.lastUsedAtMs !== undefined && phone.lastUsedAtMs === store.find('anna')?.lastUsedAtMs)
  const set = (await command('passwd', { login: 'anna', password: PASSWORD })) as PasswordSet
  assert.deepEqual(set.notes, ['application passwords still hold: 20'])
  await assert.rejects(
    command('application-password-remove', { login: 'anna', label: 'tv' }),
    refused(/no application/),
  )
})

test('a lock wants a reason, keeps the first one, and says it when it is opened', async () => {
  const { add, command } = bench()
  await add()
  await assert.rejects(command('lock', { login: 'anna', reason: ' \n' }), refused(/needs a reason/))
  await assert.rejects(command('lock', { login: 'bert', reason: 'x' }), refused(/no login bert/))
  await command('lock', { login: 'anna', reason: 'it sent\nspam' })
  const again = (await command('lock', { login: 'anna', reason: 'more' })) as CredentialRow
  assert.equal(again.locked?.reason, 'it sent spam')
  assert.equal(((await command('unlock', { login: 'anna' })) as CredentialRow).locked?.reason, 'it sent spam')
  assert.equal(((await command('unlock', { login: 'anna' })) as CredentialRow).locked, undefined)
})

test('lists go on where they ended, and name logins whose tenant is gone', async () => {
  const { command, store, desk } = bench()
  const scram = {
    salt: new Uint8Array(16),
    iterations: 4096,
    storedKey: new Uint8Array(32),
    serverKey: new Uint8Array(32),
  }
  for (let n = 0; n <= LIST_ROWS_MAX; n++) {
    const login = `user${String(n).padStart(5, '0')}`
    store.add({ login, tenant: 'smith', networks: [], senders: [], hash: 'x', scram }, 1)
  }
  const first = (await command('list', { after: '' })) as CredentialRow[]
  const rest = (await command('list', { after: first.at(-1)!.login })) as CredentialRow[]
  assert.deepEqual([first.length, rest.length, rest[0]?.works], [LIST_ROWS_MAX, 1, true])
  assert.deepEqual(await command('list', { after: '', tenant: 'bakery' }), [])
  await desk.reload(configOf('bakery'))
  assert.equal(((await command('list', { after: '' })) as CredentialRow[])[0]?.works, false)
})

test('a password is tried by a worker, and none is no answer', async () => {
  const { command, desk } = bench()
  const tried = () => command('try', { login: 'Anna', password: PASSWORD })
  assert.deepEqual(await tried(), { kind: 'unknown', text: 'no worker answered' })
  const asked: unknown[] = []
  desk.started(
    async () => [],
    async (about, body) => {
      asked.push(about, body)
      return { kind: 'wrong' }
    },
    async () => undefined,
  )
  assert.deepEqual(await tried(), { kind: 'wrong' })
  assert.deepEqual(asked, ['credentials/check', { login: 'anna', password: PASSWORD }])
})
