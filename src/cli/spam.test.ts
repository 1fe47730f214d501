import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spamCommand } from './spam.ts'

test('every command stands there once', () => {
  const ask = async () => undefined
  const names = spamCommand(ask, ask, async () => undefined).commands.map((command) => command.name())
  assert.deepEqual(names.toSorted(), ['check', 'export', 'import', 'reputation', 'stats', 'train', 'undo'])
})
