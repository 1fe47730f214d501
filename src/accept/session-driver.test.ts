import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Soon } from '#mail/decisions.ts'
import { permanent } from '#mail/reply.ts'
import type { Session, TlsFacts, Transaction } from '#mail/session.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { ACCEPT, type Gate, reject } from '#mail/verdict.ts'
import type { Answer, Effect, ServerMachine } from '#smtp/server/contract.ts'
import type { Clock } from '#sys/clock.ts'
import type { Wire, WireEvents } from '#sys/wire.ts'
import { SessionDriver, type SessionListener } from './session-driver.ts'

const ENDPOINT = { address: '192.0.2.1', port: 1 }
const TLS: TlsFacts = { protocol: 'TLSv1.3', cipher: 'x' }
const TRANSACTION = {} as Transaction

const session = (): Session => ({
  id: '000000000000001' as TraceId,
  client: ENDPOINT,
  local: ENDPOINT,
  listener: 'mx',
  service: 'inbound',
  startedMs: 0,
  extended: false,
  proxied: false,
  tally: { recipientsRefused: 0, errors: 0, transactions: 0 },
})

const isNoTick = (call: string): boolean => !call.startsWith('tick')

/** Answers each line; knows MAIL (asks), DATA to `.`, STARTTLS, QUIT, and BOOM (throws). */
class LineMachine implements ServerMachine {
  readonly session = session()
  wantsInput = true
  idle = true
  calls: string[] = []
  #effects: Effect[] = []
  #lines: string[] = []
  #asked = false
  #stopping = false

  greet(gate: Gate): void {
    if (gate.kind === 'accept') this.#write('220 hello\r\n')
    else this.#write(`${gate.reply.code} ${gate.reply.text}\r\n`, { kind: 'close', why: 'refused' })
  }
  receive(bytes: Buffer): void {
    this.#lines.push(...bytes.toString().split('\r\n').slice(0, -1))
    this.#run()
  }
  answer(answer: Answer): void {
    this.#asked = false
    this.#write(
      answer.kind === 'accept' ? '250 ok\r\n' : `${'reply' in answer ? answer.reply.code : 'vanished'} no\r\n`,
    )
    this.#run()
  }
  secured(): void {
    this.calls.push('secured')
  }
  lost(): void {
    this.calls.push('lost')
    if (!this.idle) this.#effects.push({ kind: 'abandoned', transaction: TRANSACTION })
  }
  tick(nowMs: number): void {
    this.calls.push(`tick ${nowMs}`)
  }
  shutDown(): void {
    this.#stopping = true
    this.#stopIfIdle()
  }
  take(): Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
  #run(): void {
    while (!this.#asked && this.#lines.length > 0) this.#line(this.#lines.shift()!)
    this.#stopIfIdle()
  }
  #line(line: string): void {
    if (line === 'BOOM') throw new Error('boom')
    if (line === 'MAIL') {
      this.#asked = true
      this.#effects.push({ kind: 'ask', question: { kind: 'mail', transaction: TRANSACTION } })
    } else if (line === 'STARTTLS') this.#write('220 go\r\n', { kind: 'start-tls' })
    else if (line === 'QUIT') this.#write('221 bye\r\n', { kind: 'close', why: 'quit' })
    else if (line === 'DATA') this.idle = false
    else {
      if (line === '.') this.idle = true
      this.#write(`250 ${line}\r\n`)
    }
  }
  #stopIfIdle(): void {
    if (this.#stopping && this.idle && !this.#asked) this.#write('421 bye\r\n', { kind: 'close', why: 'shutdown' })
  }
  #write(bytes: string, ...then: Effect[]): void {
    this.#effects.push({ kind: 'write', bytes }, ...then)
  }
}

class FakeWire implements Wire {
  readonly remote = ENDPOINT
  readonly local = ENDPOINT
  log: string[] = []
  events!: WireEvents
  unsentOctets = 0
  takes = true
  handshake = Promise.withResolvers<TlsFacts>()
  listen(events: WireEvents): void {
    this.events = events
  }
  write(bytes: Buffer | string): boolean {
    this.log.push(bytes.toString())
    return this.takes
  }
  writeAll(parts: readonly (Buffer | string)[]): boolean {
    return this.write(parts.join(''))
  }
  pause(): void {
    this.log.push('pause')
  }
  resume(): void {
    this.log.push('resume')
  }
  secure(): Promise<TlsFacts> {
    this.log.push('secure')
    return this.handshake.promise
  }
  end(): void {
    this.log.push('end')
  }
  destroy(): void {
    this.log.push('destroy')
  }
  says(text: string): void {
    this.events.data(Buffer.from(text))
  }
}

interface World {
  connect?: Soon<Gate>
  mail?: () => Soon<Gate>
  draining?: boolean
  listener?: Partial<SessionListener>
  delayMs?: number
}
function world({ connect = ACCEPT, mail = () => ACCEPT, draining = false, listener = {}, delayMs = 0 }: World = {}) {
  const wire = new FakeWire()
  const machine = new LineMachine()
  const told: string[] = []
  const timers: { ms: number; call: () => void }[] = []
  const clock: Clock = {
    wall: () => 0,
    monotonic: () => 1000,
    after: (ms, call) => {
      timers.push({ ms, call })
      return () => {}
    },
  }
  const unasked = () => assert.fail('not asked')
  const host = {
    clock,
    draining,
    decisions: {
      connect: () => connect,
      mail,
      rcpt: unasked,
      data: unasked,
      content: unasked,
      abandoned: () => void told.push('abandoned'),
      closed: (_: Session, why: string) => void told.push(`closed ${why}`),
    },
    events: {
      sessionOpened: () => {},
      sessionClosed: () => {},
      refused: () => {},
      tlsFailed: (_: string, __: string, error: Error) => void told.push(`tls ${error.message}`),
      defect: (_: Session, error: unknown) => void told.push(`defect ${(error as Error).message}`),
      notice: () => {},
    },
    ended: () => void told.push('ended'),
  }
  const tls = { side: 'server' } as SessionListener['tls']
  const driver = new SessionDriver(host, { tls, implicitTls: false, ...listener }, wire, machine)
  driver.start(delayMs)
  return { wire, machine, driver, told, timers }
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

test('answers that are there at once: one write for a pipelined group, no timer', () => {
  const { wire, timers } = world()
  wire.says('MAIL\r\nA\r\nMAIL\r\nB\r\n')
  assert.deepEqual(wire.log, ['220 hello\r\n', '250 ok\r\n250 A\r\n250 ok\r\n250 B\r\n'])
  assert.equal(timers.length, 0)
})

test('an answer that comes later: what was said before goes out, order is kept', async () => {
  const later = Promise.withResolvers<Gate>()
  const { wire } = world({ mail: () => later.promise })
  wire.says('A\r\nMAIL\r\nB\r\n')
  assert.deepEqual(wire.log, ['220 hello\r\n', '250 A\r\n'])
  later.resolve(reject(permanent(550, '5.7.1', 'no'), 'x', 'x'))
  await settled()
  assert.deepEqual(wire.log.slice(2), ['550 no\r\n250 B\r\n'])
})

test('a stage that throws, now or later, has not refused: 451', async () => {
  for (const mail of [
    () => {
      throw new Error('broken stage')
    },
    () => Promise.reject(new Error('broken stage')),
  ]) {
    const { wire, told } = world({ mail })
    wire.says('MAIL\r\nA\r\n')
    await settled()
    assert.equal(wire.log.slice(1).join(''), '451 no\r\n250 A\r\n')
    assert.deepEqual(told, ['defect broken stage'])
  }
})

test('a machine that throws costs its connection only', () => {
  const { wire, told } = world()
  wire.says('A\r\nBOOM\r\n')
  assert.deepEqual(wire.log.slice(1), ['421 4.3.0 Local error, closing\r\n', 'end'])
  wire.events.closed()
  assert.deepEqual(told, ['defect boom', 'closed error', 'ended'])
})

test('an early talker is refused; who waits is greeted after the delay', () => {
  const early = world({ delayMs: 50 })
  early.wire.says('EHLO a\r\n')
  assert.deepEqual(early.wire.log, ['554 You spoke before the greeting\r\n', 'end'])
  early.timers[0]?.call()
  assert.equal(early.wire.log.length, 2)

  const patient = world({ delayMs: 50 })
  assert.deepEqual(patient.wire.log, [])
  assert.equal(patient.timers[0]?.ms, 50)
  patient.timers[0]?.call()
  patient.wire.says('A\r\n')
  assert.deepEqual(patient.wire.log, ['220 hello\r\n', '250 A\r\n'])
})

test('while the path thinks about the connection, octets wait and are not lost', async () => {
  const atOnce = world({ connect: new Promise<Gate>(() => {}) })
  assert.deepEqual(atOnce.wire.log, ['pause'])

  const gate = Promise.withResolvers<Gate>()
  const { wire, timers } = world({ connect: gate.promise, delayMs: 50 })
  timers[0]?.call()
  assert.deepEqual(wire.log, ['pause'], 'the delay is over: talk is no offence now')
  gate.resolve(ACCEPT)
  await settled()
  assert.deepEqual(wire.log, ['pause', '220 hello\r\n', 'resume'])
})

test('STARTTLS: replies first, then the handshake, then the machine', async () => {
  const { wire, machine } = world()
  wire.says('A\r\nSTARTTLS\r\n')
  assert.deepEqual(wire.log.slice(1), ['250 A\r\n220 go\r\n', 'secure'])
  wire.says('plain octets behind it\r\n')
  assert.deepEqual(machine.calls.filter(isNoTick), [])
  wire.handshake.resolve(TLS)
  await settled()
  wire.says('B\r\n')
  assert.deepEqual(machine.calls.filter(isNoTick), ['secured'])
  assert.equal(wire.log.at(-1), '250 B\r\n')
})

test('implicit TLS: nothing is said before the handshake; a failed one ends the session', async () => {
  const good = world({ listener: { implicitTls: true } })
  assert.deepEqual(good.wire.log, ['secure'])
  good.wire.handshake.resolve(TLS)
  await settled()
  assert.deepEqual(good.wire.log, ['secure', '220 hello\r\n'])
  assert.equal(good.driver.session.tls, TLS)

  const bad = world({ listener: { implicitTls: true } })
  bad.wire.handshake.reject(new Error('no TLS'))
  await settled()
  bad.wire.events.closed()
  assert.deepEqual(bad.told, ['tls no TLS', 'closed error', 'ended'])

  const slow = world({ listener: { implicitTls: true } })
  slow.driver.tick(31_000)
  assert.deepEqual(slow.wire.log, ['secure'])
  slow.driver.tick(31_001)
  assert.deepEqual(slow.wire.log, ['secure', 'destroy'])
})

test('a client that does not read our replies is not read, and closed after a minute', () => {
  const { wire, driver, told } = world()
  wire.takes = false
  wire.says('A\r\n')
  assert.deepEqual(wire.log.slice(1), ['250 A\r\n', 'pause'])
  driver.tick(61_000)
  wire.takes = true
  wire.events.drained()
  assert.equal(wire.log.at(-1), 'resume')
  driver.tick(100_000)
  wire.takes = false
  wire.says('B\r\n')
  driver.tick(61_001)
  assert.equal(wire.log.at(-1), 'destroy')
  wire.events.closed()
  assert.deepEqual(told, ['closed timeout', 'ended'])
})

test('a machine that wants no input pauses the wire', () => {
  const { wire, machine } = world()
  machine.wantsInput = false
  wire.says('A\r\n')
  assert.equal(wire.log.at(-1), 'pause')
  machine.wantsInput = true
  wire.events.drained()
  assert.equal(wire.log.at(-1), 'resume')
})

test('everything and FIN: the open question is answered, then the session ends', async () => {
  const later = Promise.withResolvers<Gate>()
  const { wire, machine, told } = world({ mail: () => later.promise })
  wire.says('DATA\r\nMAIL\r\nA\r\n')
  wire.events.ended()
  assert.deepEqual(wire.log.slice(1), [])
  later.resolve(ACCEPT)
  await settled()
  assert.deepEqual(wire.log.slice(1), ['250 ok\r\n250 A\r\n', 'end'])
  assert.deepEqual(machine.calls.filter(isNoTick), ['lost'])
  wire.events.closed()
  assert.deepEqual(told, ['abandoned', 'closed lost', 'ended'])
})

test('a lost connection: the transaction is abandoned, a late answer changes nothing', async () => {
  const later = Promise.withResolvers<Gate>()
  const { wire, told } = world({ mail: () => later.promise })
  wire.says('DATA\r\nMAIL\r\n')
  wire.events.closed(new Error('reset'))
  later.resolve(ACCEPT)
  await settled()
  assert.deepEqual(told, ['abandoned', 'closed lost', 'ended'])
  assert.deepEqual(wire.log, ['220 hello\r\n'])
})

test('shutting down: idle at once, content first, ungreeted with 421, in a handshake after it', async () => {
  const idle = world()
  idle.driver.shutDown()
  assert.deepEqual(idle.wire.log.slice(1), ['421 bye\r\n', 'end'])

  const busy = world()
  busy.wire.says('DATA\r\n')
  busy.driver.shutDown()
  assert.deepEqual(busy.wire.log.slice(1), [])
  busy.wire.says('.\r\n')
  assert.deepEqual(busy.wire.log.slice(1), ['250 .\r\n421 bye\r\n', 'end'])

  const waiting = world({ delayMs: 50 })
  waiting.driver.shutDown()
  assert.deepEqual(waiting.wire.log, ['421 Closing for maintenance\r\n', 'end'])

  const shaking = world()
  shaking.wire.says('STARTTLS\r\n')
  shaking.driver.shutDown()
  assert.equal(shaking.wire.log.at(-1), 'secure')
  shaking.wire.handshake.resolve(TLS)
  await settled()
  assert.deepEqual(shaking.wire.log.slice(-2), ['421 bye\r\n', 'end'])

  const late = world({ listener: { implicitTls: true }, draining: true })
  late.wire.handshake.resolve(TLS)
  await settled()
  assert.deepEqual(late.wire.log.slice(1), ['421 Closing for maintenance\r\n', 'end'])
})
