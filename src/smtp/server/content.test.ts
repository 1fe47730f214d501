/** DATA and BDAT within a session: RFC 5321 §4.1.1.4, RFC 3030. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { permanent, transient } from '#mail/reply.ts'
import { defer, reject } from '#mail/verdict.ts'
import { type Answers, acceptAll, Rehearsal, type RehearsalOptions } from '../../../fuzz/smtp-rehearsal.ts'
import { DEFAULT_LIMITS } from './limits.ts'

const SMALL: RehearsalOptions = {
  settings: { limits: { ...DEFAULT_LIMITS, contentOctetsMax: 100, textLineOctetsMax: 50 } },
}

/** A session with one recipient accepted, its replies read. */
function withRecipient(options: RehearsalOptions = {}, parameters = ''): Rehearsal {
  const rehearsal = new Rehearsal(options)
  rehearsal.lines('EHLO client.example', `MAIL FROM:<a@client.example>${parameters}`, 'RCPT TO:<b@example.net>')
  assert.equal(rehearsal.replies().length, 3)
  return rehearsal
}

const codes = (rehearsal: Rehearsal): string[] => rehearsal.replies().map((reply) => reply.split(' ', 2).join(' '))

interface Case {
  readonly bytes: string
  readonly replies: string[]
  readonly received?: string[]
  readonly parameters?: string
  readonly closed?: string
}

const BDAT: Record<string, Case> = {
  'one chunk': { bytes: 'BDAT 3 LAST\r\nabcNOOP\r\n', replies: ['250 2.0.0', '250 2.0.0'], received: ['abc'] },
  'two chunks, and a line end cut in half': {
    bytes: 'BDAT 2\r\na\rBDAT 2 last\r\n\nb',
    replies: ['250 2.0.0', '250 2.0.0'],
    received: ['a\r\nb'],
  },
  'the last one may be empty': {
    bytes: 'BDAT 1\r\naBDAT 0 LAST\r\n',
    replies: ['250 2.0.0', '250 2.0.0'],
    received: ['a'],
  },
  'there may be no content at all': { bytes: 'BDAT 0 LAST\r\n', replies: ['250 2.0.0'], received: [''] },
  'after LAST: octets are swallowed, 503': {
    bytes: 'BDAT 1 LAST\r\naBDAT 6\r\nQUIT\r\nNOOP\r\n',
    replies: ['250 2.0.0', '503 5.5.1', '250 2.0.0'],
    received: ['a'],
  },
  'DATA, MAIL and RCPT after BDAT: 503, and BDAT may go on': {
    bytes: 'BDAT 1\r\naDATA\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nBDAT 1 LAST\r\nb',
    replies: ['250 2.0.0', '503 5.5.1', '503 5.5.1', '503 5.5.1', '250 2.0.0'],
    received: ['ab'],
  },
  'RSET between chunks abandons': {
    bytes: 'BDAT 1\r\naRSET\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n',
    replies: ['250 2.0.0', '250 2.0.0', '503 5.5.1', '250 2.0.0'],
  },
  'too large, at the chunk that is': {
    bytes: `BDAT 1\r\naBDAT 100\r\n${'a\r\n'.repeat(33)}aBDAT 1 LAST\r\naNOOP\r\n`,
    replies: ['250 2.0.0', '552 5.3.4', '503 5.5.1', '250 2.0.0'],
  },
  'after a failed chunk only RSET helps, or the last chunk': {
    bytes: 'BDAT 2\r\na\nNOOP\r\nMAIL FROM:<>\r\nBDAT 5 LAST\r\nRSET\nMAIL FROM:<>\r\n',
    replies: ['550 5.6.0', '250 2.0.0', '503 5.5.1', '503 5.5.1', '250 2.1.0'],
  },
  'far too large: nobody reads that': { bytes: 'BDAT 401 LAST\r\n', replies: ['552 5.3.4'], closed: 'error' },
  negative: { bytes: 'BDAT -1\r\nNOOP\r\n', replies: ['501 5.5.4'], closed: 'error' },
  'more than 2^64': { bytes: 'BDAT 18446744073709551617\r\nNOOP\r\n', replies: ['501 5.5.4'], closed: 'error' },
  'not a number': { bytes: 'BDAT LAST\r\nNOOP\r\n', replies: ['501 5.5.4'], closed: 'error' },
  'no number': { bytes: 'BDAT\r\nNOOP\r\n', replies: ['501 5.5.4'], closed: 'error' },
  'a number and something else': { bytes: 'BDAT 1 FIRST\r\nNOOP\r\n', replies: ['501 5.5.4'], closed: 'error' },
  'NUL in text': { bytes: 'BDAT 1 LAST\r\n\0', replies: ['550 5.6.0'] },
  'a CR at the very end': { bytes: 'BDAT 2 LAST\r\na\rNOOP\r\n', replies: ['550 5.6.0', '250 2.0.0'] },
  'BINARYMIME: everything goes (RFC 3030 §3)': {
    bytes: 'BDAT 6 LAST\r\n\n.\r\0\r\n',
    parameters: ' BODY=BINARYMIME',
    replies: ['250 2.0.0'],
    received: ['\n.\r\0\r\n'],
  },
  'BINARYMIME: not with DATA': {
    bytes: 'DATA\r\nBDAT 1 LAST\r\na',
    parameters: ' BODY=BINARYMIME',
    replies: ['503 5.5.1', '250 2.0.0'],
    received: ['a'],
  },
}

for (const [story, { bytes, replies, received = [], parameters = '', closed }] of Object.entries(BDAT)) {
  test(`BDAT: ${story}`, () => {
    const rehearsal = withRecipient(SMALL, parameters).send(bytes)
    assert.deepEqual(codes(rehearsal), replies)
    assert.deepEqual(
      rehearsal.received.map((content) => content.text),
      received,
    )
    assert.equal(rehearsal.closed, closed)
  })
}

test('BDAT without MAIL or without RCPT: 503, and the octets are swallowed', () => {
  const rehearsal = new Rehearsal().send('BDAT 6\r\nQUIT\r\n')
  rehearsal
    .send('EHLO client.example\r\nBDAT 6 LAST\r\nQUIT\r\n')
    .send('MAIL FROM:<>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n')
  const said = rehearsal.replies().map((reply) => reply.slice(0, 3))
  assert.deepEqual(said, ['503', '250', '503', '250', '503', '250'])
})

const DATA: Record<string, Case> = {
  'text line too long': { bytes: `${'a'.repeat(49)}\r\n.\r\nNOOP\r\n`, replies: ['550 5.6.0', '250 2.0.0'] },
  'too large': { bytes: `${'a\r\n'.repeat(34)}.\r\nNOOP\r\n`, replies: ['552 5.3.4', '250 2.0.0'] },
  'far too large': { bytes: 'a\r\n'.repeat(134), replies: ['552 5.3.4'], closed: 'error' },
  'far too large, with its end in the same bytes': {
    bytes: `${'a\r\n'.repeat(134)}.\r\nNOOP\r\n`,
    replies: ['552 5.3.4'],
    closed: 'error',
  },
  'bare LF': { bytes: 'a\nb\r\n.\r\nNOOP\r\n', replies: ['550 5.6.0'], closed: 'error' },
  NUL: { bytes: 'a\0b\r\n.\r\nNOOP\r\n', replies: ['550 5.6.0'], closed: 'error' },
}

for (const [story, { bytes, replies, closed }] of Object.entries(DATA)) {
  test(`DATA: ${story}`, () => {
    const rehearsal = withRecipient(SMALL).lines('DATA')
    assert.deepEqual(codes(rehearsal), ['354 End'])
    rehearsal.send(bytes)
    assert.deepEqual(codes(rehearsal), replies)
    assert.equal(rehearsal.received.length, 0)
    assert.equal(rehearsal.abandoned.length, 1, 'the path hears that there will be no content')
    assert.equal(rehearsal.closed, closed)
  })
}

const refuseAt =
  (kind: string): Answers =>
  (question) =>
    question.kind === kind ? defer(transient(452, '4.3.1', 'disk full'), 'disk-full', 'test') : acceptAll(question)

test('no content allowed: DATA leaves the transaction, BDAT swallows and fails it', () => {
  const atData = withRecipient({ answers: refuseAt('data') }).lines('DATA', 'RCPT TO:<c@example.net>')
  assert.deepEqual(codes(atData), ['452 4.3.1', '250 2.1.5'])
  const atBdat = withRecipient({ answers: refuseAt('data') }).send(
    'BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nMAIL FROM:<>\r\n',
  )
  assert.deepEqual(codes(atBdat), ['452 4.3.1', '503 5.5.1', '250 2.1.0'])
  assert.equal(atBdat.abandoned.length, 1)
  assert.equal(atBdat.machine.session.tally.errors, 1, "the path's refusal is no error of the client")
})

test('the content is refused or deferred: the reply of the path, and the session goes on', () => {
  const answers: Answers = (question) =>
    question.kind === 'content' ? reject(permanent(554, '5.7.1', 'virus'), 'virus', 'test') : acceptAll(question)
  const rehearsal = withRecipient({ answers }).lines('DATA', '.', 'MAIL FROM:<>')
  assert.deepEqual(codes(rehearsal).slice(1), ['554 5.7.1', '250 2.1.0'])
  assert.equal(rehearsal.abandoned.length, 0)
})

test('nobody knows whether we have it: no reply at all', () => {
  const answers: Answers = (question) => (question.kind === 'content' ? { kind: 'vanish' } : acceptAll(question))
  const rehearsal = withRecipient({ answers }).lines('DATA', '.', 'NOOP')
  assert.deepEqual(codes(rehearsal), ['354 End'])
  assert.equal(rehearsal.closed, 'error')
  assert.equal(rehearsal.abandoned.length, 0)
})

test('an acceptance without custody is a defect, not a 250 (law 1)', () => {
  const rehearsal = withRecipient({ answers: () => ({ kind: 'accept' }) }).lines('DATA')
  assert.throws(() => rehearsal.lines('.'), /custody/)
})

test('the reply to the final dot names the transaction', () => {
  const rehearsal = withRecipient().lines('DATA', 'Subject: x', '', '.')
  const id = rehearsal.received[0]?.transaction.id
  assert.equal(rehearsal.replies()[1], `250 2.0.0 Ok: queued as ${id}`)
})

test('content that would take no end costs no memory once it has a fault', () => {
  const limits = { ...DEFAULT_LIMITS, contentOctetsMax: 1_000_000 }
  const rehearsal = withRecipient({ settings: { limits } }).lines('DATA', 'a\nb')
  const bytes = Buffer.from('text of a line\r\n'.repeat(1000))
  for (let i = 0; i < 60; i++) rehearsal.send(bytes)
  rehearsal.lines('.')
  assert.deepEqual(codes(rehearsal).slice(1), ['550 5.6.0'])
})
