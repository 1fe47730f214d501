/**
 * A scanner that speaks ICAP (RFC 3507) as an engine: most commercial ones do, and c-icap. One or several servers
 * (servers.ts says how they share the work); what an answer means stands in icap-answer.ts.
 *
 * Before the first content, and again each minute, a server is asked what it can (OPTIONS). The connections it wants to have
 * are kept to.
 */
import type { Content } from '#mail/content.ts'
import type { ScanFact } from '#mail/scan.ts'
import type { Clock } from '#sys/clock.ts'
import type { Engine, ScanObject } from './contract.ts'
import type { IcapOptions } from './icap-answer.ts'
import { type IcapAddress, icapOptions, icapTalk, icapText } from './icap-talk.ts'
import { type Failure, lookAtEach, notLooked, type Seen, Servers, type ServersSettings } from './servers.ts'
import { allKnown, SignatureTag } from './signature-tag.ts'

/** How long what a server can is believed, unless it says a shorter time itself. */
export const OPTIONS_MS_MAX = 60_000

export interface IcapSettings extends ServersSettings<IcapAddress> {
  readonly name: string
  readonly connectMsMax: number
}

/** For the question about its signatures, which nobody waits for. */
const TAG_MS_MAX = 5_000

interface Known {
  readonly options: Promise<IcapOptions | Failure>
  readonly untilMs: number
}

export class Icap implements Engine {
  readonly name: string
  readonly #connectMsMax: number
  readonly #clock: Clock
  readonly #servers: Servers<IcapAddress>
  readonly #known = new Map<IcapAddress, Known>()
  readonly #tag: SignatureTag

  constructor(settings: IcapSettings, clock: Clock) {
    this.name = settings.name
    this.#connectMsMax = settings.connectMsMax
    this.#clock = clock
    this.#servers = new Servers(settings, icapText, clock)
    const limits = { connectMsMax: settings.connectMsMax, timeMsMax: TAG_MS_MAX }
    const ask = async (address: IcapAddress) => {
      const options = await icapOptions(address, limits, clock)
      // Without a tag it has no word for its signatures.
      return 'kind' in options ? undefined : (options.tag ?? '')
    }
    this.#tag = new SignatureTag(async () => allKnown(await Promise.all(settings.servers.map(ask))), clock)
  }

  look(content: Content, extra: Promise<readonly ScanObject[]>): Promise<readonly ScanFact[]> {
    const endMs = this.#servers.endMs()
    return lookAtEach(content, extra, (seen) => this.#lookAt(seen, endMs))
  }

  signatures(): string | undefined {
    return this.#tag.get()
  }

  async #lookAt(seen: Seen, endMs: number): Promise<readonly ScanFact[]> {
    const answer = await this.#servers.ask(endMs, async (address, timeMsMax) => {
      const startMs = this.#clock.monotonic()
      const options = await this.#optionsOf(address, timeMsMax)
      if ('kind' in options) return options
      this.#servers.narrow(address, options.connectionsMax)
      const leftMs = Math.max(1, timeMsMax - (this.#clock.monotonic() - startMs))
      const limits = { connectMsMax: this.#connectMsMax, timeMsMax: leftMs }
      return icapTalk(address, seen, options, limits, this.#clock)
    })
    if (answer.kind === 'clean') return []
    if (answer.kind !== 'found') return [notLooked(this.name, answer)]
    const { name, isLimit } = answer
    if (!isLimit) return [{ kind: 'malware', engine: this.name, name, where: seen.where }]
    return [{ kind: 'over-limit', limit: 'depth', where: seen.where, text: `${this.name}: ${name}` }]
  }

  async #optionsOf(address: IcapAddress, timeMsMax: number): Promise<IcapOptions | Failure> {
    const nowMs = this.#clock.monotonic()
    const before = this.#known.get(address)
    if (before !== undefined && before.untilMs > nowMs) return before.options
    const options = icapOptions(address, { connectMsMax: this.#connectMsMax, timeMsMax }, this.#clock)
    const known = { options, untilMs: nowMs + OPTIONS_MS_MAX }
    this.#known.set(address, known)
    const answer = await options
    // Only an answer is remembered; a server that failed is asked again by the next.
    if (this.#known.get(address) !== known) return answer
    if ('kind' in answer) this.#known.delete(address)
    else if (answer.ttlMs !== undefined && answer.ttlMs < OPTIONS_MS_MAX)
      this.#known.set(address, { options, untilMs: nowMs + answer.ttlMs })
    return answer
  }
}
