import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BodyKind, contentTemplate, isIntact, readNumber, writeNumber } from './numbered-content.ts'
import { type Arrival, type SinkManners, SinkSession } from './sink-session.ts'

const MANNERS: SinkManners = { extensions: ['PIPELINING'], content: 'accept', byLocalPart: true, verify: true }

function sink(manners: Partial<SinkManners> = {}): { session: SinkSession; arrivals: Arrival[] } {
  const arrivals: Arrival[] = []
  const seen = new Set<number>()
  const session = new SinkSession(
    { ...MANNERS, ...manners },
    {
      arrived: (arrival) => arrivals.push(arrival),
      seen: (number) => seen.has(number) || !seen.add(number),
    },
  )
  return { session, arrivals }
}

function message(number: number, recipient: string, octets = 600, kind: BodyKind = 'plain'): Buffer {
  const { wire, numberAt } = contentTemplate(octets, kind)
  const content = Buffer.from(wire)
  writeNumber(content, numberAt, number)
  return Buffer.concat([Buffer.from(`MAIL FROM:<>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`), content])
}

const codes = (replies: string): string[] => replies.split('\r\n').map((line) => line.slice(0, 3))

test('two pipelined messages are two arrivals, whatever the octets are split into', () => {
  const octets = Buffer.concat([message(7, 'a@dest.test', 400, 'dots'), message(4_000_000_000, 'b@dest.test', 300)])
  for (let size = 1; size <= octets.length; size++) {
    const { session, arrivals } = sink()
    for (let at = 0; at < octets.length; at += size) session.receive(octets.subarray(at, at + size))
    assert.deepEqual(
      arrivals.map(({ number, recipients, intact }) => [number, recipients[0], intact]),
      [
        [7, 'a@dest.test', true],
        [4_000_000_000, 'b@dest.test', true],
      ],
      `split every ${size}`,
    )
    assert.deepEqual(codes(session.takeReplies()), '220 250 250 354 250 250 250 354 250 '.split(' '))
  }
})

test('nothing but CRLF.CRLF ends the content', () => {
  for (const ending of ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r', '\r\n.\r', '\r\r\n..\r\n']) {
    const { session, arrivals } = sink({ verify: false })
    session.receive(Buffer.from(`MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\nx${ending}y`))
    assert.equal(arrivals.length, 0, JSON.stringify(ending))
    session.receive(Buffer.from('\r\n.\r\n'))
    assert.equal(arrivals.length, 1)
  }
})

test('a dot behind DATA is empty content', () => {
  const { session, arrivals } = sink({ verify: false })
  session.receive(Buffer.from('MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n.\r\nNOOP\r\n'))
  assert.equal(arrivals.length, 1)
  assert.deepEqual(codes(session.takeReplies()), '220 250 250 354 250 250 '.split(' '))
})

test('BDAT counts octets', () => {
  const { session, arrivals } = sink()
  const { wire } = contentTemplate(500)
  const content = wire.subarray(0, wire.length - 3)
  session.receive(Buffer.from('MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nBDAT 100\r\n'))
  session.receive(content.subarray(0, 100))
  session.receive(
    Buffer.concat([
      Buffer.from(`BDAT ${content.length - 100} LAST\r\n`),
      content.subarray(100),
      Buffer.from('NOOP\r\n'),
    ]),
  )
  assert.deepEqual(codes(session.takeReplies()), '220 250 250 250 250 250 '.split(' '))
  assert.deepEqual(
    arrivals.map(({ intact }) => intact),
    [true],
  )
})

test('recipients choose the reply to the dot', () => {
  const { session, arrivals } = sink()
  for (const local of ['reject-1', 'defer-1', 'once-1', 'once-1', 'anyone'])
    session.receive(message(3, `${local}@dest.test`))
  assert.deepEqual(
    arrivals.map(({ reply }) => reply),
    ['reject', 'defer', 'defer', 'accept', 'accept'],
  )
})

test('one changed octet, one lost line or a prepended field: damage is seen, trace fields are not damage', () => {
  const { wire } = contentTemplate(900, 'dots')
  const content = wire.subarray(0, wire.length - 3)
  assert.ok(isIntact(content, true))
  assert.ok(isIntact(Buffer.concat([Buffer.from('Received: from a by b\r\n'), content]), true))
  assert.ok(!isIntact(content.subarray(0, content.length - 40), true))
  for (let at = contentTemplate(0).numberAt + 11; at < content.length; at += 13) {
    const changed = Buffer.from(content)
    changed[at]! ^= 0x01
    assert.ok(!isIntact(changed, true), `octet ${at}`)
  }
})

test('numbers of ten digits are written and read', () => {
  const { wire, numberAt, octets } = contentTemplate(4096)
  assert.ok(Math.abs(octets - 4096) <= 3, `${octets}`)
  for (const number of [1, 99, 9_999_999_999]) {
    writeNumber(wire, numberAt, number)
    assert.equal(readNumber(wire, 0, wire.length), number)
  }
  assert.equal(readNumber(Buffer.from('Subject: none\r\n\r\n'), 0, 17), 0)
})
