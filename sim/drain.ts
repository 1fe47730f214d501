/**
 * A drain after an outage, in virtual time: many messages wait for one server that has limits of its own, and says 421 to
 * whoever goes beyond them. The queue and the delivery are the real ones, with the protocol between them and the server;
 * the spool is in memory. Meanwhile fresh mail comes in.
 */

import { createDelivery } from '#deliver/delivery.ts'
import type { StoredMessage } from '#mail/stored.ts'
import { type TraceId, traceIds } from '#mail/trace-id.ts'
import { Queue } from '#queue/queue.ts'
import { MemoryKeep, newMessage, route as plainRoute } from '#queue/testing.ts'
import type { Connect } from '#sys/wire.ts'
import type { Route } from '#tenant/directory.ts'
import { SimWire } from './network.ts'
import { Random } from './random.ts'
import { Talk } from './talk.ts'
import { LifeClock, Timeline, Turns } from './timeline.ts'

const HOUR = 3_600_000
const DELAY_MS_MAX = 20
const PATIENCE_MS = 10 * 60_000
/** Servers count over some seconds: a network that bunches is no offence. */
const COUNTED_MS = 10_000
const ADDRESS = '198.51.100.1'

export interface DrainOptions {
  readonly seed: number
  readonly messages: number
  /** What the server allows. */
  readonly connectionsMax: number
  readonly perSecondMax: number
  /** What our configuration says of it. */
  readonly route: Partial<Route>
  /** A fresh message this often. */
  readonly freshEveryMs: number
}

export interface DrainResult {
  readonly tookMs: number
  readonly delivered: number
  /** 421 for one connection too many, and for a message too soon. */
  readonly refused: { connections: number; messages: number }
  /** The most 421 within ten seconds. */
  readonly worstStorm: number
  readonly connectionsMost: number
  readonly freshDelayMsMost: number
  /** Of the backlog: how much older a message was than one that arrived before it, at most. */
  readonly disorderMsMost: number
}

export async function drain(options: DrainOptions): Promise<DrainResult> {
  const turns = new Turns()
  turns.count()
  try {
    return await new DrainWorld(options, turns).run()
  } finally {
    turns.restore()
  }
}

class DrainWorld {
  readonly #options: DrainOptions
  readonly #turns: Turns
  readonly #timeline = new Timeline()
  readonly #random: Random
  readonly #keep = new MemoryKeep()
  readonly #clock: LifeClock
  readonly #server: LimitedServer
  readonly #fresh = new Set<TraceId>()
  #freshDelayMsMost = 0
  #disorderMsMost = 0
  #newestMs = 0
  #startMs = 0
  #lastMs = 0

  constructor(options: DrainOptions, turns: Turns) {
    this.#options = options
    this.#turns = turns
    this.#random = new Random(options.seed)
    this.#clock = new LifeClock(this.#timeline, () => 0)
    this.#server = new LimitedServer(this.#timeline, options)
  }

  async run(): Promise<DrainResult> {
    const { messages, freshEveryMs } = this.#options
    const queue = this.#queue()
    const newTraceId = traceIds(0, this.#clock.wall, () => this.#random.next())
    const add = (receivedMs: number): TraceId => {
      const message = { ...newMessage(['bob@bakery.test'], 'bakery/main', receivedMs), id: newTraceId() }
      queue.add(this.#keep.put(message, receivedMs, ''))
      return message.id
    }
    queue.lost('bakery/main')
    await this.#timeline.run(HOUR / 10, this.#turns)
    const nowMs = queue.nowMs()
    // In no order, as several spool folders give them.
    for (let i = 0; i < messages; i++) add(nowMs - this.#random.between(HOUR, 24 * HOUR))
    queue.reached('bakery/main')
    this.#startMs = this.#timeline.nowMs
    const freshen = () => {
      if (this.#keep.messages.size === 0) return
      this.#fresh.add(add(queue.nowMs()))
      this.#timeline.after(freshEveryMs, freshen)
    }
    freshen()
    const untilMs = (messages / this.#options.perSecondMax) * 1000 * 4 + 2 * HOUR
    await this.#timeline.run(untilMs, this.#turns, () => this.#keep.messages.size === 0)
    const { delivered, refused, worstStorm, connectionsMost } = this.#server
    return {
      tookMs: this.#lastMs - this.#startMs,
      delivered,
      refused,
      worstStorm,
      connectionsMost,
      freshDelayMsMost: this.#freshDelayMsMost,
      disorderMsMost: this.#disorderMsMost,
    }
  }

  #queue(): Queue {
    const route = plainRoute('bakery/main', {
      hosts: [{ name: 'mx.bakery.test', port: 25, preference: 10 }],
      tls: 'never',
      ...this.#options.route,
    })
    const delivery = createDelivery({
      connect: this.#connect,
      clock: this.#clock,
      resolve: async () => [ADDRESS],
      hostname: 'relay.test',
      random: () => this.#random.next(),
    })
    return new Queue({
      clock: this.#clock,
      random: () => this.#random.next(),
      keep: this.#keep,
      route: () => route,
      soon: setImmediate,
      attempt: async (to, message, recipients) => {
        const { receivedMs } = message.reception
        const attempt = await delivery.attempt(to, { ...message, recipients, receivedMs }, { onMixed: 'send' })
        if (attempt.outcomes[0]?.kind === 'delivered') this.#arrived(message)
        return attempt
      },
      report: () => {},
    })
  }

  #arrived({ id, reception, attempts }: StoredMessage): void {
    this.#lastMs = this.#timeline.nowMs
    if (this.#fresh.has(id)) {
      this.#freshDelayMsMost = Math.max(this.#freshDelayMsMost, this.#clock.wall() - reception.receivedMs)
    } else if (attempts === 0) {
      this.#disorderMsMost = Math.max(this.#disorderMsMost, this.#newestMs - reception.receivedMs)
      this.#newestMs = Math.max(this.#newestMs, reception.receivedMs)
    }
  }

  readonly #connect: Connect = ({ address, port }) =>
    new Promise((resolve) => {
      this.#timeline.after(this.#random.between(1, DELAY_MS_MAX), () => {
        const link = { timeline: this.#timeline, random: this.#random, delayMsMax: DELAY_MS_MAX }
        const [near, far] = SimWire.pair(link, { address: '192.0.2.25', port: 1024 }, { address, port })
        void this.#server.serve(far)
        resolve(near)
      })
    })
}

/** Says 421 beyond its limits, and nothing but 250 within them. */
class LimitedServer {
  readonly refused = { connections: 0, messages: 0 }
  delivered = 0
  worstStorm = 0
  connectionsMost = 0
  #connections = 0
  readonly #timeline: Timeline
  readonly #limits: Pick<DrainOptions, 'connectionsMax' | 'perSecondMax'>
  #mailMs: number[] = []
  #stormMs: number[] = []

  constructor(timeline: Timeline, limits: Pick<DrainOptions, 'connectionsMax' | 'perSecondMax'>) {
    this.#timeline = timeline
    this.#limits = limits
  }

  async serve(wire: SimWire): Promise<void> {
    const talk = new Talk(wire, this.#timeline)
    if (this.#connections >= this.#limits.connectionsMax) {
      this.refused.connections++
      this.#complain(talk, '421 4.7.0 too many connections')
      return
    }
    this.#connections++
    this.connectionsMost = Math.max(this.connectionsMost, this.#connections)
    talk.say('220 mx.bakery.test ESMTP\r\n')
    for (let line = await talk.line(PATIENCE_MS); line !== undefined; line = await talk.line(PATIENCE_MS)) {
      if (!(await this.#command(line.slice(0, 4).toUpperCase(), talk))) break
    }
    this.#connections--
    wire.end()
  }

  // False: the session is over.
  async #command(verb: string, talk: Talk): Promise<boolean> {
    if (verb === 'EHLO') talk.say('250-mx.bakery.test\r\n250 PIPELINING\r\n')
    else if (verb === 'MAIL' && !this.#mayMail()) {
      this.refused.messages++
      this.#complain(talk, '421 4.7.0 too many messages')
      return false
    } else if (verb === 'DATA') {
      talk.say('354 go on\r\n')
      if ((await talk.content(PATIENCE_MS)) === undefined) return false
      this.delivered++
      talk.say('250 2.0.0 taken\r\n')
    } else if (verb === 'QUIT') {
      talk.say('221 2.0.0 bye\r\n')
      return false
    } else talk.say('250 2.0.0 ok\r\n')
    return true
  }

  #mayMail(): boolean {
    const nowMs = this.#timeline.nowMs
    this.#mailMs = this.#mailMs.filter((ms) => nowMs - ms < COUNTED_MS)
    if (this.#mailMs.length >= (this.#limits.perSecondMax * COUNTED_MS) / 1000) return false
    this.#mailMs.push(nowMs)
    return true
  }

  #complain(talk: Talk, text: string): void {
    const nowMs = this.#timeline.nowMs
    this.#stormMs = [...this.#stormMs.filter((ms) => nowMs - ms < COUNTED_MS), nowMs]
    this.worstStorm = Math.max(this.worstStorm, this.#stormMs.length)
    talk.say(`${text}\r\n`)
    talk.wire.end()
  }
}
