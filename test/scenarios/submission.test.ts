/**
 * Users with a login: by the clients of others (swaks, nodemailer, GNU SASL), under TLS only, as themselves only. Their mail
 * gets what it lacks and leaves; who guesses is throttled, and the owner gets in.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { createTransport } from 'nodemailer'
import { startChild } from '../harness/child.ts'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { type Sink, startSink } from '../harness/sink.ts'
import { greeted, smtpTalk } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'

const PASSWORD = 'correct horse battery'
const ANNA = 'anna@dest.test'
const MAIL = `From: Anna <${ANNA}>\r\nTo: bob@elsewhere.test\r\nSubject: bread\r\n\r\nToday.\r\n`

interface World extends AsyncDisposable {
  readonly relay: Vorposten
  readonly world: Sink
  readonly starttls: number
  readonly implicit: number
}

async function open(login: readonly string[] = [], outbound = {}): Promise<World> {
  const world = await startSink()
  const [starttls, implicit, door] = [await freePort(), await freePort(), await freePort()]
  const config = leaving({ door, world: world.port, outbound }) as { listeners: object[] }
  const submission = (name: string, port: number, tls: string) => ({
    name,
    addresses: [`127.0.0.1:${port}`],
    service: 'submission',
    tls,
  })
  config.listeners.push(submission('users', starttls, 'starttls'), submission('users-tls', implicit, 'implicit'))
  const relay = await startVorposten({ config: config as never, workers: 2 })
  const add = ['credentials', 'add', 'bakery', ANNA, '--password-stdin', ...login]
  const added = await relay.commandWithInput(`${PASSWORD}\n`, ...add)
  assert.equal(added.code, 0, added.text)
  return {
    relay,
    world,
    starttls,
    implicit,
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]()
      await world.stop()
    },
  }
}

const secret = (password = PASSWORD, login = ANNA) => Buffer.from(`\0${login}\0${password}`).toString('base64')

async function loggedIn(port: number) {
  const talk = await greeted(port)
  await talk.startTls()
  await talk.say('EHLO laptop.test', /^250/)
  return talk
}

const missing = (path: string) =>
  existsSync(path) || process.env['CI'] ? false : `needs Debian's ${path}: run test/peers/install as root`

test('nodemailer sends with PLAIN and LOGIN, over both ports; the mail gets what it lacks', async () => {
  await using open_ = await open()
  const { world, starttls, implicit, relay } = open_
  for (const [port, secure, authMethod] of [
    [starttls, false, 'PLAIN'],
    [implicit, true, 'LOGIN'],
  ] as const) {
    const auth = { user: ANNA, pass: PASSWORD }
    const transport = createTransport({
      host: '127.0.0.1',
      port,
      secure,
      authMethod,
      auth,
      requireTLS: true,
      tls: { rejectUnauthorized: false },
    })
    const raw = { envelope: { from: ANNA, to: ['bob@elsewhere.test'] }, raw: MAIL }
    assert.match((await transport.sendMail(raw)).response, /^250 2\.0\.0 Ok: queued/)
    transport.close()
  }
  const messages = await world.received(2)
  for (const { content } of messages) {
    const text = content.toString()
    assert.match(text, /^Received: .*\r\n\tby .* with ESMTPSA id/m)
    assert.match(text, /^Date: \w{3}, \d{1,2} \w{3} \d{4} .*\r$/m)
    assert.match(text, /^Message-ID: <[0-9A-Za-z]+@[a-z.0-9-]+>\r$/m)
    assert.ok(text.endsWith(MAIL))
  }
  assert.equal(await relay.metric('vorposten_authentications_total{result="right"}'), 2)
})

test('swaks logs in and sends', { skip: missing('/usr/bin/swaks') }, async () => {
  await using open_ = await open()
  const { world, starttls } = open_
  const swaks = startChild('/usr/bin/swaks', [
    ...['--server', '127.0.0.1', '--port', String(starttls), '--tls', '--auth', 'PLAIN'],
    ...['--auth-user', ANNA, '--auth-password', PASSWORD, '--from', ANNA, '--to', 'bob@elsewhere.test'],
  ])
  assert.equal((await swaks.ended).code, 0, swaks.lines.join('\n'))
  await world.received(1)
})

test('GNU SASL proves the password by SCRAM, bound to the connection and not', {
  skip: missing('/usr/bin/gsasl'),
}, async () => {
  await using open_ = await open()
  const { relay, starttls } = open_
  for (const [mechanism, password, expected] of [
    ['SCRAM-SHA-256', PASSWORD, /^235 2\.7\.0 /m],
    ['SCRAM-SHA-256-PLUS', PASSWORD, /^235 2\.7\.0 /m],
    ['SCRAM-SHA-256-PLUS', 'wrong horse battery', /^535 5\.7\.8 /m],
  ] as const) {
    const gsasl = startChild('/usr/bin/gsasl', [
      ...['--smtp', '--connect', `127.0.0.1:${starttls}`, '--mechanism', mechanism, '--no-client-first'],
      ...['--authentication-id', ANNA, '--password', password, '--x509-ca-file='],
      ...(mechanism.endsWith('PLUS') ? [] : ['--no-cb']),
    ])
    await gsasl.ended
    assert.match(gsasl.lines.join('\n'), expected)
  }
  await relay.logged(/sasl_method=SCRAM-SHA-256-PLUS, sasl_username=anna@dest\.test/)
})

test('not without TLS, not without a login, not with a wrong one', async () => {
  await using open_ = await open()
  const { relay, starttls } = open_
  using plain = await smtpTalk(starttls)
  await plain.expect(/^220 /)
  const ehlo = await plain.send('EHLO laptop.test').reply()
  assert.doesNotMatch(ehlo.text, /AUTH/)
  await plain.say(`AUTH PLAIN ${secret()}`, /^530 5\.7\.0 Must issue a STARTTLS/)
  await plain.say(`MAIL FROM:<${ANNA}>`, /^530 /)
  using talk = await loggedIn(starttls)
  await talk.say(`MAIL FROM:<${ANNA}>`, /^530 5\.7\.0 Authentication required/)
  await talk.say(`AUTH PLAIN ${secret('wrong')}`, /^535 5\.7\.8 /)
  await talk.say(`AUTH PLAIN ${secret(PASSWORD, 'eve@dest.test')}`, /^535 5\.7\.8 /)
  await talk.say(`AUTH PLAIN ${secret()}`, /^235 /)
  await relay.logged(/warning: unknown\[127\.0\.0\.1\]: SASL PLAIN authentication failed: /)
  assert.ok(!relay.log().some((line) => line.includes(PASSWORD) || line.includes(secret())))
  using mx = await greeted(relay.port)
  await mx.say(`AUTH PLAIN ${secret()}`, /^502 /)
})

test('as oneself only: neither the envelope nor From may be another’s', async () => {
  await using open_ = await open(['--sender', ANNA])
  const { starttls, world } = open_
  using talk = await loggedIn(starttls)
  await talk.say(`AUTH PLAIN ${secret()}`, /^235 /)
  await talk.say('MAIL FROM:<ceo@dest.test>', /^550 5\.7\.1 You may not send as <ceo@dest\.test>/)
  await talk.say('MAIL FROM:<anna@elsewhere.test>', /^550 5\.7\.1 /)
  const send = async (from: string) => {
    await talk.say(`MAIL FROM:<${ANNA}>`, /^250 /)
    await talk.say('RCPT TO:<bob@elsewhere.test>', /^250 /)
    await talk.say('DATA', /^354 /)
    return (await talk.content(MAIL.replace(/^From: .*$/m, from))).text
  }
  assert.match(await send('From: ceo@dest.test'), /^550 5\.7\.1 You may not write as ceo@dest\.test/)
  assert.match(await send(`From: ${ANNA}, ceo@dest.test`), /^550 5\.7\.1 /)
  assert.match(await send(`From: "${ANNA}" <ceo@elsewhere.test>`), /^550 5\.7\.1 /)
  assert.match(await send(`From: ${ANNA}\r\nFrom: ceo@dest.test`), /^550 5\.6\.0 /)
  assert.match(await send('X: y'), /^550 5\.6\.0 /)
  assert.match(await send(`From: Anna <${ANNA}>`), /^250 /)
  await world.received(1)
  assert.equal(world.messages.length, 1)
})

test('a login that is locked, or from elsewhere, hears why; one that is removed is a stranger', async () => {
  await using open_ = await open(['--network', '192.0.2.0/24'])
  const { relay, starttls } = open_
  using talk = await loggedIn(starttls)
  await talk.say(`AUTH PLAIN ${secret()}`, /^535 5\.7\.8 .*may not be used from 127\.0\.0\.1/)
  assert.equal((await relay.command('credentials', 'lock', ANNA, '--reason', 'it sent spam')).code, 0)
  await talk.say(`AUTH PLAIN ${secret()}`, /^535 5\.7\.13 This login is locked: .*it sent spam/)
  assert.equal((await relay.command('credentials', 'remove', ANNA)).code, 0)
  await talk.say(`AUTH PLAIN ${secret()}`, /^535 5\.7\.8 /)
})

test('ten guesses, and the address waits; the owner at another one gets in', async () => {
  await using open_ = await open()
  const { relay, starttls } = open_
  let refused = 0
  for (let session = 0; session < 4 && refused === 0; session++) {
    using talk = await greeted(starttls, { from: '127.0.0.7' })
    await talk.startTls()
    await talk.say('EHLO guesser.test', /^250/)
    for (let i = 0; i < 6 && refused === 0; i++) {
      const { text } = await talk.send(`AUTH PLAIN ${secret(`guess ${session} ${i}`)}`).reply()
      if (text.startsWith('454 4.7.0')) refused++
      else assert.match(text, /^535 /)
    }
  }
  assert.equal(refused, 1)
  using talk = await loggedIn(starttls)
  await talk.say(`AUTH PLAIN ${secret()}`, /^235 /)
  assert.equal(await relay.metric('vorposten_authentications_total{result="wrong"}'), 10)
  assert.equal(await relay.metric('vorposten_authentications_total{result="throttled"}'), 1)
})
