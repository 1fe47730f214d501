import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KNOCK_MS_MAX, knock } from './knock.ts'
import { good, host, route, World } from './testing.ts'

function bench(hosts: string[]) {
  const world = new World()
  const { clock, connect } = world
  const to = route(
    hosts.map((name, i) => host(name, 10 * i)),
    { tls: 'opportunistic' },
  )
  const ask = () => knock(to, { clock, connect, resolve: async (name) => [name], hostname: 'relay.example' })
  return { world, clock, ask }
}

test('a server that greets is up: greeting, EHLO, QUIT, in clear, and the connection is gone', async () => {
  const { world, ask, clock } = bench(['mx', 'mx2'])
  const server = world.server('mx', good({}, ['STARTTLS']))
  const other = world.server('mx2')
  assert.equal((await ask()).up, true)
  await clock.pass(5_000)
  assert.deepEqual(server.last.commands, ['EHLO relay.example', 'QUIT'])
  assert.deepEqual([server.open, other.sessions.length, clock.timers], [0, 0, 0])
})

test('the next host may answer; where none does, it is down, in the words of the last', async () => {
  const { world, ask } = bench(['mx', 'mx2'])
  const [first, second] = [world.server('mx'), world.server('mx2')]
  first.refuses = 'ECONNREFUSED'
  assert.equal((await ask()).up, true)
  second.greeting = '554 5.7.1 go away'
  const answer = await ask()
  assert.equal(answer.up, false)
  assert.match(answer.text, /554/)
})

test('a server that is busy, or says nothing, is not up', async () => {
  const { world, ask, clock } = bench(['mx'])
  const server = world.server('mx')
  server.greeting = '421 4.3.2 too busy'
  assert.equal((await ask()).up, false)
  server.greeting = undefined
  let silent: boolean | undefined
  void ask().then(({ up }) => (silent = up))
  await clock.pass(KNOCK_MS_MAX - 3_000)
  assert.equal(silent, undefined)
  await clock.pass(6_000)
  assert.deepEqual([silent, server.open, clock.timers], [false, 0, 0])
})

test('at a port that begins with TLS nothing is said in clear', async () => {
  const world = new World()
  const server = world.server('mx')
  server.implicitTls = true
  const to = route([host('mx', 10)], { tls: 'verified', implicitTls: true })
  const { clock, connect } = world
  const answer = await knock(to, { clock, connect, resolve: async (name) => [name], hostname: 'relay.example' })
  assert.deepEqual([answer.up, server.last.wire.secured?.verify], [true, false])
})
