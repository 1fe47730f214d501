/** Servers of spam filters that fail in every way, and what is asked of those that do not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import { systemClock } from '#sys/clock.ts'
import { fake } from '../../testing.ts'
import { type SpamEngineSettings, SpamEngines } from './engines.ts'
import { type RspamdSettings, rspamd, rspamdHead } from './rspamd.ts'
import { envelopeFields } from './spamd.ts'
import { engineOf, http, isWhole, MAIL, saidBy, says, symbols, verdict } from './testing.ts'

const GONE = { kind: 'local', path: '/nonexistent/socket' } as const
const KINDS = ['rspamd', 'spamd'] as const
const GOOD = { rspamd: http(verdict()), spamd: symbols('False ; 0.0 / 5.0') }
const silence = async (settings: SpamEngineSettings) => (await saidBy(settings)).join('; ')

test('down, hung, gone: silence, with the reason and the name', async () => {
  using silent = await fake(() => {})
  using dies = await fake((socket, heard) => void (isWhole(heard) && socket.destroy()))
  for (const kind of KINDS) {
    assert.match(
      await silence(engineOf(kind, [GONE])),
      new RegExp(`^ENGINE_SILENT 0: ${kind}: down, .*; silent: ${kind}$`),
    )
    assert.match(await silence(engineOf(kind, [silent.address], { timeMsMax: 50 })), /: timed-out, .*; silent: /)
    assert.match(await silence(engineOf(kind, [dies.address])), /: reset, .*; silent: /)
  }
})

test('a server that fails hands over to the next, and rests', async () => {
  for (const kind of KINDS) {
    let asked = 0
    using bad = await fake((socket, heard) => {
      if (!isWhole(heard)) return
      asked++
      socket.end('nonsense\r\n\r\n')
    })
    using good = await says(GOOD[kind])
    const both = new SpamEngines([engineOf(kind, [bad.address, good.address])], systemClock)
    for (let i = 0; i < 6; i++) assert.deepEqual((await both.ask(MAIL, {})).silent, [])
    assert.equal(asked, 1)
  }
})

test('the time of a message is over before that of an engine', async () => {
  using silent = await fake(() => {})
  const one = new SpamEngines([engineOf('rspamd', [silent.address], { connectionsMax: 1 })], systemClock)
  const startMs = systemClock.monotonic()
  // The second waits for a connection all the time.
  const both = await Promise.all([1, 2].map(() => one.ask(MAIL, {}, systemClock.monotonic() + 100)))
  for (const { signs, silent } of both) {
    assert.deepEqual(silent, ['rspamd'])
    assert.match(signs[0]!.detail!, /^rspamd: timed-out, /)
  }
  assert.ok(systemClock.monotonic() - startMs < 4_000)
})

test('too many wait: busy', async () => {
  using silent = await fake(() => {})
  const one = new SpamEngines([engineOf('spamd', [silent.address], { connectionsMax: 1, timeMsMax: 300 })], systemClock)
  const all = await Promise.all(Array.from({ length: 102 }, () => one.ask(MAIL, {})))
  assert.ok(all.every((answer) => answer.silent.length === 1))
  assert.ok(all.some(({ signs }) => signs[0]!.detail!.startsWith('spamd: busy')))
})

test('what is too large is not shown to it, and is not silence', async () => {
  let asked = 0
  using server = await fake(() => void asked++)
  const large = content([Buffer.alloc(100_001)])
  assert.deepEqual(await saidBy(engineOf('rspamd', [server.address]), large), [
    'ENGINE_SKIPPED 0: rspamd: over 100000 octets',
  ])
  assert.equal(asked, 0)
})

test('several are asked at once; how much each counts is a setting', async () => {
  using first = await says(http(verdict({ score: 15, action: 'reject' })))
  using second = await says(symbols('True ; 5.0 / 5.0'))
  const engines = new SpamEngines(
    [
      engineOf('rspamd', [first.address], { trust: 0 }),
      engineOf('spamd', [second.address], { name: 'sa', trust: 0.5 }),
    ],
    systemClock,
  )
  const { signs } = await engines.ask(MAIL, {})
  assert.deepEqual(
    signs.map(({ symbol, weight, detail }) => `${symbol} ${weight} ${detail}`),
    ['ENGINE_RSPAMD 0 rspamd: 15 of 15, reject', 'ENGINE_SPAMD 2 sa: 5 of 5'],
  )
})

const ABOUT = {
  session: {
    client: '192.0.2.1',
    greetingName: 'client.example',
    tls: true,
    clientName: { kind: 'confirmed', name: 'host.example' },
  },
  reversePath: 'anna@bakery.example',
  recipients: ['b@mill.example', 'c@mill.example'],
  id: 'ID-1',
  user: 'anna',
} as const
const HOST = { hostname: 'mx.relay.example' } satisfies RspamdSettings

test('Rspamd is told the envelope in fields', () => {
  assert.equal(
    rspamdHead(MAIL, ABOUT, { ...HOST, settingsId: 'inbound' }, 'secret'),
    'POST /checkv2 HTTP/1.0\r\nHost: mx.relay.example\r\nContent-Length: 21\r\nMTA-Name: mx.relay.example\r\nQueue-Id: ID-1\r\n' +
      'IP: 192.0.2.1\r\nHelo: client.example\r\nHostname: host.example\r\nUser: anna\r\nFrom: anna@bakery.example\r\n' +
      'Rcpt: b@mill.example\r\nRcpt: c@mill.example\r\nSettings-ID: inbound\r\nPassword: secret\r\n\r\n',
  )
  const evil = rspamdHead(MAIL, { reversePath: '"a\r\nPass: all\r\n\r\n"@b.example' }, HOST)
  assert.equal(evil.split('\r\n').length, 7)
  const unconfirmed = {
    ...ABOUT,
    session: { ...ABOUT.session, clientName: { kind: 'unconfirmed', name: 'x' } },
  } as const
  assert.doesNotMatch(rspamdHead(MAIL, unconfirmed, HOST), /Hostname/)
})

test('spamd is told the envelope in fields before the message', () => {
  assert.equal(
    envelopeFields(ABOUT, HOST.hostname, 0),
    'X-Envelope-From: <anna@bakery.example>\r\nX-Envelope-To: <b@mill.example>\r\nX-Envelope-To: <c@mill.example>\r\n' +
      'Received: from client.example (host.example [192.0.2.1])\r\n\tby mx.relay.example (Vorposten) with ESMTPSA id ID-1\r\n' +
      '\t(envelope-from <anna@bakery.example>);\r\n\tThu, 1 Jan 1970 00:00:00 +0000\r\n',
  )
  assert.equal(envelopeFields({}, HOST.hostname, 0), '')
  assert.equal(envelopeFields({ reversePath: '<>' }, HOST.hostname, 0), 'X-Envelope-From: <>\r\n')
  const evil = { ...ABOUT, session: { ...ABOUT.session, greetingName: 'x\r\nX-Spam: no' } }
  assert.doesNotMatch(envelopeFields(evil, HOST.hostname, 0), /^X-Spam/m)
})

test('without its password Rspamd is not asked', async () => {
  using server = await says(GOOD.rspamd)
  const ask = rspamd({ ...HOST, password: () => Promise.reject(new Error('the file p does not exist')) })
  assert.match(await silence(engineOf('rspamd', [server.address], { ask })), /: down, .*the file p does not exist/)
})
