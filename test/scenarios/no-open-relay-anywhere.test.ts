/**
 * No door is an open relay: every classic form of a foreign address, at every listener, in every state of AUTH. Who may
 * not send reaches nobody; who may reaches the address that he wrote and no other, whatever its local part looks like.
 * The sinks are the rest of the world, two tenants' ways out and their servers; the last test shows that they would see it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../harness/free-port.ts'
import { type Sink, startSink } from '../harness/sink.ts'
import { greeted, type SmtpTalk, smtpTalk } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'

/** The forms as they stand after `RCPT TO:`, and as what a next hop may at most hear of them; absent: nothing. */
const FORMS: readonly (readonly [form: string, asWritten?: string])[] = [
  ['<victim@elsewhere.test>', 'victim@elsewhere.test'],
  ['victim@elsewhere.test', 'victim@elsewhere.test'],
  ['<VICTIM@ELSEWHERE.TEST>', 'VICTIM@elsewhere.test'],
  ['<victim@elsewhere.test.>'],
  ['<victim>'],
  ['<victim@localhost>', 'victim@localhost'],
  ['<victim@[127.0.0.1]>', 'victim@[127.0.0.1]'],
  ['<victim@[IPv6:::1]>', 'victim@[IPv6:::1]'],
  ['<victim@127.0.0.1>', 'victim@127.0.0.1'],
  ['<victim%elsewhere.test@relay.test>', 'victim%elsewhere.test@relay.test'],
  ['<victim%elsewhere.test@dest.test>', 'victim%elsewhere.test@dest.test'],
  ['<victim%elsewhere.test@[127.0.0.1]>', 'victim%elsewhere.test@[127.0.0.1]'],
  ['<victim%elsewhere.test>'],
  ['<"victim@elsewhere.test">'],
  ['<"victim@elsewhere.test"@dest.test>', '"victim@elsewhere.test"@dest.test'],
  ['<victim@elsewhere.test@dest.test>'],
  ['<@relay.test:victim@elsewhere.test>', 'victim@elsewhere.test'],
  ['<@dest.test,@relay.test:victim@elsewhere.test>', 'victim@elsewhere.test'],
  ['<@[127.0.0.1]:victim@elsewhere.test>', 'victim@elsewhere.test'],
  ['<elsewhere.test!victim>'],
  ['<elsewhere.test!victim@dest.test>', 'elsewhere.test!victim@dest.test'],
  ['<relay.test!elsewhere.test!victim@dest.test>', 'relay.test!elsewhere.test!victim@dest.test'],
  ['<=?utf-8?q?victim=40elsewhere.test?=@dest.test>', '=?utf-8?q?victim=40elsewhere.test?=@dest.test'],
  ['<victim@dest.test.elsewhere.test>', 'victim@dest.test.elsewhere.test'],
  ['<victim@elsewhere.test>ORCPT=rfc822;anna@dest.test'],
  ['<smtp:victim@elsewhere.test>'],
]
/** Fewer errors than end a session: a form that is refused costs three. */
const FORMS_PER_SESSION = 5

const ANNA = 'anna@dest.test'
const BEN = 'ben@other.test'
const PASSWORD = 'correct horse battery'
const LISTENERS = ['inbound', 'outbound', 'submission', 'implicit'] as const
const STATES = ['none', 'failed', 'as A', 'as A, envelope of B', 'as A, author of B'] as const
type Listener = (typeof LISTENERS)[number]
type State = (typeof STATES)[number]

interface World extends AsyncDisposable {
  readonly relay: Vorposten
  readonly ports: Readonly<Record<Listener, number>>
  /** Ways out of A and of B, and the server of both for what comes in. */
  readonly worldA: Sink
  readonly worldB: Sink
  readonly shop: Sink
}

async function open(): Promise<World> {
  const [worldA, worldB, shop] = [await startSink(), await startSink(), await startSink()]
  const relay = await startVorposten({ started: false, config: '' })
  const [outbound, submission, implicit] = [await freePort(), await freePort(), await freePort()]
  const ports = { inbound: relay.port, outbound, submission, implicit }
  relay.configure(configuration(ports, { worldA, worldB, shop }))
  await relay.start()
  for (const [tenant, login] of [
    ['bakery', ANNA],
    ['butcher', BEN],
  ] as const) {
    const added = await relay.commandWithInput(`${PASSWORD}\n`, 'credentials', 'add', tenant, login, '--password-stdin')
    assert.equal(added.code, 0, added.text)
  }
  return {
    ...{ relay, ports, worldA, worldB, shop },
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]()
      for (const sink of [worldA, worldB, shop]) await sink.stop()
    },
  }
}

function configuration(ports: World['ports'], sinks: Pick<World, 'worldA' | 'worldB' | 'shop'>) {
  const tenant = (domain: string, world: Sink, network: string) => ({
    routes: { world: { hosts: [`127.0.0.1:${world.port}`] }, shop: { hosts: [`127.0.0.1:${sinks.shop.port}`] } },
    domains: { [domain]: { route: 'shop', recipients: { listed: ['anna', 'ben'] } } },
    // Nobody of these tests comes from there.
    outbound: { 'from-networks': [network], route: 'world' },
  })
  return {
    listeners: [
      { name: 'mx', addresses: [`127.0.0.1:${ports.inbound}`] },
      { name: 'out', addresses: [`127.0.0.1:${ports.outbound}`], service: 'outbound' },
      { name: 'users', addresses: [`127.0.0.1:${ports.submission}`], service: 'submission' },
      { name: 'users-tls', addresses: [`127.0.0.1:${ports.implicit}`], service: 'submission', tls: 'implicit' },
    ],
    tenants: {
      bakery: tenant('dest.test', sinks.worldA, '192.0.2.0/24'),
      butcher: tenant('other.test', sinks.worldB, '198.51.100.0/24'),
    },
  }
}

const secret = (password: string) => Buffer.from(`\0${ANNA}\0${password}`).toString('base64')

/** A session in that state; at the inbound listener there is no AUTH, and the state is an attempt. */
async function session(ports: World['ports'], listener: Listener, state: State, from: string): Promise<SmtpTalk> {
  const talk = await smtpTalk(ports[listener], { from, tls: listener === 'implicit' })
  await talk.expect(/^220 /)
  await talk.say('EHLO client.test', /^250/)
  if (state !== 'none' && listener !== 'implicit') {
    await talk.startTls()
    await talk.say('EHLO client.test', /^250/)
  }
  if (state === 'none') return talk
  const wanted = listener === 'inbound' ? /^502 / : state === 'failed' ? /^535 / : /^235 /
  await talk.say(`AUTH PLAIN ${secret(state === 'failed' ? 'wrong' : PASSWORD)}`, wanted)
  return talk
}

/** The form through to the dot, as far as it gets: true if it was taken. */
async function attempt(talk: SmtpTalk, state: State, form: string): Promise<boolean> {
  const sender = state === 'as A, envelope of B' ? BEN : ANNA
  const author = state === 'as A, author of B' ? BEN : sender
  const mail = await talk.send(`MAIL FROM:<${sender}>`).reply()
  const rcpt = await talk.send(`RCPT TO:${form}`).reply()
  const data = await talk.send('DATA').reply()
  let taken = false
  if (data.code === 354) taken = (await talk.content(`From: ${author}\r\nSubject: ${form}\r\n\r\nx\r\n`)).code === 250
  if (mail.code === 250 && rcpt.code === 250) assert.equal(data.code, 354, talk.transcript)
  await talk.send('RSET').reply()
  return taken
}

/** How many of the forms were taken. */
async function attemptAll(ports: World['ports'], listener: Listener, state: State, from: string): Promise<number> {
  let taken = 0
  for (let at = 0; at < FORMS.length; at += FORMS_PER_SESSION) {
    using talk = await session(ports, listener, state, from)
    for (const [form] of FORMS.slice(at, at + FORMS_PER_SESSION)) if (await attempt(talk, state, form)) taken++
  }
  return taken
}

test('who may not send reaches nobody: 26 forms, four listeners, every state of AUTH', async () => {
  await using world = await open()
  const { relay, ports, worldA, worldB, shop } = world
  let from = 10
  for (const listener of LISTENERS) {
    for (const state of STATES) {
      if (state === 'as A' && listener !== 'inbound') continue
      assert.equal(await attemptAll(ports, listener, state, `127.0.0.${from++}`), 0, `${listener}, ${state}`)
    }
  }
  assert.match((await relay.command('queue', 'list')).text, /^The queue is empty\.$/)
  assert.deepEqual([worldA.commands, worldB.commands, shop.commands], [[], [], []])
})

test('a forged PROXY header or XCLIENT makes nobody a customer', async () => {
  await using world = await open()
  const { relay, ports, worldA, worldB, shop } = world
  for (const listener of LISTENERS) {
    using forger = await smtpTalk(ports[listener], { tls: listener === 'implicit' })
    forger.sendRaw('PROXY TCP4 192.0.2.9 127.0.0.1 4711 25\r\n')
    const talked = `EHLO a\r\nMAIL FROM:<${ANNA}>\r\nRCPT TO:<victim@elsewhere.test>\r\nDATA\r\nFrom: ${ANNA}\r\n\r\nx\r\n.\r\nQUIT\r\n`
    forger.sendRaw(talked)
    const codes: number[] = []
    for (let reply = await next(forger); reply !== undefined; reply = await next(forger)) codes.push(reply)
    assert.ok(!codes.includes(354), `${listener}: ${codes.join(' ')}\n${forger.transcript}`)
    using talk = await session(ports, listener, 'none', '127.0.0.1')
    await talk.say('XCLIENT ADDR=192.0.2.9 LOGIN=anna@dest.test', /^5/)
    assert.equal(await attempt(talk, 'none', '<victim@elsewhere.test>'), false, talk.transcript)
  }
  assert.match((await relay.command('queue', 'list')).text, /^The queue is empty\.$/)
  assert.deepEqual([worldA.messages.length, worldB.messages.length, shop.messages.length], [0, 0, 0])
})

const next = (talk: SmtpTalk): Promise<number | undefined> =>
  talk.reply().then(
    ({ code }) => code,
    () => undefined,
  )

test('who may send reaches the address that he wrote, by his own way out, and nobody behind it', async () => {
  await using world = await open()
  const { relay, ports, worldA, worldB, shop } = world
  const listeners = LISTENERS.filter((listener) => listener !== 'inbound')
  let taken = 0
  for (const [i, listener] of listeners.entries())
    taken += await attemptAll(ports, listener, 'as A', `127.0.0.${40 + i}`)
  const messages = await worldA.received(taken)
  assert.ok(taken >= listeners.length * 10, `${taken} taken`)
  const mayHear = new Map(FORMS.map(([form, asWritten]) => [form, asWritten]))
  for (const { content, recipients } of messages) {
    const form = /^Subject: (.*)\r$/m.exec(content.toString())?.[1] ?? ''
    assert.deepEqual(
      recipients.map(({ mailbox }) => mailbox),
      [mayHear.get(form)],
      form,
    )
  }
  // What goes in at the front door goes to the server behind it: the sinks see what is relayed.
  using talk = await greeted(relay.port)
  await talk.message({ from: 'a@x.test', to: [ANNA], content: 'Subject: x\r\n\r\nx\r\n' })
  await shop.received(1)
  assert.equal(shop.messages.length, 1)
  assert.equal(worldB.messages.length, 0)
})
