/** What a worker asks the greylist, and what it makes of silence. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { session, transaction } from '#mail/testing.ts'
import { COME_BACK_MS_MIN } from '#policy/greylist.ts'
import { GreylistClerk } from './clerks/greylist.ts'
import { greylistOf, keysOf } from './greylist-desk.ts'

const from = (address: string, to = ['anna@bakery.test', 'Ben@Bakery.test'], sender = 'x@y.test') =>
  transaction(to, sender, session({ client: { address, port: 1 } }))

test('neighbours of a client and spellings of an address are the same', () => {
  const expected = ['192.0.2.0/24 x@y.test anna@bakery.test', '192.0.2.0/24 x@y.test ben@bakery.test']
  assert.deepEqual(keysOf(from('192.0.2.7')), expected)
  assert.deepEqual(keysOf(from('::ffff:192.0.2.200', ['ANNA@bakery.test', 'ben@bakery.test'])), expected)
  assert.deepEqual(keysOf(from('2001:db8::1', ['a@b.test'], '')), ['2001:db8::/64  a@b.test'])
})

test('all recipients must be known; a desk that is silent lets pass', async () => {
  let nowMs = 0
  const clerk = new GreylistClerk({ monotonic: () => nowMs })
  const asks = greylistOf((about, body) => clerk.answer(about.split('/')[1]!, body))
  assert.equal(await asks(from('192.0.2.7', ['anna@bakery.test'])), 'wait')
  nowMs += COME_BACK_MS_MIN
  assert.equal(await asks(from('192.0.2.8')), 'wait', 'Ben is new')
  assert.equal(await asks(from('192.0.2.8', ['anna@bakery.test'])), 'pass', 'the other one came again')
  const silent = greylistOf(() => Promise.reject(new Error('no answer')))
  assert.equal(await silent(from('192.0.2.7')), 'pass')
})
