import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NULL_PATH, type ReversePath } from '#mail/address.ts'
import { forwardPath, mailbox } from '#mail/testing.ts'
import { absentMailbox, correspondentKey, overLimitText, replyCounter } from './automatic-reply.ts'

const path = (text: string): ReversePath => ({ kind: 'mailbox', mailbox: mailbox(text) })
const LIMIT = { limit: 2, windowMs: 7 * 86_400_000, per: 'correspondent' } as const

test('who is absent: the author, else the reverse-path, else nobody known; in one spelling', () => {
  assert.equal(absentMailbox('Anna@Bakery.Test', path('x@y.test')), 'anna@bakery.test')
  assert.equal(absentMailbox(undefined, path('ANNA@bakery.test')), 'anna@bakery.test')
  assert.equal(absentMailbox('no address', path('prvs=3840abcdef=anna@bakery.test')), 'anna@bakery.test')
  assert.equal(absentMailbox(undefined, NULL_PATH), 'unknown')
})

test('a counter is of the mailbox and the correspondent, or of the mailbox alone', () => {
  const bob = correspondentKey(forwardPath('Bob@far.test'))
  assert.equal(replyCounter('anna@bakery.test', bob, LIMIT), 'anna@bakery.test bob@far.test')
  assert.equal(replyCounter('anna@bakery.test', bob, { ...LIMIT, per: 'mailbox' }), 'anna@bakery.test')
  // A correspondent that signs its addresses is one and the same every day.
  assert.equal(correspondentKey(forwardPath('prvs=3840abcdef=bob@far.test')), 'bob@far.test')
  assert.equal(correspondentKey(forwardPath('Postmaster')), 'postmaster')
})

test('what is said when it is used up', () => {
  const said = overLimitText('anna@bakery.test', 'bob@far.test', LIMIT)
  assert.equal(said, 'automatic reply of anna@bakery.test to bob@far.test: more than 2 within 168 h')
  const alone = overLimitText('anna@bakery.test', 'bob@far.test', { limit: 1, windowMs: 5_400_000, per: 'mailbox' })
  assert.equal(alone, 'automatic reply of anna@bakery.test: more than 1 within 90 min')
})
