/**
 * A long outage, in virtual time: the primaries of two customers are down for weeks, we are their fallback MX, and meanwhile
 * mailboxes are added, removed and renamed. One customer keeps a list with us, of the other we know what we learned before.
 * The relay's worker dies now and then, with a supervisor that lives.
 *
 * Senders write in rounds, two hours apart, one after the other. Between the rounds nothing happens but timers; those of
 * the relay come late then, by five minutes at most, so that a month passes in seconds.
 */
import type { Outside } from '#cli/assemble.ts'
import { parseConfig } from '#config/parse.ts'
import type { RecipientState } from '#mail/stored.ts'
import type { Clock } from '#sys/clock.ts'
import type { Connect } from '#sys/wire.ts'
import { Customer, type CustomerFacts } from './customer.ts'
import { TwinDisk } from './disk.ts'
import { judge } from './judge.ts'
import { readKept } from './kept.ts'
import { Ledger } from './ledger.ts'
import { SimWire } from './network.ts'
import { SimOffice } from './office.ts'
import { Random } from './random.ts'
import { SimRelay } from './relay.ts'
import { Talk } from './talk.ts'
import { LifeClock, Timeline, Turns } from './timeline.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
const ROUND_MS = 2 * HOUR
/** Timers are in time so long before a round begins, and after. */
const AWAKE_BEFORE_MS = 10 * SECOND
const AWAKE_AFTER_MS = MINUTE
const LATE_MS_MAX = 5 * MINUTE
const DELAY_MS_MAX = 40
const REPLY_MS_MAX = 5 * MINUTE
/** Mail flows before the outage, and after it. */
const BEFORE_MS = DAY
const AFTER_MS = 2 * HOUR
/** A deferred message comes again so often, for five days. */
const RETRY_ROUNDS = 6
const TRIES_MAX = 10

/** Who exists at both customers when the outage begins. */
const USERS = ['anna', 'bert', 'carla', 'dora'] as const
const NEVER = 'nobody'
/** At both, on these days of the outage. */
const CHANGES: readonly { readonly day: number; readonly add?: string; readonly remove?: string }[] = [
  { day: 8, add: 'fred' },
  { day: 12, remove: 'anna' },
  { day: 16, add: 'bertold', remove: 'bert' },
]
const WRITTEN_TO = [...USERS, 'fred', 'bertold', NEVER]

export interface OutageOptions {
  readonly seed: number
  readonly days: number
  readonly onLine?: (line: string) => void
}

/** A reply that decided over one try. */
export interface TryReply {
  readonly tryId: string
  readonly customer: 'listed' | 'learned'
  readonly user: string
  /** Since the outage began; negative before it. */
  readonly day: number
  readonly code: number
  readonly text: string
}

export interface OutageResult {
  readonly replies: readonly TryReply[]
  /** Where the recipient of a try stands in the spool at the end; absent: it is not there. */
  readonly kept: ReadonlyMap<string, RecipientState['kind']>
  readonly delivered: ReadonlySet<string>
  readonly violations: readonly string[]
  /** What the listed customer's postmaster was told, in order. */
  readonly notices: readonly string[]
}

export async function outage(options: OutageOptions): Promise<OutageResult> {
  const turns = new Turns()
  turns.count()
  try {
    return await new OutageWorld(options, turns).run()
  } finally {
    turns.restore()
  }
}

class OutageWorld {
  readonly #options: OutageOptions
  readonly #turns: Turns
  readonly #timeline = new Timeline()
  readonly #random: Random
  readonly #ledger: Ledger
  readonly #disk: TwinDisk
  readonly #customers: readonly Customer[]
  readonly #users: readonly string[][]
  readonly #relay: SimRelay
  readonly #office: SimOffice
  readonly #replies: TryReply[] = []
  readonly #resolve: (name: string) => Promise<readonly string[]>
  #waiting: {
    readonly customer: Customer
    readonly user: string
    readonly id: string
    tries: number
    round: number
  }[] = []
  #letters = 0
  #ports = 1024

  constructor(options: OutageOptions, turns: Turns) {
    const log = (line: string) => options.onLine?.(`${(this.#timeline.nowMs / DAY).toFixed(4)} ${line}`)
    this.#options = options
    this.#turns = turns
    this.#random = new Random(options.seed)
    this.#ledger = new Ledger(this.#timeline, log)
    this.#disk = new TwinDisk(options.seed)
    const facts = (['listed', 'learned'] as const).map(customerFacts)
    this.#users = facts.map(({ users }) => users)
    this.#customers = facts.map((each) => new Customer(each, this.#ledger, this.#timeline, this.#random.fork()))
    const config = relayConfig()
    this.#resolve = async (name) => facts.filter((each) => name === `mx.${each.domain}`).map(({ address }) => address)
    const clock = this.#late(new LifeClock(this.#timeline, () => 0))
    const random = () => this.#random.next()
    const worker = () => this.#relay.worker
    const connect = this.#connect(() => undefined)
    this.#office = new SimOffice({ config, clock, random, connect, resolve: this.#resolve, worker, log })
    this.#relay = new SimRelay({
      timeline: this.#timeline,
      random: this.#random.fork(),
      disk: this.#disk,
      config,
      ledger: this.#ledger,
      log,
      connect: (opened) => this.#connect(opened),
      resolve: this.#resolve,
      spoil: (outside: Outside) => ({ ...outside, clock: this.#late(outside.clock), shared: this.#office.shared }),
      supervised: (own) => this.#office.supervised(own),
    })
  }

  async run(): Promise<OutageResult> {
    const { days } = this.#options
    const endMs = BEFORE_MS + days * DAY + AFTER_MS
    this.#office.begin()
    this.#relay.start()
    await this.#office.import('listed.test', this.#users[0]!)
    const at = (ms: number, call: () => unknown) => this.#timeline.after(ms - this.#timeline.nowMs, () => void call())
    for (let round = 1; round * ROUND_MS < endMs; round++) at(round * ROUND_MS, () => this.#round(round))
    at(BEFORE_MS + MINUTE, () => this.#all('down'))
    at(BEFORE_MS + days * DAY - HOUR / 2, () => this.#all('up'))
    for (const { day, ...change } of CHANGES)
      if (day < days) at(BEFORE_MS + day * DAY + 20 * MINUTE, () => this.#change(change))
    for (let day = 3; day < days; day += 7) {
      const how = day % 2 === 0 ? 'kill' : 'power-loss'
      at(BEFORE_MS + day * DAY + 30 * MINUTE, () => this.#relay.kill(how, 5 * SECOND))
    }
    await this.#timeline.run(MINUTE, this.#turns)
    if (this.#relay.worker === undefined) throw new Error('the relay does not start')
    // The last letter has an hour, as every deferred attempt.
    await this.#timeline.run(endMs + HOUR, this.#turns)
    return this.#result()
  }

  #all(mood: 'up' | 'down'): void {
    for (const customer of this.#customers) customer.mood = mood
  }

  #change({ add, remove }: { readonly add?: string; readonly remove?: string }): Promise<void> {
    for (const users of this.#users) {
      if (add !== undefined) users.push(add)
      if (remove !== undefined) users.splice(users.indexOf(remove), 1)
    }
    return this.#office.import('listed.test', this.#users[0]!)
  }

  /** Timers come late while nobody does anything. */
  #late(clock: Clock): Clock {
    return {
      wall: () => clock.wall(),
      monotonic: () => clock.monotonic(),
      after: (ms, call) => clock.after(ms < SECOND ? ms : Math.max(ms, Math.min(this.#sleepMs(), LATE_MS_MAX)), call),
    }
  }

  /** Until it is time to wake; 0 around a round, and when the outage is over. */
  #sleepMs(): number {
    const { nowMs } = this.#timeline
    const sinceMs = nowMs % ROUND_MS
    const isOver = nowMs > BEFORE_MS + this.#options.days * DAY - HOUR
    return !isOver && sinceMs > AWAKE_AFTER_MS ? Math.max(0, ROUND_MS - AWAKE_BEFORE_MS - sinceMs) : 0
  }

  async #round(round: number): Promise<void> {
    const due = this.#waiting.filter((letter) => letter.round === round)
    this.#waiting = this.#waiting.filter((letter) => letter.round !== round)
    for (const customer of this.#customers) {
      const user = WRITTEN_TO[round % WRITTEN_TO.length]!
      due.push({ customer, user, id: `L${++this.#letters}`, tries: 0, round })
    }
    for (const letter of due) {
      const { customer, user, id } = letter
      const code = await this.#send(customer, user, id, ++letter.tries)
      if (code >= 400 && code < 500 && letter.tries < TRIES_MAX)
        this.#waiting.push({ ...letter, round: round + RETRY_ROUNDS })
    }
  }

  async #send(customer: Customer, user: string, id: string, number: number): Promise<number> {
    const { domain, name } = customer.facts
    const from = `${id.toLowerCase()}@sender.test`
    const body = `Subject: ${id}\r\n\r\nHello ${user}.\r\n`
    const made = this.#ledger.began({ id, from, domain, recipients: [user], body, refusable: false }, number)
    const ask = async (talk: Talk, line: string) => {
      talk.say(line)
      return (await talk.reply(REPLY_MS_MAX)) ?? { code: 421, text: 'silence' }
    }
    const day = (this.#timeline.nowMs - BEFORE_MS) / DAY
    let reply = { code: 421, text: 'not accepted' }
    const wire = this.#dial()
    if (wire !== undefined) {
      const talk = new Talk(wire, this.#timeline)
      await talk.reply(REPLY_MS_MAX)
      await ask(talk, 'EHLO sender.test\r\n')
      await ask(talk, `MAIL FROM:<${from}>\r\n`)
      reply = await ask(talk, `RCPT TO:<${user}@${domain}>\r\n`)
      if (reply.code < 300) {
        made.accepted.push(user)
        await ask(talk, 'DATA\r\n')
        made.dotSent = true
        reply = await ask(talk, `${made.content}.\r\n`)
        made.heard = reply.code
      }
      await ask(talk, 'QUIT\r\n')
      wire.destroy()
    }
    this.#replies.push({ tryId: made.id, customer: name as TryReply['customer'], user, day, ...reply })
    return reply.code
  }

  #dial(): SimWire | undefined {
    const link = { timeline: this.#timeline, random: this.#random, delayMsMax: DELAY_MS_MAX }
    const from = { address: '203.0.113.7', port: this.#port() }
    const [near, far] = SimWire.pair(link, from, { address: '192.0.2.25', port: 25 })
    return this.#relay.accept(far) ? near : undefined
  }

  #connect(opened: (wire: SimWire) => void): Connect {
    return ({ address, port }) =>
      new Promise((resolve, reject) => {
        const customer = this.#customers.find(({ facts }) => facts.address === address && facts.port === port)
        this.#timeline.after(DELAY_MS_MAX, () => {
          if (customer?.mood !== 'up') {
            return reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
          }
          const link = { timeline: this.#timeline, random: this.#random, delayMsMax: DELAY_MS_MAX }
          const [near, far] = SimWire.pair(link, { address: '192.0.2.25', port: this.#port() }, { address, port })
          opened(near)
          customer.serve(far)
          resolve(near)
        })
      })
  }

  #port(): number {
    this.#ports = this.#ports === 65_535 ? 1024 : this.#ports + 1
    return this.#ports
  }

  async #result(): Promise<OutageResult> {
    const { worker } = this.#relay
    if (worker === undefined) throw new Error('the relay does not run at the end')
    let kept: Awaited<ReturnType<typeof readKept>> | undefined
    void readKept(worker.spool, this.#ledger).then((read) => {
      kept = read
    })
    await this.#timeline.run(this.#timeline.nowMs + HOUR, this.#turns, () => kept !== undefined)
    if (kept === undefined) throw new Error('the spool cannot be read')
    judge(this.#ledger, kept)
    return {
      replies: this.#replies,
      kept: new Map([...kept].flatMap(([id, states]) => [...states.values()].map((state) => [id, state] as const))),
      delivered: new Set(this.#ledger.arrivals.keys()),
      violations: this.#ledger.violations,
      notices: this.#office.notices.flatMap((notice) =>
        'route' in notice && notice.route === 'listed/main' ? [notice.kind] : [],
      ),
    }
  }
}

const customerFacts = (name: 'listed' | 'learned', i: number): CustomerFacts & { users: string[] } => ({
  name,
  domain: `${name}.test`,
  address: `198.51.100.${i + 1}`,
  port: 25,
  users: [...USERS],
  protocol: 'smtp',
  recipients: 'live',
  commit: 'spool',
  lifetime: '31d',
  keywords: ['PIPELINING', '8BITMIME', 'ENHANCEDSTATUSCODES'],
})

function relayConfig() {
  const tenant = (name: string, recipients: string) => [
    `  ${name}:`,
    `    routes: {main: {hosts: mx.${name}.test, tls: never, probe-interval: 10m}}`,
    '    domains:',
    `      ${name}.test:`,
    `        {route: main, recipients: ${recipients}, service: fallback-mx, lifetime: 31d, refuse-while-primary-up: false}`,
  ]
  const lines = [
    'hostname: relay.test',
    // A thread keeps its own time.
    'spam: {filter: false}',
    'data-folder: /data',
    'workers: 1',
    "http: {address: 'off'}",
    "listeners: [{name: mx, addresses: '192.0.2.25:25', tls: none}]",
    "limits: {content-memory-max: '1TiB'}",
    "spool: {segment-size: '1MiB', free-space-min: '1MiB'}",
    'tenants:',
    ...tenant('listed', '{list: imported}'),
    ...tenant('learned', 'live'),
  ]
  const parsed = parseConfig(`${lines.join('\n')}\n`, 'simulated.yaml')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.config
}
