/**
 * ClamAV's daemon as an engine: one or several servers (servers.ts says how they share the work).
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
import type { ScanFact } from '#mail/scan.ts'
import type { Clock } from '#sys/clock.ts'
import { type ClamdAnswer, clamdTalk, clamdVersion } from './clamd-talk.ts'
import type { Engine, ScanObject } from './contract.ts'
import { lookAtEach, notLooked, type Seen, Servers, type ServersSettings } from './servers.ts'
import { allKnown, SignatureTag } from './signature-tag.ts'
import { addressText, type SocketAddress } from './talk.ts'

/** clamd's MaxThreads is 10, its own default, and it queues what is above. */
export interface ClamdSettings extends ServersSettings<SocketAddress> {
  readonly name: string
  readonly connectMsMax: number
}

/** For the word about its version, which it gives without looking at anything. */
const VERSION_MS_MAX = 5_000

export class Clamd implements Engine {
  readonly name: string
  readonly #connectMsMax: number
  readonly #clock: Clock
  readonly #servers: Servers<SocketAddress>
  readonly #tag: SignatureTag

  constructor(settings: ClamdSettings, clock: Clock) {
    this.name = settings.name
    this.#connectMsMax = settings.connectMsMax
    this.#clock = clock
    this.#servers = new Servers(settings, addressText, clock)
    const limits = { connectMsMax: settings.connectMsMax, timeMsMax: VERSION_MS_MAX }
    const ask = () => Promise.all(settings.servers.map((server) => clamdVersion(server, limits, clock)))
    this.#tag = new SignatureTag(async () => allKnown(await ask()), clock)
  }

  look(content: Content, extra: Promise<readonly ScanObject[]>): Promise<readonly ScanFact[]> {
    const endMs = this.#servers.endMs()
    return lookAtEach(content, extra, (seen) => this.#lookAt(seen, endMs))
  }

  signatures(): string | undefined {
    return this.#tag.get()
  }

  async #lookAt({ chunks, where }: Seen, endMs: number): Promise<readonly ScanFact[]> {
    const answer = await this.#servers.ask(endMs, (address, timeMsMax) =>
      clamdTalk(address, chunks, { connectMsMax: this.#connectMsMax, timeMsMax }, this.#clock),
    )
    return answer.kind === 'clean' ? [] : [factOf(this.name, answer, where)]
  }
}

function factOf(engine: string, answer: Exclude<ClamdAnswer, { kind: 'clean' }>, where: string): ScanFact {
  if (answer.kind === 'found') return foundFact(engine, answer.name, where)
  // While octets flow, clamd's own limit looks like this and nothing else (StreamMaxLength, clamd.conf(5)).
  return answer.kind === 'reset' && !answer.all ? notLooked(engine, answer, 'too-large') : notLooked(engine, answer)
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
