import assert from 'node:assert/strict'
import { test } from 'node:test'
import { good, host, message, quiet, route, summary, World } from './testing.ts'

const SEND = { onMixed: 'send' } as const
const TWO = route([host('second', 20), host('first', 10)])

test('hosts are tried by preference within one attempt; the failed one is then left alone', async () => {
  const world = new World()
  world.server('second')
  const attempt = await world.delivery.attempt(TWO, message(), SEND)
  assert.equal(summary(attempt), 'delivered')
  assert.equal(attempt.relay, 'second[second]:25')
  assert.deepEqual(world.dialled, ['first', 'second'])
  await world.delivery.attempt(TWO, message(), SEND)
  assert.deepEqual(world.dialled, ['first', 'second'])
})

test('a better host that is back takes over, without a message waiting for the trial', async () => {
  const world = new World()
  const second = world.server('second')
  await world.delivery.attempt(TWO, message(), SEND)
  const first = world.server('first')
  await world.clock.pass(6_000)
  const served = await world.delivery.attempt(TWO, message(), SEND)
  assert.equal(served.relay, 'second[second]:25')
  await quiet()
  assert.equal(first.open, 1)
  assert.equal((await world.delivery.attempt(TWO, message(), SEND)).relay, 'first[first]:25')
  assert.equal(second.open, 0, 'the fallback connection is given up')
})

test('a black-holed better host is one trial beside a fallback that serves', async () => {
  const world = new World()
  world.server('second')
  await world.delivery.attempt(TWO, message(), SEND)
  world.server('first').refuses = 'hang'
  await world.clock.pass(6_000)
  for (let i = 0; i < 10; i++) assert.equal(summary(await world.delivery.attempt(TWO, message(), SEND)), 'delivered')
  assert.deepEqual(world.dialled, ['first', 'second', 'first'])
})

test('all hosts in back-off: deferred at once, nothing is dialled; pauses grow from 5 s to 5 min', async () => {
  const world = new World()
  const one = route(['mx'])
  assert.equal(summary(await world.delivery.attempt(one, message(), SEND)), 'connect')
  const pausesMs: number[] = []
  for (let i = 0; i < 9; i++) {
    const { backOffMs } = world.delivery.stats()[0]!.hosts[0]!
    pausesMs.push(backOffMs)
    world.dialled = []
    world.clock.nowMs += backOffMs - 1
    const attempt = await world.delivery.attempt(one, message(), SEND)
    assert.equal(summary(attempt), 'connect')
    const [outcome] = attempt.outcomes
    assert.match(outcome?.kind === 'deferred' ? outcome.text : '', /^not tried again yet: mx\[mx\]:25: connect/)
    assert.deepEqual(world.dialled, [])
    world.clock.nowMs += 1
    await world.delivery.attempt(one, message(), SEND)
    assert.deepEqual(world.dialled, ['mx'])
  }
  assert.deepEqual(
    pausesMs,
    [5, 10, 20, 40, 80, 160, 300, 300, 300].map((seconds) => seconds * 1000),
  )
})

test('connections that fail together are one failure', async () => {
  const world = new World()
  world.server('mx').refuses = 'hang'
  const attempts = [1, 2, 3].map(() => world.delivery.attempt(route(['mx']), message(), SEND))
  await quiet()
  assert.equal(world.dialled.length, 3)
  await world.clock.pass(30_000)
  await Promise.all(attempts)
  assert.equal(world.delivery.stats()[0]!.hosts[0]!.backOffMs, 5_000)
})

test('after a pause there is a single trial; the others wait for its result', async () => {
  const world = new World()
  const one = route(['mx'])
  await world.delivery.attempt(one, message(), SEND)
  world.server('mx').refuses = 'hang'
  world.clock.nowMs += 5_000
  world.dialled = []
  const attempts = Array.from({ length: 10 }, () => world.delivery.attempt(one, message(), SEND))
  await quiet()
  assert.deepEqual(world.dialled, ['mx'])
  await world.clock.pass(31_000)
  for (const attempt of attempts) assert.equal(summary(await attempt), 'connect')
  world.servers.get('mx')!.refuses = undefined
  world.clock.nowMs += 10_000
  const later = Array.from({ length: 10 }, () => world.delivery.attempt(one, message(), SEND))
  for (const attempt of await Promise.all(later)) assert.equal(summary(attempt), 'delivered')
})

test('hosts of equal preference share the load', async () => {
  const world = new World()
  const servers = ['a', 'b', 'c'].map((name) => world.server(name))
  let seed = 1
  world.random = () => (seed = (seed * 48271) % 2147483647) / 2147483647
  const equal = route(['a', 'b', 'c'], { deliveriesPerConnectionMax: 1 })
  for (let i = 0; i < 300; i++) await world.delivery.attempt(equal, message(), SEND)
  for (const { taken } of servers) assert.ok(taken > 60 && taken < 140, `${taken} of 300`)
})

test('all addresses of a host are tried, up to a limit', async () => {
  const world = new World()
  world.names.set('mx.example', ['192.0.2.1', '192.0.2.2', '192.0.2.3'])
  world.server('192.0.2.3')
  const attempt = await world.delivery.attempt(route(['mx.example']), message(), SEND)
  assert.equal(attempt.relay, 'mx.example[192.0.2.3]:25')
  world.names.set(
    'many.example',
    Array.from({ length: 9 }, (_, i) => `192.0.2.1${i}`),
  )
  world.dialled = []
  await world.delivery.attempt(route(['many.example'], { id: 'customer/many' }), message(), SEND)
  assert.equal(world.dialled.length, 4)
})

test('a name that cannot be resolved is obstacle dns', async () => {
  const world = new World()
  world.names.set('mx.example', new Error('the name servers did not answer'))
  world.names.set('none.example', [])
  assert.equal(summary(await world.delivery.attempt(route(['mx.example']), message(), SEND)), 'dns')
  assert.equal(summary(await world.delivery.attempt(route(['none.example'], { id: 'x/y' }), message(), SEND)), 'dns')
})

test('a host that refuses the session is passed over like one that is down; its reply is kept', async () => {
  for (const greeting of ['554 no service', '421 too many connections']) {
    const world = new World()
    world.server('first').greeting = greeting
    world.server('second')
    assert.equal((await world.delivery.attempt(TWO, message(), SEND)).relay, 'second[second]:25')
    const only = new World()
    only.server('mx').greeting = greeting
    const [outcome] = (await only.delivery.attempt(route(['mx']), message(), SEND)).outcomes
    assert.ok(outcome?.kind === 'deferred')
    assert.equal(outcome.obstacle, 'refused-for-now')
    assert.equal(outcome.reply?.code, Number(greeting.slice(0, 3)))
  }
})

test('a black hole costs only its own route', async () => {
  const world = new World()
  world.server('hole').refuses = 'hang'
  world.server('silent').greeting = undefined
  const stuck = ['hole', 'silent'].flatMap((name) =>
    Array.from({ length: 50 }, () => world.delivery.attempt(route([name], { id: `x/${name}` }), message(), SEND)),
  )
  world.server('mx')
  assert.equal(summary(await world.delivery.attempt(route(['mx']), message(), SEND)), 'delivered')
  await world.clock.pass(6 * 60_000)
  const obstacles = new Set((await Promise.all(stuck)).map(summary))
  assert.deepEqual([...obstacles].sort(), ['connect', 'timeout'])
})

test('TLS: opportunistic falls back to clear on a new connection, required waits', async () => {
  const offering = good({}, ['PIPELINING', 'STARTTLS'])
  const tls = async (use: 'opportunistic' | 'required' | 'verified', handshake: 'ok' | 'fails') => {
    const world = new World()
    const server = world.server('mx', offering)
    server.tls = handshake
    const attempt = await world.delivery.attempt(route(['mx'], { tls: use }), message(), SEND)
    return `${summary(attempt)} tls=${attempt.tls} sessions=${server.sessions.length} verify=${server.sessions[0]!.wire.secured?.verify}`
  }
  assert.equal(await tls('opportunistic', 'ok'), 'delivered tls=true sessions=1 verify=false')
  assert.equal(await tls('opportunistic', 'fails'), 'delivered tls=false sessions=2 verify=false')
  assert.equal(await tls('required', 'ok'), 'delivered tls=true sessions=1 verify=false')
  assert.equal(await tls('required', 'fails'), 'tls tls=false sessions=1 verify=false')
  assert.equal(await tls('verified', 'ok'), 'delivered tls=true sessions=1 verify=true')
  assert.equal(await tls('verified', 'fails'), 'tls tls=false sessions=1 verify=true')
})
