/**
 * The spam filters beside us, asked all at once. Each has one or several servers (servers.ts says how they share the work),
 * and says one sign; one that did not answer says that it did not, and is named in `silent`: what becomes of the message then
 * is a policy's business, and "no spam" is never made of it.
 *
 * | an engine | signs | silent |
 * |---|---|---|
 * | judged | `ENGINE_RSPAMD` or `ENGINE_SPAMD`, its score and symbols as detail | |
 * | would see it again later | also `ENGINE_DELAYS` | |
 * | looked at nothing: larger than its `octetsMax`, or exempt by its own settings | `ENGINE_SKIPPED` | |
 * | down, timed-out, gone, garbled, busy: all its servers, or the time is over | `ENGINE_SILENT` | its name |
 */
import type { Content } from '#mail/content.ts'
import { DETAIL_LENGTH_MAX, type SpamSign } from '#mail/spam.ts'
import type { Clock } from '#sys/clock.ts'
import { type Failure, Servers, type ServersSettings } from '../../servers.ts'
import { addressText, type SocketAddress } from '../../talk.ts'
import type { AskEngine, EngineAbout, EngineSaid } from './contract.ts'
import { ENGINES, type EngineSymbol } from './symbols.ts'

export interface SpamEngineSettings extends ServersSettings<SocketAddress> {
  readonly name: string
  /** Says what it found. */
  readonly symbol: EngineSymbol
  readonly ask: AskEngine
  readonly connectMsMax: number
  /** A larger message is not shown to it. */
  readonly octetsMax: number
  /** How much its word counts: 1 as it is, 0 for the record only. */
  readonly trust: number
}

export interface EnginesAnswer {
  readonly signs: readonly SpamSign[]
  /** Names of those that did not answer. */
  readonly silent: readonly string[]
}

interface Asked {
  readonly settings: SpamEngineSettings
  readonly servers: Servers<SocketAddress>
}

export class SpamEngines {
  readonly #clock: Clock
  readonly #asked: readonly Asked[]

  constructor(engines: readonly SpamEngineSettings[], clock: Clock) {
    this.#clock = clock
    this.#asked = engines.map((settings) => ({ settings, servers: new Servers(settings, addressText, clock) }))
  }

  /** `endMs`: of the clock; whoever has not answered by then is silent. Never rejects. */
  async ask(content: Content, about: EngineAbout, endMs = Number.POSITIVE_INFINITY): Promise<EnginesAnswer> {
    const answers = await Promise.all(this.#asked.map((asked) => this.#askOne(asked, content, about, endMs)))
    return { signs: answers.flatMap(({ signs }) => signs), silent: answers.flatMap(({ silent }) => silent) }
  }

  async #askOne(
    { settings, servers }: Asked,
    content: Content,
    about: EngineAbout,
    endMs: number,
  ): Promise<EnginesAnswer> {
    const { name, octetsMax, connectMsMax } = settings
    if (content.octets > octetsMax)
      return { signs: [sign('ENGINE_SKIPPED', name, `over ${octetsMax} octets`)], silent: [] }
    const untilMs = Math.min(endMs, servers.endMs())
    const answer = await this.#before(
      untilMs,
      servers.ask(untilMs, (address, timeMsMax) =>
        settings.ask({ content, about }, address, { connectMsMax, timeMsMax }, this.#clock),
      ),
    )
    return answered(settings, answer)
  }

  /** Whoever waits for a connection does not know when the message must be answered. */
  #before(untilMs: number, answer: Promise<EngineSaid | Failure>): Promise<EngineSaid | Failure> {
    return new Promise((resolve) => {
      const late = { kind: 'timed-out', text: 'the time of the message is over' } as const
      const cancel = this.#clock.after(untilMs - this.#clock.monotonic(), () => resolve(late))
      const end = (said: EngineSaid | Failure) => {
        cancel()
        resolve(said)
      }
      answer.then(end, (error: Error) => end({ kind: 'garbled', text: error.message }))
    })
  }
}

function answered({ name, symbol, trust }: SpamEngineSettings, answer: EngineSaid | Failure): EnginesAnswer {
  switch (answer.kind) {
    case 'judged': {
      const signs = [sign(symbol, name, answer.text, answer.weight * trust)]
      if (answer.delays) signs.push(sign('ENGINE_DELAYS', name, answer.text, ENGINES.ENGINE_DELAYS.weight * trust))
      return { signs, silent: [] }
    }
    case 'skipped':
      return { signs: [sign('ENGINE_SKIPPED', name, answer.text)], silent: [] }
    default:
      return { signs: [sign('ENGINE_SILENT', name, `${answer.kind}, ${answer.text}`)], silent: [name] }
  }
}

/** `text` is what a server said: of any length, with anything in it. */
function sign(symbol: EngineSymbol, engine: string, text: string, weight = 0): SpamSign {
  const shown = text.slice(0, 2 * DETAIL_LENGTH_MAX).replace(/[\p{C}\p{Z}]+/gu, ' ')
  const detail = `${engine}: ${shown}`.slice(0, DETAIL_LENGTH_MAX).toWellFormed()
  return { symbol, weight: Math.round(weight * 100) / 100, detail }
}
