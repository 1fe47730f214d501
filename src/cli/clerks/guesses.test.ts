import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credentialsOf, guessesOf } from '#cli/credentials-desk.ts'
import { Desk } from '#cli/serve/desk.ts'
import { HandClock, settle } from '#queue/testing.ts'
import { CREDENTIALS, CredentialStore } from '#store/credentials.ts'
import { openStore } from '#store/database.ts'
import { GroupCommit } from '#store/group-commit.ts'
import { GuessesClerk, NETWORK_WRITE_MS } from './guesses.ts'

const password = {
  hash: 'x',
  scram: { salt: new Uint8Array(16), iterations: 4096, storedKey: new Uint8Array(32), serverKey: new Uint8Array(32) },
}

function bench() {
  const database = openStore(':memory:', [CREDENTIALS])
  const store = new CredentialStore(database)
  store.add({ login: 'anna', tenant: 'bakery', networks: [], senders: [], ...password }, 1)
  const clock = new HandClock()
  const clerk = new GuessesClerk({ store, commits: new GroupCommit(database), clock })
  const desk = new Desk([clerk])
  /** Two workers of one desk. */
  const worker = () => guessesOf({ desk: (about, body) => desk.answer(1, about, body), clock })
  return { database, store, clock, clerk, desk, one: worker(), other: worker() }
}

test('two workers count together', async () => {
  const { one, other, desk, clerk } = bench()
  for (let i = 0; i < 10; i++) {
    const guesses = i % 2 ? one : other
    assert.equal((await guesses.admit('anna', '10.0.0.1')).kind, 'go')
    guesses.ended('ANNA', '10.0.0.1', false)
    await settle()
  }
  assert.equal((await one.admit('bert', '10.0.0.1')).kind, 'refuse')
  assert.equal((await other.admit('bert', '10.0.0.1')).kind, 'refuse')
  const samples = Object.values(clerk.metrics()).flatMap((metric) => ('samples' in metric ? [metric.samples] : []))
  const all = Object.assign({}, ...samples) as Record<string, number>
  assert.equal(all['vorposten_auth_throttled{what="addresses"}'], 1)
  assert.equal(all['vorposten_auth_throttled_total{why="address"}'], 2)
  const list = (await desk.command('guesses/list', null)) as { addresses: { key: string }[] }
  assert.deepEqual(
    list.addresses.map(({ key }) => key),
    ['10.0.0.1'],
  )
  assert.equal(await desk.command('guesses/forgive', { address: '::ffff:10.0.0.1' }), true)
  assert.equal((await one.admit('bert', '10.0.0.1')).kind, 'go')
  await assert.rejects(desk.command('guesses/forgive', { address: 'x' }), /x is no address/)
})

test('a use from a network is remembered across restarts, and written now and then', async () => {
  const { one, store, clock, database } = bench()
  const use = async () => {
    await one.admit('anna', '192.0.2.9')
    one.ended('anna', '192.0.2.9', true)
    await settle()
  }
  await use()
  const [first] = store.networks('anna')
  assert.equal(first?.network, '192.0.2.0/24')
  await clock.pass(1000)
  await use()
  assert.deepEqual(store.networks('anna'), [first])
  await clock.pass(NETWORK_WRITE_MS)
  await use()
  assert.notDeepEqual(store.networks('anna'), [first])
  // After a restart the network is not a stranger's: 30 mistakes instead of ten.
  const again = new GuessesClerk({ store, commits: new GroupCommit(database), clock: new HandClock() })
  const desk = new Desk([again])
  const guesses = guessesOf({ desk: (about, body) => desk.answer(1, about, body), clock })
  for (let i = 0; i < 30; i++) {
    assert.equal((await guesses.admit('anna', '192.0.2.77')).kind, 'go')
    guesses.ended('anna', '192.0.2.77', false)
    await settle()
  }
  assert.equal((await guesses.admit('anna', '192.0.2.77')).kind, 'refuse')
})

test('who comes with many connections at once waits for his first answer; without an answer he is refused', async () => {
  const { one, clock } = bench()
  const kinds: string[] = []
  for (let i = 0; i < 15; i++) void one.admit('anna', '10.0.0.1').then(({ kind }) => kinds.push(kind))
  await settle()
  assert.deepEqual(kinds, Array(10).fill('go'))
  one.ended('anna', '10.0.0.1', true)
  await clock.pass(1000)
  assert.deepEqual(kinds, Array(15).fill('go'))
  let last = ''
  for (let i = 0; i < 20; i++) void one.admit('bert', '10.9.0.1').then(({ kind }) => (last = kind))
  await clock.pass(60_000)
  assert.equal(last, 'refuse')
})

test('when nobody can count, an attempt rejects, and its end does not', async () => {
  const lost = guessesOf({ desk: () => Promise.reject(new Error('gone')), clock: new HandClock() })
  await assert.rejects(lost.admit('anna', '10.0.0.1'), /gone/)
  lost.ended('anna', '10.0.0.1', false)
  await settle()
})

test('a store that cannot be read makes strangers of everybody', async () => {
  const { one, database } = bench()
  database.close()
  assert.equal((await one.admit('anna', '10.0.0.1')).kind, 'go')
  one.ended('anna', '10.0.0.1', true)
  await settle()
})

test('a use that the supervisor does not take is nobody’s trouble; a store that cannot be read is told once', async () => {
  const { database, clock } = bench()
  const faults: string[] = []
  const credentials = credentialsOf({
    store: database,
    desk: () => Promise.reject(new Error('gone')),
    clock,
    tenantExists: () => true,
    fault: (text) => void faults.push(text),
  })
  assert.equal(credentials.proved('anna').kind, 'right')
  await settle()
  database.close()
  for (let i = 0; i < 3; i++) assert.equal(credentials.proved('anna').kind, 'unknown')
  assert.equal(faults.length, 1)
})
