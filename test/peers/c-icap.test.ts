/** The real c-icap in front of a real clamd: what it finds, what it lets through unseen, and what happens while it is away. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { content } from '#mail/content.ts'
import { Icap } from '#scan/icap.ts'
import { systemClock } from '#sys/clock.ts'
import { type CIcapPeer, startCIcap, withoutCIcap } from './c-icap.ts'
import { clamavTestFiles, startClamd } from './clamd.ts'

const skip = withoutCIcap()
// In two pieces: this file must not be one that scanners find.
const EICAR = Buffer.from(`X5O!P%@AP[4\\PZX54(P^)7CC)7}$${'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'}`, 'latin1')
const mail = (attachment: Buffer) =>
  content([
    Buffer.from('Received: from x by y\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n'),
    Buffer.from('Content-Transfer-Encoding: base64\r\n\r\n'),
    Buffer.from(attachment.toString('base64').replace(/.{76}/g, '$&\r\n')),
  ])
const CLEAN = content([Buffer.from('Received: from x by y\r\nSubject: bread\r\n\r\n'), Buffer.from('Six loaves.\r\n')])
const NONE = Promise.resolve([])

const engine = (peers: readonly CIcapPeer[], timeMsMax = 20_000) => {
  const servers = peers.map(({ port, service }) => ({ address: '127.0.0.1', port, service }))
  return new Icap({ name: 'icap', servers, connectionsMax: 4, connectMsMax: 5_000, timeMsMax }, systemClock)
}
async function why(of: Icap, message = CLEAN) {
  const facts = await of.look(message, NONE)
  return facts.map((fact) => (fact.kind === 'not-looked' ? fact.why : fact.kind)).join()
}

test('it finds by name, in the message and in another reading; what is clean passes', { skip }, async () => {
  await using clamd = await startClamd()
  await using peer = await startCIcap(clamd.path)
  const icap = engine([peer])
  assert.deepEqual(await icap.look(CLEAN, NONE), [])
  assert.deepEqual(await icap.look(content([Buffer.from('\r\n')]), NONE), [])
  const [fact] = await icap.look(mail(EICAR), NONE)
  assert.ok(fact?.kind === 'malware' && fact.name.startsWith('Eicar-Test-Signature') && fact.where === 'message')
  for (const file of clamavTestFiles().slice(0, 6)) assert.equal(await why(icap, mail(readFileSync(file))), 'malware')
  const extra = Promise.resolve([{ where: 'part 2', names: [], depth: 0, octets: EICAR }])
  const [other] = await icap.look(CLEAN, extra)
  assert.ok(other?.kind === 'malware' && other.where === 'part 2')
  icap.signatures()
  await after(500)
  assert.match(icap.signatures() ?? '', /^"CI0001-/)
  const all = await Promise.all(Array.from({ length: 30 }, (_, i) => why(icap, i % 3 === 0 ? mail(EICAR) : CLEAN)))
  assert.deepEqual(
    all,
    Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? 'malware' : '')),
  )
})

test('what it lets through unseen is no clean: above its size limit, and of a type it does not scan', {
  skip,
}, async () => {
  await using clamd = await startClamd()
  await using peer = await startCIcap(clamd.path, { sizeMax: '100K', types: 'TEXT' })
  const icap = engine([peer])
  assert.equal(await why(icap, content([Buffer.alloc(300_000, 'a')])), 'too-large')
  for (const octets of [400, 4_000]) {
    const extra = { where: 'part 2', names: [], depth: 0, octets: Buffer.concat([PNG, Buffer.alloc(octets)]) }
    const [fact] = await icap.look(CLEAN, Promise.resolve([extra]))
    assert.ok(fact?.kind === 'not-looked' && fact.why === 'too-large', `${octets}`)
  }
})
const PNG = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

test('its own scanner is gone, it is killed, it hangs: not looked; back, it looks again', { skip }, async () => {
  await using clamd = await startClamd()
  await using first = await startCIcap(clamd.path)
  await using second = await startCIcap(clamd.path)
  const [alone, both] = [engine([first]), engine([first, second])]
  await first.kill9()
  assert.equal(await why(alone), 'down')
  for (let i = 0; i < 4; i++) assert.equal(await why(both), '')
  await first.start()
  assert.equal(await why(alone), '')
  await clamd.kill9()
  assert.equal(await why(alone, mail(EICAR)), 'down')
  await clamd.start()
  assert.equal(await why(alone, mail(EICAR)), 'malware')
  first.signal('SIGSTOP')
  assert.equal(await why(engine([first], 1_000)), 'timed-out')
  first.signal('SIGCONT')
  assert.equal(await why(alone), '')
})
