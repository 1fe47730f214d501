/**
 * The servers of one engine beside us, each with a limited number of connections. A content goes to them in turn; one that
 * fails hands it to the next, and is asked last for a while. It is never asked last for so long that a recovery would need a
 * restart: when no other answers, it is tried.
 *
 * Units: ms of the clock. Nothing here rejects: what went wrong is a `Failure`.
 */
import type { Content } from '#mail/content.ts'
import type { NoLook, ScanFact } from '#mail/scan.ts'
import type { Clock } from '#sys/clock.ts'
import type { ScanObject } from './contract.ts'
import { Places } from './places.ts'

/** Contents that wait for a connection to a server; each holds its octets in memory. */
export const WAITING_MAX = 100
/** A server that failed is asked last for so long. */
export const REST_MS = 5_000
/** Time for all servers together, over all that is looked at of one message, in times of one. */
const ALL_SERVERS_TIMES = 2

const WHOLE = 'message'

export type Failure =
  /** No connection. */
  | { readonly kind: 'down'; readonly text: string }
  | { readonly kind: 'timed-out'; readonly text: string }
  /** It went away; `all`: it had the whole content by then. */
  | { readonly kind: 'reset'; readonly text: string; readonly all: boolean }
  | { readonly kind: 'garbled'; readonly text: string }
  /** It says itself that this is more than it takes: the next server would say no other. */
  | { readonly kind: 'too-large'; readonly text: string }
  /** All connections are in use, and nobody may wait any more. */
  | { readonly kind: 'busy'; readonly text: string }

/** A server that says "too large" works: it has not failed, and no other is asked. */
type ServerFailure = Exclude<Failure, { kind: 'too-large' }>
const FAILURES: readonly string[] = [
  ...(['down', 'timed-out', 'reset', 'garbled', 'busy'] satisfies ServerFailure['kind'][]),
]

/** What a server says of a content when it answers: engines of the virus wall, and filters of spam. */
type Said = { readonly kind: 'clean' | 'found' | 'judged' | 'skipped' }

export interface ServersSettings<Address> {
  readonly servers: readonly Address[]
  /** To each server. */
  readonly connectionsMax: number
  /** At one server, from the connection to the answer. All servers together have twice this. */
  readonly timeMsMax: number
}

interface Server<Address> {
  readonly address: Address
  readonly places: Places
  restsUntilMs: number
}

export class Servers<Address> {
  readonly #clock: Clock
  readonly #connectionsMax: number
  readonly #timeMsMax: number
  readonly #textOf: (address: Address) => string
  readonly #servers: readonly Server<Address>[]
  #turn = 0

  constructor(settings: ServersSettings<Address>, textOf: (address: Address) => string, clock: Clock) {
    const { connectionsMax: placesMax, timeMsMax } = settings
    this.#clock = clock
    this.#connectionsMax = placesMax
    this.#timeMsMax = timeMsMax
    this.#textOf = textOf
    this.#servers = settings.servers.map((address) => ({
      address,
      places: new Places({ placesMax, waitMsMax: timeMsMax, waitingMax: WAITING_MAX }, clock),
      restsUntilMs: 0,
    }))
  }

  /** It wants so many connections at most; nothing: it does not mind. */
  narrow(address: Address, connectionsMax: number | undefined): void {
    const server = this.#servers.find((one) => one.address === address)
    server?.places.resize(Math.min(this.#connectionsMax, connectionsMax ?? this.#connectionsMax))
  }

  /** Until when a look that begins now may take. */
  endMs(): number {
    return this.#clock.monotonic() + ALL_SERVERS_TIMES * this.#timeMsMax
  }

  /** `talk` has a connection's place at the server while it runs. */
  async ask<S extends Said>(
    endMs: number,
    talk: (address: Address, timeMsMax: number) => Promise<S | Failure>,
  ): Promise<S | Failure> {
    let failure: ServerFailure = { kind: 'timed-out', text: 'the time for all servers is over' }
    let isFirst = true
    for (const server of this.#inTurn()) {
      const leftMs = endMs - this.#clock.monotonic()
      if (leftMs <= 0) break
      const answer = await this.#askOne(server, Math.min(this.#timeMsMax, leftMs), talk)
      if (!isFailure(answer)) return answer
      failure = isFirst || answer.kind === failure.kind ? answer : preferred(failure, answer)
      isFirst = false
    }
    return failure
  }

  async #askOne<S extends Said>(
    server: Server<Address>,
    timeMsMax: number,
    talk: (address: Address, timeMsMax: number) => Promise<S | Failure>,
  ): Promise<S | Failure> {
    const leave = await server.places.take()
    const name = this.#textOf(server.address)
    if (leave === undefined) return { kind: 'busy', text: `all connections to ${name} are in use` }
    try {
      const answer = await talk(server.address, timeMsMax)
      if (!isFailure(answer)) {
        server.restsUntilMs = 0
        return answer
      }
      server.restsUntilMs = this.#clock.monotonic() + REST_MS
      return { ...answer, text: `${name}: ${answer.text}` }
    } finally {
      leave()
    }
  }

  /** In turn, those that rest last. A single server is asked a second time: a restart of it takes its connections with it. */
  #inTurn(): Server<Address>[] {
    const from = this.#turn++ % Math.max(1, this.#servers.length)
    const turned = [...this.#servers.slice(from), ...this.#servers.slice(0, from)]
    const nowMs = this.#clock.monotonic()
    const ordered = [
      ...turned.filter(({ restsUntilMs }) => restsUntilMs <= nowMs),
      ...turned.filter(({ restsUntilMs }) => restsUntilMs > nowMs),
    ]
    return ordered.length === 1 ? [ordered[0]!, ordered[0]!] : ordered
  }
}

const isFailure = (answer: Said | Failure): answer is ServerFailure => FAILURES.includes(answer.kind)

/** The failure that says most about the content; a server that is merely away says nothing about it. */
const preferred = (before: ServerFailure, now: ServerFailure): ServerFailure =>
  now.kind === 'down' && before.kind !== 'down' ? before : now

/** One thing to look at: the message itself, or a reading of it that the engine would not make. */
export interface Seen {
  readonly chunks: readonly Buffer[]
  readonly where: string
  readonly isMessage: boolean
}

/** The message, then its other readings one by one, until malware is found or nobody looked: more would change nothing. */
export async function lookAtEach(
  content: Content,
  extra: Promise<readonly ScanObject[]>,
  lookAt: (seen: Seen) => Promise<readonly ScanFact[]>,
): Promise<readonly ScanFact[]> {
  const facts = [...(await lookAt({ chunks: content.chunks, where: WHOLE, isMessage: true }))]
  if (facts.some(decides)) return facts
  for (const { octets, where } of await extra) {
    facts.push(...(await lookAt({ chunks: [octets], where, isMessage: false })))
    if (facts.some(decides)) break
  }
  return facts
}

const decides = ({ kind }: ScanFact): boolean => kind === 'malware' || kind === 'not-looked'

const WHY: Readonly<Record<Failure['kind'], NoLook>> = {
  down: 'down',
  'timed-out': 'timed-out',
  garbled: 'garbled',
  'too-large': 'too-large',
  busy: 'busy',
  reset: 'crashed',
}

export const notLooked = (engine: string, failure: Failure, why = WHY[failure.kind]): ScanFact => ({
  kind: 'not-looked',
  engine,
  why,
  text: failure.text,
})
