/**
 * The spam filter of one worker: its reading thread, and everybody else who knows something of a message. Whoever brings a
 * further source puts it into `sources`, and nowhere else.
 */
import type { Config } from '#config/config.ts'
import type { Transaction } from '#mail/session.ts'
import { authenticatedBy, signsOf } from '#scan/spam/evidence/authentication.ts'
import { SpamReader } from '#scan/spam/reader.ts'
import { Gathering, type Sources, type Subject } from '../relay/gathering.ts'
import { ListEvidence } from '../relay/list-evidence.ts'
import { ScanEngines } from './assemble-scanning.ts'
import { ListKeeper, type ListWorld } from './assemble-spam-lists.ts'
import type { RunningReport } from './worker-watch.ts'

export class SpamFilter {
  readonly #reader: SpamReader
  readonly #gathering: Gathering
  readonly #lists: ListKeeper
  readonly #evidence: ListEvidence
  #isOn: boolean

  constructor(config: Config, report: RunningReport, outside: ListWorld) {
    const { clock } = outside
    this.#isOn = config.spam.filter
    this.#lists = new ListKeeper(config, report, outside)
    this.#evidence = new ListEvidence(clock, this.#lists.lists)
    this.#reader = new SpamReader(clock)
    const { client, lists } = this.#evidence
    const sources: Sources = {
      client,
      authentication: vouchedFor,
      reader: (content, about) => this.#reader.read(content, about),
      lists,
    }
    this.#gathering = new Gathering(clock, sources)
  }

  /** Absent: there is none. */
  readonly gathering = (): Gathering | undefined => (this.#isOn ? this.#gathering : undefined)

  readonly begin = (transaction: Transaction): void => this.#evidence.begin(transaction)

  get lists(): ListKeeper['lists'] {
    return this.#lists.lists
  }

  replace(config: Config): void {
    this.#isOn = config.spam.filter
    this.#lists.replace(config)
  }

  close(): Promise<void> {
    this.#lists.close()
    return this.#reader.close()
  }
}

/** Both walls that a content stands before. */
export class Filters {
  readonly #engines: ScanEngines
  readonly spam: SpamFilter

  constructor(config: Config, report: RunningReport, outside: ListWorld) {
    this.#engines = new ScanEngines(config, outside.clock)
    this.spam = new SpamFilter(config, report, outside)
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

// It was found out before the walls (relay/authenticating.ts); what was not looked at says nothing.
const vouchedFor = async ({ authentication }: Subject) =>
  authentication === undefined
    ? { signs: [] }
    : { signs: signsOf(authentication), authenticated: authenticatedBy(authentication) }
