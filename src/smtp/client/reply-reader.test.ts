import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RemoteReply } from '#mail/reply.ts'
import { REPLY_LINE_OCTETS_MAX, REPLY_LINES_MAX, REPLY_TEXT_OCTETS_MAX } from './limits.ts'
import { ReplyReader } from './reply-reader.ts'

function read(octets: string, cut = octets.length): (RemoteReply | string)[] {
  const reader = new ReplyReader()
  const replies: (RemoteReply | string)[] = []
  for (const piece of [octets.slice(0, cut), octets.slice(cut)]) {
    reader.receive(Buffer.from(piece, 'latin1'))
    for (let reply = reader.next(); reply !== undefined; reply = reader.next()) {
      replies.push(reply)
      if (typeof reply === 'string') return replies
    }
  }
  return replies
}
const one = (octets: string): RemoteReply | string | undefined => read(octets)[0]

test('single lines, several lines, several replies; enhanced status taken off', () => {
  assert.deepEqual(read('250 2.1.0 Ok\r\n250-2.1.5 a\r\n250-2.1.5 b\r\n250 2.1.5 c\r\n354 go\r\n'), [
    { code: 250, status: '2.1.0', lines: ['Ok'] },
    { code: 250, status: '2.1.5', lines: ['a', 'b', 'c'] },
    { code: 354, lines: ['go'] },
  ])
})

test('a code alone is a reply (RFC 5321 §4.2)', () => {
  assert.deepEqual(one('250\r\n'), { code: 250, lines: [''] })
  assert.deepEqual(one('250 \r\n'), { code: 250, lines: [''] })
})

test('what is no reply is said to be none', () => {
  for (const octets of [
    '\r\n',
    '25\r\n',
    '2x0 a\r\n',
    '150 a\r\n',
    '650 a\r\n',
    '250_a\r\n',
    ' 250 a\r\n',
    'HTTP/1.1 400\r\n',
  ]) {
    assert.equal(one(octets), 'not a reply', octets)
  }
})

test('one reply has one code', () => {
  assert.equal(one('250-a\r\n251 b\r\n'), 'a reply with two codes')
  assert.equal(one('250-a\r\n550 b\r\n'), 'a reply with two codes')
})

test('only CRLF ends a line', () => {
  assert.equal(one('250 ok\n250 ok\r\n'), 'a reply line that ends without CRLF')
  assert.equal(one('\n'), 'a reply line that ends without CRLF')
  assert.deepEqual(one('250 a\rb\r\n'), { code: 250, lines: ['a?b'] })
})

test('control characters and 8-bit octets do not get through', () => {
  assert.deepEqual(one('550 5.1.1 \x1b[31m\0\x07Gr\xfc\xdfe\tund\x7f\x85\r\n'), {
    code: 550,
    status: '5.1.1',
    lines: ['?[31m??Gr??e und??'],
  })
})

test('lines and their number are bounded', () => {
  const longest = 'x'.repeat(REPLY_LINE_OCTETS_MAX - 6)
  assert.deepEqual(one(`250 ${longest}\r\n`), { code: 250, lines: ['x'.repeat(REPLY_TEXT_OCTETS_MAX)] })
  assert.equal(one(`250 ${longest}x\r\n`), 'a reply line that is too long')
  assert.equal(one(`250 ${longest}xxx`), 'a reply line that is too long')
  const lines = '250-x\r\n'.repeat(REPLY_LINES_MAX - 1)
  assert.equal((one(`${lines}250 x\r\n`) as RemoteReply).lines.length, REPLY_LINES_MAX)
  assert.equal(one(`${lines}250-x\r\n`), 'a reply with too many lines')
})

test('pending tells of octets that belong to no reply', () => {
  const reader = new ReplyReader()
  assert.equal(reader.pending, false)
  reader.receive(Buffer.from('220 go\r\n2'))
  reader.next()
  assert.equal(reader.pending, true)
  reader.receive(Buffer.from('50-a\r\n'))
  reader.next()
  assert.equal(reader.pending, true)
  reader.receive(Buffer.from('250 b\r\n'))
  reader.next()
  assert.equal(reader.pending, false)
})

test('where the octets are cut makes no difference', () => {
  const pieces = fc.constantFrom(
    '250 ok\r\n',
    '250-a\r\n',
    '250 2.1.0 b\r\n',
    '\r',
    '\n',
    'x',
    '550 no\r\n',
    '354 \r\n',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), fc.nat(60), (lines, cut) => {
      assert.deepEqual(read(lines.join(''), cut), read(lines.join('')))
    }),
    { numRuns: 2000 },
  )
})
