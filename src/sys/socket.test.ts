import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { after, before, test } from 'node:test'
import tls from 'node:tls'
import type { TlsFacts } from '#mail/session.ts'
import { selfSignedCertificate } from './self-signed.ts'
import { connectSocket, socketWire, TLS_VERSION_MIN } from './socket.ts'
import type { Wire } from './wire.ts'

const FROM_MS = Date.now() - 60_000
const pair = (name: string) => selfSignedCertificate({ names: [name], fromMs: FROM_MS, days: 1 })
const MX = pair('mx.example.test')
const OTHER = pair('other.example.test')
const TICKET_KEYS = Buffer.alloc(48, 7)
const secureContext = ({ keyPem, certificatePem }: typeof MX) =>
  tls.createSecureContext({
    key: keyPem,
    cert: certificatePem,
    minVersion: TLS_VERSION_MIN,
    ticketKeys: TICKET_KEYS,
  })
const CONTEXT = secureContext(MX)
const OTHER_CONTEXT = secureContext(OTHER)

/** A wire whose events are kept, and can be waited for. */
class Tape {
  readonly wire: Wire
  text = ''
  endedCount = 0
  closings: (Error | undefined)[] = []
  #changed: () => void = () => {}

  constructor(wire: Wire) {
    this.wire = wire
    wire.listen({
      data: (bytes) => this.#note(() => (this.text += bytes.toString())),
      drained: () => this.#note(() => {}),
      ended: () => this.#note(() => this.endedCount++),
      closed: (error) => this.#note(() => this.closings.push(error)),
    })
  }
  #note(change: () => void): void {
    change()
    this.#changed()
  }
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#changed = resolve))
  }
  said(text: string): Promise<void> {
    return this.until(() => this.text.endsWith(text))
  }
  async closed(): Promise<Error | undefined> {
    await this.until(() => this.closings.length > 0)
    return this.closings[0]
  }
}

let server: net.Server
let port = 0
before(async () => {
  server = net.createServer({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as net.AddressInfo).port
  tls.setDefaultCACertificates([MX.certificatePem])
})
after(() => server.close())

async function connected(): Promise<{ client: Tape; server: Tape }> {
  const accepted = once(server, 'connection')
  const client = new Tape(await connectSocket({ address: '127.0.0.1', port, timeoutMs: 5000 }))
  return { client, server: new Tape(socketWire((await accepted)[0] as net.Socket)) }
}

interface Trust {
  readonly serverName: string
  readonly verify: boolean
  readonly resume?: Buffer
}
async function secured(trust: Trust, context = CONTEXT) {
  const both = await connected()
  let session: Buffer | undefined
  const facts = await Promise.allSettled([
    both.client.wire.secure({ side: 'client', ...trust, onSession: (s) => (session = s) }),
    both.server.wire.secure({
      side: 'server',
      context,
      byName: (name) => (name === 'other.example.test' ? OTHER_CONTEXT : undefined),
    }),
  ])
  return { ...both, facts, session: () => session }
}
const value = (facts: PromiseSettledResult<TlsFacts>): TlsFacts => {
  assert.equal(facts.status, 'fulfilled')
  return facts.value
}
async function finish({ client, server }: { client: Tape; server: Tape }): Promise<void> {
  client.wire.end()
  server.wire.end()
  assert.equal(await client.closed(), undefined)
  assert.equal(await server.closed(), undefined)
}

test('octets, addresses and the order of several parts', async () => {
  const { client, server } = await connected()
  assert.deepEqual(client.wire.local, server.wire.remote)
  assert.deepEqual(client.wire.remote, { address: '127.0.0.1', port })
  client.wire.writeAll(['MAIL FROM:<>\r\n', Buffer.from('RCPT TO:<ü@example.net>\r\n'), 'DATA\r\n'])
  await server.said('MAIL FROM:<>\r\nRCPT TO:<ü@example.net>\r\nDATA\r\n')
  assert.equal(client.wire.unsentOctets, 0)
  await finish({ client, server })
  assert.deepEqual([client.closings.length, server.closings.length], [1, 1])
})

test('a client that sends everything and FIN still gets its reply', async () => {
  const accepted = once(server, 'connection')
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const tape = new Tape(socketWire((await accepted)[0] as net.Socket))
  client.end('QUIT\r\n')
  await tape.until(() => tape.endedCount === 1)
  assert.equal(tape.text, 'QUIT\r\n')
  tape.wire.write('221 2.0.0 Bye\r\n')
  tape.wire.end()
  const [reply] = (await once(client, 'data')) as [Buffer]
  assert.equal(reply.toString(), '221 2.0.0 Bye\r\n')
  assert.equal(await tape.closed(), undefined)
})

test('input that nobody reads is no reason to reset the connection before the last reply', async () => {
  const { client, server } = await connected()
  server.wire.pause()
  client.wire.write('x'.repeat(100_000))
  server.wire.write('421 4.3.2 Closing\r\n')
  server.wire.end()
  await client.said('421 4.3.2 Closing\r\n')
  client.wire.end()
  assert.equal(await client.closed(), undefined)
  assert.equal(await server.closed(), undefined)
  assert.equal(server.text, '', 'nothing is handed out after end()')
})

test('a peer that does not read: write says so, unsentOctets tells how much, drained comes when it reads again', async () => {
  const { client, server } = await connected()
  client.wire.pause()
  const block = Buffer.alloc(1 << 20)
  let written = 0
  while (server.wire.write(block)) written += block.length
  while (server.wire.unsentOctets < 4 << 20) server.wire.write(block)
  const drained = server.until(() => server.wire.unsentOctets === 0)
  client.wire.resume()
  await drained
  assert.ok(written < 64 << 20)
  client.wire.destroy()
  server.wire.destroy()
  await Promise.all([client.closed(), server.closed()])
})

test('a reset arrives once, with its error', async () => {
  const accepted = once(server, 'connection')
  const client = net.connect({ port, host: '127.0.0.1' })
  const tape = new Tape(socketWire((await accepted)[0] as net.Socket))
  client.resetAndDestroy()
  assert.equal(((await tape.closed()) as NodeJS.ErrnoException).code, 'ECONNRESET')
  assert.equal(tape.closings.length, 1)
})

test('STARTTLS on both sides: facts, then octets', async () => {
  const both = await secured({ serverName: 'mx.example.test', verify: true })
  const [client, server] = both.facts.map(value)
  assert.deepEqual([client?.protocol, client?.verifiedPeer], ['TLSv1.3', 'mx.example.test'])
  assert.deepEqual([server?.serverName, server?.cipher], ['mx.example.test', client?.cipher])
  both.client.wire.writeAll(['EHLO a\r\n', 'MAIL FROM:<>\r\n'])
  await both.server.said('EHLO a\r\nMAIL FROM:<>\r\n')
  both.server.wire.write('250 a\r\n')
  await both.client.said('250 a\r\n')
  await finish(both)
})

test('the certificate follows the server name; verification compares it', async () => {
  const unknown = await secured({ serverName: 'unknown.example.test', verify: false })
  assert.equal(value(unknown.facts[0]!).verifiedPeer, undefined, 'encrypted, not verified')
  await finish(unknown)

  const refused = await secured({ serverName: 'other.example.test', verify: true })
  assert.equal(refused.facts[0]?.status, 'rejected', 'not in the trust store')
  assert.ok(await refused.client.closed())
  refused.server.wire.destroy()
  await refused.server.closed()
})

test('a session is resumed; one from an unverified connection never passes as verified', async () => {
  const first = await secured({ serverName: 'unknown.example.test', verify: false })
  first.server.wire.write('hello')
  await first.client.said('hello')
  const stale = first.session()
  assert.ok(stale)
  await finish(first)

  const again = await secured({ serverName: 'unknown.example.test', verify: true, resume: stale })
  assert.equal(again.facts[0]?.status, 'rejected')
  again.server.wire.destroy()
  await Promise.all([again.client.closed(), again.server.closed()])

  const honest = await secured({ serverName: 'mx.example.test', verify: true })
  honest.server.wire.write('hello')
  await honest.client.said('hello')
  const session = honest.session()
  assert.ok(session)
  await finish(honest)

  // The other certificate would be refused, were it shown: a resumed handshake shows none.
  const resumed = await secured({ serverName: 'mx.example.test', verify: true, resume: session }, OTHER_CONTEXT)
  assert.equal(value(resumed.facts[0]!).verifiedPeer, 'mx.example.test')
  await finish(resumed)
})

test('a handshake that fails rejects, and closes once', async () => {
  const { client, server } = await connected()
  const facts = server.wire.secure({ side: 'server', context: CONTEXT })
  client.wire.write('EHLO this-is-not-tls\r\n')
  await assert.rejects(facts, { code: 'ERR_SSL_WRONG_VERSION_NUMBER' })
  assert.equal(((await server.closed()) as NodeJS.ErrnoException).code, 'ERR_SSL_WRONG_VERSION_NUMBER')
  client.wire.destroy()
  await client.closed()
})

const DEAF_SERVER = `
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })`

test('a host that does not answer: ETIMEDOUT after the time given', async () => {
  const child = spawn(process.execPath, ['-e', DEAF_SERVER], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [portText] = (await once(child.stdout, 'data')) as [Buffer]
  const address = { address: '127.0.0.1', port: Number(portText.toString()) }
  // The backlog takes the first few; who comes then hears nothing.
  const crowd = Array.from({ length: 4 }, () => net.connect(address.port, address.address).on('error', () => {}))
  try {
    await Promise.all(crowd.slice(0, 2).map((socket) => once(socket, 'connect')))
    await assert.rejects(connectSocket({ ...address, timeoutMs: 50 }), { code: 'ETIMEDOUT' })
  } finally {
    for (const socket of crowd) socket.destroy()
    child.kill('SIGKILL')
  }
})

test('no connection: the code says why', async () => {
  const free = net.createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port: closedPort } = free.address() as net.AddressInfo
  await new Promise((resolve) => free.close(resolve))
  const connecting = connectSocket({ address: '127.0.0.1', port: closedPort, timeoutMs: 5000 })
  await assert.rejects(connecting, { code: 'ECONNREFUSED' })
})
