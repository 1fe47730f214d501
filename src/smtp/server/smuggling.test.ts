/**
 * SMTP smuggling (CVE-2023-51764 and its kin): sequences that some servers take for the end of data, with a second
 * transaction behind them, cut at every octet. None may start a transaction of its own; each is refused, or, where
 * the listener normalises, stays inside the content of the first.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Rehearsal } from '../../../fuzz/smtp-rehearsal.ts'

interface Sequence {
  readonly id: string
  readonly hex: string
}
const fixture = new URL('../../../fixtures/smuggling/eod-sequences.json', import.meta.url)
const { sequences } = JSON.parse(readFileSync(fixture, 'utf8')) as { sequences: Sequence[] }

const HELLO = ['EHLO client.example', 'MAIL FROM:<a@client.example>', 'RCPT TO:<b@example.net>']
const SECOND = [
  'MAIL FROM:<admin@client.example>',
  'RCPT TO:<b@example.net>',
  'DATA',
  'Subject: smuggled',
  '',
  '.',
  '',
].join('\r\n')

const BEFORE = { text: 'Subject: first\r\n\r\ntext', nothing: '' }

const withSequence = (before: string, sequence: Sequence): Buffer =>
  Buffer.concat([Buffer.from(before), Buffer.from(sequence.hex, 'hex'), Buffer.from(SECOND)])

/** One session for each place at which the bytes can be cut in two. */
function* cutInTwo(lineEnds: 'refuse' | 'normalise', command: string[], bytes: Buffer): Generator<Rehearsal> {
  for (let at = 0; at <= bytes.length; at++) {
    const rehearsal = new Rehearsal({ settings: { lineEnds } }).lines(...HELLO, ...command)
    rehearsal.replies()
    yield rehearsal.send(bytes.subarray(0, at)).send(bytes.subarray(at))
  }
}

const hasNul = (sequence: Sequence): boolean => Buffer.from(sequence.hex, 'hex').includes(0)

test('the fixture has the sequences that are known', () => assert.equal(sequences.length, 12))

for (const sequence of sequences) {
  for (const [place, before] of Object.entries(BEFORE)) {
    const content = withSequence(before, sequence)

    test(`DATA, refuse: ${sequence.id} after ${place}`, () => {
      for (const session of cutInTwo('refuse', ['DATA'], content)) {
        assert.match(session.replies().join(), /^550 5\.6\.0 [^,]*$/, 'one reply, for the one content')
        assert.equal(session.machine.session.tally.transactions, 1)
        assert.equal(session.received.length, 0)
        assert.equal(session.closed, 'error')
      }
    })

    test(`BDAT, refuse: ${sequence.id} after ${place}`, () => {
      for (const session of cutInTwo('refuse', [`BDAT ${content.length} LAST`], content)) {
        assert.match(session.replies().join(), /^550 5\.6\.0 [^,]*$/)
        assert.equal(session.machine.session.tally.transactions, 1)
        assert.equal(session.received.length, 0)
      }
    })

    test(`DATA and BDAT, normalise: ${sequence.id} after ${place}`, () => {
      for (const command of ['DATA', `BDAT ${content.length} LAST`]) {
        for (const session of cutInTwo('normalise', [command], content)) {
          assert.equal(session.machine.session.tally.transactions, 1)
          if (hasNul(sequence)) assert.match(session.replies().join(), /^550 5\.6\.0/)
          else onlyInside(session)
        }
      }
    })
  }
}

/** The second transaction is text in the content of the first, and every line of it ends with CRLF. */
function onlyInside(session: Rehearsal): void {
  assert.match(session.replies().join(), /^250 2\.0\.0 [^,]*$/)
  const text = session.received[0]?.text ?? ''
  assert.ok(text.includes('MAIL FROM:<admin@client.example>\r\n'))
  assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n/)
}

test('the same in a command line: nothing behind a false line end is a command', () => {
  for (const lineEnd of ['\n', '\r', '\r\r\n', '\0\r\n', '\n\r']) {
    const session = new Rehearsal().lines('EHLO client.example', `NOOP${lineEnd}MAIL FROM:<a@client.example>`)
    const [, refused] = session.replies()
    const transactions = session.machine.session.tally.transactions
    if (lineEnd.endsWith('\r\n')) assert.equal(transactions, 1, 'CRLF ends the faulty line, and the next is whole')
    else assert.equal(transactions, 0)
    assert.match(refused ?? '', /^500 5\.5\.2/)
  }
})
