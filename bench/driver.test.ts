import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { Driver, drive, type LoadOptions, uniformMessages } from './driver.ts'
import type { Fate, Pace } from './load-session.ts'
import { contentTemplate } from './numbered-content.ts'
import { Sink, type SinkOptions } from './sink.ts'

const PACES: readonly Pace[] = ['lock-step', 'pipelined', 'behind-dot']

const load = (port: number, more: Partial<LoadOptions> = {}): LoadOptions => ({
  host: '127.0.0.1',
  port,
  sessions: 4,
  messagesMax: 60,
  durationMsMax: 20_000,
  messagesPerSession: 1000,
  pace: 'pipelined',
  message: uniformMessages(2000, ['dest.test'], 1),
  ...more,
})

async function withSink(
  options: Partial<SinkOptions>,
  body: (port: number, sink: Sink) => Promise<void>,
): Promise<void> {
  const sink = new Sink({ ports: [0], ...options })
  const [port] = await sink.listen()
  try {
    await body(port!, sink)
  } finally {
    await sink.close()
  }
}

/** A server that answers each line of input by `answer`, content included; no reply where it says undefined. */
async function withScript(
  answer: (line: string, socket: Socket) => string | undefined,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.write('220 script.test\r\n')
    let rest = ''
    socket.on('data', (octets) => {
      const lines = (rest + octets.toString('latin1')).split('\r\n')
      rest = lines.pop()!
      for (const line of lines) {
        const reply = answer(line, socket)
        if (reply !== undefined && !socket.destroyed) socket.write(`${reply}\r\n`)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await body((server.address() as AddressInfo).port)
  } finally {
    server.close()
  }
}

for (const pace of PACES) {
  for (const messagesPerSession of [1, 7, 1000]) {
    test(`${pace}, ${messagesPerSession} per connection: each number arrives once`, () =>
      withSink({ verify: true, arrived: ({ intact }) => assert.ok(intact) }, async (port, sink) => {
        const report = await drive(load(port, { pace, messagesPerSession }))
        assert.equal(report.fates.acknowledged, 60)
        assert.equal(report.sessionsFailed, 0)
        assert.equal(sink.status().accepted, 60)
        for (let number = 1; number <= 60; number++) assert.equal(sink.count(number), 1)
      }))
  }

  test(`${pace}: a refused recipient, a refused content and a cut connection each get their fate`, () =>
    withSink({ byLocalPart: true }, async (port, sink) => {
      const template = contentTemplate(500)
      const fates = new Map<number, Fate>()
      const recipients = ['reject-1@dest.test', 'defer-1@dest.test', 'user@dest.test']
      await drive(
        load(port, {
          pace,
          messagesMax: 40,
          reconnectMs: 1,
          message: (number) => ({
            template,
            recipients: [recipients[number % 3]!],
            ...(number % 10 === 0 && { cutAfterOctets: 300 }),
          }),
          settled: (number, fate) => fates.set(number, fate),
        }),
      )
      for (let number = 1; number <= 40; number++) {
        const sent = number % 10 !== 0
        const expected = sent ? (['rejected', 'deferred', 'acknowledged'] as const)[number % 3] : 'unsent'
        // A cut loses the message whose envelope was already behind the dot of an earlier one, never its content.
        if (sent && fates.get(number) === 'unsent') assert.equal(sink.count(number), 0)
        else assert.equal(fates.get(number), expected, `message ${number}`)
      }
    }))
}

test('a connection lost after the dot leaves the fate unknown, one lost before it unsent', async () => {
  let dots = 0
  const answer = (line: string, socket: Socket): string | undefined => {
    if (line.startsWith('DATA')) return '354 go'
    if (line === '.') {
      dots++
      socket.destroy()
    }
    if (line.startsWith('EHLO')) return '250-script.test\r\n250 PIPELINING'
    return /^(MAIL|RCPT)/.test(line) ? '250 ok' : undefined
  }
  await withScript(answer, async (port) => {
    const report = await drive(load(port, { sessions: 1, messagesMax: 4, pace: 'behind-dot', reconnectMs: 1 }))
    assert.equal(report.fates.unknown, dots)
    assert.equal(report.fates.unsent, 4 - dots)
    assert.ok(dots >= 2)
  })
})

test('a refusal of MAIL, of RCPT and of DATA is told with its class, and the session goes on', async () => {
  const codes = new Map<number, number>()
  let mails = 0
  let open = false
  const answer = (line: string): string | undefined => {
    if (line.startsWith('EHLO')) return '250 script.test'
    if (line.startsWith('MAIL')) {
      if (open) return '503 nested'
      open = ++mails > 1
      return open ? '250 ok' : '451 not now'
    }
    if (line === 'RSET' || line === '.') open = false
    if (line.startsWith('RCPT')) return mails === 2 ? '550 unknown' : '250 ok'
    if (line.startsWith('DATA')) return mails === 3 ? '452 full' : '354 go'
    return /^(RSET|\.$)/.test(line) ? '250 ok' : line === 'QUIT' ? '221 bye' : undefined
  }
  await withScript(answer, async (port) => {
    const report = await drive(
      load(port, { sessions: 1, messagesMax: 4, settled: (number, _fate, code) => codes.set(number, code) }),
    )
    assert.deepEqual([...codes.values()], [451, 550, 452, 250])
    assert.deepEqual({ ...report.fates }, { acknowledged: 1, deferred: 2, rejected: 1, unknown: 0, unsent: 0 })
    assert.equal(report.sessionsOpened, 1)
  })
})

test('a server that falls silent costs the time limit of a reply, no more', () =>
  withSink({ blackHoles: [0], ports: [] }, async (port) => {
    const report = await drive(load(port, { sessions: 2, durationMsMax: 100, replyMsMax: 50 }))
    assert.equal(report.fates.acknowledged, 0)
    assert.ok(report.sessionsFailed >= 2)
  }))

test('a rate is an upper bound', () =>
  withSink({}, async (port) => {
    const driver = new Driver(load(port, { messagesMax: 40, ratePerSecondMax: 100 }))
    const report = await driver.run()
    assert.equal(report.fates.acknowledged, 40)
    // A tenth of a second's worth may come at once.
    assert.ok(report.seconds > 0.28, `${report.seconds}`)
  }))
