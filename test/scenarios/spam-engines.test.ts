/**
 * Mail that comes in with a real Rspamd beside the spam filter: what it finds is refused or tagged by its tenant's policy, it is
 * told the session, and while it is away mail waits by policy.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { envelopeRule, startRspamd, withoutRspamd } from '../peers/rspamd.ts'

const skip = withoutRspamd()
const letter = (text: string) => `From: Anna <a@x.test>\r\nSubject: bread for Friday\r\n\r\n${text}\r\n`
const GTUBE = letter(`XJS*C4JDBQADN1.NSBN3*2IDNEN*${'GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL'}*C.34X`)

async function send(port: number, text: string): Promise<string> {
  using talk = await greeted(port)
  return (await talk.message({ from: 'a@x.test', to: ['anna@dest.test'], content: text })).text
}

/** As a server does: again, until it hears something else than "later". On a busy machine the first looks may take too long. */
const sendUntilDecided = (port: number, text: string): Promise<string> =>
  waitFor('an answer that is final', async () => {
    const answer = await send(port, text)
    return !answer.startsWith('4') && answer
  })

test('what Rspamd refuses is refused; while it is away mail waits, and then passes with no restart', {
  skip,
}, async () => {
  await using rspamd = await startRspamd()
  await using sink = await startSink()
  const engines = { rspamd: { kind: 'rspamd', servers: `127.0.0.1:${rspamd.port}` } }
  const spam = { engines, policy: { 'reject-at': 8, 'engine-silent': 'defer' } }
  await using relay = await startVorposten({ config: bakery(sink.port, { top: { spam } }) })
  assert.match(await sendUntilDecided(relay.port, letter('Six loaves, please.')), /^250 /)
  const refusal = await sendUntilDecided(relay.port, GTUBE)
  const id = /^550 5\.7\.1 .*trace (\w+)/.exec(refusal)?.[1]
  assert.ok(id, refusal)
  assert.match((await relay.command('trace', id)).text, /ENGINE_RSPAMD|Rspamd/)
  await rspamd.kill9()
  assert.match(await send(relay.port, letter('Seven loaves, please.')), /^451 4\.7\.1 /)
  await rspamd.start()
  assert.match(await sendUntilDecided(relay.port, letter('Seven loaves, please.')), /^250 /)
  assert.equal(sink.accepted.length, 2)
})

test('Rspamd is told the session', { skip }, async () => {
  const told = ['127.0.0.1', 'client.test', 'nil', 'nil', '*', 'a@x.test', 'anna@dest.test']
  await using rspamd = await startRspamd([envelopeRule('TOLD', told, 20)])
  await using sink = await startSink()
  const engines = { rspamd: { kind: 'rspamd', servers: rspamd.path } }
  const spam = { engines, policy: { 'reject-at': 8, 'engine-silent': 'defer' } }
  await using relay = await startVorposten({ config: bakery(sink.port, { top: { spam } }) })
  assert.match(await sendUntilDecided(relay.port, letter('Six loaves, please.')), /^550 5\.7\.1 /)
})
