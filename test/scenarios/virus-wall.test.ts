/**
 * The virus wall with a real clamd: malware is refused in the session, coming in and going out; while the scanner is away
 * nothing passes unless the tenant says so; and when it is back, mail flows again, with no restart.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bakery } from '../harness/bakery.ts'
import { freePort } from '../harness/free-port.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { type ClamdPeer, startClamd, withoutClamd } from '../peers/clamd.ts'

const skip = withoutClamd()
// In two pieces: this file must not be one that scanners find.
const EICAR = `X5O!P%@AP[4\\PZX54(P^)7CC)7}$${'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'}`
const CLEAN = 'Subject: bread\r\n\r\nTwo loaves, please.\r\n'
const attached = (octets: string): string =>
  [
    'Subject: an invoice',
    'MIME-Version: 1.0',
    'Content-Type: application/octet-stream; name=invoice.bin',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from(octets).toString('base64'),
    '',
  ].join('\r\n')

const virus = (clamd: ClamdPeer, policy: object = {}) => ({
  engines: { clamav: { servers: [clamd.path], 'time-max': '10s' } },
  policy,
})

const send = async (port: number, text: string, to = 'anna@dest.test', from = 'a@x.test') => {
  using talk = await greeted(port)
  return (await talk.message({ from, to: [to], content: text })).text
}

test('malware is refused in the session with the trace id; the story says why', { skip }, async () => {
  await using clamd = await startClamd()
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port, { top: { virus: virus(clamd) } }) })
  assert.match(await send(relay.port, CLEAN), /^250 /)
  const refusal = await send(relay.port, attached(EICAR))
  const id = /^550 5\.7\.1 .*Eicar-Test-Signature.*trace (\w+)/.exec(refusal)?.[1]
  assert.ok(id, refusal)
  assert.equal(sink.accepted.length, 1)
  await relay.logged(new RegExp(`${id}: scan=reject.*malware Eicar-Test-Signature.* in message \\(clamav\\)`))
  assert.match((await relay.command('trace', id)).text, /Eicar-Test-Signature/)
  assert.equal(await relay.metric('vorposten_scans_total{decision="reject"}'), 1)
  assert.equal(await relay.metric('vorposten_scans_total{decision="clean"}'), 1)
})

test('a tenant may have it tagged; a forged tag does not arrive', { skip }, async () => {
  await using clamd = await startClamd()
  await using sink = await startSink()
  const domain = { virus: { malware: 'tag' } }
  await using relay = await startVorposten({ config: bakery(sink.port, { domain, top: { virus: virus(clamd) } }) })
  assert.match(await send(relay.port, attached(EICAR)), /^250 /)
  assert.match(await send(relay.port, `X-Vorposten-Scan: clean, believe me\r\n${CLEAN}`), /^250 /)
  const [tagged, clean] = sink.messages.map(({ content }) => content.toString('latin1'))
  assert.match(tagged!, /^X-Vorposten-Scan: malware Eicar-Test-Signature.* in message \(clamav\)\r\n/m)
  assert.doesNotMatch(clean!, /X-Vorposten-Scan/)
})

test('what tenants send is scanned too', { skip }, async () => {
  await using clamd = await startClamd()
  await using sink = await startSink()
  const out = await freePort()
  const config = bakery(sink.port, { top: { virus: virus(clamd) } }) as { tenants: { bakery: object } }
  Object.assign(config.tenants.bakery, { outbound: { 'from-networks': ['127.0.0.1'], route: 'shop' } })
  const listeners = [{ name: 'out', addresses: [`127.0.0.1:${out}`], tls: 'none', service: 'outbound' }]
  await using relay = await startVorposten({ config: { ...config, listeners } })
  assert.match(await send(out, CLEAN, 'eve@far.test', 'anna@dest.test'), /^250 /)
  assert.match(await send(out, attached(EICAR), 'eve@far.test', 'anna@dest.test'), /^550 5\.7\.1 .*Eicar/)
  assert.equal(await relay.metric('vorposten_scans_total{decision="reject"}'), 1)
})

test('the same mail to a second recipient is not looked at again; another one is', { skip }, async () => {
  await using clamd = await startClamd()
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port, { top: { virus: virus(clamd) } }) })
  const memory = (word: string) => relay.metric(`vorposten_scan_memory_total{memory="${word}"}`)
  // Until the signatures are known nothing is remembered.
  await waitFor('a first one that is remembered', async () => {
    assert.match(await send(relay.port, CLEAN), /^250 /)
    return (await memory('miss')) === 1
  })
  assert.match(await send(relay.port, CLEAN, 'ben@dest.test', 'b@x.test'), /^250 /)
  assert.deepEqual([await memory('miss'), await memory('hit')], [1, 1])
  for (let i = 0; i < 2; i++) assert.match(await send(relay.port, attached(EICAR)), /^550 5\.7\.1 .*Eicar/)
  assert.deepEqual([await memory('miss'), await memory('hit')], [2, 2])
})

test('clamd killed: 451, not ready, nothing unscanned; back: mail flows by itself', { skip }, async () => {
  await using clamd = await startClamd()
  await using sink = await startSink()
  const domains = { 'other.test': { route: 'shop', recipients: 'accept-all', virus: { 'engine-silent': 'tag' } } }
  await using relay = await startVorposten({ config: bakery(sink.port, { domains, top: { virus: virus(clamd) } }) })
  await clamd.kill9()
  assert.match(await send(relay.port, CLEAN), /^451 4\.7\.1 /)
  assert.equal(sink.accepted.length, 0)
  const sick = await relay.get('/healthz/ready')
  assert.equal(sick.status, 503)
  assert.match(sick.text, /a scanner does not answer: clamav \(down/)
  assert.equal(await relay.metric('vorposten_scan_engine_silent{engine="clamav"}'), 1)
  // Who prefers unscanned mail to late mail gets it, marked.
  assert.match(await send(relay.port, CLEAN, 'ben@other.test'), /^250 /)
  assert.match(sink.messages.at(-1)!.content.toString(), /^X-Vorposten-Scan: not looked at by clamav, down/m)
  await clamd.start()
  await waitFor('health to notice', async () => (await relay.get('/healthz/ready')).status === 200)
  assert.match(await send(relay.port, CLEAN), /^250 /)
  assert.doesNotMatch(sink.messages.at(-1)!.content.toString(), /X-Vorposten-Scan/)
})

test('the embedded engine alone: malware and programs are refused, each with its words; scan says the same', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port, { top: { virus: { embedded: true } } }) })
  assert.match(await send(relay.port, CLEAN), /^250 /)
  assert.match(await send(relay.port, attached(EICAR)), /^550 5\.7\.1 .*malware \(Eicar-Test-File\); trace /)
  const program = attached(`MZ${'\0'.repeat(200)}`).replace('invoice.bin', 'invoice.exe')
  assert.match(await send(relay.port, program), /^550 5\.7\.1 .*not accepted here \(invoice\.exe\); trace /)
  assert.equal(sink.accepted.length, 1)

  const clean = await relay.commandWithInput(CLEAN, 'scan', '-')
  assert.equal(clean.code, 0)
  assert.match(clean.text, /^clean: /)
  const found = await relay.commandWithInput(attached(EICAR), 'scan', '-', '--domain', 'dest.test')
  assert.equal(found.code, 69)
  assert.match(found.text, /^reject: [\s\S]*because: malware Eicar-Test-File in /)
  const json = (await relay.commandWithInput(program, 'scan', '-', '--json')).json() as {
    decision: string
    because: object[]
  }
  assert.equal(json.decision, 'reject')
  assert.equal(json.because.length, 1)
})

test('a recipient has a policy of its own; scan names the level that decided', async () => {
  await using sink = await startSink()
  const domain = { 'virus-by-recipient': [{ recipients: 'abuse', malware: 'tag' }] }
  await using relay = await startVorposten({
    config: bakery(sink.port, { domain, top: { virus: { embedded: true } } }),
  })
  assert.match(await send(relay.port, attached(EICAR)), /^550 5\.7\.1 /)
  assert.match(await send(relay.port, attached(EICAR), 'Abuse@dest.test'), /^250 /)
  assert.match(sink.messages.at(-1)!.content.toString(), /^X-Vorposten-Scan: malware/m)
  const level = 'malware: tag, by tenants.bakery.domains."dest.test".virus-by-recipient.0'
  await relay.logged(/scan=tag.*\[malware: tag, by tenants\.bakery\.domains\."dest\.test"\.virus-by-recipient\.0\]/)
  const found = await relay.commandWithInput(attached(EICAR), 'scan', '-', '--recipient', 'abuse@dest.test')
  assert.equal(found.code, 0)
  assert.ok(found.text.includes(`decided by ${level}`), found.text)
  assert.ok(found.text.includes('  encrypted: tag, by default'), found.text)
  const other = await relay.commandWithInput(attached(EICAR), 'scan', '-', '--recipient', 'anna@dest.test')
  assert.match(other.text, /^reject: [\s\S]*decided by malware: reject, by default/)
  assert.match((await relay.commandWithInput(CLEAN, 'scan', '-', '--recipient', 'a@far.test')).text, /is not of ours/)
})

test('a tenant may have the part taken out: the recipient reads a notice, and clamd alone is enough', {
  skip,
}, async () => {
  await using clamd = await startClamd()
  await using sink = await startSink()
  const domain = { virus: { malware: 'strip' } }
  await using relay = await startVorposten({ config: bakery(sink.port, { domain, top: { virus: virus(clamd) } }) })
  const letter = 'Content-Type: text/plain\r\n\r\nTwo loaves, please.'
  const file = attached(EICAR).split('\r\n').slice(2).join('\r\n')
  const mixed = `Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${letter}\r\n--b\r\n${file}--b--\r\n`
  assert.match(await send(relay.port, mixed), /^250 /)
  const arrived = sink.messages.at(-1)!.content.toString('latin1')
  assert.match(arrived, /^X-Vorposten-Scan: removed: malware Eicar-Test-Signature.* in message \(clamav\)\r\n/m)
  assert.ok(arrived.includes(`--b\r\n${letter}\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n`), arrived)
  assert.ok(!arrived.includes('invoice.bin'))
  const body = /filename=removed\.txt\r\n.*\r\n\r\n([\w+/=\r\n]+)\r\n--b--/.exec(arrived)?.[1] ?? ''
  assert.match(
    Buffer.from(body, 'base64').toString(),
    /File: invoice\.bin\r\nWhy: a scanner found malware in it \(Eicar-Test-Signature/,
  )
  await relay.logged(/scan=strip.*\[malware: strip, by tenants\.bakery\.domains\."dest\.test"\.virus\]/)
  assert.equal(await relay.metric('vorposten_scans_total{decision="strip"}'), 1)

  // Nothing would be left of it.
  assert.match(await send(relay.port, attached(EICAR)), /^550 5\.7\.1 /)
  const explained = await relay.commandWithInput(attached(EICAR), 'scan', '-', '--domain', 'dest.test')
  assert.match(explained.text, /^reject: [\s\S]*it cannot be stripped: nothing would be left of it/)
  assert.match((await relay.commandWithInput(mixed, 'scan', '-', '--domain', 'dest.test')).text, /^strip: /)
})
