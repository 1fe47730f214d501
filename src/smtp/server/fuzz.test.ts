/** A short run of the fuzzer, its alarm, and dialogues that others wrote. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Rehearsal } from '../../../fuzz/smtp-rehearsal.ts'
import { canary, fuzz } from '../../../fuzz/smtp-server.ts'

test('no input breaks a law, and no cutting changes the story', () => fuzz(1, 3000))

test('the alarm works: behind a proxy that makes CRLF of LF the same checks fail', () => {
  assert.throws(() => canary(), /contents out of/)
})

function james(name: string): string[] {
  const script = readFileSync(new URL(`../../../fixtures/james-mpt/${name}.test`, import.meta.url), 'utf8')
  return script.split('\n')
}

/** The codes of the replies that a script expects; `250.*` stands for the first line of several. */
function expectedCodes(script: string[]): string[] {
  return script.filter((line) => /^S: \d{3} /.test(line)).map((line) => line.slice(3, 6))
}

const PLAYED = ['helo', 'data_starts_with_starttls', 'data_with_starttls', 'rcpt_with_starttls', 'starttls']

for (const name of PLAYED) {
  test(`Apache James: ${name}`, () => {
    const script = james(name)
    const commands = script.filter((line) => line.startsWith('C:')).map((line) => line.slice(3))
    const rehearsal = new Rehearsal().lines(...commands)
    const codes = rehearsal.replies().map((reply) => reply.slice(0, 3))
    assert.deepEqual(['220', ...codes], expectedCodes(script))
  })
}

test('Apache James: starttls_with_injection, where James says 451 and we throw the injected command away', () => {
  const script = james('starttls_with_injection').filter((line) => line.startsWith('C:'))
  const bytes = script.map((line) => `${line.slice(3).replaceAll('\\r\\n', '\r\n')}\r\n`).join('')
  const rehearsal = new Rehearsal().send(bytes)
  assert.deepEqual(
    rehearsal.replies().map((reply) => reply.slice(0, 3)),
    ['250', '220'],
  )
  assert.equal(rehearsal.machine.session.tally.transactions, 0)
})
