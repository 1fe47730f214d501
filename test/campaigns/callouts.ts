/**
 * A flood of RCPT commands for invented recipients at 100,000 per minute, to domains whose servers are asked live. No server
 * hears more than ten questions per second, nobody but the customers' own servers hears one, and good mail to recipients
 * that are known goes through meanwhile as if nothing happened.
 *
 * The servers run in this process, and so do the clients: the clock that the questions are counted with may stand still
 * for a moment, so a second may seem to hold some of its neighbour. Counted is over ten seconds.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Sink, startSink } from '../harness/sink.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { type Account, type CampaignOptions, Faults, total } from './campaign.ts'
import { type Answer, FloodSession } from './flood.ts'

const RCPTS_PER_MINUTE = 100_000
const SESSIONS = 300
/** From the twenty-first unknown recipient on, a session hears the same for all: it would ask nothing any more. */
const RCPTS_PER_SESSION = 20
const HOSTS = [0, 1, 2, 3] as const
const PROBES_PER_SECOND_MAX = 10
const COUNTED_SECONDS = 10
const GOOD_EVERY_MS = 50
const GOOD_USERS = ['anna', 'bert', 'carla']
/** Of good mail alone, to compare with. */
const GOOD_ALONE = 100

export async function callouts({ messages: rcpts, told }: CampaignOptions): Promise<Account> {
  const shops = await Promise.all(HOSTS.map(() => startShop()))
  await using third = await startSink()
  await using relay = await startVorposten({ config: relayConfig(shops, third), workers: 2 })
  try {
    await introduce(relay)
    const alone = await goodMail(relay, (sent) => sent < GOOD_ALONE)
    told('the good recipients are known; the flood begins')
    for (const { probesMs } of shops) probesMs.length = 0
    let flooding = true
    const beside = goodMail(relay, () => flooding)
    const startMs = performance.now()
    const replies = await rcptFlood(relay.port, rcpts)
    const seconds = (performance.now() - startMs) / 1000
    flooding = false
    return await account({ rcpts, relay, shops, third, replies, seconds, alone, beside: await beside })
  } finally {
    await Promise.all(shops.map(({ sink }) => sink.stop()))
  }
}

interface Shop {
  readonly sink: Sink
  /** When it was asked whether somebody exists. */
  readonly probesMs: number[]
}

async function startShop(): Promise<Shop> {
  const probesMs: number[] = []
  const sink = await startSink({
    rcpt: ({ reversePath, recipient = '' }) => {
      if (reversePath === '') probesMs.push(performance.now())
      return GOOD_USERS.includes(recipient.split('@')[0]!) ? undefined : '550 5.1.1 no such user here'
    },
  })
  return { sink, probesMs }
}

/** Two tenants; a third one, whose domain the senders claim, has a server that must not be asked. */
function relayConfig(shops: readonly Shop[], third: Sink) {
  const tenant = (hosts: readonly number[]) => ({
    routes: Object.fromEntries(hosts.map((i) => [`r${i}`, { hosts: [`127.0.0.1:${shops[i]!.sink.port}`] }])),
    domains: Object.fromEntries(hosts.map((i) => [`d${i}.test`, { route: `r${i}`, recipients: 'live' }])),
  })
  return {
    listeners: [{ name: 'mx', addresses: [`127.0.0.1:\${ENV:MX_PORT}`], 'exempt-from-limits': '127.0.0.0/8' }],
    limits: { 'errors-max': 1000, 'transactions-max': 1_000_000 },
    tenants: {
      bakery: tenant([0, 1]),
      butcher: tenant([2, 3]),
      third: {
        routes: { home: { hosts: [`127.0.0.1:${third.port}`] } },
        domains: { 'third.test': { route: 'home', recipients: 'live' } },
      },
    },
  }
}

const goodMessage = (number: number) => ({
  from: `friend${number}@third.test`,
  to: `${GOOD_USERS[number % GOOD_USERS.length]}@d${number % HOSTS.length}.test`,
  content: `Subject: bread ${number}\r\n\r\nTwo loaves, please.\r\n`,
})

/** One message to each good recipient, so that each is known. */
async function introduce({ port }: Vorposten): Promise<void> {
  using session = await FloodSession.open(port)
  const all = GOOD_USERS.length * HOSTS.length
  for (let i = 0; i < all; i++) {
    const { text } = await session.send(goodMessage(i))
    if (!text.startsWith('250')) throw new Error(`a good recipient is not taken: ${text}`)
  }
}

interface Good {
  readonly answers: Answer[]
  readonly tookMs: number[]
}

/** One message after the other, as long as `goesOn`. */
async function goodMail({ port }: Vorposten, goesOn: (sent: number) => boolean): Promise<Good> {
  const good: Good = { answers: [], tookMs: [] }
  using session = await FloodSession.open(port)
  while (goesOn(good.answers.length)) {
    const startMs = performance.now()
    good.answers.push(await session.send(goodMessage(good.answers.length)))
    good.tookMs.push(performance.now() - startMs)
    await sleep(GOOD_EVERY_MS)
  }
  return good
}

/** All at once from many sessions, no faster than the rate. Resolves with the replies to RCPT, counted by their beginning. */
async function rcptFlood(port: number, rcpts: number): Promise<ReadonlyMap<string, number>> {
  const replies = new Map<string, number>()
  const startMs = performance.now()
  let begun = 0
  const client = async (): Promise<void> => {
    while (begun < rcpts) {
      const first = begun
      const count = Math.min(RCPTS_PER_SESSION, rcpts - first)
      begun += count
      const dueMs = startMs + (first / RCPTS_PER_MINUTE) * 60_000
      await sleep(Math.max(0, dueMs - performance.now()))
      for (const text of await tryNames(port, first, count)) {
        const kind = text.slice(0, '550 5.1.1'.length)
        replies.set(kind, (replies.get(kind) ?? 0) + 1)
      }
    }
  }
  await Promise.all(Array.from({ length: SESSIONS }, client))
  return replies
}

async function tryNames(port: number, first: number, count: number): Promise<string[]> {
  using session = await FloodSession.open(port)
  await session.ask('MAIL FROM:<somebody@third.test>\r\n')
  const texts: string[] = []
  for (let number = first; number < first + count; number++) {
    const name = `${Math.random().toString(36).slice(2, 10)}${number}`
    texts.push(await session.ask(`RCPT TO:<${name}@d${number % HOSTS.length}.test>\r\n`))
  }
  await session.ask('QUIT\r\n')
  return texts
}

interface Outcome {
  readonly rcpts: number
  readonly relay: Vorposten
  readonly shops: readonly Shop[]
  readonly third: Sink
  readonly replies: ReadonlyMap<string, number>
  readonly seconds: number
  readonly alone: Good
  readonly beside: Good
}

async function account({ rcpts, relay, shops, third, replies, seconds, alone, beside }: Outcome): Promise<Account> {
  const faults = new Faults()
  const answered = [...replies.values()].reduce((sum, count) => sum + count, 0)
  faults.equal('RCPT commands answered', answered, rcpts)
  faults.none(
    'other replies to an invented recipient',
    [...replies.keys()].filter((text) => !/^(550 5\.1\.1|450 4\.)/.test(text)),
  )
  const good = [...alone.answers, ...beside.answers]
  faults.none(
    'good messages refused',
    good.filter(({ text }) => !text.startsWith('250')).map(({ text }) => text),
  )
  const arrived = shops.reduce((sum, { sink }) => sum + sink.accepted.length, 0)
  faults.equal('good messages arrived', arrived, good.length + GOOD_USERS.length * HOSTS.length)
  for (const { probesMs } of shops) {
    // One second's worth more: the second at each end is counted in part.
    const max = PROBES_PER_SECOND_MAX * (COUNTED_SECONDS + 1)
    faults.atMost(`questions to one host within ${COUNTED_SECONDS} s`, most(probesMs, COUNTED_SECONDS), max)
    faults.atMost('questions to one host', probesMs.length, PROBES_PER_SECOND_MAX * (seconds + 1))
  }
  faults.equal('connections to the domain that senders claimed', third.sessions, 0)
  const { text: metrics } = await relay.get('/metrics')
  return {
    figures: {
      'RCPT commands': rcpts,
      'RCPT commands per minute': Math.round((rcpts / seconds) * 60),
      'refused with 550 5.1.1': replies.get('550 5.1.1') ?? 0,
      'questions to the busiest host, per second': rate(
        Math.max(...shops.map(({ probesMs }) => probesMs.length)),
        seconds,
      ),
      'the most within ten seconds, per second': rate(Math.max(...shops.map(({ probesMs }) => most(probesMs, 10))), 10),
      'callouts in /metrics': total(metrics, 'vorposten_callouts_total'),
      'connections to third parties': third.sessions,
      'good messages beside the flood': beside.answers.length,
      'p50 of good mail alone, ms': percentile(alone.tookMs, 0.5),
      'p50 of good mail beside the flood, ms': percentile(beside.tookMs, 0.5),
      'p95 of good mail alone, ms': percentile(alone.tookMs, 0.95),
      'p95 of good mail beside the flood, ms': percentile(beside.tookMs, 0.95),
    },
    faults: faults.found,
  }
}

const rate = (count: number, seconds: number): number => Math.round((count / seconds) * 10) / 10

/** The most of these moments that lie within so many seconds. */
export function most(momentsMs: readonly number[], seconds: number): number {
  let first = 0
  let found = 0
  momentsMs.forEach((ms, last) => {
    while (ms - momentsMs[first]! >= seconds * 1000) first++
    found = Math.max(found, last - first + 1)
  })
  return found
}

const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round((sorted[Math.floor(sorted.length * share)] ?? Number.NaN) * 10) / 10
}
