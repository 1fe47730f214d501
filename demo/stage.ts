/**
 * The demo's three parties on one stage (a server that sends, the relay, the customer's server), and the telling of what
 * passes between them while it passes.
 */
import { type FakeNameServer, fakeNameServer, zoneScript } from '#sys/dns/testing.ts'
import type { Posted } from './account.ts'
import { type CustomerEvent, CustomerServer, type Delivered } from './customer-server.ts'
import { subjectOf, wireMessage } from './messages.ts'
import { ABSENT, CORRESPONDENT, outOfOffice } from './out-of-office.ts'
import { RelayProcess } from './relay-process.ts'
import { type Dialogue, type Letter, type Reply, SendingServer, type Stage as SmtpStage } from './sending-server.ts'
import { VICTIMS } from './stolen-password.ts'
import type { Timeline } from './timeline.ts'
import { ZONE } from './unwanted.ts'

const TO_RELAY = 'sender ─▶ relay'
const TO_SENDER = 'sender ◀─ relay'
const TO_BAKERY = '          relay ─▶ bakery'
const FROM_RELAY = 'bakery ◀─ relay'
const TO_WORLD = '          relay ─▶ world'
const FROM_BAKERY = '          relay ◀─ bakery'

export const MAILBOXES = ['anna', 'info', 'orders', 'bernd', 'postmaster'].map((name) => `${name}@bakery.example`)
const REFUSAL = '554 5.7.1 we do not want advertisements'
const ADVERTISEMENT = /black friday/i

const TRACE_ID = /\b[0-9A-HJKMNP-TV-Z]{15}\b/

interface Servers {
  readonly customer: CustomerServer
  readonly world: CustomerServer
  readonly names: FakeNameServer
}

export class Stage {
  readonly timeline: Timeline
  readonly customer: CustomerServer
  /** Everybody else's server: it takes what the bakery sends. */
  readonly world: CustomerServer
  readonly relay: RelayProcess
  readonly posted: Posted[] = []
  /** DSNs that workers had sent before they were killed; their counters died with them. */
  bouncesBefore = 0
  readonly #sender: SendingServer
  readonly #bakerySends: SendingServer

  readonly #names: FakeNameServer

  private constructor(timeline: Timeline, { customer, world, names }: Servers, relay: RelayProcess) {
    this.#names = names
    this.timeline = timeline
    this.customer = customer
    this.world = world
    this.relay = relay
    this.#sender = new SendingServer(relay.port)
    this.#bakerySends = new SendingServer(relay.outboundPort)
  }

  static async set(timeline: Timeline): Promise<Stage> {
    const customer = new CustomerServer({ mailboxes: new Set(MAILBOXES), refuse: refusal }, (event) =>
      tellOfCustomer(timeline, event),
    )
    const world = new CustomerServer(
      { mailboxes: new Set([CORRESPONDENT, ...VICTIMS]), refuse: () => undefined },
      (event) => {
        if (event.kind !== 'took' || isToVictim(event.message)) return
        const what = event.message.reversePath === '' ? 'an automatic reply' : subjectOf(event.message.content)
        timeline.step(TO_WORLD, what, 'good')
      },
    )
    const [names] = await Promise.all([fakeNameServer(zoneScript(() => ZONE)), customer.switchOn(), world.switchOn()])
    try {
      const relay = await RelayProcess.start(customer.port, world.port, names.endpoint.port)
      return new Stage(timeline, { customer, world, names }, relay)
    } catch (error) {
      await Promise.all([customer.switchOff(), world.switchOff(), names[Symbol.asyncDispose]()])
      throw error
    }
  }

  /** Sends one of the real messages, and tells how it goes. */
  post(file: string, reversePath: string, forwardPath: string): Promise<Posted> {
    const content = wireMessage(file)
    const letter = { reversePath, forwardPath, content }
    const posted = { number: this.posted.length + 1, subject: subjectOf(content), letter, answers: [] }
    this.posted.push(posted)
    return this.postAgain(posted)
  }

  /** As a sending server does that heard 4yz. */
  async postAgain(posted: Posted): Promise<Posted> {
    const { timeline } = this
    const { letter, answers, number, subject } = posted
    const again = answers.length > 0 ? ', once more' : ''
    timeline.message(`${number}${again}  “${subject}”`, letter.reversePath, letter.forwardPath)
    const answer = await this.#sender.send(letter, tellOfSender(timeline, letter))
    answers.push(answer)
    await timeline.end(...this.#meaning(answer.reply, answer.stage))
    return posted
  }

  /** The bakery's own server hands over an automatic reply. */
  async answerAutomatically(number: number): Promise<Reply> {
    const letter = outOfOffice(number)
    this.timeline.message(`automatic reply ${number}`, `<>, for ${ABSENT}`, letter.forwardPath)
    const { reply } = await this.#bakerySends.send(letter, { asked: () => {}, heard: () => {} })
    this.timeline.step(FROM_RELAY, reply.line, reply.code < 400 ? 'good' : 'bad')
    return reply
  }

  /** Runs a command of the operator and shows it with its output. */
  async command(...args: readonly string[]): Promise<void> {
    this.timeline.command(`vorposten ${args.join(' ')}`, await this.relay.command(...args))
  }

  async bounces(): Promise<number> {
    const samples = await this.relay.samples('vorposten_dsn_emitted_total')
    if (samples.size === 0) throw new Error('the relay does not say how many DSNs it sent')
    return [...samples.values()].reduce((sum, value) => sum + value, 0)
  }

  kept(): Promise<number> {
    return this.relay.metric('vorposten_spool_messages')
  }

  async clear(): Promise<void> {
    this.#sender.close()
    this.#bakerySends.close()
    await this.relay.stop()
    await Promise.all([this.customer.switchOff(), this.world.switchOff(), this.#names[Symbol.asyncDispose]()])
  }

  #meaning(reply: Reply, stage: SmtpStage): ['good' | 'bad' | 'later', string] {
    const id = idOf(reply)
    if (reply.code >= 500 && stage === 'RCPT')
      return ['bad', 'refused before the message was sent; its sender knows at once']
    // Its own refusals of a content end with the trace id.
    if (reply.code >= 500 && reply.line.includes('; trace '))
      return ['bad', 'refused by the relay, in the session; it goes no further, and nobody bounces anything']
    if (reply.code >= 500)
      return ['bad', 'refused; the sender heard the bakery’s own words, so nobody bounces anything']
    if (reply.code >= 400) return ['later', 'not taken, not refused: the sender keeps it and comes back']
    const here = this.customer.messages.some(({ content }) => content.includes(id))
    if (here) return ['good', `delivered, while the sender was still on the line (${id})`]
    return ['later', `kept on the relay’s disk, safe before the sender heard 250 (${id})`]
  }
}

/** The relay's name for the message, as the reply carries it. */
export const idOf = (reply: Reply): string => TRACE_ID.exec(reply.line)?.[0] ?? 'no id'

const refusal = (content: Buffer): string | undefined => (ADVERTISEMENT.test(subjectOf(content)) ? REFUSAL : undefined)

// Hundreds, all alike: their chapter counts them.
const isToVictim = ({ recipients }: Delivered): boolean => recipients.some((one) => VICTIMS.includes(one))

function tellOfCustomer(timeline: Timeline, event: CustomerEvent): void {
  if (event.kind === 'asked') {
    timeline.step(TO_BAKERY, `does ${event.mailbox} exist?`)
    timeline.step(FROM_BAKERY, event.exists ? 'yes' : 'no', event.exists ? 'good' : 'bad')
    return
  }
  timeline.step(TO_BAKERY, `the message “${subjectOf(event.message.content)}”`)
  if (event.kind === 'took') timeline.step(FROM_BAKERY, 'taken, it is in the mailbox', 'good')
  else timeline.step(FROM_BAKERY, event.reply, 'bad')
}

function tellOfSender(timeline: Timeline, { forwardPath, content }: Letter): Dialogue {
  return {
    asked(stage) {
      if (stage === 'RCPT') timeline.step(TO_RELAY, `I have mail for ${forwardPath}`)
      else if (stage === 'the final dot') timeline.step(TO_RELAY, `here it is, ${content.length} octets`)
    },
    heard(stage, reply) {
      if (reply.code >= 400) timeline.step(TO_SENDER, reply.line, reply.code >= 500 ? 'bad' : 'later')
      else if (stage === 'RCPT') timeline.step(TO_SENDER, 'go on, that mailbox exists', 'good')
      else if (stage === 'the final dot') timeline.step(TO_SENDER, reply.line, 'good')
    },
  }
}
