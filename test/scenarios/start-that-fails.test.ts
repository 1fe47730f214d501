/**
 * What the operator has to mend is said in one line that says how, with an exit code; there is never a stack.
 */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { freePort } from '../harness/free-port.ts'
import { startSink } from '../harness/sink.ts'
import { tempFolder } from '../harness/temp-folder.ts'
import { startVorposten } from '../harness/vorposten.ts'

interface Failure {
  readonly what: string
  readonly top: { readonly [key: string]: unknown }
  readonly code: number
  readonly says: RegExp
}

const listener = (port: number, more: object = {}) => ({
  listeners: [{ name: 'mx', addresses: [`127.0.0.1:${port}`], ...more }],
})
const missing = [{ certificate: '/nowhere/mx.crt', key: '/nowhere/mx.key' }]

test('each kind of fault has its line and its exit code', async () => {
  await using taken = await startSink()
  const port = await freePort()
  using folder = tempFolder('fault')
  writeFileSync(`${folder.path}/file`, '')
  mkdirSync(`${folder.path}/data`)
  writeFileSync(`${folder.path}/data/tls`, '')
  const faults: readonly Failure[] = [
    {
      what: 'unknown key',
      top: { hostnam: 'x.test' },
      code: 78,
      says: /vorposten\.yaml:\d+:\d+: error: .*hostnam.*hostname/,
    },
    {
      what: 'bad value',
      top: { limits: { 'recipients-max': 5 } },
      code: 78,
      says: /vorposten\.yaml:\d+:\d+: error: limits\.recipients-max: .*100/,
    },
    {
      what: 'port in use',
      top: listener(taken.port),
      code: 69,
      says: /port \d+ on 127\.0\.0\.1 is in use\. .*choose another port/,
    },
    {
      what: 'missing certificate',
      top: listener(port, { certificates: missing }),
      code: 78,
      says: /\/nowhere\/mx\.crt/,
    },
    {
      what: 'folder in a file',
      top: { 'data-folder': `${folder.path}/file/data` },
      code: 73,
      says: /is in the way: it is no folder/,
    },
    // Found by a worker, after the supervisor has found nothing.
    {
      what: 'file in the way of certificates',
      top: { 'data-folder': `${folder.path}/data` },
      code: 73,
      says: /data\/tls.* in the way/,
    },
  ]
  for (const { what, top, code, says } of faults) {
    await using relay = await startVorposten({ started: false, config: bakery(port + 1, { top }) })
    const ended = await relay.command('serve')
    assert.match(ended.text, says, what)
    assert.equal(ended.code, code, `${what}: ${ended.text}`)
    const complaint = ended.text.split('\n').filter((line) => line.startsWith('vorposten: '))
    assert.equal(complaint.length, 1, ended.text)
    assert.doesNotMatch(ended.text, /\bready\b|^ +at /m, what)
  }
})

test('without a configuration file there is one line, too', async () => {
  await using relay = await startVorposten({ started: false, config: '' })
  rmSync(relay.configFile)
  for (const command of [['serve'], ['queue', 'list']]) {
    const { code, text } = await relay.command(...command)
    assert.equal(code, 78, text)
    assert.match(text, /^vorposten: .*vorposten\.yaml/)
    assert.doesNotMatch(text, /\n/)
  }
})

test('a second program on the same folder does not start', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port) })
  const second = await relay.command('serve')
  assert.equal(second.code, 69, second.text)
  assert.match(second.text, /^vorposten: another Vorposten is running/m)

  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: 0, held: 0 })
})
