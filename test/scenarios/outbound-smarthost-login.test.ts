/**
 * Smarthosts that want a login: Exim with PLAIN and LOGIN, Postfix with SCRAM and PLAIN by Cyrus SASL, our own submission listener with SCRAM bound to the connection, both also
 * with TLS from the first octet; and
 * servers to which the login must never be said.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { type Behaviour, type Sink, type SinkOptions, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { tempFolder } from '../harness/temp-folder.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { startExim } from '../peers/exim.ts'
import { without } from '../peers/peer.ts'
import { startPostfix } from '../peers/postfix.ts'

const LOGIN = { name: 'anna@dest.test', password: 'correct horse battery' }
const MAIL = 'From: Anna <anna@dest.test>\r\nTo: bob@elsewhere.test\r\nSubject: bread\r\n\r\nToday.\r\n'
const certificate = (name: string) => selfSignedCertificate({ names: [name], fromMs: Date.now() - 60_000, days: 1 })

/** A tenant whose mail leaves by `localhost:port`, with a login. */
async function customer(port: number, caFile: string, login = {}, password = LOGIN.password, more = {}) {
  const folder = tempFolder('login')
  const passwordFile = `${folder.path}/password`
  writeFileSync(passwordFile, `${password}\n`)
  const door = await freePort()
  const route = {
    hosts: [`localhost:${port}`],
    tls: 'verified',
    'ca-file': caFile,
    login: { name: LOGIN.name, 'password-file': passwordFile, ...login },
    retry: { first: '1s', max: '1s' },
    ...more,
  }
  const routes = { world: route, shop: { hosts: ['127.0.0.9'] } }
  const config = leaving({ door, world: port, tenant: { routes } })
  const relay = await startVorposten({ config })
  return {
    relay,
    config,
    passwordFile,
    async send() {
      using talk = await greeted(door)
      const { text } = await talk.message({ from: LOGIN.name, to: ['bob@elsewhere.test'], content: MAIL })
      assert.match(text, /^250 .* queued/)
    },
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]()
      folder.remove()
    },
  }
}

type Customer = Awaited<ReturnType<typeof customer>>

const silentAbout = (relay: Vorposten, password: string) => {
  const seen = relay.log().join('\n')
  for (const form of [password, Buffer.from(password).toString('base64')]) assert.ok(!seen.includes(form), seen)
}

async function waitsForTheRightOne({ relay, config, passwordFile, send }: Customer, world: Sink): Promise<void> {
  await send()
  await relay.logged(/535 .*the mail waits until the login of the route is right/)
  assert.equal(world.messages.length, 0)
  assert.equal(await relay.metric('vorposten_held_total'), 0)
  assert.match((await relay.get('/metrics')).text, /vorposten_obstacles_total\{.*obstacle="login".*\} [1-9]/)
  writeFileSync(passwordFile, LOGIN.password)
  await relay.reload(config)
  await world.received(1)
  silentAbout(relay, LOGIN.password)
  silentAbout(relay, 'wrong horse')
}

for (const mechanism of ['PLAIN', 'LOGIN'])
  test(`Exim takes our login by ${mechanism}; a wrong one makes mail wait until it is right`, {
    skip: without('exim'),
  }, async () => {
    await using world = await startSink()
    await using exim = await startExim({ relayTo: world.port, login: LOGIN, certificateName: 'localhost' })
    await using sender = await customer(exim.port, exim.certificateFile, { mechanisms: [mechanism] }, 'wrong horse')
    await waitsForTheRightOne(sender, world)
    await exim.logged(new RegExp(`A=${mechanism.toLowerCase()}:anna@dest\\.test`))
  })

for (const mechanism of ['SCRAM-SHA-256', 'PLAIN'])
  test(`Postfix with Cyrus SASL takes our login by ${mechanism}; a wrong one makes mail wait until it is right`, {
    skip: without('postfix') || without('saslpasswd2'),
  }, async () => {
    await using world = await startSink()
    await using postfix = await startPostfix({ relayTo: world.port, login: LOGIN, certificateName: 'localhost' })
    await using sender = await customer(
      postfix.port,
      postfix.certificateFile,
      { mechanisms: [mechanism] },
      'wrong horse',
    )
    await waitsForTheRightOne(sender, world)
    await postfix.logged(new RegExp(`sasl_method=${mechanism}, sasl_username=anna@dest\\.test`))
  })

const IMPLICIT = { 'implicit-tls': true } as const

test('Exim and Postfix with TLS from the first octet, as on port 465', {
  skip: without('exim') || without('postfix'),
}, async () => {
  await using world = await startSink()
  const common = { relayTo: world.port, certificateName: 'localhost', implicitTls: true } as const
  await using exim = await startExim({ ...common, login: LOGIN })
  await using postfix = await startPostfix(common)
  {
    await using sender = await customer(exim.port, exim.certificateFile, {}, LOGIN.password, IMPLICIT)
    await sender.send()
    await world.received(1)
    await exim.logged(/A=plain:anna@dest\.test/)
    await sender.relay.logged(/to=<bob@elsewhere\.test>, relay=localhost\[127\.0\.0\.1\]:\d+, .*status=sent/)
  }
  await using sender = await customer(postfix.port, postfix.certificateFile, {}, '', { ...IMPLICIT, login: undefined })
  await sender.send()
  await world.received(2)
  // Who is not in the file of authorities gets nothing, also without STARTTLS.
  await using stranger = await customer(postfix.port, exim.certificateFile, {}, '', { ...IMPLICIT, login: undefined })
  await stranger.send()
  await stranger.relay.logged(/status=deferred .*: self-signed certificate/)
  assert.equal(world.messages.length, 2)
})

test('a port that greets in clear hears nothing, and the log says what is wrong with it', async () => {
  await against(
    {},
    {},
    async (sink, relay) => {
      await relay.logged(/status=deferred .*does the server greet in clear there\? Then it wants STARTTLS/)
      assert.deepEqual(sink.commands, [])
    },
    IMPLICIT,
  )
})

for (const tls of ['starttls', 'implicit'] as const)
  test(`our own submission listener (${tls}): SCRAM, bound to the connection`, async () => {
    await using world = await startSink()
    using folder = tempFolder('provider')
    const { keyPem, certificatePem } = certificate('localhost')
    const [key, cert, submission] = [`${folder.path}/key.pem`, `${folder.path}/cert.pem`, await freePort()]
    writeFileSync(key, keyPem, { mode: 0o600 })
    writeFileSync(cert, certificatePem)
    const config = leaving({ door: await freePort(), world: world.port }) as { listeners: object[] }
    config.listeners.push({
      name: 'users',
      addresses: [`127.0.0.1:${submission}`],
      service: 'submission',
      tls,
      certificates: [{ certificate: cert, key }],
    })
    await using provider = await startVorposten({ config: config as never })
    const add = ['credentials', 'add', 'bakery', LOGIN.name, '--password-stdin']
    assert.equal((await provider.commandWithInput(`${LOGIN.password}\n`, ...add)).code, 0)
    for (const [mechanisms, expected] of [
      [undefined, 'SCRAM-SHA-256-PLUS'],
      [['SCRAM-SHA-256'], 'SCRAM-SHA-256'],
    ] as const) {
      const more = tls === 'implicit' ? IMPLICIT : {}
      await using sender = await customer(submission, cert, mechanisms && { mechanisms }, LOGIN.password, more)
      await sender.send()
      await provider.logged(new RegExp(`sasl_method=${expected}, sasl_username=anna@dest\\.test`))
      silentAbout(sender.relay, LOGIN.password)
    }
    await world.received(2)
  })

async function against(
  behaviour: Behaviour,
  options: SinkOptions,
  story: (sink: Sink, relay: Vorposten) => unknown,
  more = {},
) {
  using folder = tempFolder('authority')
  const trusted = certificate('localhost')
  const caFile = `${folder.path}/ca.pem`
  writeFileSync(caFile, trusted.certificatePem)
  await using sink = await startSink(behaviour, { tls: trusted, ...options })
  await using sender = await customer(sink.port, caFile, {}, LOGIN.password, more)
  await sender.send()
  await story(sink, sender.relay)
  assert.ok(!sink.commands.some((line) => line.startsWith('MAIL')), sink.commands.join('\n'))
  assert.equal(sink.messages.length, 0)
  silentAbout(sender.relay, LOGIN.password)
}

const neverSaid = (sink: Sink) => assert.ok(!sink.commands.some((line) => line.startsWith('AUTH')))
const AUTH = ['PIPELINING', 'AUTH PLAIN LOGIN']

test('STARTTLS taken out on the way: nothing is said', () =>
  against({ ehlo: '250-mx\r\n250 AUTH PLAIN LOGIN' }, {}, async (sink, relay) => {
    await relay.logged(/TLS is required and the server does not offer STARTTLS/)
    neverSaid(sink)
  }))

test('somebody else’s certificate, or another name in it: nothing is said', async () => {
  for (const tls of [certificate('localhost'), certificate('other.test')]) {
    await against({}, { tls, extensions: AUTH }, async (sink, relay) => {
      await relay.logged(/status=deferred .*(?:self-signed certificate|altnames)/)
      neverSaid(sink)
    })
  }
})

test('a server that offers no AUTH to us gets no mail', () =>
  against({}, {}, async (_, relay) => {
    await relay.logged(/the server offers no AUTH/)
  }))

test('a server that repeats the password in its refusal: it is not shown', () =>
  against({ other: () => `535 ${LOGIN.password} is wrong` }, { extensions: AUTH }, async (_, relay) => {
    await relay.logged(/535 to AUTH, with a text that gives the password away/)
  }))

test('a server that asks for ever, or knows nothing of SCRAM that it offers', async () => {
  const question = `334 ${Buffer.from('Password:').toString('base64')}`
  await against({ other: () => question }, { extensions: AUTH }, async (_, relay) => {
    await relay.logged(/PLAIN: the server asks for more than PLAIN has/)
  })
  await against({ other: () => '235 welcome' }, { extensions: ['AUTH SCRAM-SHA-256 PLAIN'] }, async (_, relay) => {
    await relay.logged(/took the login and did not prove that it knows it \(SCRAM-SHA-256\)/)
  })
})
