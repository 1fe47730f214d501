/** The real Rspamd and the real spamd: what they find, what they are told, and what happens while they are away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import type { EngineAbout } from '#scan/spam/engines/contract.ts'
import { type SpamEngineSettings, SpamEngines } from '#scan/spam/engines/engines.ts'
import { rspamd } from '#scan/spam/engines/rspamd.ts'
import { spamd } from '#scan/spam/engines/spamd.ts'
import { systemClock } from '#sys/clock.ts'
import { envelopeRule, startRspamd, withoutRspamd } from './rspamd.ts'
import { startSpamd, withoutSpamd } from './spamd.ts'

const HOST = { hostname: 'mx.relay.example' }
const SPEAKS = {
  rspamd: { symbol: 'ENGINE_RSPAMD', ask: rspamd(HOST) },
  spamd: { symbol: 'ENGINE_SPAMD', ask: spamd(HOST) },
} as const

const engines = (
  kind: keyof typeof SPEAKS,
  servers: SpamEngineSettings['servers'],
  more: Partial<SpamEngineSettings> = {},
) =>
  new SpamEngines(
    [
      {
        name: kind,
        servers,
        connectionsMax: 4,
        connectMsMax: 5_000,
        timeMsMax: 60_000,
        octetsMax: 10_000_000,
        trust: 1,
        ...SPEAKS[kind],
        ...more,
      },
    ],
    systemClock,
  )

interface Peer {
  readonly path: string
  readonly port: number
}
const local = ({ path }: Peer) => ({ kind: 'local', path }) as const
const tcp = ({ port }: Peer) => ({ kind: 'tcp', address: '127.0.0.1', port }) as const

const letter = (text: string) =>
  content([
    Buffer.from('From: Anna Beck <anna@bakery.example>\r\nTo: b@mill.example\r\nSubject: bread for Friday\r\n'),
    Buffer.from('Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <20261124100000.1234567@bakery.example>\r\n'),
    Buffer.from('MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n'),
    Buffer.from(`${text}\r\n`),
  ])
const HAM = letter('Dear Ben,\r\n\r\nsix loaves of rye for Friday, please, and the flour as always.\r\n\r\nAnna')
const GTUBE = letter(`XJS*C4JDBQADN1.NSBN3*2IDNEN*${'GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL'}*C.34X`)
const ABOUT: EngineAbout = {
  session: {
    client: '192.0.2.1',
    greetingName: 'client.example',
    tls: true,
    clientName: { kind: 'confirmed', name: 'host.example' },
  },
  reversePath: 'anna@bakery.example',
  recipients: ['b@mill.example', 'c@mill.example'],
  id: 'ID-1',
}

async function sign(of: SpamEngines, mail = HAM, about = ABOUT) {
  const { signs, silent } = await of.ask(mail, about)
  const { symbol, weight, detail = '' } = signs[0]!
  return { symbol, weight, detail, silent: silent.join() }
}

test('Rspamd finds GTUBE and a word, lets ham pass, over TCP and over its socket', {
  skip: withoutRspamd(),
}, async () => {
  await using peer = await startRspamd()
  for (const address of [tcp(peer), local(peer)]) {
    const engine = engines('rspamd', [address])
    const found = await sign(engine, GTUBE)
    assert.equal(found.symbol, 'ENGINE_RSPAMD')
    assert.ok(found.weight >= 8, found.detail)
    assert.match(found.detail, /^rspamd: 15 of 15, reject/)
    const word = await sign(engine, letter('cheap watches'))
    assert.ok(word.weight >= 4, word.detail)
    assert.match(word.detail, /^rspamd: 7\.?1? of 15, add header: TEST_WORD 7/)
    const ham = await sign(engine)
    assert.ok(ham.weight < 0, ham.detail)
    assert.equal(ham.silent, '')
  }
})

test('Rspamd is told the envelope', { skip: withoutRspamd() }, async () => {
  const to = 'b@mill.example c@mill.example'
  await using peer = await startRspamd([
    envelopeRule('LOGIN', ['192.0.2.1', 'client.example', 'host.example', 'anna', 'ID-1', 'anna@bakery.example', to]),
    envelopeRule('NAMELESS', ['2001:db8::1', 'client.example', 'nil', 'nil', 'ID-1', '', to]),
  ])
  const engine = engines('rspamd', [tcp(peer)])
  const told = async (about: EngineAbout) => (await sign(engine, HAM, about)).detail
  assert.match(await told({ ...ABOUT, user: 'anna' }), / LOGIN 1$/)
  assert.match(await told({ ...ABOUT, session: IPV6, reversePath: '<>' }), / NAMELESS 1$/)
})
const IPV6 = { ...ABOUT.session!, client: '2001:db8::1', clientName: { kind: 'none' } } as const

const RULES = [
  String.raw`header AAA_CLIENT X-Spam-Relays-External =~ /^\[ ip=192\.0\.2\.1 rdns=host\.example helo=client\.example by=mx\.relay\.example /`,
  String.raw`header AAA_SENDER EnvelopeFrom =~ /^anna\@bakery\.example$/`,
  'header AAA_NULL EnvelopeFrom =~ /^$/',
  String.raw`header AAA_TO X-Envelope-To =~ /c\@mill\.example/`,
  String.raw`header AAA_NAMELESS X-Spam-Relays-External =~ /^\[ ip=2001:db8::1 rdns= helo=client\.example /`,
  String.raw`header AAA_LOGIN X-Spam-Relays-Trusted =~ /^\[ ip=192\.0\.2\.1 [^\]]+ auth=ESMTPSA /`,
]

test('spamd finds GTUBE, lets ham pass, over TCP and over its socket', { skip: withoutSpamd() }, async () => {
  await using peer = await startSpamd()
  for (const address of [tcp(peer), local(peer)]) {
    const engine = engines('spamd', [address])
    const found = await sign(engine, GTUBE)
    assert.equal(found.symbol, 'ENGINE_SPAMD')
    assert.equal(found.weight, 12, found.detail)
    assert.match(found.detail, /^spamd: 1\d{3}\.?\d? of 5: .*GTUBE/)
    const ham = await sign(engine)
    assert.ok(ham.weight < 0, ham.detail)
    assert.equal(ham.silent, '')
  }
})

test('spamd is told the envelope', { skip: withoutSpamd() }, async () => {
  await using peer = await startSpamd(RULES)
  const engine = engines('spamd', [tcp(peer)])
  const told = async (about: EngineAbout) => (await sign(engine, HAM, about)).detail.match(/AAA_\w+/g)?.join(' ')
  assert.equal(await told(ABOUT), 'AAA_CLIENT AAA_SENDER AAA_TO')
  // Who logged in at us is trusted.
  assert.equal(await told({ ...ABOUT, user: 'anna' }), 'AAA_LOGIN AAA_SENDER AAA_TO')
  assert.equal(await told({ ...ABOUT, session: IPV6, reversePath: '<>' }), 'AAA_NAMELESS AAA_NULL AAA_TO')
})

for (const [kind, skip, start] of [
  ['rspamd', withoutRspamd(), startRspamd],
  ['spamd', withoutSpamd(), startSpamd],
] as const) {
  test(`${kind} killed, hung, and back: silence, then a word again; a second server carries on`, { skip }, async () => {
    await using first = await start()
    await using second = await start()
    const alone = engines(kind, [tcp(first)])
    const hasty = engines(kind, [tcp(first)], { timeMsMax: 500 })
    const both = engines(kind, [tcp(first), local(second)])
    assert.equal((await sign(alone)).silent, '')
    first.signal('SIGSTOP')
    assert.match((await sign(hasty)).detail, /: timed-out, /)
    first.signal('SIGCONT')
    assert.equal((await sign(alone)).silent, '')
    await first.kill9()
    assert.match((await sign(alone)).detail, /: down, /)
    for (let i = 0; i < 4; i++) assert.equal((await sign(both)).silent, '')
    await first.start()
    assert.equal((await sign(alone)).silent, '')
  })
}

test('over its limit Rspamd goes away, and that is silence', { skip: withoutRspamd() }, async () => {
  await using peer = await startRspamd()
  const large = content([...HAM.chunks, ...Array.from({ length: 50 }, () => Buffer.alloc(64 * 1024, 'a'))])
  const said = await sign(engines('rspamd', [local(peer)]), large)
  assert.equal(said.silent, 'rspamd', said.detail)
  assert.equal((await sign(engines('rspamd', [local(peer)], { octetsMax: 1_000_000 }), large)).symbol, 'ENGINE_SKIPPED')
})
