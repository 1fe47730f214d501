import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NULL_PATH } from '#mail/address.ts'
import { mailbox, recipient } from '#smtp/client/testing.ts'
import { good, MailServer, MemoryWire, message, quiet, route, summary, World } from './testing.ts'
import { TlsSessions } from './tls-sessions.ts'

const SEND = { onMixed: 'send' } as const
const ASKED = recipient('a@customer.example').forwardPath

test('a probe uses an idle connection, and gives it back', async () => {
  const world = new World()
  const server = world.server('mx')
  await world.delivery.attempt(route(['mx']), message(), SEND)
  assert.equal((await world.delivery.probe(route(['mx']), ASKED)).kind, 'known')
  await world.delivery.attempt(route(['mx']), message(), SEND)
  assert.equal(server.sessions.length, 1)
  assert.ok(server.last.commands.includes('MAIL FROM:<>'))
  assert.ok(server.last.commands.includes('RSET'))
})

test('probes have their own connections when deliveries have taken all', async () => {
  const world = new World()
  const server = world.server('mx', good({ '.': undefined }))
  const narrow = route(['mx'], { connectionsMax: 1 })
  void world.delivery.attempt(narrow, message(), SEND)
  await quiet()
  const answers = await Promise.all(Array.from({ length: 10 }, () => world.delivery.probe(narrow, ASKED)))
  assert.deepEqual([...new Set(answers.map(({ kind }) => kind))], ['known'])
  assert.equal(server.sessions.length, 3)
})

test('probe answers: unknown only by 5yz to RCPT, all else unreachable', async () => {
  const ask = async (special: Record<string, string>) => {
    const world = new World()
    world.server('mx', good(special))
    const answer = await world.delivery.probe(route(['mx']), ASKED)
    return answer.kind === 'unreachable' ? answer.obstacle : answer.kind
  }
  assert.equal(await ask({}), 'known')
  assert.equal(await ask({ RCPT: '550 5.1.1 no' }), 'unknown')
  assert.equal(await ask({ MAIL: '550 no' }), 'refused-for-now')
  assert.equal(await ask({ RCPT: '450 greylisted' }), 'refused-for-now')
  const nowhere = await new World().delivery.probe(route(['mx']), ASKED)
  assert.equal(nowhere.kind === 'unreachable' && nowhere.obstacle, 'connect')
})

test('a probe over a dead pooled connection is asked again; its sender may be given', async () => {
  const world = new World()
  const server = world.server('mx')
  await world.delivery.attempt(route(['mx']), message(), SEND)
  server.answers = (line, session) => (session === server.sessions[0] ? '421 bye' : good()(line, session))
  const reversePath = { kind: 'mailbox', mailbox: mailbox('probe@relay.example') } as const
  assert.equal((await world.delivery.probe(route(['mx']), ASKED, reversePath)).kind, 'known')
  assert.ok(server.sessions[1]!.commands.includes('MAIL FROM:<probe@relay.example>'))
  assert.equal((await world.delivery.probe(route(['mx']), ASKED, NULL_PATH)).kind, 'known')
})

test('when one pooled connection is dead, its neighbours of the same age are not tried', async () => {
  for (const kind of ['delivery', 'probe'] as const) {
    const world = new World()
    const server = world.server('mx')
    const to = route(['mx'])
    await Promise.all([1, 2, 3].map(() => world.delivery.attempt(to, message(), SEND)))
    assert.equal(server.open, 3)
    const old = new Set(server.sessions)
    server.answers = (line, session) => (old.has(session) && line !== 'QUIT' ? '421 bye' : good()(line, session))
    if (kind === 'probe') assert.equal((await world.delivery.probe(to, ASKED)).kind, 'known')
    else assert.equal(summary(await world.delivery.attempt(to, message(), SEND)), 'delivered')
  }
})

test('a second try comes before those who wait for their first', async () => {
  const world = new World()
  const server = world.server('mx')
  const narrow = route(['mx'], { connectionsMax: 1 })
  await world.delivery.attempt(narrow, message(), SEND)
  server.answers = (line, session) => (session === server.sessions[0] ? '421 bye' : good()(line, session))
  const order: string[] = []
  const send = (name: string) => world.delivery.attempt(narrow, message(), SEND).then(() => order.push(name))
  await Promise.all(['unlucky', 'second', 'third'].map(send))
  assert.deepEqual(order, ['unlucky', 'second', 'third'])
})

test('drain: what is under way ends, what waits is told, idle and opening connections close', async () => {
  const world = new World()
  const server = world.server('mx', (line, session) => (line === '.' ? undefined : good()(line, session)))
  const narrow = route(['mx'], { connectionsMax: 1 })
  const silent = route(['silent'], { id: 'x/silent' })
  world.server('silent').greeting = undefined
  const running = world.delivery.attempt(narrow, message(), SEND)
  const opening = world.delivery.attempt(silent, message(), SEND)
  await quiet()
  const waiting = world.delivery.attempt(narrow, message(), SEND)
  let drained = false
  const end = world.delivery.drain().then(() => {
    drained = true
  })
  assert.equal(summary(await waiting), 'aborted')
  assert.equal(summary(await opening), 'aborted')
  assert.equal(summary(await world.delivery.attempt(narrow, message(), SEND)), 'aborted')
  await world.clock.pass(3_000)
  assert.equal(drained, false)
  server.last.say('250 taken')
  assert.equal(summary(await running), 'delivered')
  await world.clock.pass(2_000)
  await end
  assert.equal(server.open, 0)
  assert.equal(server.last.commands.at(-1), 'QUIT')
})

test('a connect that succeeds only after drain is given up', async () => {
  let connected: (wire: MemoryWire) => void = () => {}
  const world = new World({ connect: () => new Promise((resolve) => void (connected = resolve)) })
  const attempt = world.delivery.attempt(route(['mx']), message(), SEND)
  await quiet()
  await world.delivery.drain()
  assert.equal(summary(await attempt), 'aborted')
  const late = new MailServer()
  late.greeting = undefined
  connected(new MemoryWire(late, '192.0.2.1', 25))
  await quiet()
  assert.equal(late.open, 0)
})

test('drain with nothing open resolves at once', async () => {
  await new World().delivery.drain()
})

test('a reload that changes nothing keeps connections; one that does, or drops the route, gives them up', async () => {
  const world = new World()
  const server = world.server('mx')
  await world.delivery.attempt(route(['mx']), message(), SEND)
  await world.delivery.attempt(route(['mx'], { retryFirstMs: 5 }), message(), SEND)
  assert.equal(server.sessions.length, 1)
  await world.delivery.attempt(route(['mx'], { tls: 'opportunistic' }), message(), SEND)
  assert.equal(server.sessions.length, 2)
  assert.equal(server.open, 1)
  world.delivery.retire(new Set(['customer/other']))
  await world.clock.pass(2_000)
  assert.equal(server.open, 0)
  assert.deepEqual(world.delivery.stats(), [])
  assert.equal(world.clock.timers, 0)
})

test('who waits when the route goes is still served', async () => {
  const world = new World()
  const server = world.server('mx')
  const attempts = Array.from({ length: 5 }, () =>
    world.delivery.attempt(route(['mx'], { connectionsMax: 1 }), message(), SEND),
  )
  world.delivery.retire(new Set())
  for (const attempt of attempts) assert.equal(summary(await attempt), 'delivered')
  await quiet()
  assert.equal(server.open, 0)
})

test('TLS sessions are kept per route and policy, and bounded', () => {
  const all = new TlsSessions(2)
  const one = all.forRoute('a/x', 'required')
  one.set('mx:25', Buffer.from('1'))
  assert.equal(one.get('mx:25')?.toString(), '1')
  assert.equal(all.forRoute('b/x', 'required').get('mx:25'), undefined)
  assert.equal(all.forRoute('a/x', 'verified').get('mx:25'), undefined)
  one.set('mx2:25', Buffer.from('2'))
  one.set('mx:25', Buffer.from('3'))
  one.set('mx3:25', Buffer.from('4'))
  assert.equal(one.get('mx2:25'), undefined)
  assert.equal(one.get('mx:25')?.toString(), '3')
})

test('a server that refuses the null path is asked with the other sender, for a day; a refused MAIL teaches nothing', async () => {
  const calloutSender = { kind: 'mailbox', mailbox: mailbox('probe@relay.example') } as const
  const refusing = (line: string, session: Parameters<ReturnType<typeof good>>[1]) =>
    line.startsWith('MAIL FROM:<>') ? '550 5.7.1 no null sender' : good()(line, session)
  const alone = new World()
  alone.server('mx', refusing)
  const answer = await alone.delivery.probe(route(['mx']), ASKED)
  assert.ok(answer.kind === 'unreachable' && answer.senderRefused?.code === 550)

  const world = new World({ calloutSender: () => calloutSender })
  const server = world.server('mx', refusing)
  const mails = () => server.sessions.flatMap(({ commands }) => commands).filter((line) => line.startsWith('MAIL'))
  assert.equal((await world.delivery.probe(route(['mx']), ASKED)).kind, 'known')
  assert.deepEqual(mails(), ['MAIL FROM:<>', 'MAIL FROM:<probe@relay.example>'])
  assert.equal((await world.delivery.probe(route(['mx']), ASKED)).kind, 'known')
  assert.deepEqual(mails().slice(2), ['MAIL FROM:<probe@relay.example>'])
  await world.clock.pass(24 * 3_600_000 + 1000)
  assert.equal((await world.delivery.probe(route(['mx']), ASKED)).kind, 'known')
  assert.deepEqual(mails().slice(3), ['MAIL FROM:<>', 'MAIL FROM:<probe@relay.example>'])
  // Whoever refuses both refuses no recipient.
  server.answers = (line, session) => (line.startsWith('MAIL') ? '550 5.7.1 nobody' : good()(line, session))
  assert.equal((await world.delivery.probe(route(['mx']), ASKED)).kind, 'unreachable')
  // 4yz and lack of authentication are no judgment of the sender.
  for (const reply of ['451 later', '530 5.7.0 authenticate first']) {
    server.answers = (line, session) => (line.startsWith('MAIL') ? reply : good()(line, session))
    const later = await world.delivery.probe(route(['mx']), ASKED)
    assert.ok(later.kind === 'unreachable' && later.senderRefused === undefined, reply)
  }
})

test('a server that hangs up after some unknown recipients is asked again on a new connection', async () => {
  const world = new World()
  const server = world.server('mx', (line, session) => {
    if (!line.startsWith('RCPT')) return good()(line, session)
    const asked = session.commands.filter((each) => each.startsWith('RCPT')).length
    return asked > 3 ? '421 4.7.0 too many errors' : '550 5.1.1 unknown'
  })
  for (let i = 0; i < 10; i++) assert.equal((await world.delivery.probe(route(['mx']), ASKED)).kind, 'unknown', `${i}`)
  assert.equal(server.sessions.length, 4)
})
