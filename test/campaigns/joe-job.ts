/**
 * A joe-job: bounces come back for mail that the customer never sent, in the formats of many servers. Half go to a customer
 * with signed reverse-paths, who refuses them at RCPT, half to one with a record of sent mail, who refuses them at the dot.
 * Bounces of mail that the two did send are among them, and arrive.
 */
import { readFileSync } from 'node:fs'
import { freePort } from '../harness/free-port.ts'
import { type Sink, startSink } from '../harness/sink.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { type Account, type CampaignOptions, Faults, total } from './campaign.ts'
import { type Answer, FloodSession, flood, type Sending } from './flood.ts'

const FOLDER = new URL('../../fixtures/automatic/', import.meta.url)
const SESSIONS = 60
const PER_SESSION = 10
/** One bounce in so many is a real one. */
const REAL_EVERY = 250
const LONG_AGO = '2020-01-01'
const ARRIVAL_MS_MAX = 60_000

const TENANTS = {
  bakery: { domain: 'signed.test', client: '127.0.0.2', refusedAt: 'rcpt' },
  butcher: { domain: 'recorded.test', client: '127.0.0.3', refusedAt: 'dot' },
} as const
type Tenant = keyof typeof TENANTS
const NAMES = Object.keys(TENANTS) as Tenant[]

export async function joeJob({ messages, told }: CampaignOptions): Promise<Account> {
  await using world = await startSink()
  await using bakery = await startSink()
  await using butcher = await startSink()
  const door = await freePort()
  const config = relayConfig(door, world, { bakery, butcher })
  await using relay = await startVorposten({ config, workers: 2 })
  const real = Math.max(10, Math.floor(messages / REAL_EVERY))
  const sent = await sendReal(door, world, real)
  told(`${sent.length} messages have left; the bounces come`)
  const formats = bounceFormats()
  const bounceOf = (number: number) => bounce(number, messages, sent, formats)
  const answers = new Map<number, Answer>()
  await flood({
    port: relay.port,
    sessions: SESSIONS,
    perSession: PER_SESSION,
    count: messages + sent.length,
    message: (number) => bounceOf(number).sending,
    answered: (number, answer) => answers.set(number, answer),
  })
  const arrived = () => bakery.accepted.length + butcher.accepted.length
  await waitFor('the real bounces', () => arrived() >= sent.length, { msMax: ARRIVAL_MS_MAX }).catch(() => {})
  return await account({ messages, sent, answers, bounceOf, relay, shops: [bakery, butcher], world, formats })
}

function relayConfig(door: number, world: Sink, shops: { readonly [T in Tenant]: Sink }) {
  const tenant = (name: Tenant, protection: object) => ({
    routes: { world: { hosts: [`127.0.0.1:${world.port}`] }, shop: { hosts: [`127.0.0.1:${shops[name].port}`] } },
    domains: { [TENANTS[name].domain]: { route: 'shop', recipients: 'accept-all' } },
    outbound: { 'from-networks': [TENANTS[name].client], route: 'world' },
    'bounce-protection': { since: LONG_AGO, ...protection },
  })
  const exempt = { 'exempt-from-limits': '127.0.0.0/8' }
  return {
    listeners: [
      { name: 'mx', addresses: [`127.0.0.1:\${ENV:MX_PORT}`], ...exempt },
      { name: 'out', addresses: [`127.0.0.1:${door}`], service: 'outbound', ...exempt },
    ],
    limits: { 'transactions-max': 1_000_000 },
    tenants: {
      bakery: tenant('bakery', { kind: 'batv', keys: { 3: { secret: 'sixteen octets or more' } } }),
      butcher: tenant('butcher', { kind: 'sent-record' }),
    },
  }
}

interface Sent {
  readonly tenant: Tenant
  /** As it left: signed, where that is so. */
  readonly reversePath: string
  readonly recipient: string
}

/** What the two really send, in turns. */
async function sendReal(door: number, world: Sink, count: number): Promise<Sent[]> {
  for (const tenant of NAMES) {
    const { domain, client } = TENANTS[tenant]
    using session = await FloodSession.open(door, client)
    for (let i = NAMES.indexOf(tenant); i < count; i += NAMES.length) {
      const content = `From: anna@${domain}\r\nMessage-ID: <${i}@${domain}>\r\nSubject: bread\r\n\r\nToday.\r\n`
      const { text } = await session.send({ from: `anna@${domain}`, to: `guest${i}@far.test`, content })
      if (!text.startsWith('250')) throw new Error(`the customer cannot send: ${text}`)
    }
  }
  await world.received(count, ARRIVAL_MS_MAX)
  return world.accepted.map(({ reversePath, recipients }) => ({
    tenant: reversePath.includes(TENANTS.bakery.domain) ? 'bakery' : 'butcher',
    reversePath,
    recipient: recipients[0]!.mailbox,
  }))
}

interface Format {
  readonly name: string
  readonly text: string
  /** Whom it names, where the name stands in it in clear. */
  readonly recipient: string | undefined
}

interface Expected {
  readonly kind: string
  readonly recipients?: readonly string[]
}

/** Bounces that say what they are about; one that says nothing is let through, since it cannot be judged. */
function bounceFormats(): Format[] {
  const all = JSON.parse(readFileSync(new URL('expected.json', FOLDER), 'utf8')) as {
    readonly [file: string]: Expected
  }
  return Object.entries(all).flatMap(([name, { kind, recipients = [] }]) => {
    if (kind !== 'dsn' || recipients.length === 0) return []
    // Some have the line of a mail folder above the header section; all have LF.
    const text = readFileSync(new URL(name, FOLDER), 'latin1')
      .replace(/^From .*\n/, '')
      .replace(/\r?\n/g, '\r\n')
      .replace(/^\./gm, '..')
    const [first] = recipients.map((words) => words.split(' ')[0]!)
    const isReplaceable = recipients.length === 1 && first !== undefined && text.includes(first)
    return [{ name, text, recipient: isReplaceable ? first : undefined }]
  })
}

interface Bounce {
  readonly tenant: Tenant
  readonly sending: Sending
  readonly isReal: boolean
  readonly format: string
}

/** The forged ones come first to last with the real ones spread among them. */
function bounce(number: number, messages: number, sent: readonly Sent[], formats: readonly Format[]): Bounce {
  const every = Math.floor((messages + sent.length) / sent.length)
  const original = number % every === 0 ? sent[number / every] : undefined
  if (original === undefined) return forgedBounce(number, sent, formats)
  const clear = formats.filter(({ recipient }) => recipient !== undefined)
  const { name, text, recipient } = clear[number % clear.length]!
  return {
    tenant: original.tenant,
    isReal: true,
    format: name,
    sending: { from: '', to: original.reversePath, content: ended(text.replaceAll(recipient!, original.recipient)) },
  }
}

/** To addresses without a signature, and with one that is forged for today, too old, or of a key that there is not. */
function forgedBounce(number: number, sent: readonly Sent[], formats: readonly Format[]): Bounce {
  const tenant = NAMES[number % NAMES.length]!
  const { domain } = TENANTS[tenant]
  const { name, text } = formats[(number >> 1) % formats.length]!
  const signature = (number % 0xffffff).toString(16).padStart(6, '0')
  const today = sent.map(({ reversePath }) => /^prvs=(\d{4})/.exec(reversePath)?.[1]).find((day) => day !== undefined)
  const tags = [`prvs=${today}${signature}=`, `prvs=3999${signature}=`, `prvs=7${today?.slice(1)}${signature}=`]
  const mailboxes = ['anna', `user${number}`, ...tags.map((tag) => `${tag}anna`)]
  const localPart = tenant === 'bakery' ? mailboxes[(number >> 2) % mailboxes.length] : 'anna'
  return {
    tenant,
    isReal: false,
    format: name,
    sending: { from: '', to: `${localPart}@${domain}`, content: ended(text) },
  }
}

const ended = (text: string): Buffer => Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1')

interface Outcome {
  readonly messages: number
  readonly sent: readonly Sent[]
  readonly answers: ReadonlyMap<number, Answer>
  readonly bounceOf: (number: number) => Bounce
  readonly relay: Vorposten
  readonly shops: readonly Sink[]
  readonly world: Sink
  readonly formats: readonly Format[]
}

async function account(outcome: Outcome): Promise<Account> {
  const { messages, sent, answers, bounceOf, relay, shops, world, formats } = outcome
  const faults = new Faults()
  const wrong: string[] = []
  let refused = 0
  for (const [number, { at, text }] of answers) {
    const { tenant, isReal, format } = bounceOf(number)
    const isRefused = at === TENANTS[tenant].refusedAt && /^550 5\.7\.1 Bounce refused/.test(text)
    if (isRefused) refused++
    if (isReal ? !text.startsWith('250') : !isRefused) {
      wrong.push(`${isReal ? 'real' : 'forged'} ${tenant} ${format}: ${at} ${text}`)
    }
  }
  faults.none('wrong answers', wrong)
  faults.equal('bounces answered', answers.size, messages + sent.length)
  faults.equal('forged bounces refused', refused, messages)
  const contents = shops.flatMap((shop) => shop.messages.map(({ content }) => content.toString('latin1')))
  faults.equal('messages at the customers', contents.length, sent.length)
  const arrived = shops.reduce((sum, { accepted }) => sum + accepted.length, 0)
  faults.equal('real bounces arrived', arrived, sent.length)
  const plain = NAMES.map((tenant) => `anna@${TENANTS[tenant].domain}`)
  const others = shops.flatMap(({ accepted }) => accepted.map(({ recipients }) => recipients[0]!.mailbox))
  faults.none(
    'recipients other than the plain address',
    others.filter((mailbox) => !plain.includes(mailbox)),
  )
  faults.equal('messages that left', world.messages.length, sent.length)
  const { text: metrics } = await relay.get('/metrics')
  faults.equal('refused in /metrics', total(metrics, 'vorposten_bounces_total', '"refused"'), messages)
  faults.equal('delivery status notifications', total(metrics, 'vorposten_dsn_emitted_total'), 0)
  return {
    figures: {
      'forged bounces': messages,
      formats: formats.length,
      'refused in the session with 550 5.7.1': refused,
      'forged bounces at the customers': contents.filter((content) => !content.includes('@far.test')).length,
      'real bounces': sent.length,
      'real bounces arrived': arrived,
    },
    faults: faults.found,
  }
}
