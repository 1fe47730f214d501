import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import tls from 'node:tls'
import type { Session } from '#mail/session.ts'
import { traceIds } from '#mail/trace-id.ts'
import { ACCEPT } from '#mail/verdict.ts'
import type { Effect, ServerMachine, ServerSettings } from '#smtp/server/contract.ts'
import { systemClock } from '#sys/clock.ts'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { Acceptor } from './acceptor.ts'
import { ACCEPT_DEFAULTS, type AcceptSettings, type ListenerSettings } from './settings.ts'

/** Says who the client is; knows STARTTLS, HOLD (content that does not end), QUIT. */
class TinyMachine implements ServerMachine {
  readonly session: Session
  readonly wantsInput = true
  idle = true
  readonly settings: ServerSettings
  #effects: Effect[] = []
  constructor(settings: ServerSettings, session: Session) {
    this.settings = settings
    this.session = session
  }
  greet(): void {
    const { client, local, tls: facts, proxied } = this.session
    this.#write(
      `220 ${client.address} to ${local.address} ${facts ? 'tls' : 'plain'} ${proxied ? 'proxied' : 'direct'}\r\n`,
    )
  }
  receive(bytes: Buffer): void {
    const line = bytes.toString().trim()
    if (line === 'HOLD') this.idle = false
    if (line === 'STARTTLS') this.#write('220 go\r\n', { kind: 'start-tls' })
    else if (line === 'QUIT') this.#write('221 bye\r\n', { kind: 'close', why: 'quit' })
    else this.#write(`250 ${line} startTls=${this.settings.startTls}\r\n`)
  }
  answer(): void {}
  secured(): void {}
  lost(): void {}
  tick(): void {}
  shutDown(): void {
    if (this.idle) this.#write('421 4.3.2 bye\r\n', { kind: 'close', why: 'shutdown' })
  }
  take(): Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
  #write(bytes: string, ...then: Effect[]): void {
    this.#effects.push({ kind: 'write', bytes }, ...then)
  }
}

let folder = ''
before(async () => void (folder = await mkdtemp(join(tmpdir(), 'acceptor-'))))
after(() => rm(folder, { recursive: true }))

const MANY = {
  sessionsPerClientMax: 1000,
  sessionsPerNetworkMax: 1000,
  newPerMinutePerClientMax: 1000,
  newPerMinutePerNetworkMax: 1000,
  exempt: [],
}
const listener = (change: Partial<ListenerSettings> = {}): ListenerSettings => ({
  name: 'mx',
  host: '127.0.0.1',
  port: 0,
  service: 'inbound',
  tls: 'none',
  certificates: [],
  proxyFrom: [],
  clients: MANY,
  earlyTalkerDelayMs: 0,
  earlyTalkerExempt: [],
  smtp: { hostname: 'mx.example.net' } as ServerSettings,
  ...change,
})
const settings = (...listeners: ListenerSettings[]): AcceptSettings => ({ ...ACCEPT_DEFAULTS, listeners })

interface Running {
  readonly acceptor: Acceptor
  readonly told: string[]
  connect(name?: string): Client
  until(condition: () => boolean): Promise<void>
}
async function running(context: { after(call: () => unknown): void }, given: AcceptSettings): Promise<Running> {
  const told: string[] = []
  let changed = (): void => {}
  const tell = (text: string): void => {
    told.push(text)
    changed()
  }
  const acceptor = new Acceptor(given, {
    clock: systemClock,
    newTraceId: traceIds(0, Date.now, Math.random),
    machine: (smtp, session) => new TinyMachine(smtp, session),
    hasMemory: () => true,
    tlsFolder: join(folder, 'tls'),
    ticketKeys: Buffer.alloc(48),
    reusePort: false,
    decisions: {
      connect: () => ACCEPT,
      closed: () => {},
    } as unknown as Acceptor['decisions'],
    events: {
      sessionOpened: () => tell('opened'),
      sessionClosed: (_, why) => tell(`closed ${why}`),
      refused: (name, address, why) => tell(`${name} refused ${address}: ${why}`),
      tlsFailed: () => tell('tls failed'),
      defect: (_, error) => tell(`defect ${error}`),
      notice: (text) => tell(`notice ${text}`),
    },
  })
  await acceptor.prepare()
  await acceptor.listen()
  const clients: Client[] = []
  context.after(async () => {
    for (const client of clients) client.socket.destroy()
    await acceptor.drain()
  })
  const connect = (name = 'mx'): Client => {
    const { address, port } = acceptor.endpoint(name)!
    const client = new Client(net.connect({ host: address, port, allowHalfOpen: true }))
    clients.push(client)
    return client
  }
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => (changed = resolve))
  }
  return { acceptor, told, connect, until }
}

class Client {
  socket: net.Socket
  #text = ''
  constructor(socket: net.Socket) {
    this.socket = socket
    this.#watch()
  }
  async line(): Promise<string> {
    while (!this.#text.includes('\n') && !this.socket.readableEnded && !this.socket.destroyed) {
      await Promise.race(['data', 'end', 'close'].map((event) => once(this.socket, event)))
    }
    const [line = '', ...rest] = this.#text.split('\n')
    this.#text = rest.join('\n')
    return line.trim()
  }
  say(text: string): Promise<string> {
    this.socket.write(`${text}\r\n`)
    return this.line()
  }
  async secure(servername: string): Promise<string | undefined> {
    const secure = tls.connect({ socket: this.socket, servername, rejectUnauthorized: false })
    await once(secure, 'secureConnect')
    this.socket = secure
    this.#watch()
    return secure.getPeerCertificate().subjectaltname
  }
  #watch(): void {
    this.socket.on('data', (bytes) => (this.#text += bytes)).on('error', () => {})
  }
}

const certificateFor = async (name: string) => {
  const { keyPem, certificatePem } = selfSignedCertificate({ names: [name], fromMs: Date.now() - 1000, days: 100 })
  const file = join(folder, `${name}.pem`)
  await writeFile(file, certificatePem + keyPem)
  return { certificateFile: file, keyFile: file }
}

test('several addresses, one worker; sessions come and go', async (t) => {
  const { acceptor, told, connect, until } = await running(
    t,
    settings(listener(), listener({ name: 'six', host: '::1' })),
  )
  const four = connect('mx')
  const six = connect('six')
  assert.equal(await four.line(), '220 127.0.0.1 to 127.0.0.1 plain direct')
  assert.equal(await six.line(), '220 ::1 to ::1 plain direct')
  assert.equal(acceptor.sessions, 2)
  assert.equal(await four.say('QUIT'), '221 bye')
  four.socket.end()
  six.socket.resetAndDestroy()
  await until(() => acceptor.sessions === 0)
  assert.deepEqual(told.sort(), ['closed lost', 'closed quit', 'opened', 'opened'])
})

test('limits of a client: 421 4.7.0, and room again when a session ends', async (t) => {
  const clients = { ...MANY, sessionsPerClientMax: 1 }
  const { acceptor, told, connect, until } = await running(t, settings(listener({ clients })))
  const first = connect()
  await first.line()
  const second = connect()
  assert.match(await second.line(), /^421 4\.7\.0 mx\.example\.net Too many sessions/)
  assert.equal(await second.line(), '', 'closed')
  assert.ok(told.includes('mx refused 127.0.0.1: client-sessions'))
  first.socket.destroy()
  await until(() => acceptor.sessions === 0)
  assert.match(await connect().line(), /^220/)
})

test('no room in the worker: 421 4.3.2', async (t) => {
  const { connect } = await running(t, { ...settings(listener()), sessionsMax: 1 })
  await connect().line()
  assert.match(await connect().line(), /^421 4\.3\.2 /)
})

test('PROXY: the client is whom the header names; without one the connection is closed', async (t) => {
  const { told, connect, until } = await running(t, settings(listener({ proxyFrom: ['127.0.0.0/8'] })))
  const split = connect()
  split.socket.setNoDelay()
  split.socket.write('PROXY TCP4 192.0.2.9 ')
  split.socket.write('198.51.100.1 4000 25\r\nHELLO')
  assert.equal(await split.line(), '220 192.0.2.9 to 198.51.100.1 plain proxied')
  assert.equal(await split.line(), '250 HELLO startTls=false', 'octets behind the header are the session’s')
  const health = connect()
  health.socket.write(Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'))
  assert.equal(await health.line(), '220 127.0.0.1 to 127.0.0.1 plain direct')
  for (const text of ['EHLO forged.example\r\n', '']) {
    const without = connect()
    without.socket.end(text)
    assert.equal(await without.line(), '')
  }
  const refused = 'mx refused 127.0.0.1: proxy-header'
  await until(() => told.filter((text) => text === refused).length === 2)
})

test('PROXY from a network that is not named is just a strange command', async (t) => {
  const { connect } = await running(t, settings(listener({ proxyFrom: ['192.0.2.0/24'] })))
  const client = connect()
  assert.match(await client.line(), /direct$/)
  assert.match(await client.say('PROXY TCP4 192.0.2.9 198.51.100.1 4000 25'), /^250 PROXY/)
})

test('implicit TLS behind a proxy, header and handshake in one piece', async (t) => {
  const { connect } = await running(t, settings(listener({ tls: 'implicit', proxyFrom: ['127.0.0.1'] })))
  const upstream = connect().socket
  const proxy = net.createServer((socket) => {
    socket.once('data', (hello: Buffer) => {
      upstream.write(Buffer.concat([Buffer.from('PROXY TCP4 192.0.2.9 198.51.100.1 4000 465\r\n'), hello]))
      socket.pipe(upstream).pipe(socket)
    })
  })
  t.after(() => proxy.close())
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const client = new Client(net.connect((proxy.address() as net.AddressInfo).port, '127.0.0.1'))
  assert.equal(await client.secure('mx.example.net'), 'DNS:mx.example.net')
  assert.equal(await client.line(), '220 192.0.2.9 to 198.51.100.1 tls proxied')
  client.socket.destroy()
})

test('certificates by name; a reload changes them for new handshakes and leaves sessions alone', async (t) => {
  const certificates = [await certificateFor('a.example'), await certificateFor('b.example')]
  const { acceptor, connect } = await running(t, settings(listener({ tls: 'starttls', certificates })))
  const starttls = async (name: string) => {
    const client = connect()
    await client.line()
    assert.equal(await client.say('STARTTLS'), '220 go')
    return { client, names: await client.secure(name) }
  }
  const old = await starttls('b.example')
  assert.equal(old.names, 'DNS:b.example')
  assert.equal((await starttls('unknown.example')).names, 'DNS:a.example')

  await acceptor.reload(settings(listener({ tls: 'starttls', certificates: [await certificateFor('c.example')] })))
  assert.equal((await starttls('b.example')).names, 'DNS:c.example')
  assert.equal(await old.client.say('NOOP'), '250 NOOP startTls=true')

  const missing = { certificateFile: '/nonexistent.pem', keyFile: '/nonexistent.pem' }
  const faulty = settings(listener({ tls: 'starttls', certificates: [missing] }))
  await assert.rejects(acceptor.reload(faulty), { name: 'CertificateFault' })
  assert.equal((await starttls('b.example')).names, 'DNS:c.example', 'a faulty reload changes nothing')
})

test('a reload opens and closes addresses; one that cannot be opened is a notice', async (t) => {
  const { acceptor, told, connect } = await running(t, settings(listener()))
  const client = connect()
  await client.line()
  const taken = net.createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as net.AddressInfo
  await acceptor.reload(settings(listener({ name: 'new', host: '::1' }), listener({ name: 'taken', port })))
  taken.close()
  assert.equal(acceptor.endpoint('mx'), undefined)
  assert.match(await connect('new').line(), /^220/)
  assert.equal(await client.say('NOOP'), '250 NOOP startTls=false')
  assert.match(told.find((text) => text.startsWith('notice')) ?? '', /listener taken is not open: .*EADDRINUSE/)
})

test('no certificate: a self-signed one, with a notice; the next start finds it', async (t) => {
  const own = settings(listener({ tls: 'starttls', smtp: { hostname: 'own.example' } as ServerSettings }))
  await rm(join(folder, 'tls'), { recursive: true, force: true })
  const first = await running(t, own)
  assert.match(first.told.join(), /^notice no certificate is configured: made a self-signed one/)
  const second = await running(t, own)
  assert.deepEqual(second.told, [])
})

test('drain: idle sessions hear 421, a transaction may finish, the clock ends the rest; nobody new comes in', async (t) => {
  const { acceptor, connect } = await running(t, { ...settings(listener()), drainMsMax: 50 })
  const idle = connect()
  const busy = connect()
  await Promise.all([idle.line(), busy.line()])
  await busy.say('HOLD')
  const drained = acceptor.drain()
  assert.equal(await idle.line(), '421 4.3.2 bye')
  assert.equal(acceptor.endpoint('mx'), undefined)
  assert.equal(await busy.say('still here'), '250 still here startTls=false')
  await drained
  assert.equal(acceptor.sessions, 0)
  assert.equal(await busy.line(), '')
})
