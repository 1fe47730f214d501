/**
 * ClamAV's daemon as an engine: one or several servers, each with a limited number of connections. A content goes to the
 * servers in turn; one that fails hands it to the next, and is asked last for a while. It is never asked last for so long
 * that a recovery would need a restart: when no other answers, it is tried.
 *
 * | clamd | fact |
 * |---|---|
 * | `OK`, after all octets | none |
 * | `… FOUND` | `malware`; its heuristics for limits, encryption and damage are `not-looked`, `encrypted`, `broken` |
 * | its size limit, or a reset while octets flow, twice | `not-looked`, too-large |
 * | no connection; no answer in time; nonsense | `not-looked`, after all servers were tried or the time is over |
 * | all connections busy, and the line too | `not-looked`, busy |
 */
import type { Content } from '#mail/content.ts'
import type { NoLook, ScanFact } from '#mail/scan.ts'
import type { Clock } from '#sys/clock.ts'
import { type ClamdAddress, type ClamdAnswer, clamdTalk } from './clamd-talk.ts'
import type { Engine, ScanObject } from './contract.ts'
import { Places } from './places.ts'

export interface ClamdSettings {
  readonly name: string
  readonly servers: readonly ClamdAddress[]
  /** To each server. clamd's MaxThreads is 10, its own default, and it queues what is above. */
  readonly connectionsMax: number
  readonly connectMsMax: number
  /** At one server, from the connection to the answer. All servers together have twice this. */
  readonly timeMsMax: number
}

/** Contents that wait for a connection to a server; each holds its octets in memory. */
export const WAITING_MAX = 100
/** A server that failed is asked last for so long. */
export const REST_MS = 5_000
/** Time for all servers together, in times of one. */
const ALL_SERVERS_TIMES = 2

const WHOLE = 'message'

interface Server {
  readonly address: ClamdAddress
  readonly places: Places
  restsUntilMs: number
}

type Failure = Exclude<ClamdAnswer, { kind: 'clean' | 'found' }> | { readonly kind: 'busy'; readonly text: string }

export class Clamd implements Engine {
  readonly name: string
  readonly #settings: ClamdSettings
  readonly #clock: Clock
  readonly #servers: readonly Server[]
  #turn = 0

  constructor(settings: ClamdSettings, clock: Clock) {
    this.name = settings.name
    this.#settings = settings
    this.#clock = clock
    const { connectionsMax: placesMax, timeMsMax: waitMsMax } = settings
    this.#servers = settings.servers.map((address) => ({
      address,
      places: new Places({ placesMax, waitMsMax, waitingMax: WAITING_MAX }, clock),
      restsUntilMs: 0,
    }))
  }

  async look(content: Content, extra: readonly ScanObject[]): Promise<readonly ScanFact[]> {
    const facts: ScanFact[] = []
    for (const { chunks, where } of [{ chunks: content.chunks, where: WHOLE }, ...extra.map(asChunks)]) {
      const answer = await this.#ask(chunks)
      if (answer.kind === 'clean') continue
      facts.push(factOf(this.name, answer, where))
      // What is known now decides; the other readings would change nothing.
      if (answer.kind !== 'found' || facts.at(-1)?.kind === 'malware') break
    }
    return facts
  }

  async #ask(chunks: readonly Buffer[]): Promise<ClamdAnswer | Failure> {
    const endMs = this.#clock.monotonic() + ALL_SERVERS_TIMES * this.#settings.timeMsMax
    let failure: Failure = { kind: 'down', text: 'no server' }
    for (const server of this.#inTurn()) {
      const leftMs = endMs - this.#clock.monotonic()
      if (leftMs <= 0) break
      const answer = await this.#askOne(server, chunks, leftMs)
      if (answer.kind === 'clean' || answer.kind === 'found' || answer.kind === 'too-large') return answer
      failure = failure.kind === 'reset' && answer.kind === 'reset' ? answer : preferred(failure, answer)
    }
    return failure
  }

  async #askOne(server: Server, chunks: readonly Buffer[], leftMs: number): Promise<ClamdAnswer | Failure> {
    const leave = await server.places.take()
    if (leave === undefined)
      return { kind: 'busy', text: `all connections to ${addressText(server.address)} are in use` }
    const { connectMsMax, timeMsMax } = this.#settings
    const limits = { connectMsMax, timeMsMax: Math.min(timeMsMax, leftMs) }
    try {
      const answer = await clamdTalk(server.address, chunks, limits, this.#clock)
      if (answer.kind === 'clean' || answer.kind === 'found' || answer.kind === 'too-large') {
        server.restsUntilMs = 0
        return answer
      }
      server.restsUntilMs = this.#clock.monotonic() + REST_MS
      return { ...answer, text: `${addressText(server.address)}: ${answer.text}` }
    } finally {
      leave()
    }
  }

  /** In turn, those that rest last. A single server is asked a second time: a restart of clamd takes its connections with it. */
  #inTurn(): Server[] {
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

const asChunks = ({ octets, where }: ScanObject) => ({ chunks: [octets], where })

/** The failure that says most about the content; a server that is merely away says nothing about it. */
const preferred = (before: Failure, now: Failure): Failure =>
  now.kind === 'down' && before.kind !== 'down' ? before : now

const WHY: Readonly<Record<Failure['kind'], NoLook>> = {
  down: 'down',
  'timed-out': 'timed-out',
  garbled: 'garbled',
  'too-large': 'too-large',
  busy: 'busy',
  reset: 'crashed',
}

function factOf(engine: string, answer: Exclude<ClamdAnswer, { kind: 'clean' }> | Failure, where: string): ScanFact {
  if (answer.kind === 'found') return foundFact(engine, answer.name, where)
  // While octets flow, clamd's own limit looks like this and nothing else (StreamMaxLength, clamd.conf(5)).
  const why = answer.kind === 'reset' && !answer.all ? 'too-large' : WHY[answer.kind]
  return { kind: 'not-looked', engine, why, text: answer.text }
}

// clamd names by the same word what it found and what it could not look at.
function foundFact(engine: string, name: string, where: string): ScanFact {
  if (name.startsWith('Heuristics.Limits.Exceeded')) return { kind: 'not-looked', engine, why: 'too-large', text: name }
  const container = name.split('.')[2] ?? 'unknown'
  if (name.startsWith('Heuristics.Encrypted.')) return { kind: 'encrypted', container: container.toLowerCase(), where }
  if (name.startsWith('Heuristics.Broken.'))
    return { kind: 'broken', container: container.toLowerCase(), where, text: `${engine}: ${name}` }
  return { kind: 'malware', engine, name, where }
}

export const addressText = (address: ClamdAddress): string =>
  address.kind === 'local' ? address.path : `${address.address}:${address.port}`
