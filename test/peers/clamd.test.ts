/** The real clamd: what it finds, its size limit, and what happens while it is away. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { content } from '#mail/content.ts'
import { Clamd, type ClamdSettings } from '#scan/clamd.ts'
import { systemClock } from '#sys/clock.ts'
import { clamavTestFiles, startClamd, withoutClamd } from './clamd.ts'

const skip = withoutClamd()
const engine = (servers: ClamdSettings['servers']) =>
  new Clamd({ name: 'clamd', servers, connectionsMax: 4, connectMsMax: 5_000, timeMsMax: 60_000 }, systemClock)
const mail = (attachment: Buffer) =>
  content([
    Buffer.from('MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n'),
    Buffer.from('Content-Transfer-Encoding: base64\r\n\r\n'),
    Buffer.from(attachment.toString('base64').replace(/.{76}/g, '$&\r\n')),
  ])
const NONE = Promise.resolve([])
const CLEAN = content([Buffer.from('Subject: bread\r\n\r\nSix loaves, please.\r\n')])

test('clamd finds every file of clamav-testfiles in a mail, over TCP and over its socket', { skip }, async () => {
  await using clamd = await startClamd()
  const [local, tcp] = [
    engine([{ kind: 'local', path: clamd.path }]),
    engine([{ kind: 'tcp', address: '127.0.0.1', port: clamd.port }]),
  ]
  const files = clamavTestFiles()
  assert.ok(files.length >= 40)
  for (const [i, file] of files.entries()) {
    const [fact] = await (i % 2 === 0 ? local : tcp).look(mail(readFileSync(file)), NONE)
    assert.equal(fact?.kind, 'malware', file)
  }
  for (const clean of [local, tcp]) assert.deepEqual(await clean.look(CLEAN, NONE), [])
  assert.equal(
    (await local.look(CLEAN, Promise.resolve([{ ...reading, octets: readFileSync(files[0]!) }])))[0]?.kind,
    'malware',
  )
})
const reading = { where: 'another reading', names: [], depth: 1 }

test('over its size limit clamd does not look, and says nothing of "clean"', { skip }, async () => {
  await using clamd = await startClamd(['StreamMaxLength 100K'])
  for (const octets of [101 * 1024, 1024 * 1024, 20 * 1024 * 1024]) {
    const [fact] = await engine([{ kind: 'local', path: clamd.path }]).look(content([Buffer.alloc(octets)]), NONE)
    assert.ok(fact?.kind === 'not-looked' && fact.why === 'too-large', `${octets}: ${JSON.stringify(fact)}`)
  }
})

test('killed, and back: down, then clean again, with no restart of ours; a second server carries on', {
  skip,
}, async () => {
  await using first = await startClamd()
  await using second = await startClamd()
  const alone = engine([{ kind: 'local', path: first.path }])
  const both = engine([first, second].map(({ path }) => ({ kind: 'local', path }) as const))
  await first.kill9()
  const [fact] = await alone.look(CLEAN, NONE)
  assert.ok(fact?.kind === 'not-looked' && fact.why === 'down')
  for (let i = 0; i < 4; i++) assert.deepEqual(await both.look(CLEAN, NONE), [])
  await first.start()
  assert.deepEqual(await alone.look(CLEAN, NONE), [])
})

test('its signatures are known by its version, and unknown while a server is away', { skip }, async () => {
  await using clamd = await startClamd()
  const version = async (of: Clamd) => {
    of.signatures()
    await after(500)
    return of.signatures()
  }
  assert.match((await version(engine([{ kind: 'local', path: clamd.path }]))) ?? '', /^ClamAV \d/)
  const gone = { kind: 'local', path: '/nonexistent/clamd.socket' } as const
  assert.equal(await version(engine([{ kind: 'local', path: clamd.path }, gone])), undefined)
})
