/**
 * The spam filter of one worker: its reading thread, and everybody else who knows something of a message. Whoever brings a
 * further source puts it into `sources`, and nowhere else.
 */
import type { Config } from '#config/config.ts'
import type { SpamEngines } from '#scan/spam/engines/engines.ts'
import { SpamReader } from '#scan/spam/reader.ts'
import type { Clock } from '#sys/clock.ts'
import { type Evidence, Gathering, type Sources, type Subject } from '../relay/gathering.ts'
import { ScanEngines } from './assemble-scanning.ts'
import { spamEnginesOf } from './assemble-spam-engines.ts'

export class SpamFilter {
  readonly #reader: SpamReader
  readonly #gathering: Gathering
  readonly #clock: Clock
  #isOn: boolean
  #engines: SpamEngines | undefined
  #engineSettings = ''

  constructor(config: Config, clock: Clock) {
    this.#isOn = config.spam.filter
    this.#clock = clock
    this.#reader = new SpamReader(clock)
    this.#replaceEngines(config)
    const sources: Sources = {
      reader: (content, about) => this.#reader.read(content, about),
      engines: (subject, endMs) => this.#askEngines(subject, endMs),
    }
    this.#gathering = new Gathering(clock, sources)
  }

  /** Absent: there is none. */
  readonly gathering = (): Gathering | undefined => (this.#isOn ? this.#gathering : undefined)

  replace(config: Config): void {
    this.#isOn = config.spam.filter
    this.#replaceEngines(config)
  }

  close(): Promise<void> {
    return this.#reader.close()
  }

  /** Anew only when something of theirs has changed: they know which servers work. */
  #replaceEngines({ spam: { engines }, hostname }: Config): void {
    const settings = JSON.stringify({ engines, hostname })
    if (settings === this.#engineSettings) return
    this.#engineSettings = settings
    this.#engines = spamEnginesOf({ engines, hostname }, this.#clock)
  }

  async #askEngines({ content, about, transaction }: Subject, endMs: number): Promise<Evidence> {
    const { id } = transaction
    return (await this.#engines?.ask(content, { ...about, id }, endMs)) ?? { signs: [] }
  }
}

/** Both walls that a content stands before. */
export class Filters {
  readonly #engines: ScanEngines
  readonly spam: SpamFilter

  constructor(config: Config, clock: Clock) {
    this.#engines = new ScanEngines(config, clock)
    this.spam = new SpamFilter(config, clock)
  }

  /** Absent: nobody looks for malware. */
  get wall(): ScanEngines['wall'] {
    return this.#engines.wall
  }

  replace(config: Config): void {
    this.#engines.replace(config)
    this.spam.replace(config)
  }

  async close(): Promise<void> {
    await Promise.all([this.#engines.close(), this.spam.close()])
  }
}
