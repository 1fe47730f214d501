import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientSettings } from './contract.ts'
import { CLIENT_LIMITS } from './limits.ts'
import { Dialogue, ehloReply, job, short } from './testing.ts'

const A = 'a@customer.example'
const B = 'b@customer.example'
const OK = '250 ok\r\n'
const MINUTE = 60_000
const GONE = { obstacle: 'closed', text: 'the server closed the connection' } as const

/** One delivery to two recipients; `replies` come one by one, then `end` happens. */
function cut(
  keywords: string[],
  replies: string[],
  end: (dialogue: Dialogue) => void,
  settings: Partial<ClientSettings> = {},
) {
  const server = Dialogue.ready(keywords, settings)
  server.deliver(job([A, B]))
  for (const reply of replies) server.server(reply)
  end(server)
  server.heard()
  const { results, untouched } = server.of('delivered')
  return { results: results.map(short).join(), untouched, kinds: server.kinds.join(), server }
}
const lose = (dialogue: Dialogue) => dialogue.machine.fail(GONE)
const hangUp = (dialogue: Dialogue) => void dialogue.server('421 4.3.2 shutting down\r\n')

test('the connection breaks: before the dot closed, after it lost', () => {
  const steps = [OK, OK, '550 no\r\n', '354 go\r\n']
  const expected = ['closed,closed', 'closed,closed', 'closed,closed', 'closed,failed/rcpt', 'lost,failed/rcpt']
  for (const keywords of [[], ['PIPELINING']]) {
    for (let n = 0; n <= steps.length; n++) {
      const { results, untouched, kinds } = cut(keywords, steps.slice(0, n), lose)
      assert.equal(results, expected[n], `${keywords} after ${n}`)
      assert.equal(untouched, n === 0)
      assert.equal(kinds, 'delivered,over,close')
    }
  }
})

test('421 at any step: what it answers is refused for now, so is the rest, and the session is over', () => {
  const steps = [OK, OK, '550 no\r\n', '354 go\r\n']
  for (const keywords of [[], ['PIPELINING']]) {
    for (let n = 0; n <= steps.length; n++) {
      const { results, untouched, kinds, server } = cut(keywords, steps.slice(0, n), hangUp)
      assert.equal(results, n > 2 ? 'refused-for-now,failed/rcpt' : 'refused-for-now,refused-for-now', `after ${n}`)
      assert.equal(untouched, n === 0)
      assert.equal(kinds, 'delivered,over,close')
      assert.equal(server.of('close').now, false)
    }
  }
})

test('BDAT sent with MAIL: silence may mean taken, an answer to an earlier command does not', () => {
  const chunking = ['PIPELINING', 'CHUNKING']
  const prefer = { preferChunking: true }
  assert.deepEqual(pick(cut(chunking, [], lose, prefer)), ['lost,lost', false])
  assert.deepEqual(pick(cut(chunking, [OK, OK], lose, prefer)), ['lost,lost', false])
  assert.deepEqual(pick(cut(chunking, [OK, '550 no\r\n'], lose, prefer)), ['failed/rcpt,lost', false])
  assert.deepEqual(pick(cut(chunking, [], hangUp, prefer)), ['refused-for-now,refused-for-now', true])
  assert.deepEqual(pick(cut(chunking, [OK], hangUp, prefer)), ['refused-for-now,refused-for-now', false])
})
const pick = ({ results, untouched }: { results: string; untouched: boolean }) => [results, untouched]

test('LMTP: what was answered stands, the rest is lost', () => {
  const lmtp = { protocol: 'lmtp' } as const
  const replies = [OK, OK, OK, '354 go\r\n', OK]
  assert.equal(cut(['PIPELINING'], replies, lose, lmtp).results, 'delivered,lost')
  assert.equal(cut(['PIPELINING'], replies, hangUp, lmtp).results, 'delivered,refused-for-now')
  assert.equal(cut(['PIPELINING'], replies.slice(0, 4), hangUp, lmtp).results, 'refused-for-now,lost')
})

test('garbage ends the session; behind the dot it counts as lost', () => {
  const garbage = [
    'nonsense\r\n',
    '250-a\r\n251 b\r\n',
    '250 a\n',
    `250 ${'x'.repeat(3000)}`,
    '250-x\r\n'.repeat(200),
    '150 a\r\n',
    '220 hi\r\n',
    '354 go\r\n',
  ]
  for (const octets of garbage) {
    const end = (dialogue: Dialogue) => void dialogue.server(octets)
    assert.equal(cut(['PIPELINING'], [OK, OK], end).results, 'protocol,protocol', octets.slice(0, 20))
    const after = cut(['PIPELINING'], [OK, OK, OK, '354 go\r\n'], end)
    assert.equal(after.results, 'lost,lost', octets.slice(0, 20))
    assert.equal(after.server.of('close').now, true)
  }
})

test('an answer before the content has ended: a refusal counts, a promise does not', () => {
  for (const [reply, expected] of [
    ['552 too much\r\n', 'failed/content'],
    ['250 thanks\r\n', 'protocol'],
    ['421 bye\r\n', 'refused-for-now'],
  ] as const) {
    const server = Dialogue.ready(['PIPELINING'], { limits: { ...CLIENT_LIMITS, dataBlockOctets: 5 } })
    server.deliver(job([A]))
    server.machine.receive(Buffer.from(`${OK}${OK}354 go\r\n`))
    server.machine.receive(Buffer.from(reply))
    server.heard()
    assert.deepEqual(server.summary, [expected])
    assert.equal(server.of('close').now, true)
  }
})

test('replies that nobody asked for end the session', () => {
  const idle = Dialogue.ready([])
  idle.server('250 ok\r\n')
  assert.deepEqual(idle.kinds, ['over', 'close'])
  const early = Dialogue.ready([])
  early.server('250 o')
  assert.equal(early.deliver(job([A])), '')
  assert.deepEqual(early.summary, ['protocol'])
  const hungUp = Dialogue.ready([])
  hungUp.server('421 idle for too long\r\n')
  assert.equal(hungUp.of('over').fault.text, '421 idle for too long')
})

test('octets in clear behind the reply to STARTTLS end the session (CVE-2011-0411)', () => {
  for (const pieces of [['220 go\r\n250 injected\r\n'], ['220 go\r\n', '250 injected\r\n'], ['220 go\r\n2']]) {
    const server = new Dialogue({ tls: 'opportunistic' })
    server.server('220 a\r\n')
    server.server(ehloReply('STARTTLS'))
    for (const piece of pieces) server.server(piece)
    assert.equal(server.of('over').fault.obstacle, 'tls')
    assert.equal(server.of('close').now, true)
  }
})

test('what was offered in clear is forgotten after TLS (RFC 3207 §4.2)', () => {
  const server = new Dialogue({ tls: 'required' })
  server.server('220 a\r\n')
  assert.equal(server.server(ehloReply('STARTTLS', 'PIPELINING')), 'STARTTLS\r\n')
  server.server('220 go\r\n')
  server.machine.secured()
  assert.equal(server.heard(), 'EHLO relay.example\r\n')
  assert.equal(server.machine.tls, true)
  server.server(ehloReply('STARTTLS'))
  assert.equal(server.machine.ready, true)
  assert.doesNotMatch(server.deliver(job([A])), /RCPT/)
})

test('the timers of RFC 5321 §4.5.3.2', () => {
  const silences: [replies: string[], minutes: number, obstacle: string][] = [
    [[], 5, 'timeout,timeout'],
    [[OK], 5, 'timeout,timeout'],
    [[OK, OK, OK], 2, 'timeout,timeout'],
    [[OK, OK, OK, '354 go\r\n'], 10, 'lost,lost'],
  ]
  for (const [replies, minutes, expected] of silences) {
    const { results } = cut([], replies, ({ machine, effects }) => {
      machine.take()
      machine.tick(1000)
      machine.tick(999 + minutes * MINUTE)
      machine.take()
      assert.deepEqual(
        effects.filter(({ kind }) => kind === 'delivered'),
        [],
        'not too early',
      )
      machine.tick(1000 + minutes * MINUTE)
    })
    assert.equal(results, expected)
  }
})

test('a drip of octets does not stop the timer, a whole reply does', () => {
  const server = new Dialogue()
  server.machine.tick(0)
  for (let minute = 1; minute < 5; minute++) {
    server.server('220-x\r\n')
    server.machine.tick(minute * MINUTE)
  }
  assert.deepEqual(server.kinds, [])
  server.machine.tick(5 * MINUTE)
  server.heard()
  assert.equal(server.of('over').fault.text, 'no reply to the connection for 300 s')
  const good = new Dialogue()
  good.machine.tick(0)
  good.server('220 x\r\n')
  good.machine.tick(5 * MINUTE)
  good.machine.tick(9 * MINUTE)
  good.heard()
  assert.deepEqual(good.kinds, [])
})

test('with a pipelined group, each reply starts the next wait anew', () => {
  const server = Dialogue.ready(['PIPELINING'])
  server.deliver(job([A, B]))
  for (let minute = 0; minute <= 8; minute += 4) {
    server.machine.tick(minute * MINUTE)
    server.server(OK)
    server.machine.tick(minute * MINUTE)
  }
  assert.deepEqual(server.kinds, [])
  server.machine.tick(10 * MINUTE)
  server.heard()
  assert.deepEqual(server.summary, ['timeout', 'timeout'], 'two minutes for DATA')
})

test('a peer that takes no content: three minutes; a ready session has no timer', () => {
  const server = Dialogue.ready(['PIPELINING'], { limits: { ...CLIENT_LIMITS, dataBlockOctets: 5 } })
  server.machine.tick(0)
  server.machine.tick(60 * MINUTE)
  assert.equal(server.machine.ready, true)
  server.deliver(job([A]))
  server.machine.receive(Buffer.from(`${OK}${OK}354 go\r\n`))
  server.machine.take()
  server.machine.tick(0)
  server.machine.flowing()
  server.machine.tick(2 * MINUTE)
  server.machine.tick(4 * MINUTE)
  server.machine.take()
  server.machine.tick(5 * MINUTE)
  server.heard()
  assert.deepEqual(server.summary, ['timeout'])
})

test('the reply to QUIT is not worth waiting for', () => {
  const server = Dialogue.ready([])
  server.machine.quit()
  server.heard()
  server.machine.tick(0)
  server.machine.tick(5000)
  server.heard()
  assert.deepEqual(server.effects, [{ kind: 'close', now: true }])
})

test('every cut of the same replies gives the same session', () => {
  const replies = `220 a\r\n|${ehloReply('PIPELINING', 'DSN')}|${OK}${OK}550-no\r\n550 no\r\n354 go\r\n|250 2.0.0 ok\r\n`
  const whole = replies.replaceAll('|', '')
  const play = (pieces: readonly string[]): string => {
    const server = new Dialogue()
    let said = ''
    for (const piece of pieces) {
      said += server.server(piece)
      if (server.machine.ready && !server.kinds.includes('delivered')) said += server.deliver(job([A, B]))
    }
    return `${said}${JSON.stringify(server.effects)}`
  }
  const expected = play(replies.split('|'))
  assert.match(expected, /"delivered"/)
  // A cut that glues what follows a job's start to what precedes it would be unasked-for octets; so cut only inside.
  for (let at = 1; at < whole.length; at++) {
    const pieces: string[] = []
    let offset = 0
    for (const part of replies.split('|')) {
      const inside = at - offset
      if (inside > 0 && inside < part.length) pieces.push(part.slice(0, inside), part.slice(inside))
      else pieces.push(part)
      offset += part.length
    }
    assert.equal(play(pieces), expected, `cut at ${at}`)
  }
  assert.equal(play(replies.split('|').flatMap((part) => [...part])), expected, 'octet by octet')
})
