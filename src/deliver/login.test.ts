/** Logins at smarthosts: before any job, once at each host, and what a refusal does to what waits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Route } from '#tenant/directory.ts'
import { good, message, route, summary, World } from './testing.ts'

const SEND = { onMixed: 'send' } as const
const LOGIN = { name: 'tim', password: Buffer.from('secret') }
const offering = (answer: string) => good({ AUTH: answer }, ['STARTTLS', 'AUTH PLAIN'])
const smarthost = (more: Partial<Route> = {}) => route(['mx'], { tls: 'verified', login: LOGIN, ...more })
const PLAIN = `AUTH PLAIN ${Buffer.from('\0tim\0secret').toString('base64')}`

test('the login comes after STARTTLS and before MAIL, once for a connection', async () => {
  const world = new World()
  const server = world.server('mx', offering('235 2.7.0 welcome'))
  for (let i = 0; i < 2; i++)
    assert.equal(summary(await world.delivery.attempt(smarthost(), message(), SEND)), 'delivered')
  assert.equal(server.sessions.length, 1)
  assert.deepEqual(
    server.last.commands
      .filter((line) => /^(EHLO|STARTTLS|AUTH|MAIL)/.test(line))
      .map((line) => line.split(' FROM')[0]),
    ['EHLO relay.example', 'STARTTLS', 'EHLO relay.example', PLAIN, 'MAIL', 'MAIL'],
  )
})

test('a login that is refused is the obstacle `login`; other addresses of the host are not asked, nor is it hidden', async () => {
  const world = new World()
  world.names.set('mx', ['one', 'two'])
  const [one, two] = [
    world.server('one', offering('535 5.7.8 wrong')),
    world.server('two', offering('535 5.7.8 wrong')),
  ]
  const attempt = await world.delivery.attempt(smarthost(), message(), SEND)
  assert.equal(summary(attempt), 'login')
  const [outcome] = attempt.outcomes
  assert.match(outcome?.kind === 'deferred' ? outcome.text : '', /535 5\.7\.8 wrong.*the mail waits/)
  assert.equal(one.sessions.length + two.sessions.length, 1)
})

test('454 is asked again; what one address said is not hidden by another where nobody listens', async () => {
  const world = new World()
  world.names.set('mx', ['one', 'two'])
  world.server('one', offering('454 4.7.0 not now'))
  assert.equal(summary(await world.delivery.attempt(smarthost(), message(), SEND)), 'refused-for-now')
})

test('another password is another route: its connections are new ones', async () => {
  const world = new World()
  const server = world.server('mx', offering('235 yes'))
  await world.delivery.attempt(smarthost(), message(), SEND)
  const changed = smarthost({ login: { ...LOGIN, password: Buffer.from('other') } })
  assert.equal(summary(await world.delivery.attempt(changed, message(), SEND)), 'delivered')
  assert.equal(server.sessions.length, 2)
})

test('with TLS from the first octet the login comes after the greeting, and no STARTTLS is said', async () => {
  const world = new World()
  const server = world.server('mx', offering('235 2.7.0 welcome'))
  server.implicitTls = true
  const to = smarthost({ implicitTls: true })
  assert.equal(summary(await world.delivery.attempt(to, message(), SEND)), 'delivered')
  assert.equal(server.last.wire.secured?.verify, true)
  assert.deepEqual(server.last.commands.slice(0, 2), ['EHLO relay.example', PLAIN])
  const withStartTls = smarthost()
  server.implicitTls = false
  assert.equal(summary(await world.delivery.attempt(withStartTls, message(), SEND)), 'delivered')
  assert.deepEqual([server.sessions.length, server.last.commands[1]], [2, 'STARTTLS'])
})
