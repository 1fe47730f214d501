/** Delivery over real TCP and real TLS, on loopback. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { after, before, test } from 'node:test'
import tls from 'node:tls'
import { content } from '#mail/content.ts'
import { systemClock } from '#sys/clock.ts'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { connectSocket } from '#sys/socket.ts'
import type { Route } from '#tenant/directory.ts'
import { createDelivery, type Delivery } from './delivery.ts'
import { message, route, summary } from './testing.ts'

const { keyPem, certificatePem } = selfSignedCertificate({
  names: ['mx.example.test'],
  fromMs: Date.now() - 60_000,
  days: 1,
})
const CONTEXT = tls.createSecureContext({ key: keyPem, cert: certificatePem, ticketKeys: Buffer.alloc(48, 7) })
const SEND = { onMixed: 'send' } as const

let server: net.Server
let port = 0
/** What the next sessions do. */
let handshake: 'ok' | 'garbage' = 'ok'
let onDot: 'take' | 'reset' = 'take'
let contents: string[] = []
let sessions: { resumed: boolean | undefined; plain: net.Socket }[] = []

before(async () => {
  server = net.createServer((plain) => {
    const session = { resumed: undefined as boolean | undefined, plain }
    sessions.push(session)
    plain.write('220 mx.example.test\r\n')
    serve(plain, session)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as net.AddressInfo).port
})
after(() => server.close())

function serve(socket: net.Socket, session: { resumed: boolean | undefined; plain: net.Socket }): void {
  let text = ''
  let inContent = false
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1')
    if (inContent) {
      const end = text.endsWith('\r\n.\r\n') ? text.length - 3 : -1
      if (end < 0) return
      contents.push(text.slice(0, end))
      text = ''
      inContent = false
      if (onDot === 'reset') session.plain.resetAndDestroy()
      else socket.write('250 2.0.0 taken\r\n')
      return
    }
    for (let end = text.indexOf('\r\n'); end >= 0 && !inContent; end = text.indexOf('\r\n')) {
      const verb = text.slice(0, end).split(/[ :]/)[0]
      text = text.slice(end + 2)
      inContent = verb === 'DATA'
      if (verb === 'STARTTLS') startTls(socket, session)
      else if (verb === 'EHLO') socket.write('250-mx\r\n250-STARTTLS\r\n250 PIPELINING\r\n')
      else if (verb === 'QUIT') socket.end('221 bye\r\n')
      else socket.write(inContent ? '354 go\r\n' : '250 ok\r\n')
    }
  })
}

function startTls(socket: net.Socket, session: { resumed: boolean | undefined; plain: net.Socket }): void {
  socket.removeAllListeners('data')
  if (handshake === 'garbage') {
    socket.write('220 go\r\n')
    socket.once('data', () => socket.end('this is not TLS\r\n'))
    return
  }
  socket.write('220 go\r\n')
  const secure = new tls.TLSSocket(socket, { isServer: true, secureContext: CONTEXT })
  secure.once('secure', () => {
    session.resumed = secure.isSessionReused()
  })
  serve(secure, session)
}

async function using(work: (delivery: Delivery, to: (more?: Partial<Route>) => Route) => Promise<void>): Promise<void> {
  contents = []
  sessions = []
  handshake = 'ok'
  onDot = 'take'
  const delivery = createDelivery({
    connect: connectSocket,
    clock: systemClock,
    hostname: 'relay.example',
    random: Math.random,
    resolve: async () => ['127.0.0.1'],
  })
  const hosts = [{ name: 'mx.example.test', port, preference: 10 }]
  try {
    await work(delivery, (more) => ({ ...route([]), hosts, ...more }))
  } finally {
    delivery.retire(new Set())
  }
}

test('a message of some megabytes arrives octet for octet', () =>
  using(async (delivery, to) => {
    const line = `${'x'.repeat(70)}\r\n.a line with a dot\r\n`
    const chunk = Buffer.from(line.repeat(700), 'latin1')
    const letter = { ...message(), content: content(Array.from({ length: 80 }, () => chunk)) }
    assert.equal(summary(await delivery.attempt(to(), letter, SEND)), 'delivered')
    const expected = chunk.toString('latin1').repeat(80).replaceAll('\r\n.', '\r\n..')
    assert.ok(contents[0] === expected)
  }))

test('STARTTLS, and the session is resumed by the next connection', () =>
  using(async (delivery, to) => {
    const once = to({ tls: 'required', deliveriesPerConnectionMax: 1, connectionsMax: 1 })
    for (let i = 0; i < 3; i++) {
      const attempt = await delivery.attempt(once, message(), SEND)
      assert.equal(summary(attempt), 'delivered')
      assert.equal(attempt.tls, true)
    }
    assert.deepEqual(
      sessions.map(({ resumed }) => resumed),
      [false, true, true],
    )
  }))

test('a certificate that nobody vouches for: opportunistic does not mind, verified waits', () =>
  using(async (delivery, to) => {
    assert.equal(summary(await delivery.attempt(to({ tls: 'opportunistic' }), message(), SEND)), 'delivered')
    const attempt = await delivery.attempt(to({ tls: 'verified' }), message(), SEND)
    assert.equal(summary(attempt), 'tls')
    assert.equal(contents.length, 1)
  }))

test('an authority of one’s own is believed, and only as long as it is named', () =>
  using(async (delivery, to) => {
    const once = { tls: 'verified', deliveriesPerConnectionMax: 1, connectionsMax: 1 } as const
    const own = { ...once, authorities: { pem: certificatePem } }
    for (let i = 0; i < 2; i++) assert.equal(summary(await delivery.attempt(to(own), message(), SEND)), 'delivered')
    assert.deepEqual(
      sessions.map(({ resumed }) => resumed),
      [false, true],
    )
    const other = selfSignedCertificate({ names: ['mx.example.test'], fromMs: Date.now() - 60_000, days: 1 })
    const changed = { ...once, authorities: { pem: other.certificatePem } }
    // What waits in back-off after a failure would hide which of the two failed.
    assert.equal(summary(await delivery.attempt(to(changed), message(), SEND)), 'tls')
    assert.equal(summary(await delivery.attempt(to({ ...once, id: 'customer/other' }), message(), SEND)), 'tls')
    assert.equal(contents.length, 2)
  }))

test('a handshake that fails: clear text where the route allows it, no delivery where not', () =>
  using(async (delivery, to) => {
    handshake = 'garbage'
    const attempt = await delivery.attempt(to({ tls: 'opportunistic' }), message(), SEND)
    assert.equal(summary(attempt), 'delivered')
    assert.equal(attempt.tls, false)
    assert.equal(sessions.length, 2)
    assert.equal(summary(await delivery.attempt(to({ tls: 'required' }), message(), SEND)), 'tls')
  }))

test('a reset after the dot is lost; an idle connection that was closed costs nothing', () =>
  using(async (delivery, to) => {
    assert.equal(summary(await delivery.attempt(to(), message(), SEND)), 'delivered')
    sessions[0]!.plain.resetAndDestroy()
    assert.equal(summary(await delivery.attempt(to(), message(), SEND)), 'delivered')
    onDot = 'reset'
    assert.equal(summary(await delivery.attempt(to(), message(), SEND)), 'lost')
  }))

test('nobody listens: connect', () =>
  using(async (delivery, to) => {
    const free = net.createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port: unused } = free.address() as net.AddressInfo
    free.close()
    await once(free, 'close')
    const nowhere = to({ hosts: [{ name: 'mx.example.test', port: unused, preference: 10 }] })
    assert.equal(summary(await delivery.attempt(nowhere, message(), SEND)), 'connect')
  }))
