import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AddressRecord, createResolver, type Lookups, type ResolveError, systemLookups } from './resolver.ts'

type Answer = readonly AddressRecord[] | string
const record = (address: string, ttl = 60): AddressRecord => ({ address, ttl })

/** A resolver whose DNS says the same to everyone; a text is an error code. */
function scripted(four: Answer, six: Answer, hostsFile = '') {
  const state = { nowMs: 0, four, six, queries: 0, filesRead: 0 }
  const say = (answer: Answer) =>
    typeof answer === 'string'
      ? Promise.reject(Object.assign(new Error(answer), { code: answer }))
      : Promise.resolve(answer)
  const lookups: Lookups = {
    resolve4: () => {
      state.queries++
      return say(state.four)
    },
    resolve6: () => say(state.six),
    hostsFile: () => {
      state.filesRead++
      return hostsFile === '' ? Promise.reject(new Error('ENOENT')) : Promise.resolve(hostsFile)
    },
  }
  return { state, resolve: createResolver({ monotonic: () => state.nowMs }, lookups) }
}
const kindOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: ResolveError) => error.kind,
  )

test('literals and localhost need no name server', async () => {
  const { resolve, state } = scripted('ESERVFAIL', 'ESERVFAIL')
  assert.deepEqual(await resolve('192.0.2.1'), ['192.0.2.1'])
  assert.deepEqual(await resolve('2001:DB8::1'), ['2001:db8::1'])
  assert.deepEqual(await resolve('localhost'), ['127.0.0.1', '::1'])
  assert.equal(state.queries, 0)
})

test('both families, IPv4 first; one family is enough', async () => {
  const both = scripted([record('192.0.2.1'), record('192.0.2.2')], [record('2001:db8::1')])
  assert.deepEqual(await both.resolve('mx.example'), ['192.0.2.1', '192.0.2.2', '2001:db8::1'])
  for (const failure of ['ENODATA', 'ESERVFAIL', 'ETIMEOUT']) {
    assert.deepEqual(await scripted([record('192.0.2.1')], failure).resolve('mx.example'), ['192.0.2.1'])
    assert.deepEqual(await scripted(failure, [record('2001:db8::1')]).resolve('mx.example'), ['2001:db8::1'])
  }
})

test('answers live as long as they say, within 5 s and 1 h; spelling makes no difference', async () => {
  for (const [ttl, livesMs] of [
    [0, 5_000],
    [60, 60_000],
    [999_999, 3_600_000],
  ] as const) {
    const { resolve, state } = scripted([record('192.0.2.1', ttl), record('192.0.2.2', 10_000_000)], 'ENODATA')
    await resolve('mx.example')
    state.nowMs = livesMs - 1
    await resolve('MX.Example')
    assert.equal(state.queries, 1)
    state.nowMs = livesMs
    await resolve('mx.example')
    assert.equal(state.queries, 2)
  }
})

test('a name without address is known as such for 30 s', async () => {
  const { resolve, state } = scripted('ENOTFOUND', 'ENODATA')
  assert.equal(await kindOf(resolve('mx.example')), 'unknown')
  state.nowMs = 29_999
  assert.equal(await kindOf(resolve('mx.example')), 'unknown')
  assert.equal(state.queries, 1)
  state.nowMs = 30_000
  state.four = [record('192.0.2.1')]
  assert.equal(await kindOf(resolve('mx.example')), 'resolved')
})

test('a name server that fails says nothing about the name, and nothing is kept', async () => {
  for (const failure of ['ESERVFAIL', 'ETIMEOUT', 'EREFUSED', 'ECONNREFUSED']) {
    const { resolve, state } = scripted('ENODATA', failure)
    assert.equal(await kindOf(resolve('mx.example')), 'temporary', failure)
    state.four = [record('192.0.2.1')]
    assert.deepEqual(await resolve('mx.example'), ['192.0.2.1'])
  }
})

test('what DNS does not know may be in /etc/hosts', async () => {
  const file =
    '# local\n::1 localhost\nfd00::1\tmx.internal\n10.0.0.1  other MX.internal alias # mx2.internal\nx mx3.internal\n'
  const { resolve, state } = scripted('ENOTFOUND', 'ENOTFOUND', file)
  assert.deepEqual(await resolve('mx.internal'), ['10.0.0.1', 'fd00::1'])
  await resolve('mx.internal')
  assert.equal(state.filesRead, 1)
  assert.equal(await kindOf(resolve('mx2.internal')), 'unknown')
  assert.equal(await kindOf(resolve('mx3.internal')), 'unknown')
  assert.deepEqual(await scripted('ECONNREFUSED', 'ECONNREFUSED', file).resolve('alias'), ['10.0.0.1'])
})

test('questions at the same time are one', async () => {
  const { resolve, state } = scripted([record('192.0.2.1')], 'ENODATA')
  await Promise.all(Array.from({ length: 50 }, () => resolve('mx.example')))
  assert.equal(state.queries, 1)
})

test('the cache is bounded', async () => {
  const { resolve, state } = scripted([record('192.0.2.1')], 'ENODATA')
  for (let i = 0; i <= 10_000; i++) await resolve(`mx${i}.example`)
  await resolve('mx10000.example')
  assert.equal(state.queries, 10_001)
  await resolve('mx0.example')
  assert.equal(state.queries, 10_002)
})

test('the system has a hosts file', async () => {
  assert.match(await systemLookups().hostsFile(), /127\.0\.0\.1/)
})
