import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainText, TEXT_LENGTH_MAX, WORDS_MAX, wordsOf } from './words.ts'

const words = (text: string): number[] => wordsOf(plainText(text).text)

test('case, and what separates words, make no difference; the order does', () => {
  assert.deepEqual(words('Buy CHEAP  (watches)'), words('buy, cheap\r\nwatches'))
  assert.notDeepEqual(words('buy cheap'), words('cheap buy'))
  assert.equal(words('one two three').length, 3)
  assert.notDeepEqual(words('free!!!'), words('free'))
})

test('numbers that differ are one word, and so are words too long for any language', () => {
  assert.deepEqual(words('order 48213'), words('order 90077'))
  assert.notDeepEqual(words('order 48213'), words('order 482'))
  assert.deepEqual(words('x'.repeat(30)), words('y'.repeat(30)))
})

test('tricks that the eye does not see are undone, and counted', () => {
  const plain = words('viagra for free')
  assert.deepEqual(words('v\u200bi\u00ada\u2060gra for free'), plain)
  assert.deepEqual(words('ｖｉａｇｒａ for free'), plain)
  assert.deepEqual(words('vi\u0430gr\u0430 for fr\u0435e'), plain)
  assert.equal(plainText('v\u200bi\u00adagra').invisible, 2)
  assert.equal(plainText('vi\u0430gr\u0430 fr\u0435e now').lookAlikes, 2)
})

test('words of one script are left as they are', () => {
  const { text, lookAlikes, invisible } = plainText('Добрый день, Καλημέρα, Grüße')
  assert.deepEqual([text, lookAlikes, invisible], ['добрый день, καλημέρα, grüße', 0, 0])
  assert.equal(words('Добрый день').length, 2)
})

test('scripts without spaces are taken character by character', () => {
  assert.equal(words('发票代开').length, 4)
  assert.equal(words('こんにちは').length, 5)
  assert.equal(words('ประกาศ').length, 6)
})

test('what is over the limits is cut, not taken apart', () => {
  assert.equal(words('a b '.repeat(TEXT_LENGTH_MAX)).length, WORDS_MAX)
  assert.equal(plainText('x'.repeat(TEXT_LENGTH_MAX + 1)).text.length, TEXT_LENGTH_MAX)
})
