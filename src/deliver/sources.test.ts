import assert from 'node:assert/strict'
import { test } from 'node:test'
import { message, route, summary, World } from './testing.ts'

const SEND = { onMixed: 'send' } as const
const SOURCES = [
  { address: '192.0.2.1', greetingName: 'one.relay.example' },
  { address: '192.0.2.2' },
  { address: '2001:db8::1', greetingName: 'six.relay.example' },
]
const from = (hosts: string[], sources = SOURCES) => route(hosts, { sources, greetingName: 'relay.example' })

test('a connection comes from an address of the family of its host, at random, with the name of that address', async () => {
  for (const [address, random, source, name] of [
    ['198.51.100.1', 0, '192.0.2.1', 'one.relay.example'],
    ['198.51.100.1', 0.99, '192.0.2.2', 'relay.example'],
    ['2001:db8::25', 0.99, '2001:db8::1', 'six.relay.example'],
  ] as const) {
    const world = new World()
    world.random = () => random
    const server = world.server(address)
    assert.equal(summary(await world.delivery.attempt(from([address]), message(), SEND)), 'delivered')
    assert.deepEqual(world.from, [source])
    assert.equal(server.last.commands[0], `EHLO ${name}`)
  }
})

test('without an address of that family the host is not reached', async () => {
  const world = new World()
  world.server('2001:db8::25')
  const attempt = await world.delivery.attempt(from(['2001:db8::25'], SOURCES.slice(0, 2)), message(), SEND)
  assert.equal(summary(attempt), 'dns')
  assert.deepEqual(world.dialled, [])
  world.names.set('mx.example', ['2001:db8::25', '198.51.100.1'])
  world.server('198.51.100.1')
  const other = from(['mx.example'], SOURCES.slice(0, 2))
  assert.equal(summary(await world.delivery.attempt(other, message(), SEND)), 'delivered')
  assert.deepEqual(world.dialled, ['198.51.100.1'])
})

test('without source addresses the system chooses', async () => {
  const world = new World()
  world.server('198.51.100.1')
  await world.delivery.attempt(route(['198.51.100.1']), message(), SEND)
  assert.deepEqual(world.from, [undefined])
})

test('other source addresses are other connections', async () => {
  const world = new World()
  world.server('198.51.100.1')
  await world.delivery.attempt(from(['198.51.100.1']), message(), SEND)
  await world.delivery.attempt(from(['198.51.100.1'], SOURCES.slice(1)), message(), SEND)
  assert.deepEqual(world.from, ['192.0.2.1', '192.0.2.2'])
})
