/** Codes of lists as they are in the field: numbers, categories, bits, and errors that look like listings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spamListsOf } from '#config/resolve-spam-lists.ts'
import { spamLists } from '#config/schema-spam-lists.ts'
import { readCodes } from './code.ts'

const list = (written: object) =>
  spamListsOf(spamLists.parse({ it: { kind: 'client', zone: 'bl.test', ...written } }))[0]!
const said = (written: object, ...addresses: string[]): unknown => {
  const reading = readCodes(addresses, list(written))
  return reading.kind === 'listed' ? [reading.weight, reading.codes.join('; ')] : reading.kind
}

test('without codes every listing has the weight of the list', () => {
  assert.deepEqual(said({ weight: 3 }, '127.0.0.2'), [3, '127.0.0.2'])
  assert.deepEqual(said({ weight: 2.5 }, '127.9.9.9', '127.0.0.4'), [2.5, '127.0.0.4; 127.9.9.9'])
})

test('the weightiest of several records counts, each by the first code that is meant', () => {
  const codes = { '127.0.0.2': '5 known spammers', '127.0.0.0/29': 2, '127.0.0.10': '1 dial-up' }
  assert.deepEqual(said({ codes }, '127.0.0.4', '127.0.0.10', '127.0.0.2'), [
    5,
    '127.0.0.2 (known spammers); 127.0.0.4; 127.0.0.10 (dial-up)',
  ])
  assert.equal(said({ codes }, '127.0.0.9'), 'of-no-weight')
  assert.deepEqual(said({ codes, weight: 0.5 }, '127.0.0.9'), [0.5, '127.0.0.9'])
})

test('bits are added up by the list, and read one by one', () => {
  const codes = { 'bit-8': '5 phishing', 'bit-16': '6 malware', 'bit-64': '4 abuse' }
  assert.deepEqual(said({ codes }, '127.0.0.80'), [6, '127.0.0.80 (malware); 127.0.0.80 (abuse)'])
  assert.deepEqual(said({ codes }, '127.0.0.8'), [5, '127.0.0.8 (phishing)'])
  assert.equal(said({ codes }, '127.0.0.4'), 'of-no-weight')
})

test('categories: one octet may be anything', () => {
  const codes = { '127.0.*.3': 4, '127.0.*.2': 3, '127.0.*.0': 0 }
  assert.deepEqual(said({ codes }, '127.0.15.2'), [3, '127.0.15.2'])
  assert.deepEqual(said({ codes }, '127.0.7.3', '127.0.9.2'), [4, '127.0.7.3; 127.0.9.2'])
})

test('errors are no listings, whatever the configuration gives for them', () => {
  const all = { codes: { '127.0.0.0/8': 5 }, weight: 5 }
  for (const error of ['127.255.255.252', '127.255.255.254', '127.255.255.255', '127.0.0.1', '127.0.0.255']) {
    assert.equal(said(all, error), 'refused', error)
    assert.equal(said(all, '127.0.0.2', error), 'refused', `${error} beside a listing`)
  }
  assert.deepEqual(said({ codes: { '127.0.0.255': 1 } }, '127.0.0.255'), [1, '127.0.0.255'], 'if it is meant')
  for (const other of ['192.0.2.1', '0.0.0.0', '128.0.0.2', '12.7.0.2'])
    assert.equal(said(all, other), 'no-list', other)
})
