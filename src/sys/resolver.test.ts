import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, Dns } from './dns/answer.ts'
import { createResolver, type ResolveError } from './resolver.ts'

type Said = readonly string[] | 'no-name' | 'no-record' | 'unknown'

function answer(said: Said, name: string): Answer<'A'> {
  if (said === 'unknown') return { kind: 'unknown', text: 'SERVFAIL' }
  const common = { name, secure: false, ttlMs: 60_000 }
  return typeof said === 'string' ? { kind: 'none', why: said, ...common } : { kind: 'found', records: said, ...common }
}

/** A resolver whose DNS says the same of every name. */
function scripted(four: Said, six: Said, hostsFile = '') {
  const state = { nowMs: 0, four, six, asked: [] as string[], filesRead: 0 }
  const dns = {
    lookup(name: string, type: string) {
      state.asked.push(name)
      return Promise.resolve(answer(type === 'A' ? state.four : state.six, name))
    },
  } as unknown as Dns
  const read = () => {
    state.filesRead++
    return hostsFile === '' ? Promise.reject(new Error('ENOENT')) : Promise.resolve(hostsFile)
  }
  return { state, resolve: createResolver({ monotonic: () => state.nowMs }, dns, read) }
}
const kindOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: ResolveError) => error.kind,
  )

test('literals and localhost need no name server', async () => {
  const { resolve, state } = scripted('unknown', 'unknown')
  assert.deepEqual(await resolve('192.0.2.1'), ['192.0.2.1'])
  assert.deepEqual(await resolve('2001:DB8::1'), ['2001:db8::1'])
  assert.deepEqual(await resolve('localhost'), ['127.0.0.1', '::1'])
  assert.deepEqual(state.asked, [])
})

test('both families, IPv4 first; one family is enough', async () => {
  const both = scripted(['192.0.2.1', '192.0.2.2'], ['2001:db8::1'])
  assert.deepEqual(await both.resolve('MX.Example'), ['192.0.2.1', '192.0.2.2', '2001:db8::1'])
  assert.deepEqual(both.state.asked, ['mx.example', 'mx.example'])
  for (const failure of ['no-record', 'unknown'] as const) {
    assert.deepEqual(await scripted(['192.0.2.1'], failure).resolve('mx.example'), ['192.0.2.1'])
    assert.deepEqual(await scripted(failure, ['2001:db8::1']).resolve('mx.example'), ['2001:db8::1'])
  }
})

test('no address for certain, or nobody knows', async () => {
  assert.equal(await kindOf(scripted('no-name', 'no-name').resolve('mx.example')), 'unknown')
  assert.equal(await kindOf(scripted('no-record', 'no-record').resolve('mx.example')), 'unknown')
  assert.equal(await kindOf(scripted('no-record', 'unknown').resolve('mx.example')), 'temporary')
  assert.equal(await kindOf(scripted('unknown', 'no-record').resolve('mx.example')), 'temporary')
})

test('what DNS does not know may be in /etc/hosts, which is read twice a minute at most', async () => {
  const file =
    '# local\n::1 localhost\nfd00::1\tmx.internal\n10.0.0.1  other MX.internal alias # mx2.internal\nx mx3.internal\n'
  const { resolve, state } = scripted('no-name', 'no-name', file)
  assert.deepEqual(await resolve('mx.internal'), ['10.0.0.1', 'fd00::1'])
  state.nowMs = 29_999
  assert.equal(await kindOf(resolve('mx2.internal')), 'unknown')
  assert.equal(state.filesRead, 1)
  state.nowMs = 30_000
  assert.equal(await kindOf(resolve('mx3.internal')), 'unknown')
  assert.equal(state.filesRead, 2)
  assert.deepEqual(await scripted('unknown', 'unknown', file).resolve('alias'), ['10.0.0.1'])
})
