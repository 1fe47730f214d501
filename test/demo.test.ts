/**
 * The demo as a visitor starts it, with `--once`: it must end by itself, with an account that balances, and leave nothing
 * behind. What it prints goes to a pipe here, so no colours and no moving lines either.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { startChild } from './harness/child.ts'
import { tempFolder } from './harness/temp-folder.ts'
import { waitFor } from './harness/wait-for.ts'

const DEMO = new URL('../demo/demo.ts', import.meta.url).pathname

test('the demo runs to its end, its account balances, and it clears up', async () => {
  using folder = tempFolder('demo')
  await using demo = startChild(process.execPath, [DEMO, '--once'], { env: { ...process.env, TMPDIR: folder.path } })
  const { code } = await demo.ended
  const text = demo.lines.join('\n')
  assert.equal(code, 0, text)
  const figure = (name: string) => Number(new RegExp(`^   ${name} +(\\d+) `, 'm').exec(text)?.[1] ?? Number.NaN)
  const figures = ['sent', 'delivered', 'refused', 'deferred', 'bounces generated'].map(figure)
  assert.deepEqual(figures, [19, 11, 8, 1, 0], text)
  assert.match(text, /automatic reply 3[\s\S]*more than 2/)
  assert.match(text, /451 4\.7\.1 Too many recipients[\s\S]*bernd@bakery\.example of bakery: slowed down/)
  assert.match(text, /bernd@bakery\.example .*recipients: at most 500 a day/)
  assert.match(text, /550 5\.7\.13 This login is locked: it looks stolen[\s\S]*bernd@bakery\.example is unlocked/)
  assert.match(text, /550 5\.7\.1 Message refused: it carries malware \(Eicar-Test-File\); trace \w+/)
  assert.match(text, /malware Eicar-Test-File in body > 2026\.zip > invoice\.bin/)
  assert.match(
    text,
    /550 5\.7\.1 Message refused: it carries an encrypted file, which cannot be checked \(zip\); trace \w+/,
  )
  assert.match(text, /AUTH_DMARC_PASS.*news\.books\.example/)
  assert.match(text, /spam filter: pass, -[\d.]+ points, bulk/)
  assert.match(text, /spam filter: reject, [\d.]+ points, ordinary[\s\S]*TEXT_ADVANCE_FEE/)
  assert.match(text, /spam filter: reject, [\d.]+ points, phishing[\s\S]*PHISH_BRAND_LINK/)
  assert.match(text, /550 5\.7\.1 Message refused: it looks like spam\. [^;]*; trace \w+/)
  assert.match(text, /✓ the account balances/)
  assert.match(text, /^ {3}│ .* settled: every recipient has an end/m)
  assert.doesNotMatch(text, /[\x1b\r]/, 'colours or moving lines in a pipe')
  assert.deepEqual(readdirSync(folder.path), [], 'the temporary folder is still there')
})

test('the demo interrupted in the middle ends its relay and clears up', async () => {
  using folder = tempFolder('demo')
  await using demo = startChild(process.execPath, [DEMO], { env: { ...process.env, TMPDIR: folder.path } })
  await demo.line(/── 2 /)
  const started = readdirSync(folder.path).length
  demo.signal('SIGINT')
  const { code } = await demo.ended
  assert.equal(code, 130, demo.lines.join('\n'))
  assert.equal(started, 1)
  await waitFor('the folder to be removed', () => readdirSync(folder.path).length === 0)
})
