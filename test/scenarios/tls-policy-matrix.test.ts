/**
 * What a domain publishes about TLS against what its server can do: DANE and MTA-STS in all their states, with a real
 * unbound and a real policy host. Where a policy protects, no content ever leaves in clear or to the wrong server.
 */
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { type KeyAndCertificate, selfSignedCertificate } from '#sys/self-signed.ts'
import { freePort } from '../harness/free-port.ts'
import { startPolicyHost } from '../harness/policy-host.ts'
import { type Sink, startSink } from '../harness/sink.ts'
import type { Behaviour } from '../harness/sink-behaviour.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { tempFolder } from '../harness/temp-folder.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { startUnbound, withoutUnbound, type ZoneSource } from '../peers/unbound.ts'

const skip = withoutUnbound()
const WRONG = '12345678'.repeat(8)
const [WEB, NOBODY] = ['127.0.1.100', '127.0.1.101']

/** Delivered in clear, by TLS with whomever, verified; or it waits. */
type End = 'clear' | 'tls' | 'dane' | 'sts' | 'waits'

const RECEIVERS = ['plain', 'good', 'strange', 'misnamed', 'expired', 'breaks', 'refuses'] as const
type Receiver = (typeof RECEIVERS)[number]

interface Policy {
  readonly dane?: 'right' | 'wrong' | 'unusable' | 'forged'
  readonly sts?: 'enforce' | 'testing' | 'none' | 'unreachable'
  /** False: the MTA-STS policy names another host. */
  readonly named?: false
  /** In the order of `RECEIVERS`. */
  readonly ends: readonly End[]
}

const AS_WITHOUT: readonly End[] = ['clear', 'tls', 'tls', 'tls', 'tls', 'clear', 'clear']
const NEVER: readonly End[] = Array<End>(RECEIVERS.length).fill('waits')
const DANE: readonly End[] = ['waits', 'dane', 'dane', 'dane', 'dane', 'waits', 'waits']
const POLICIES: { readonly [name: string]: Policy } = {
  nothing: { ends: AS_WITHOUT },
  'dane-right': { dane: 'right', ends: DANE },
  'dane-wrong': { dane: 'wrong', ends: NEVER },
  'dane-unusable': { dane: 'unusable', ends: ['waits', 'tls', 'tls', 'tls', 'tls', 'waits', 'waits'] },
  'dane-forged': { dane: 'forged', ends: NEVER },
  enforce: { sts: 'enforce', ends: ['waits', 'sts', 'waits', 'waits', 'waits', 'waits', 'waits'] },
  unnamed: { sts: 'enforce', named: false, ends: NEVER },
  testing: { sts: 'testing', ends: AS_WITHOUT },
  none: { sts: 'none', ends: AS_WITHOUT },
  unreachable: { sts: 'unreachable', ends: AS_WITHOUT },
  'dane-first': { dane: 'right', sts: 'enforce', named: false, ends: DANE },
  'dane-fails': { dane: 'wrong', sts: 'enforce', ends: NEVER },
}

const CELLS = Object.entries(POLICIES).flatMap(([name, policy]) =>
  RECEIVERS.map((receiver, i) => ({
    ...{ policy, receiver, address: `127.0.1.${i + 1}`, end: policy.ends[i]! },
    domain:
      policy.dane === 'forged' ? `${receiver}.test` : `${receiver}.${name}.${policy.dane ? 'signed' : 'open'}.test`,
  })),
)
type Cell = (typeof CELLS)[number]

const protects = ({ dane, sts }: Policy): boolean => dane !== undefined || sts === 'enforce'
const keyHash = ({ certificatePem }: KeyAndCertificate): string =>
  createHash('sha256')
    .update(new X509Certificate(certificatePem).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')

function certificates() {
  const now = Date.now() - 60_000
  const names = CELLS.map(({ domain }) => `mx.${domain}`)
  const made = (fromMs: number, all: readonly string[]) => selfSignedCertificate({ names: all, fromMs, days: 1 })
  return {
    good: made(now, names),
    strange: made(now, names),
    misnamed: made(now, ['elsewhere.test']),
    expired: made(0, names),
    web: made(
      now,
      CELLS.map(({ domain }) => `mta-sts.${domain}`),
    ),
  }
}
type Certificates = ReturnType<typeof certificates>
const shownBy = (receiver: Receiver, made: Certificates): KeyAndCertificate =>
  receiver === 'strange' || receiver === 'misnamed' || receiver === 'expired' ? made[receiver] : made.good

function zones(port: number, made: Certificates): ZoneSource[] {
  const records = ({ domain, address, receiver, policy: { dane, sts } }: Cell, zone: string): string[] => {
    const name = domain === zone ? '' : `.${domain.slice(0, -zone.length - 1)}`
    const hash = dane === 'wrong' || dane === 'forged' ? WRONG : keyHash(shownBy(receiver, made))
    const tlsa = `_${port}._tcp.mx${name} IN TLSA ${dane === 'unusable' ? 1 : 3} 1 1 ${hash}`
    const host = sts === 'unreachable' ? NOBODY : WEB
    const policy = [`_mta-sts${name} IN TXT "v=STSv1; id=1"`, `mta-sts${name} IN A ${host}`]
    const owner = name === '' ? '@' : name.slice(1)
    return [
      ...[`${owner} IN MX 10 mx.${domain}.`, `mx${name} IN A ${address}`],
      ...(dane ? [tlsa] : []),
      ...(sts ? policy : []),
    ]
  }
  const forged = CELLS.filter(({ policy }) => policy.dane === 'forged')
  const shared = (zone: string): ZoneSource => ({
    name: zone,
    signed: zone.startsWith('signed'),
    records: CELLS.filter(({ domain }) => domain.endsWith(`.${zone}`)).flatMap((cell) => records(cell, zone)),
  })
  return [
    ...[shared('signed.test'), shared('open.test')],
    ...forged.map((cell): ZoneSource => {
      const { domain } = cell
      return { name: domain, signed: true, records: records(cell, domain), forged: ['12345678', '12345679'] }
    }),
  ]
}

const BEHAVIOURS: { readonly [receiver in Receiver]?: Behaviour } = {
  breaks: { starttls: { reply: '220 2.0.0 go ahead', afterwards: 'close' } },
  refuses: { starttls: '454 4.7.0 no TLS today' },
}

async function startReceivers(
  port: number,
  made: Certificates,
  open: AsyncDisposableStack,
): Promise<Map<Receiver, Sink>> {
  const sinks = new Map<Receiver, Sink>()
  for (const [i, receiver] of RECEIVERS.entries()) {
    const tls = receiver === 'plain' ? {} : { tls: shownBy(receiver, made) }
    const sink = await startSink(BEHAVIOURS[receiver] ?? {}, { port, address: `127.0.1.${i + 1}`, ...tls })
    sinks.set(receiver, open.use(sink))
  }
  return sinks
}

const bodies = (): Map<string, string> =>
  new Map(
    CELLS.filter(({ policy: { sts } }) => sts !== undefined).map(({ domain, policy: { sts, named } }) => {
      const mx = named === false ? 'elsewhere.test' : `*.${domain}`
      return [domain, `version: STSv1\r\nmode: ${sts}\r\nmx: ${mx}\r\nmax_age: 86400\r\n`]
    }),
  )

const config = (door: number, port: number, web: number, unbound: number, route: object = {}) => ({
  hostname: 'relay.example',
  'name-servers': `127.0.0.1:${unbound}`,
  destinations: { 'allow-networks': ['127.0.1.0/24'], 'mta-sts-port': web },
  listeners: [
    { name: 'mx', addresses: [`127.0.0.1:\${ENV:MX_PORT}`] },
    { name: 'out', addresses: [`127.0.0.1:${door}`], service: 'outbound' },
  ],
  tenants: {
    bakery: {
      routes: { internet: { 'use-mx': true, 'mx-port': port, ...route }, shop: { hosts: ['127.0.1.9'] } },
      domains: { 'bakery.example': { route: 'shop', recipients: 'accept-all' } },
      outbound: { 'from-networks': ['127.0.0.1'], route: 'internet' },
    },
  },
})

async function submit(door: number, to: string): Promise<void> {
  using talk = await greeted(door)
  const content = `From: a@bakery.example\r\nTo: ${to}\r\n\r\nx\r\n`
  const { text } = await talk.message({ from: 'a@bakery.example', to: [to], content })
  assert.match(text, /queued as/)
}

async function endOf(relay: Vorposten, to: string, sink: Sink): Promise<End> {
  const line = await relay.logged(new RegExp(`to=<${to.replaceAll('.', '\\.')}>, .*status=(sent|deferred)`))
  const arrived = sink.messages.filter(({ recipients }) => recipients.some(({ mailbox }) => mailbox === to))
  if (line.includes('status=deferred')) {
    assert.equal(arrived.length, 0, line)
    return 'waits'
  }
  const [message] = arrived
  assert.ok(message, line)
  if (!message.tls) return 'clear'
  if (line.includes('tls=DANE-verified')) return 'dane'
  return line.includes('tls=MTA-STS-verified') ? 'sts' : 'tls'
}

test(`${CELLS.length} cells, no leak, and a policy outlives its host and a restart`, { skip }, async () => {
  const [door, port, web] = [await freePort(), await freePort(), await freePort()]
  const made = certificates()
  const folder = tempFolder('authorities')
  const { strange: _, ...trusted } = made
  writeFileSync(
    `${folder.path}/ca.pem`,
    Object.values(trusted)
      .map(({ certificatePem }) => certificatePem)
      .join('\n'),
  )
  process.env['NODE_EXTRA_CA_CERTS'] = `${folder.path}/ca.pem`
  await using host = await startPolicyHost({ address: WEB, port: web, tls: made.web }, bodies())
  await using unbound = await startUnbound(zones(port, made))
  await using open = new AsyncDisposableStack()
  open.defer(() => folder.remove())
  const sinks = await startReceivers(port, made, open)
  const settings = config(door, port, web, unbound.endpoint.port)
  await using relay = await startVorposten({ config: settings })
  for (const { domain } of CELLS) await submit(door, `one@${domain}`)
  const wrong: string[] = []
  for (const { domain, receiver, end, policy } of CELLS) {
    const seen = await endOf(relay, `one@${domain}`, sinks.get(receiver)!)
    if (seen !== end) wrong.push(`${domain}: ${seen}, not ${end}`)
    if (protects(policy)) assert.notEqual(seen, 'clear', `a leak: ${domain}`)
  }
  assert.deepEqual(wrong, [])
  assert.equal(new Set(host.asked).size, host.asked.length, 'each policy is fetched once')
  assert.equal(await relay.metric('vorposten_tls_policy_total{policy="sts",result="met"}'), 1)
  assert.match((await relay.command('tls-policy', 'good.enforce.open.test')).text, /policy: enforce, for \*\.good/)

  const unsigned = await relay.command('tls-policy', 'good.enforce.open.test')
  assert.match(unsigned.text, /no TLSA records: MTA-STS counts/)
  const dane = CELLS.find(({ end }) => end === 'dane')!
  assert.match((await relay.command('tls-policy', dane.domain)).text, /: DANE \(TLSA records of .*\n {4}TLSA \d \d \d /)

  await host.stop()
  await relay.stop()
  await relay.start()
  for (const receiver of ['good', 'plain'] as const) {
    const to = `two@${receiver}.enforce.open.test`
    await submit(door, to)
    assert.equal(await endOf(relay, to, sinks.get(receiver)!), receiver === 'good' ? 'sts' : 'waits')
  }
  const refreshed = await relay.command('tls-policy', 'good.enforce.open.test', '--refresh')
  assert.match(refreshed.text, /policy: enforce.*failed: .*ECONNREFUSED/s)

  const override = { 'tls-by-domain': { 'plain.enforce.open.test': 'opportunistic' } }
  await relay.reload(config(door, port, web, unbound.endpoint.port, override))
  await submit(door, 'three@plain.enforce.open.test')
  assert.equal(await endOf(relay, 'three@plain.enforce.open.test', sinks.get('plain')!), 'clear')
})
