import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NextHopReceipt } from '#mail/custody.ts'
import { CLIENT_LIMITS } from '#smtp/client/limits.ts'
import { DELIVER_LIMITS } from './limits.ts'
import { good, message, quiet, route, summary, World } from './testing.ts'

const SEND = { onMixed: 'send' } as const
const ABORT = { onMixed: 'abort' } as const

test('a delivery: outcomes with receipts, the relay, the delays', async () => {
  const world = new World()
  world.server('192.0.2.1')
  world.names.set('mx.customer.example', ['192.0.2.1'])
  const letter = message('a@customer.example', 'b@customer.example')
  const attempt = await world.delivery.attempt(route(['mx.customer.example']), letter, SEND)
  assert.equal(summary(attempt), 'delivered,delivered')
  assert.equal(attempt.relay, 'mx.customer.example[192.0.2.1]:25')
  assert.equal(attempt.tls, false)
  assert.deepEqual(attempt.delays, { queuedMs: 100, connectMs: 0, transferMs: 0 })
  const [first, second] = attempt.outcomes
  assert.ok(first?.kind === 'delivered' && NextHopReceipt.is(first.receipt))
  assert.equal(first.receipt.id, letter.id)
  assert.deepEqual(first.receipt.reply, { code: 250, status: '2.0.0', lines: ['taken'] })
  assert.equal(second?.kind === 'delivered' && second.receipt, first.receipt)
})

test('mixed recipients: state per recipient, or nothing sent', async () => {
  const world = new World()
  const server = world.server('mx', (line, session) =>
    line.startsWith('RCPT TO:<b') ? '550 5.1.1 no' : good()(line, session),
  )
  const letter = message('a@customer.example', 'b@customer.example')
  assert.equal(summary(await world.delivery.attempt(route(['mx']), letter, ABORT)), 'aborted,failed/rcpt')
  assert.equal(server.taken, 0)
  assert.equal(summary(await world.delivery.attempt(route(['mx']), letter, SEND)), 'delivered,failed/rcpt')
  assert.equal(server.taken, 1)
  assert.equal(server.sessions.length, 1, 'RSET made the connection usable again')
})

test('connections are reused, up to the deliveries that a connection may have', async () => {
  const world = new World()
  const server = world.server('mx')
  const twice = route(['mx'], { deliveriesPerConnectionMax: 2 })
  for (let i = 0; i < 5; i++) assert.equal(summary(await world.delivery.attempt(twice, message(), SEND)), 'delivered')
  assert.equal(server.sessions.length, 3)
  assert.deepEqual(server.sessions[0]!.commands.filter((line) => /^(EHLO|MAIL|QUIT)/.test(line)).length, 4)
  assert.equal(server.sessions[0]!.commands.at(-1), 'QUIT')
})

test('never more connections than the route allows; who waits longest is next', async () => {
  const world = new World()
  const server = world.server('mx')
  const narrow = route(['mx'], { connectionsMax: 2 })
  const order: number[] = []
  const attempts = Array.from({ length: 20 }, async (_, i) => {
    assert.equal(summary(await world.delivery.attempt(narrow, message(), SEND)), 'delivered')
    order.push(i)
  })
  assert.equal(world.delivery.stats()[0]!.waiting, 20)
  await Promise.all(attempts)
  assert.equal(server.sessions.length, 2)
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  )
})

test('who cannot wait is told busy', async () => {
  const world = new World()
  world.server('mx', good({ '.': undefined }))
  const narrow = route(['mx'], { connectionsMax: 1 })
  void world.delivery.attempt(narrow, message(), SEND)
  await quiet()
  const second = world.delivery.attempt(narrow, message(), { ...SEND, waitMsMax: 2000 })
  await world.clock.pass(3000)
  assert.equal(summary(await second), 'busy')
})

test('the waiting line is bounded', async () => {
  const world = new World({ limits: { ...DELIVER_LIMITS, waitingMax: 2 } })
  world.server('mx', good({ '.': undefined }))
  const narrow = route(['mx'], { connectionsMax: 1 })
  for (let i = 0; i < 3; i++) {
    void world.delivery.attempt(narrow, message(), SEND)
    await quiet()
  }
  assert.equal(summary(await world.delivery.attempt(narrow, message(), SEND)), 'busy')
})

test('a dead pooled connection costs nothing: closed, or 421 in reply to MAIL', async () => {
  for (const kind of ['closed', '421'] as const) {
    const world = new World()
    const server = world.server('mx')
    await world.delivery.attempt(route(['mx']), message(), SEND)
    if (kind === '421')
      server.answers = (line, session) =>
        session === server.sessions[0] ? '421 too many messages' : good()(line, session)
    else
      server.answers = (line, session) =>
        (session === server.sessions[0] ? session.wire.hangUp() : good()(line, session)) as undefined
    const attempt = await world.delivery.attempt(route(['mx']), message(), SEND)
    assert.equal(summary(attempt), 'delivered', kind)
    assert.equal(server.sessions.length, 2)
  }
})

test('a fresh connection that hangs up is not tried again at once', async () => {
  const world = new World()
  const server = world.server('mx', good({ MAIL: '421 go away' }))
  assert.equal(summary(await world.delivery.attempt(route(['mx']), message(), SEND)), 'refused-for-now')
  assert.equal(server.sessions.length, 1)
})

test('after the dot nothing is tried again: lost', async () => {
  const world = new World()
  const server = world.server('mx')
  await world.delivery.attempt(route(['mx']), message(), SEND)
  server.answers = (line, session) => (line === '.' ? (session.wire.hangUp() as undefined) : good()(line, session))
  assert.equal(summary(await world.delivery.attempt(route(['mx']), message(), SEND)), 'lost')
  assert.equal(server.sessions.length, 1)
})

test('an attempt may have a limit in all; after the dot that is lost', async () => {
  for (const [silent, expected] of [
    ['DATA', 'timeout'],
    ['.', 'lost'],
  ] as const) {
    const world = new World()
    world.server('mx', good({ [silent]: undefined }))
    const attempt = world.delivery.attempt(route(['mx']), message(), { ...ABORT, totalMsMax: 10_000 })
    await quiet()
    await world.clock.pass(12_000)
    assert.equal(summary(await attempt), expected)
  }
})

test('a slow peer gets content as it takes it', async () => {
  const world = new World({ limits: { ...DELIVER_LIMITS, client: { ...CLIENT_LIMITS, dataBlockOctets: 10 } } })
  const server = world.server('mx')
  await world.delivery.attempt(route(['mx']), message(), SEND)
  const { wire } = server.last
  wire.clogged = true
  const attempt = world.delivery.attempt(route(['mx']), message(), SEND)
  await quiet()
  assert.equal(server.taken, 1)
  wire.drain()
  assert.equal(summary(await attempt), 'delivered')
})

test('idle connections say QUIT after a while, and then no timer is left', async () => {
  const world = new World()
  const server = world.server('mx')
  await world.delivery.attempt(route(['mx']), message(), SEND)
  await world.clock.pass(29_000)
  assert.equal(server.open, 1)
  await world.clock.pass(3_000)
  assert.equal(server.open, 0)
  assert.equal(server.last.commands.at(-1), 'QUIT')
  await world.clock.pass(2_000)
  assert.equal(world.clock.timers, 0)
})

test('LMTP says LHLO; the route may name the greeting', async () => {
  const world = new World()
  const server = world.server('mx')
  const lmtp = route(['mx'], { protocol: 'lmtp', greetingName: 'out.example' })
  assert.equal(summary(await world.delivery.attempt(lmtp, message(), SEND)), 'delivered')
  assert.equal(server.last.commands[0], 'LHLO out.example')
})

test('BDAT is used where it is preferred and offered', async () => {
  const world = new World({ preferChunking: true })
  const server = world.server('mx', good({}, ['PIPELINING', 'CHUNKING']))
  await world.delivery.attempt(route(['mx']), message(), SEND)
  assert.ok(server.last.commands.includes('BDAT 25 LAST'))
})

test('an attempt says whether the server reports success itself', async () => {
  for (const [keywords, expected] of [
    [['PIPELINING', 'DSN'], true],
    [['PIPELINING'], undefined],
  ] as const) {
    const world = new World()
    world.server('mx', good({}, [...keywords]))
    assert.equal((await world.delivery.attempt(route(['mx']), message(), SEND)).dsn, expected)
  }
})
