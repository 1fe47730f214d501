import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { it } from 'node:test'
import fc from 'fast-check'
import { senderToken, tokenIn, tokenRecordName, tokenRecordText } from './sender-token.ts'

const macOf = (key: string) => (about: readonly string[]) =>
  createHmac('sha256', key).update(JSON.stringify(about)).digest()

it('is another one for each relay, tenant and domain, and the same each time', () => {
  const tokens = ['one', 'two'].flatMap((key) =>
    ['bakery', 'smith'].flatMap((tenant) =>
      ['a.test', 'b.test'].map((domain) => senderToken(macOf(key), tenant, domain)),
    ),
  )
  assert.equal(new Set(tokens).size, 8)
  assert.equal(senderToken(macOf('one'), 'bakery', 'a.test'), tokens[0])
  assert.equal(tokenRecordName('a.test'), '_vorposten.a.test')
})

it('is found beside others, as forms for DNS records may write it, and nowhere else', () => {
  const token = senderToken(macOf('one'), 'bakery', 'a.test')
  const other = senderToken(macOf('one'), 'smith', 'a.test')
  const record = tokenRecordText(token)
  for (const records of [[record], ['v=spf1 -all', tokenRecordText(other), record], [` ${record.toUpperCase()} `]])
    assert.equal(tokenIn(records, ['0'.repeat(32), token]), token, records.join())
  for (const records of [[], [token], [tokenRecordText(other)], [`${record}0`], [`x${record}`], [record.slice(0, -1)]])
    assert.equal(tokenIn(records, [token]), undefined, records.join())
})

it('is read from anything without a fault, and only from its own text', () => {
  const token = senderToken(macOf('one'), 'bakery', 'a.test')
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 600 })), (records) => {
      assert.equal(
        tokenIn(records, [token]),
        records.some((one) => one.toLowerCase().includes(token)) ? token : undefined,
      )
    }),
  )
})
