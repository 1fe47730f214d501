/**
 * The spam filter of one worker: its reading thread, and everybody else who knows something of a message. Whoever brings a
 * further source puts it into `sources`, and nowhere else.
 */
import type { Config } from '#config/config.ts'
import type { Transaction } from '#mail/session.ts'
import type { SpamResult } from '#mail/spam.ts'
import type { SpamAbout } from '#scan/spam/contract.ts'
import type { SpamEngines } from '#scan/spam/engines/engines.ts'
import { authenticatedBy, signsOf } from '#scan/spam/evidence/authentication.ts'
import type { MemoryFacts } from '#scan/spam/memory/facts.ts'
import type { SpamMemory } from '#scan/spam/memory/spam-memory.ts'
import { SpamReader } from '#scan/spam/reader.ts'
import { Gathering, type Sources, type Subject } from '../relay/gathering.ts'
import { ListEvidence } from '../relay/list-evidence.ts'
import { ScanEngines } from './assemble-scanning.ts'
import { spamEnginesOf } from './assemble-spam-engines.ts'
import { ListKeeper, type ListWorld } from './assemble-spam-lists.ts'
import { modelFolder } from './folders.ts'
import type { RunningReport } from './worker-watch.ts'

type Memory = Pick<SpamMemory, 'signs' | 'heard'>

export class SpamFilter {
  readonly #clock: ListWorld['clock']
  readonly #reader: SpamReader
  readonly #lists: ListKeeper
  readonly #evidence: ListEvidence
  readonly #memory: Memory | undefined
  readonly #remembered = new WeakMap<Transaction, MemoryFacts>()
  #settings = ''
  #gathering: Gathering | undefined
  #protected: ReadonlyMap<string, NonNullable<SpamAbout['tenant']>> = new Map()

  constructor(config: Config, report: RunningReport, outside: ListWorld, memory: Memory | undefined) {
    this.#clock = outside.clock
    this.#lists = new ListKeeper(config, report, outside)
    this.#evidence = new ListEvidence(outside.clock, this.#lists.lists)
    this.#reader = new SpamReader(outside.clock, { modelFolder: modelFolder(config.dataFolder) })
    this.#memory = memory
    this.replace(config)
  }

  /** Absent: there is none. */
  readonly gathering = (): Gathering | undefined => this.#gathering

  readonly begin = (transaction: Transaction): void => this.#evidence.begin(transaction)

  get lists(): ListKeeper['lists'] {
    return this.#lists.lists
  }

  readonly protects = (tenant: string): SpamAbout['tenant'] => this.#protected.get(tenant)

  readonly judged = (transaction: Transaction, result: SpamResult): void => {
    const facts = this.#remembered.get(transaction)
    if (facts !== undefined) this.#memory?.heard(facts, result)
  }

  /** A message under way keeps the sources with which it began. */
  replace(config: Config): void {
    this.#lists.replace(config)
    this.#protected = protectedOf(config)
    const { spam, hostname } = config
    const settings = JSON.stringify([spam, hostname])
    if (settings === this.#settings) return
    this.#settings = settings
    const engines = spamEnginesOf({ hostname, spam }, this.#clock)
    this.#gathering = spam.filter ? new Gathering(this.#clock, this.#sources(engines)) : undefined
  }

  close(): Promise<void> {
    this.#lists.close()
    return this.#reader.close()
  }

  #sources(engines: SpamEngines | undefined): Sources {
    const memory = this.#memory
    const { client, lists } = this.#evidence
    return {
      client,
      authentication: vouchedFor,
      lists,
      reader: (content, about, tenant) => this.#reader.read(content, about, tenant),
      ...(engines && {
        engines: ({ content, about, transaction: { id } }, endMs) => engines.ask(content, { ...about, id }, endMs),
      }),
      ...(memory && {
        memory: async ({ transaction, way, about }, { trail }) => {
          const facts = { tenant: way.tenant.name, about, trail }
          this.#remembered.set(transaction, facts)
          return memory.signs(facts)
        },
      }),
    }
  }
}

function protectedOf({ domains }: Config): Map<string, NonNullable<SpamAbout['tenant']>> {
  const byTenant = new Map<string, { domains: string[]; people: readonly string[] }>()
  for (const { name, tenant } of domains) {
    const plain = name.replace(/^\*\./, '')
    const known = byTenant.get(tenant.name)
    if (known === undefined) byTenant.set(tenant.name, { domains: [plain], people: tenant.people ?? [] })
    else known.domains.push(plain)
  }
  return byTenant
}

/** Both walls that a content stands before. */
export class Filters {
  readonly #engines: ScanEngines
  readonly spam: SpamFilter

  constructor(config: Config, report: RunningReport, outside: ListWorld, memory?: Memory) {
    this.#engines = new ScanEngines(config, outside.clock)
    this.spam = new SpamFilter(config, report, outside, memory)
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
