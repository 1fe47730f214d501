/**
 * Mail with a forged sender, in every way that a customer's mail can fail: unknown user, refusal at the dot in the
 * session, refusal after custody, expiry at a server that defers and at one that is gone. The forged domain has a server that we know and would deliver to, and there is a
 * way out into the world; neither may hear a word. Each message is refused in its session, delivered, or held.
 *
 * The shortest lifetime is a minute: a run below `EXPIRY_MESSAGES_MIN` does not wait for it, and counts those as waiting.
 */
import { freePort } from '../harness/free-port.ts'
import { type Behaviour, type Sink, startSink } from '../harness/sink.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { type Account, type CampaignOptions, Faults, total } from './campaign.ts'
import { type Answer, flood, type Sending } from './flood.ts'

const SESSIONS = 60
/** As spammers do; and beyond 20 unknown recipients a session learns nothing more. */
const PER_SESSION = 10
export const EXPIRY_MESSAGES_MIN = 10_000
const EXPIRY_MS_MAX = 180_000
const DELIVERY_MS_MAX = 120_000
/** As many as `queue list` shows. */
const ROWS_MAX = 10_000

const KINDS = ['unknown', 'unknown', 'asked', 'dot', 'dot', 'custody', 'custody', 'deferred', 'good', 'good'] as const
type Kind = (typeof KINDS)[number] | 'gone'
/** One in so many, and all of them first: a server that is gone is tried at growing intervals. */
const GONE_SHARE = 50
const EXPIRES: readonly Kind[] = ['deferred', 'gone']
const DOMAINS: { readonly [K in Kind]: string } = {
  unknown: 'listed.test',
  asked: 'live.test',
  dot: 'through.test',
  custody: 'spooled.test',
  deferred: 'full.test',
  gone: 'gone.test',
  good: 'through.test',
}

const kindOf = (number: number, messages: number): Kind =>
  number < messages / GONE_SHARE ? 'gone' : KINDS[number % KINDS.length]!

export async function backscatter({ messages, told }: CampaignOptions): Promise<Account> {
  await using shop = await startSink(shopServer)
  await using victim = await startSink()
  await using world = await startSink()
  const config = await relayConfig(shop, victim, world)
  await using relay = await startVorposten({ config, workers: 2 })
  const answers = new Map<number, Answer>()
  await flood({
    port: relay.port,
    sessions: SESSIONS,
    perSession: PER_SESSION,
    count: messages,
    message: (number) => forged(number, kindOf(number, messages)),
    answered: (number, answer) => answers.set(number, answer),
  })
  told('all have their answer; waiting for the queue')
  const expires = messages >= EXPIRY_MESSAGES_MIN
  await settled(relay, expires, count(messages, ['custody']), count(messages, EXPIRES))
  return await account({ messages, answers, relay, shop, strangers: [victim, world], expires })
}

function forged(number: number, kind: Kind): Sending {
  const local = kind === 'unknown' || kind === 'asked' ? `nobody${number}` : 'anna'
  return {
    from: `${kind}-${number}@victim.test`,
    to: `${local}@${DOMAINS[kind]}`,
    content: `From: somebody@victim.test\r\nSubject: you have won\r\nX-Number: ${number}\r\n\r\nClick here.\r\n`,
  }
}

/** Knows anna, whose mailbox in one domain is full; the forged sender's name says what becomes of the content. */
const shopServer: Behaviour = {
  rcpt: ({ recipient = '' }) => {
    if (recipient.endsWith(DOMAINS.deferred)) return '452 4.2.2 mailbox full'
    return /^(anna|postmaster)@/.test(recipient) ? undefined : '550 5.1.1 no such user here'
  },
  dot: ({ reversePath }) => (/^(dot|custody)-/.test(reversePath) ? '554 5.7.1 smells of spam' : undefined),
}

async function relayConfig(shop: Sink, victim: Sink, world: Sink) {
  const [door, nobody] = [await freePort(), await freePort()]
  const retry = { first: '1s', max: '10s' }
  const route = ({ port }: { readonly port: number }) => ({ hosts: [`127.0.0.1:${port}`], retry })
  return {
    listeners: [
      { name: 'mx', addresses: [`127.0.0.1:\${ENV:MX_PORT}`], 'exempt-from-limits': '127.0.0.0/8' },
      { name: 'out', addresses: [`127.0.0.1:${door}`], service: 'outbound' },
    ],
    tenants: {
      bakery: {
        postmaster: 'postmaster@listed.test',
        routes: {
          shop: route(shop),
          world: route(world),
          full: { ...route(shop), lifetime: '1m' },
          gone: { ...route({ port: nobody }), lifetime: '1m' },
        },
        domains: {
          'listed.test': { route: 'shop', recipients: { listed: ['anna'] } },
          'live.test': { route: 'shop', recipients: 'live' },
          'through.test': { route: 'shop', recipients: 'accept-all', commit: 'cut-through' },
          'spooled.test': { route: 'shop', recipients: 'accept-all', commit: 'spool' },
          'full.test': { route: 'full', recipients: 'accept-all', commit: 'spool' },
          'gone.test': { route: 'gone', recipients: 'accept-all', commit: 'spool' },
        },
        outbound: { 'from-networks': ['127.0.0.9'], route: 'world', ndrs: 'pass' },
      },
      victim: {
        routes: { home: route(victim) },
        domains: { 'victim.test': { route: 'home', recipients: 'accept-all' } },
      },
    },
  }
}

const count = (messages: number, kinds: readonly Kind[]): number =>
  Array.from({ length: messages }, (_, number) => kindOf(number, messages)).filter((kind) => kinds.includes(kind))
    .length

/** Waits until the queue has nothing more to do, or for long enough: the account says what is missing. */
async function settled(relay: Vorposten, expires: boolean, refused: number, expired: number): Promise<void> {
  const held = async (reason: string) =>
    total((await relay.get('/metrics')).text, 'vorposten_held_total', `"${reason}"`)
  const wait = (what: string, done: () => Promise<boolean>, msMax: number) =>
    waitFor(what, done, { msMax }).catch(() => {})
  await wait('what is refused to be held', async () => (await held('refused')) >= refused, DELIVERY_MS_MAX)
  if (expires) await wait('the rest to expire', async () => (await held('expired')) >= expired, EXPIRY_MS_MAX)
}

interface Outcome {
  readonly messages: number
  readonly answers: ReadonlyMap<number, Answer>
  readonly relay: Vorposten
  readonly shop: Sink
  /** Who must not hear a word. */
  readonly strangers: readonly Sink[]
  readonly expires: boolean
}

const EXPECTED: { readonly [K in Kind]: RegExp } = {
  unknown: /^rcpt 550 5\.1\.1 /,
  // Ten questions a second; who is not asked for is deferred.
  asked: /^rcpt (550 5\.1\.1|450 4\.1\.1) /,
  dot: /^dot 55[04] 5\.7\.1 /,
  custody: /^dot 250 /,
  deferred: /^dot 250 /,
  gone: /^dot 250 /,
  good: /^dot 250 /,
}

async function account(outcome: Outcome): Promise<Account> {
  const { messages, answers, relay, shop, strangers, expires } = outcome
  const faults = new Faults()
  const kind = (number: number) => kindOf(number, messages)
  const texts = [...answers].map(([number, { at, text }]) => [number, `${at} ${text}`] as const)
  const wrong = texts.filter(([number, text]) => !EXPECTED[kind(number)].test(text))
  faults.none(
    'other answers than expected',
    wrong.map(([number, text]) => `${kind(number)}: ${text}`),
  )
  const accepted = new Set(texts.filter(([, text]) => text.startsWith('dot 250')).map(([number]) => number))
  const arrived = numbersAt(shop)
  const arrivedOnce = new Set(arrived)
  const kept = [...accepted].filter((number) => !arrivedOnce.has(number))
  faults.equal('messages answered', answers.size, messages)
  faults.equal('messages that arrived twice', arrived.length - arrivedOnce.size, 0)
  faults.none('arrived, and never accepted', [...arrivedOnce].filter((number) => !accepted.has(number)).map(String))
  faults.none('kept, and of a kind that can be delivered', kept.filter((n) => kind(n) === 'good').map(String))
  const { text: metrics } = await relay.get('/metrics')
  const held = total(metrics, 'vorposten_held_total')
  const waiting = total(metrics, 'vorposten_queue_messages')
  faults.equal('messages kept that are held or wait', held + waiting, kept.length)
  faults.equal('messages in the spool', total(metrics, 'vorposten_spool_messages'), kept.length)
  faults.equal('messages that still wait', waiting, expires ? 0 : count(messages, EXPIRES))
  faults.equal('delivery status notifications', total(metrics, 'vorposten_dsn_emitted_total'), 0)
  faults.equal(
    'connections to the forged domain and the world',
    strangers.reduce((n, { sessions }) => n + sessions, 0),
    0,
  )
  faults.none('recipients at the customer who are not its own', foreign(shop))
  await checkListAndTrace(relay, faults, Math.min(held, ROWS_MAX))
  return {
    figures: {
      messages,
      'refused in the session': messages - accepted.size,
      delivered: arrivedOnce.size,
      'held after a refusal': total(metrics, 'vorposten_held_total', '"refused"'),
      'held after expiry': total(metrics, 'vorposten_held_total', '"expired"'),
      waiting,
      'notices to the customer’s postmaster': total(metrics, 'vorposten_notices_queued_total'),
      'connections to the forged domain and the world': strangers.reduce((n, { sessions }) => n + sessions, 0),
    },
    faults: faults.found,
  }
}

/** What the operator's own tools say of held mail: the list, and the story of one message. */
async function checkListAndTrace(relay: Vorposten, faults: Faults, rows: number): Promise<void> {
  const { text } = await relay.command('queue', 'list', '--state', 'held', '--json', '--limit', String(ROWS_MAX))
  const listed = text.split('\n').filter((line) => line.startsWith('{'))
  if (listed.length === 0 && rows > 0) faults.found.push(`the queue cannot be listed: ${text}`)
  faults.equal('held messages that the queue lists', listed.length, rows)
  const [first] = listed.map((line) => JSON.parse(line) as { readonly id: string; readonly from: string })
  if (first === undefined) return
  const trace = await relay.command('trace', first.id)
  if (!/held/.test(trace.text)) faults.found.push(`the trace of ${first.id} does not say that it is held`)
}

const numbersAt = (sink: Sink): number[] =>
  sink.accepted.flatMap(({ content }) => {
    const number = /^X-Number: (\d+)\r$/m.exec(content.toString('latin1'))?.[1]
    return number === undefined ? [] : [Number(number)]
  })

const OWN = new Set(Object.values(DOMAINS))
const foreign = ({ commands }: Sink): string[] =>
  commands.filter((line) => line.startsWith('RCPT TO:') && !OWN.has(/@([^>]*)>/.exec(line)?.[1] ?? ''))
