import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, type Posted } from './account.ts'

const RELAY = { kept: 0, bounces: 0 }
const TRACE = Buffer.from('Received: by relay.example\r\n')

function posted(number: number, ...codes: readonly number[]): Posted {
  const content = Buffer.from(`Subject: ${number}\r\n\r\ntext\r\n`)
  const letter = { reversePath: 'a@sender.example', forwardPath: 'anna@bakery.example', content }
  const answers = codes.map((code) => ({ stage: 'RCPT' as const, reply: { code, line: `${code} so` } }))
  return { number, subject: `${number}`, letter, answers }
}

const arrived = ({ letter }: Posted, content = letter.content) => ({
  reversePath: letter.reversePath,
  recipients: [letter.forwardPath],
  content: Buffer.concat([TRACE, content]),
})

test('an account that balances', () => {
  const [taken, refused, later] = [posted(1, 250), posted(2, 550), posted(3, 450, 250)]
  const result = account([taken, refused, later], [arrived(taken), arrived(later)], RELAY)
  assert.deepEqual(result, {
    sent: 3,
    delivered: 2,
    refused: 1,
    deferred: 1,
    cameBack: 1,
    bounces: 0,
    notices: 0,
    faults: [],
  })
})

test('a notice to the postmaster is counted for itself; a report, or one to somebody else, is a bounce', () => {
  const notice = (recipient: string, type = 'text/plain') => ({
    reversePath: '',
    recipients: [recipient],
    content: Buffer.from(`Auto-Submitted: auto-generated\r\nContent-Type: ${type}\r\n\r\ntext\r\n`),
  })
  const own = account([], [notice('postmaster@bakery.example')], RELAY)
  assert.deepEqual([own.notices, own.bounces, own.faults], [1, 0, []])
  for (const other of [notice('anna@bakery.example'), notice('postmaster@bakery.example', 'multipart/report')])
    assert.match(account([], [other], RELAY).faults.join('\n'), /1 bounces/)
})

test('a sender that was asked to come back and has not come is no fault', () => {
  assert.deepEqual(account([posted(1, 450)], [], RELAY).faults, [])
})

test('what must not be: lost, doubled, changed, delivered after a no, kept, bounced, unknown', () => {
  const taken = posted(1, 250)
  const refused = posted(2, 550)
  const changed = Buffer.from(taken.letter.content.toString().replace('text', 'test'))
  const cases: [readonly Posted[], readonly ReturnType<typeof arrived>[], typeof RELAY, RegExp][] = [
    [[taken], [], RELAY, /0 unchanged copies/],
    [[taken], [arrived(taken), arrived(taken)], RELAY, /2 unchanged copies/],
    [[taken], [arrived(taken, changed)], RELAY, /0 unchanged copies/],
    [[refused], [arrived(refused)], RELAY, /heard "550 so", and 1 unchanged/],
    [[taken], [arrived(taken)], { kept: 1, bounces: 0 }, /still keeps 1/],
    [[taken], [arrived(taken)], { kept: 0, bounces: 1 }, /1 bounces/],
    [[], [arrived(taken)], RELAY, /nobody sent/],
    [[], [{ ...arrived(taken), reversePath: '' }], RELAY, /1 bounces/],
  ]
  for (const [sent, mailboxes, relay, fault] of cases) {
    assert.match(account(sent, mailboxes, relay).faults.join('\n'), fault)
  }
})
