import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Endpoint } from '#mail/session.ts'
import type { Answer, RecordType } from './answer.ts'
import {
  CACHE_ENTRIES_MAX,
  CACHE_OCTETS_MAX,
  createDns,
  FAILURE_MS,
  NEGATIVE_MS_MAX,
  QUESTIONS_MAX,
  ROUNDS_MS,
  TTL_MS_MAX,
  TTL_MS_MIN,
} from './dns.ts'
import { askServer, type Exchanged } from './exchange.ts'
import { nameServersIn, systemServers } from './servers.ts'
import { AUTHENTIC, a, cname, fakeNameServer, mx, zoneScript } from './testing.ts'

type Said = Exchanged<RecordType>
const records = (addresses: readonly string[], more: object = {}): Said => ({
  kind: 'records',
  records: addresses,
  noName: false,
  name: 'mx.example',
  unfinished: false,
  authentic: false,
  ttl: addresses.length > 0 ? 60 : undefined,
  ...more,
})
const silent: Said = { kind: 'silent', text: 'ETIMEOUT' }
const servfail: Said = { kind: 'failure', rcode: 'SERVFAIL' }

const here: Endpoint = { address: '127.0.0.1', port: 53 }
const there: Endpoint = { address: '192.0.2.53', port: 53 }

/** Servers that say what `say` says. */
function scripted(say: (server: Endpoint, name: string, timeoutMs: number) => Said | Promise<Said>, servers = [here]) {
  const state = { nowMs: 0, asked: [] as string[] }
  const dns = createDns({
    clock: { monotonic: () => state.nowMs },
    servers: () => Promise.resolve(servers),
    ask: async (server, { name }, timeoutMs) => {
      state.asked.push(`${server.address} ${name} ${timeoutMs}`)
      return (await say(server, name, timeoutMs)) as never
    },
  })
  return { dns, state }
}

test('answers live as long as they say, within bounds; spelling makes no difference', async () => {
  for (const [ttl, livesMs] of [
    [0, TTL_MS_MIN],
    [60, 60_000],
    [999_999, TTL_MS_MAX],
  ] as const) {
    const { dns, state } = scripted(() => records(['192.0.2.1'], { ttl }))
    const first = await dns.lookup('mx.example', 'A')
    assert.ok(first.kind === 'found')
    assert.deepEqual([first.records, first.ttlMs], [['192.0.2.1'], livesMs])
    state.nowMs = livesMs - 1
    const again = await dns.lookup('MX.Example', 'A')
    assert.equal(again.kind === 'found' && again.ttlMs, 1)
    assert.equal(state.asked.length, 1)
    state.nowMs = livesMs
    await dns.lookup('mx.example', 'A')
    assert.equal(state.asked.length, 2)
  }
})

test('a certain no lives as the SOA says, to a bound; without SOA a moment', async () => {
  for (const [ttl, livesMs] of [
    [undefined, TTL_MS_MIN],
    [30, 30_000],
    [86_400, NEGATIVE_MS_MAX],
  ] as const) {
    for (const noName of [true, false]) {
      const { dns } = scripted(() => records([], { ttl, noName }))
      const answer = await dns.lookup('mx.example', 'A')
      assert.ok(answer.kind === 'none')
      assert.deepEqual([answer.why, answer.ttlMs], [noName ? 'no-name' : 'no-record', livesMs])
    }
  }
})

test('what nobody could say is no no, and is asked again after a moment', async () => {
  let now: Said = servfail
  const { dns, state } = scripted(() => now)
  const answer = await dns.lookup('mx.example', 'A')
  assert.ok(answer.kind === 'unknown')
  assert.match(answer.text, /127\.0\.0\.1 about A of mx\.example: SERVFAIL/)
  now = records(['192.0.2.1'])
  assert.equal((await dns.lookup('mx.example', 'A')).kind, 'unknown')
  assert.equal(state.asked.length, 1)
  state.nowMs = FAILURE_MS
  assert.equal((await dns.lookup('mx.example', 'A')).kind, 'found')
})

test('one server after the other, twice if one was silent, with more patience', async () => {
  const failing = scripted((server) => (server === here ? servfail : records(['192.0.2.1'])), [here, there])
  assert.equal((await failing.dns.lookup('mx.example', 'A')).kind, 'found')
  assert.equal(failing.state.asked.length, 2)
  const deaf = scripted(() => silent, [here, there])
  assert.equal((await deaf.dns.lookup('mx.example', 'A')).kind, 'unknown')
  const [one, two] = ROUNDS_MS
  assert.deepEqual(deaf.state.asked, [
    `127.0.0.1 mx.example ${one}`,
    `192.0.2.53 mx.example ${one}`,
    `127.0.0.1 mx.example ${two}`,
    `192.0.2.53 mx.example ${two}`,
  ])
  const malformed = scripted(() => ({ kind: 'malformed', text: 'garbage' }))
  assert.equal((await malformed.dns.lookup('mx.example', 'A')).kind, 'unknown')
  assert.equal(malformed.state.asked.length, 1)
})

test('only the word of a server on this machine makes an answer secure', async () => {
  const secure = async (server: Endpoint, authentic: boolean, said: readonly string[]) => {
    const answer = await scripted(() => records(said, { authentic }), [server]).dns.lookup('mx.example', 'A')
    return answer.kind !== 'unknown' && answer.secure
  }
  for (const said of [['192.0.2.1'], []]) {
    assert.equal(await secure(here, true, said), true)
    assert.equal(await secure({ address: '::1', port: 53 }, true, said), true)
    assert.equal(await secure(here, false, said), false)
    assert.equal(await secure(there, true, said), false)
  }
})

test('the end of an open chain of aliases is asked for, and the chain is as secure as its weakest link', async () => {
  const { dns, state } = scripted((_, name) =>
    name === 'mx.example'
      ? records([], { name: 'far.example', unfinished: true, authentic: true, ttl: 20 })
      : records(['192.0.2.9'], { name: 'far.example', authentic: false }),
  )
  const answer = await dns.lookup('mx.example', 'A')
  assert.ok(answer.kind === 'found')
  assert.deepEqual(
    [answer.records, answer.name, answer.secure, answer.ttlMs],
    [['192.0.2.9'], 'far.example', false, 20_000],
  )
  assert.equal(state.asked.length, 2)
  const endless = scripted((_, name) => records([], { name: `x.${name}`, unfinished: true }))
  assert.equal((await endless.dns.lookup('mx.example', 'A')).kind, 'unknown')
  assert.ok(endless.state.asked.length < 20)
})

test('what can be no name is not asked for', async () => {
  const { dns, state } = scripted(() => records(['192.0.2.1']))
  for (const name of [
    '',
    '.',
    'a..b',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}aaa`,
    'ä.example',
    'a b.example',
  ]) {
    assert.equal((await dns.lookup(name, 'A')).kind, 'none', name)
  }
  assert.equal((await dns.lookup('_25._tcp.mx.example', 'A')).kind, 'found')
  assert.equal(state.asked.length, 1)
})

test('questions at the same time are one, and there is an end to how many', async () => {
  let open: (said: Said) => void = () => {}
  const held = new Promise<Said>((resolve) => {
    open = resolve
  })
  const { dns, state } = scripted(() => held)
  const all = Array.from({ length: QUESTIONS_MAX * 2 }, (_, i) => dns.lookup(`mx${i % QUESTIONS_MAX}.example`, 'A'))
  const oneMore = await dns.lookup('mx.example', 'A')
  assert.equal(oneMore.kind, 'unknown')
  open(records(['192.0.2.1']))
  for (const answer of await Promise.all(all)) assert.equal(answer.kind, 'found')
  assert.equal(state.asked.length, QUESTIONS_MAX)
})

test('the cache is bounded by number and by size', async () => {
  const small = scripted(() => records(['192.0.2.1']))
  for (let i = 0; i <= CACHE_ENTRIES_MAX; i++) await small.dns.lookup(`mx${i}.example`, 'A')
  await small.dns.lookup(`mx${CACHE_ENTRIES_MAX}.example`, 'A')
  assert.equal(small.state.asked.length, CACHE_ENTRIES_MAX + 1)
  await small.dns.lookup('mx0.example', 'A')
  assert.equal(small.state.asked.length, CACHE_ENTRIES_MAX + 2)
  const large = scripted(() => records([Buffer.alloc(CACHE_OCTETS_MAX / 4).toString('latin1')]))
  for (let i = 0; i < 5; i++) await large.dns.lookup(`mx${i}.example`, 'TXT')
  await large.dns.lookup('mx4.example', 'TXT')
  assert.equal(large.state.asked.length, 5)
  await large.dns.lookup('mx0.example', 'TXT')
  assert.equal(large.state.asked.length, 6)
})

test('against a server on the wire', async () => {
  let flags = 0
  const zone = {
    'bakery.test': [mx('bakery.test', 10, 'mx.bakery.test')],
    'www.bakery.test': [cname('www.bakery.test', 'web.bakery.test'), a('web.bakery.test', '192.0.2.80')],
    'broken.test': 'servfail' as const,
  }
  await using server = await fakeNameServer((asked) => zoneScript(() => zone, flags)(asked))
  const state = { nowMs: 0 }
  const servers = () => Promise.resolve([server.endpoint])
  const dns = createDns({ clock: { monotonic: () => state.nowMs }, servers, ask: askServer })
  const short = (answer: Answer<RecordType>) =>
    answer.kind === 'found' ? answer.records : answer.kind === 'none' ? answer.why : answer.kind
  assert.deepEqual(short(await dns.lookup('bakery.test', 'MX')), [{ preference: 10, exchange: 'mx.bakery.test' }])
  assert.deepEqual(short(await dns.lookup('www.bakery.test', 'A')), ['192.0.2.80'])
  assert.equal(short(await dns.lookup('bakery.test', 'TLSA')), 'no-record')
  assert.equal(short(await dns.lookup('nobody.test', 'MX')), 'no-name')
  assert.equal(short(await dns.lookup('broken.test', 'MX')), 'unknown')
  flags = AUTHENTIC
  const secure = await dns.lookup('bakery.test', 'A')
  assert.equal(secure.kind === 'none' && secure.secure, true)
})

test('name servers as resolv.conf names them', async () => {
  const file =
    '# made\nsearch example\nnameserver 192.0.2.1\nnameserver  2001:db8::1 # two\n nameserver fe80::1%eth0\nnameserver x\n'
  assert.deepEqual(
    nameServersIn(file).map(({ address }) => address),
    ['192.0.2.1', '2001:db8::1'],
  )
  assert.deepEqual(nameServersIn(''), [here])
  const state = { nowMs: 0, text: file }
  const servers = systemServers({ monotonic: () => state.nowMs }, () => Promise.resolve(state.text))
  assert.equal((await servers()).length, 2)
  state.text = 'nameserver 192.0.2.2'
  assert.equal((await servers()).length, 2)
  state.nowMs = 30_000
  assert.deepEqual(await servers(), [{ address: '192.0.2.2', port: 53 }])
})
