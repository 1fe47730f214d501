/**
 * A world from a seed: senders, the relay, customers, and weather between them. After the days of weather comes a calm,
 * long enough for everything to come to its end; then the account is made. The same seed gives the same world to the
 * last event, which the hash of the log proves.
 *
 * Limits: no TLS, one worker, no reload (listeners are real sockets), contents up to some 300 KB.
 */
import { createHash } from 'node:crypto'
import type { RecipientState } from '#mail/stored.ts'
import type { Connect } from '#sys/wire.ts'
import { Customer } from './customer.ts'
import { TwinDisk } from './disk.ts'
import { judge } from './judge.ts'
import { readKept } from './kept.ts'
import { Ledger } from './ledger.ts'
import { SimWire } from './network.ts'
import { customerFacts, habits, hostNameOf, letter, relayConfig } from './population.ts'
import { Random } from './random.ts'
import { type RelayParts, SimRelay } from './relay.ts'
import { Sending } from './sender.ts'
import { Timeline, Turns } from './timeline.ts'
import { Weather } from './weather.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Longer than the longest back-off of senders (1.8 h) and of routes (1.1 h), one after the other, with some reserve. */
const CALM_MS = 5 * HOUR
const LINES_KEPT = 80
/** As in the configuration. */
const SEGMENT_OCTETS = 1024 * 1024
/** The lock and the reserve of the spool. */
const OTHER_FILES_MAX = 2
const DELAY_MS_MAX = 60

export interface SimulationOptions {
  readonly seed: number
  readonly days: number
  readonly lettersPerDay?: number
  readonly spoil?: RelayParts['spoil']
  /** Hears each line of the log. */
  readonly onLine?: (line: string) => void
}

export interface Verdict {
  readonly seed: number
  readonly violations: readonly string[]
  /** Of the whole log. */
  readonly hash: string
  readonly lastLines: readonly string[]
  readonly counts: {
    letters: number
    tries: number
    accepted: number
    arrivals: number
    held: number
    deaths: number
    events: number
  }
}

export async function simulate(options: SimulationOptions): Promise<Verdict> {
  const turns = new Turns()
  turns.count()
  const world = new World(options, turns)
  const onRejection = (error: unknown) =>
    world.ledger.violation(`unhandled rejection: ${error instanceof Error ? error.stack : String(error)}`)
  process.on('unhandledRejection', onRejection)
  try {
    return await world.live()
  } finally {
    process.off('unhandledRejection', onRejection)
    turns.restore()
  }
}

class World {
  readonly ledger: Ledger
  readonly #options: SimulationOptions
  readonly #turns: Turns
  readonly #timeline = new Timeline()
  readonly #random: Random
  readonly #disk: TwinDisk
  readonly #customers: Customer[]
  readonly #byDomain: Map<string, Customer>
  readonly #relay: SimRelay
  readonly #weather: Weather
  readonly #sendings: Sending[] = []
  readonly #hash = createHash('sha256')
  readonly #lines: string[] = []
  #ports = 1024

  constructor(options: SimulationOptions, turns: Turns) {
    const random = new Random(options.seed)
    const timeline = this.#timeline
    const log = (text: string) => this.#log(text)
    this.#options = options
    this.#turns = turns
    this.#random = random
    this.ledger = new Ledger(timeline, log)
    this.#disk = new TwinDisk(options.seed)
    const facts = customerFacts(random)
    this.#customers = facts.map((each) => new Customer(each, this.ledger, timeline, random.fork()))
    this.#byDomain = new Map(this.#customers.map((customer) => [customer.facts.domain, customer]))
    const shared = { timeline, disk: this.#disk, log }
    this.#relay = new SimRelay({
      ...shared,
      random: random.fork(),
      ledger: this.ledger,
      config: relayConfig(facts),
      connect: (opened) => (to) => this.#connect(to, opened),
      resolve: (name) => this.#resolve(name),
      ...(options.spoil && { spoil: options.spoil }),
    })
    this.#weather = new Weather({ ...shared, random: random.fork(), relay: this.#relay, customers: this.#customers })
  }

  async live(): Promise<Verdict> {
    const endMs = this.#options.days * DAY
    this.#relay.start()
    this.#weather.begin()
    this.#write(endMs)
    await this.#timeline.run(endMs, this.#turns)
    this.#log('calm')
    this.#weather.calm()
    await this.#timeline.run(endMs + CALM_MS, this.#turns)
    const kept = await this.#kept()
    for (const {
      letter: { id },
      waiting,
    } of this.#sendings) {
      if (waiting.length > 0) this.ledger.violation(`${id}: its sender still tries for ${waiting.join()}`)
    }
    judge(this.ledger, kept)
    this.#checkRest()
    await this.#checkDrain()
    return this.#verdict(kept)
  }

  #log(text: string): void {
    const line = `${(this.#timeline.nowMs / 1000).toFixed(3)}s ${text}`
    this.#hash.update(`${line}\n`)
    this.#options.onLine?.(line)
    this.#lines.push(line)
    if (this.#lines.length > 2 * LINES_KEPT) this.#lines.splice(0, LINES_KEPT)
  }

  // Letters come in bursts now and then, as mail does.
  #write(endMs: number): void {
    const everyMs = DAY / (this.#options.lettersPerDay ?? 150)
    const next = () => {
      if (this.#timeline.nowMs > endMs) return
      const burst = this.#random.chance(0.03) ? this.#random.whole(5, 30) : 1
      for (let i = 0; i < burst; i++) this.#send()
      this.#timeline.after(this.#random.between(0, 2 * everyMs) * Math.sqrt(burst), next)
    }
    next()
  }

  #send(): void {
    const random = this.#random.fork()
    const facts = this.#customers.map((customer) => customer.facts)
    const parts = {
      timeline: this.#timeline,
      random,
      ledger: this.ledger,
      customers: this.#byDomain,
      log: (text: string) => this.#log(text),
      isStormy: () => !this.#weather.isCalm,
      dial: () => this.#dial(random),
    }
    const sending = new Sending(letter(`L${this.#sendings.length}`, facts, random), habits(random), parts)
    this.#sendings.push(sending)
    sending.begin()
  }

  #dial(random: Random): SimWire | undefined {
    const from = { address: `203.0.113.${random.whole(1, 250)}`, port: this.#port() }
    const link = { timeline: this.#timeline, random, delayMsMax: DELAY_MS_MAX }
    const [near, far] = SimWire.pair(link, from, { address: '192.0.2.25', port: 25 })
    return this.#relay.accept(far) ? near : undefined
  }

  #connect({ address, port, timeoutMs }: Parameters<Connect>[0], opened: (wire: SimWire) => void) {
    const customer = this.#customers.find(({ facts }) => facts.address === address && facts.port === port)
    if (customer === undefined) this.ledger.violation(`the relay connects to a stranger, ${address}:${port}`)
    return new Promise<SimWire>((resolve, reject) => {
      const fail = (code: string) => reject(Object.assign(new Error(`connect ${code} ${address}:${port}`), { code }))
      const mood = customer?.mood ?? 'down'
      if (mood === 'mute') this.#timeline.after(timeoutMs, () => fail('ETIMEDOUT'))
      else if (mood === 'down') this.#timeline.after(DELAY_MS_MAX, () => fail('ECONNREFUSED'))
      else
        this.#timeline.after(DELAY_MS_MAX, () => {
          const link = { timeline: this.#timeline, random: customer!.random, delayMsMax: DELAY_MS_MAX }
          const [near, far] = SimWire.pair(link, { address: '192.0.2.25', port: this.#port() }, { address, port })
          opened(near)
          customer!.serve(far)
          resolve(near)
        })
    })
  }

  #port(): number {
    this.#ports = this.#ports === 65_535 ? 1024 : this.#ports + 1
    return this.#ports
  }

  async #resolve(name: string): Promise<readonly string[]> {
    if (this.#weather.dnsIsDown) throw new Error('queryA ESERVFAIL')
    return this.#customers.filter(({ facts }) => hostNameOf(facts) === name).map(({ facts }) => facts.address)
  }

  /** Lets time pass until the work is done. */
  async #during<T>(work: Promise<T>, msMax: number): Promise<T | undefined> {
    let done: { value: T } | undefined
    void work.then((value) => {
      done = { value }
    })
    await this.#timeline.run(this.#timeline.nowMs + msMax, this.#turns, () => done !== undefined)
    return done?.value
  }

  async #kept(): Promise<Map<string, Map<string, RecipientState['kind']>>> {
    const read = this.#relay.worker
      ? await this.#during(readKept(this.#relay.worker.spool, this.ledger), HOUR)
      : undefined
    if (read === undefined) this.ledger.violation('after the calm, the relay does not run or its spool cannot be read')
    return read ?? new Map()
  }

  /** In a calm world nothing is under way, and nothing has grown without bound. */
  #checkRest(): void {
    const { worker } = this.#relay
    if (worker === undefined) return
    const { waiting, underWay, later, sites } = worker.queue.counts
    const { segments, octets } = worker.spool.counts
    // Compaction leaves a segment alone until it is half empty.
    const segmentsMax = 6 + Math.ceil((2 * octets) / SEGMENT_OCTETS)
    const files = this.#disk.paths().filter((path) => !path.includes('/set-aside/')).length
    const figures = {
      waiting,
      underWay,
      later,
      sitesTooMany: Math.max(0, sites - this.#customers.length),
      sessions: worker.acceptor.sessions,
      connections: worker.delivery.stats().length > this.#customers.length ? 1 : 0,
      segmentsTooMany: Math.max(0, segments - segmentsMax),
      filesTooMany: Math.max(0, files - segmentsMax - OTHER_FILES_MAX),
    }
    const left = Object.entries(figures).filter(([, figure]) => figure !== 0)
    if (left.length > 0)
      this.ledger.violation(`not at rest after the calm: ${JSON.stringify(Object.fromEntries(left))}`)
  }

  async #checkDrain(): Promise<void> {
    const { worker } = this.#relay
    if (worker === undefined) return
    const drained = await this.#during(
      worker.drain().then(() => true),
      MINUTE,
    )
    if (drained === undefined) this.ledger.violation('a relay at rest does not drain within a minute')
  }

  #verdict(kept: ReadonlyMap<string, ReadonlyMap<string, RecipientState['kind']>>): Verdict {
    const { tries, arrivals, deathsMs, violations } = this.ledger
    const states = [...kept.values()].flatMap((each) => [...each.values()])
    return {
      seed: this.#options.seed,
      violations,
      hash: this.#hash.digest('hex'),
      lastLines: this.#lines.slice(-LINES_KEPT),
      counts: {
        letters: this.#sendings.length,
        tries: tries.size,
        accepted: [...tries.values()].filter(({ heard }) => heard !== undefined && heard < 300).length,
        arrivals: [...arrivals.values()].reduce((sum, each) => sum + each.length, 0),
        held: states.filter((state) => state === 'held').length,
        deaths: deathsMs.length,
        events: this.#timeline.events,
      },
    }
  }
}
