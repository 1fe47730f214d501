/**
 * The spam filter of one worker: its reading thread, and everybody else who knows something of a message. Whoever brings a
 * further source puts it into `sources`, and nowhere else.
 */
import type { Config } from '#config/config.ts'
import type { Transaction } from '#mail/session.ts'
import type { SpamResult } from '#mail/spam.ts'
import type { SpamAbout } from '#scan/spam/contract.ts'
import type { SpamEngines } from '#scan/spam/engines/engines.ts'
import type { MemoryFacts } from '#scan/spam/memory/facts.ts'
import type { SpamMemory } from '#scan/spam/memory/spam-memory.ts'
import { SpamReader } from '#scan/spam/reader.ts'
import type { Clock } from '#sys/clock.ts'
import { Gathering, type Sources } from '../relay/gathering.ts'
import { ScanEngines } from './assemble-scanning.ts'
import { spamEnginesOf } from './assemble-spam-engines.ts'

type Memory = Pick<SpamMemory, 'signs' | 'heard'>

export class SpamFilter {
  readonly #clock: Clock
  readonly #reader: SpamReader
  readonly #memory: Memory | undefined
  readonly #remembered = new WeakMap<Transaction, MemoryFacts>()
  #settings = ''
  #gathering: Gathering | undefined
  #protected: ReadonlyMap<string, NonNullable<SpamAbout['tenant']>> = new Map()

  constructor(config: Config, clock: Clock, memory: Memory | undefined) {
    this.#clock = clock
    this.#reader = new SpamReader(clock)
    this.#memory = memory
    this.replace(config)
  }

  /** Absent: there is none. */
  readonly gathering = (): Gathering | undefined => this.#gathering

  readonly protects = (tenant: string): SpamAbout['tenant'] => this.#protected.get(tenant)

  readonly judged = (transaction: Transaction, result: SpamResult): void => {
    const facts = this.#remembered.get(transaction)
    if (facts !== undefined) this.#memory?.heard(facts, result)
  }

  /** A message under way keeps the sources with which it began. */
  replace(config: Config): void {
    this.#protected = protectedOf(config)
    const { spam, hostname } = config
    const settings = JSON.stringify([spam, hostname])
    if (settings === this.#settings) return
    this.#settings = settings
    const engines = spamEnginesOf(config, this.#clock)
    this.#gathering = spam.filter ? new Gathering(this.#clock, this.#sources(engines)) : undefined
  }

  close(): Promise<void> {
    return this.#reader.close()
  }

  #sources(engines: SpamEngines | undefined): Sources {
    const memory = this.#memory
    return {
      reader: (content, about) => this.#reader.read(content, about),
      ...(engines && {
        engines: ({ content, about, transaction: { id } }) => engines.ask(content, { ...about, id }),
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
  const byTenant = new Map<string, string[]>()
  for (const { name, tenant } of domains) {
    const plain = name.replace(/^\*\./, '')
    const known = byTenant.get(tenant.name)
    if (known === undefined) byTenant.set(tenant.name, [plain])
    else known.push(plain)
  }
  return new Map([...byTenant].map(([tenant, names]) => [tenant, { domains: names, people: [] }]))
}

/** Both walls that a content stands before. */
export class Filters {
  readonly #engines: ScanEngines
  readonly spam: SpamFilter

  constructor(config: Config, clock: Clock, memory?: Memory) {
    this.#engines = new ScanEngines(config, clock)
    this.spam = new SpamFilter(config, clock, memory)
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
