import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HandClock, settle } from '#queue/testing.ts'
import { CREDENTIALS, CredentialStore } from '#store/credentials.ts'
import { openStore } from '#store/database.ts'
import { applicationDigest, newApplicationPassword } from './application-password.ts'
import { PasswordChecks, RIGHT_MS, USED_MS } from './check-password.ts'
import { hashPassword, type PasswordHash, passwordFits } from './password-hash.ts'
import { PasswordLine } from './password-line.ts'
import { SCRAM_ITERATIONS, scramKeysOf } from './scram-keys.ts'

const CHEAP = { memoryKib: 64, passes: 1, lanes: 1 }
const SECRET = 'correct horse battery'

const kept = async (password: string) => ({
  hash: await hashPassword(password, CHEAP),
  scram: await scramKeysOf(password, undefined, 4096),
})

async function bench(line?: PasswordLine) {
  const database = openStore(':memory:', [CREDENTIALS])
  const store = new CredentialStore(database)
  const anna = { login: 'anna@bakery.test', tenant: 'bakery', networks: ['10.0.0.0/8'], senders: ['@bakery.test'] }
  store.add({ ...anna, ...(await kept(SECRET)) }, 1)
  const clock = new HandClock()
  const tenants = new Set(['bakery'])
  const used: (string | number | undefined)[][] = []
  const costs: PasswordHash[] = []
  const faults: string[] = []
  const parts = {
    reader: store,
    clock,
    tenantExists: (tenant: string) => tenants.has(tenant),
    used: (login: string, application: number | undefined) => void used.push([login, application]),
    fault: (text: string) => void faults.push(text),
    ...(line && { line }),
    fits: (password: string, hash: PasswordHash) => {
      costs.push(hash)
      return passwordFits(password, hash)
    },
  }
  const checks = new PasswordChecks(parts)
  const kind = async (login: string, password: string) => (await checks.check(login, password)).kind
  return { database, store, anna, clock, tenants, used, costs, faults, checks, kind, parts }
}

test('the right password is right, in whatever case the login stands; the answer says what it may do', async () => {
  const { checks, anna, kind } = await bench()
  assert.deepEqual(await checks.check('Anna@Bakery.test', SECRET), { kind: 'right', credential: anna })
  assert.deepEqual([await kind(anna.login, 'Correct horse battery'), await kind(anna.login, '')], ['wrong', 'wrong'])
  assert.equal(await kind(anna.login, SECRET.replaceAll(' ', '\u00a0')), 'right')
})

test('a login that does not exist, a password that cannot be and a removed tenant cost the same work', async () => {
  const { kind, anna, costs, tenants } = await bench()
  assert.equal(await kind('nobody', SECRET), 'wrong')
  assert.equal(await kind('no body', SECRET), 'wrong')
  assert.equal(await kind(anna.login, 'a\tb'), 'wrong')
  assert.equal(await kind('nobody', newApplicationPassword()), 'wrong')
  tenants.clear()
  assert.equal(await kind(anna.login, SECRET), 'wrong')
  const dear = costs.map(({ memoryKib, passes }) => [memoryKib, passes])
  assert.deepEqual(dear, Array(5).fill([19 * 1024, 2]))
})

test('what was right is known for a while, until anything changes', async () => {
  const { kind, anna, costs, clock, store } = await bench()
  const works = async (password: string, expected: string) => {
    const before = costs.length
    assert.equal(await kind(anna.login, password), expected)
    return costs.length - before
  }
  assert.equal(await works(SECRET, 'right'), 1)
  assert.equal(await works(SECRET, 'right'), 0)
  assert.equal(await works(`${SECRET}!`, 'wrong'), 1)
  await clock.pass(RIGHT_MS)
  assert.equal(await works(SECRET, 'right'), 1)
  store.setPassword(anna.login, await kept('another secret'), 2)
  assert.equal(await works(SECRET, 'wrong'), 1)
  assert.equal(await works('another secret', 'right'), 1)
  store.setDisabled(anna.login, true)
  assert.equal(await works('another secret', 'locked'), 0)
  store.remove(anna.login)
  assert.equal(await works('another secret', 'wrong'), 1)
})

test('only who has the password hears that a login is locked, and why', async () => {
  const { checks, anna, store, used, kind } = await bench()
  store.lock(anna.login, 'it sent spam \u2026\n', 5)
  const answer = await checks.check(anna.login, SECRET)
  assert.ok(answer.kind === 'locked')
  assert.match(answer.text, /locked: it sent spam \?\?; ask the administrator of bakery/)
  assert.equal(await kind(anna.login, 'wrong'), 'wrong')
  assert.equal(checks.proved(anna.login).kind, 'locked')
  assert.deepEqual(used, [])
})

test('an application password is right for its login only, and costs no work', async () => {
  const { anna, store, kind, costs, used } = await bench()
  const made = newApplicationPassword()
  store.addApplicationPassword(anna.login, 'phone', applicationDigest(made)!, 1)
  store.add({ ...anna, login: 'bert', ...(await kept(SECRET)) }, 1)
  assert.equal(await kind(anna.login, made.replaceAll('-', '').toUpperCase()), 'right')
  assert.deepEqual([costs.length, used], [0, [[anna.login, store.applicationPasswords(anna.login)[0]?.id]]])
  assert.equal(await kind('bert', made), 'wrong')
  store.removeApplicationPassword(anna.login, 'phone')
  assert.equal(await kind(anna.login, made), 'wrong')
})

test('a few checks at a time, some wait, and beyond that nobody can say', async () => {
  const { checks, anna, costs, parts } = await bench(new PasswordLine(2, 3))
  const release: (() => void)[] = []
  const slow = new PasswordChecks({
    ...parts,
    line: new PasswordLine(2, 3),
    async fits() {
      costs.push({} as PasswordHash)
      await new Promise<void>((resolve) => release.push(resolve))
      return true
    },
  })
  const answers = Array.from({ length: 6 }, (_, i) => slow.check(i % 2 ? 'nobody' : anna.login, `guess ${i}`))
  await settle()
  assert.equal(costs.length, 2)
  const over = await answers[5]!
  assert.ok(over.kind === 'unknown' && /too many/.test(over.text))
  for (let i = 0; i < 5; i++) {
    release[i]!()
    await settle()
  }
  const kinds = (await Promise.all(answers)).map(({ kind }) => kind)
  assert.deepEqual(kinds, ['right', 'wrong', 'right', 'wrong', 'right', 'unknown'])
  assert.equal((await checks.check(anna.login, SECRET)).kind, 'right')
})

test('a check that waited while the login went away is wrong', async () => {
  const { anna, store, parts } = await bench()
  let release = () => {}
  const fits = async () => {
    await new Promise<void>((resolve) => (release = resolve))
    return true
  }
  const answer = new PasswordChecks({ ...parts, fits }).check(anna.login, SECRET)
  await settle()
  store.remove(anna.login)
  release()
  assert.equal((await answer).kind, 'wrong')
})

test('damage in the store, or a store that is closed: nobody can say', async () => {
  const { anna, kind, database, checks, faults } = await bench()
  database.prepare("UPDATE credentials SET hash = 'x'").run()
  // The client does not hear that there is such a login.
  assert.deepEqual(await checks.check(anna.login, SECRET), {
    kind: 'unknown',
    text: 'credentials cannot be checked now',
  })
  assert.deepEqual(faults, ['the stored password of anna@bakery.test cannot be understood'])
  database.close()
  assert.equal(await kind(anna.login, SECRET), 'unknown')
  assert.equal(checks.proved(anna.login).kind, 'unknown')
  assert.throws(() => checks.scramKeys(anna.login))
})

test('SCRAM: keys of those who exist, and of those who do not', async () => {
  const { checks, anna, store, tenants } = await bench()
  assert.deepEqual(checks.scramKeys('ANNA@bakery.test'), store.find(anna.login)?.scram)
  assert.equal(checks.proved(anna.login).kind, 'right')
  const nobodys = checks.scramKeys('nobody')
  assert.equal(nobodys.iterations, SCRAM_ITERATIONS)
  assert.deepEqual(checks.scramKeys('NoBody'), nobodys)
  assert.deepEqual(checks.scramKeys('no body'), checks.scramKeys('no body'))
  assert.equal(checks.proved('nobody').kind, 'wrong')
  tenants.clear()
  assert.notDeepEqual(checks.scramKeys(anna.login), store.find(anna.login)?.scram)
  assert.equal(checks.proved(anna.login).kind, 'wrong')
})

test('a use is told now and then, not at every message', async () => {
  const { kind, anna, clock, used } = await bench()
  for (let i = 0; i < 5; i++) await kind(anna.login, SECRET)
  assert.deepEqual(used, [[anna.login, undefined]])
  await clock.pass(USED_MS)
  await kind(anna.login, SECRET)
  assert.equal(used.length, 2)
})
