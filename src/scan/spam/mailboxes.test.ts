/** Who a message says it is from, however leniently its writer took the grammar: one reading for all rules. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressesIn, partiesOf } from './mailboxes.ts'
import { readMessage } from './message.ts'

const parties = (fields: string) => partiesOf(readMessage(Buffer.from(`${fields}\r\n\r\nx\r\n`)))

test('names and addresses, in the forms that mail has', () => {
  for (const [field, name, address] of [
    ['Anna Beck <Anna@Bakery.example>', 'Anna Beck', 'anna@bakery.example'],
    ['"Beck, Anna" <anna@bakery.example>', 'Beck, Anna', 'anna@bakery.example'],
    ['PayPal, Inc. <service@account.example>', 'PayPal, Inc.', 'service@account.example'],
    ['anna@bakery.example (Anna Beck)', 'Anna Beck', 'anna@bakery.example'],
    ['=?utf-8?q?B=C3=A4ck?= <anna@bakery.example>', 'Bäck', 'anna@bakery.example'],
    ['anna@bakery.example', '', 'anna@bakery.example'],
    ['anna@bakery.example, ben@mill.example', '', 'anna@bakery.example'],
    ['nobody', 'nobody', ''],
    ['', '', ''],
  ] as const) {
    const { from } = parties(`From: ${field}`)
    assert.deepEqual([from.name, from.address], [name, address], field)
    assert.deepEqual([from.domain, from.site === undefined], [address.split('@')[1] ?? '', address === ''], field)
  }
})

test('whom it is for, and who gets the answers', () => {
  const { to, replyTo } = parties(
    'From: a@a.example\r\nTo: Ben, Miller <ben@mill.example>, x@y.example\r\nCc: undisclosed:;\r\nReply-To: C <c@c.example>',
  )
  assert.deepEqual(to, ['ben@mill.example', 'x@y.example'])
  assert.deepEqual([replyTo?.name, replyTo?.address], ['C', 'c@c.example'])
  assert.equal(parties('From: a@a.example').replyTo, undefined)
})

test('addresses that stand in a text', () => {
  assert.deepEqual(addressesIn('write to Anna@Bakery.example. or <b@mill.example>, not to @x or y@'), [
    'anna@bakery.example',
    'b@mill.example',
  ])
})
