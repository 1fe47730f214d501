import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knownPassword, newPassword, type SecretInput } from './password-input.ts'

function typing(pieces: readonly (string | Buffer)[], isTTY = true) {
  const raw: boolean[] = []
  const said: string[] = []
  const input: SecretInput = {
    isTTY,
    setRawMode: (on) => raw.push(on),
    async *[Symbol.asyncIterator]() {
      for (const piece of pieces) yield Buffer.from(piece)
    },
  }
  return { raw, said, from: { input, say: (text: string) => void said.push(text) } }
}

test('typed twice without echo, with corrections; the terminal is given back', async () => {
  const { raw, said, from } = typing(['correct hors', 'x\x7fe\r', 'oops\x15correct horse\r'])
  assert.equal(await newPassword({}, from), 'correct horse')
  assert.deepEqual(raw, [true, false])
  assert.equal(said.join(''), 'New password: \nOnce more: \n')
})

test('a letter that comes in two pieces, and both lines in one', async () => {
  const octets = Buffer.from('müde\nmüde\n')
  assert.equal(await newPassword({}, typing([octets.subarray(0, 2), octets.subarray(2)]).from), 'müde')
})

test('two that differ, Ctrl-C, and a terminal that goes away change nothing', async () => {
  await assert.rejects(newPassword({}, typing(['one\r', 'other\r']).from), /the two differ/)
  const given = typing(['one\r', 'on\x03'])
  await assert.rejects(newPassword({}, given.from), /given up/)
  assert.deepEqual(given.raw, [true, false])
  await assert.rejects(newPassword({}, typing(['one\r']).from), /no password was typed/)
})

test('from standard input: its first line; and where there is no terminal the operator is told', async () => {
  assert.equal(await newPassword({ passwordStdin: true }, typing(['sec', 'ret\r\nmore'], false).from), 'secret')
  assert.equal(await knownPassword({ passwordStdin: true }, typing(['secret'], false).from), 'secret')
  assert.equal(await knownPassword({}, typing(['secret\r']).from), 'secret')
  await assert.rejects(newPassword({}, typing([], false).from), /no terminal/)
  assert.equal(await newPassword({ generate: true }, typing([], false).from), undefined)
  await assert.rejects(newPassword({ generate: true, passwordStdin: true }, typing([]).from), /exclude each other/)
})
