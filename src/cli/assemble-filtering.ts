/**
 * The spam filter of one worker: its reading thread, and everybody else who knows something of a message. Whoever brings a
 * further source puts it into `sources`, and nowhere else.
 */
import type { Config } from '#config/config.ts'
import { SpamReader } from '#scan/spam/reader.ts'
import type { Clock } from '#sys/clock.ts'
import { Gathering, type Sources } from '../relay/gathering.ts'
import { ScanEngines } from './assemble-scanning.ts'
import { modelFolder } from './folders.ts'

export class SpamFilter {
  readonly #reader: SpamReader
  readonly #gathering: Gathering
  #isOn: boolean

  constructor({ spam, dataFolder }: Config, clock: Clock) {
    this.#isOn = spam.filter
    this.#reader = new SpamReader(clock, { modelFolder: modelFolder(dataFolder) })
    const sources: Sources = { reader: (content, about, tenant) => this.#reader.read(content, about, tenant) }
    this.#gathering = new Gathering(clock, sources)
  }

  /** Absent: there is none. */
  readonly gathering = (): Gathering | undefined => (this.#isOn ? this.#gathering : undefined)

  replace({ spam }: Config): void {
    this.#isOn = spam.filter
  }

  close(): Promise<void> {
    return this.#reader.close()
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
