/**
 * `vorposten simulate` says what would happen, and why, and sends nothing.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { startVorposten } from '../harness/vorposten.ts'

test('it gives the reply and its reasons', async () => {
  await using sink = await startSink()
  const domains = { 'other.test': { 'deliver-to': '127.0.0.1:9', recipients: 'live' } }
  await using relay = await startVorposten({
    started: false,
    config: bakery(sink.port, { recipients: { listed: ['anna'] }, domains }),
  })
  const simulate = (...words: readonly string[]) => relay.command('simulate', '--from', 'a@x.test', '--to', ...words)

  const known = await simulate('anna@dest.test')
  assert.equal(known.code, 0, known.text)
  assert.match(known.text, new RegExp(`delivered to 127\\.0\\.0\\.1:${sink.port} in the session`))
  const unknown = await simulate('nobody@dest.test')
  assert.equal(unknown.code, 69)
  assert.match(unknown.text, /550 5\.1\.1 [\s\S]*unknown recipient \(listed\)/)
  assert.match((await simulate('victim@elsewhere.test')).text, /550 5\.7\.1 [\s\S]*not a domain of ours/)
  assert.match((await simulate('anna@dest.test', 'ben@other.test')).text, /452 4\.5\.3 /)
  assert.match((await simulate('ben@other.test', '--assume', 'unreachable')).text, /450 4\.1\.1 /)
  assert.deepEqual(sink.commands, [])
})
