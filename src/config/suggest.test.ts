import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from './suggest.ts'

const known = ['hosts', 'hostname', 'tls', 'size-max', 'early-talker-delay']

test('a slip of the keyboard is understood', () => {
  for (const [written, meant] of [
    ['host', 'hosts'],
    ['hsots', 'hosts'],
    ['hostnam', 'hostname'],
    ['tsl', 'tls'],
    ['sizeMax', 'size-max'],
    ['SIZE_MAX', 'size-max'],
    ['early-taker-dely', 'early-talker-delay'],
  ] as const) {
    assert.equal(nearest(written, known), meant, written)
  }
})

test('another word is not taken for one', () => {
  for (const written of ['port', 'ssl-mode', 'x', '', 'relay', 'h'.repeat(10_000)]) {
    assert.equal(nearest(written, known), undefined, written.slice(0, 20))
  }
})
