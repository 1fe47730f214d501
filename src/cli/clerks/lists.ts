/**
 * The clerk of the lists of recipients: imports, exports, says how old they are, reads those that stand in files, and
 * fetches those that live in a directory (LDAP). After each change it tells the workers, so that a refusal of a moment ago is forgotten at once.
 *
 * Whatever goes wrong, the last good list stays in force. A list that would lose more than a fifth is not taken without
 * `force`: an empty file and a broken filter look like a customer who dismissed everybody.
 */
import { z } from 'zod'
import { EXIT, UserError } from '#cli/exit.ts'
import type { Clerk } from '#cli/serve/desk.ts'
import type { Config } from '#config/config.ts'
import { readFullDomain } from '#config/units.ts'
import type { ListFault } from '#recipients/list-file.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { Difference, ListEntry, ListSource, ListState, RecipientLists } from '#store/recipient-lists.ts'
import type { Clock } from '#sys/clock.ts'
import type { RecipientSource, ServedDomain } from '#tenant/directory.ts'
import { asked, notUnderstood } from './asked.ts'
import { LdapSchedule, type LdapScheduleParts, type RefreshAnswer } from './ldap-schedule.ts'
import { ListFiles } from './list-files.ts'
import { type ListInUse, listMetrics } from './list-metrics.ts'
import { ListUploads } from './list-uploads.ts'
import { shrinks } from './shrinking.ts'

/** Entries in one answer of an export: some 100 KiB. */
export const EXPORT_ROWS_MAX = 5_000

/** A start or a reload waits so long for files; systemd gives a start 90 s, and there may be many or large ones. */
export const FILES_MS_MAX = 30_000

export type ImportAnswer =
  /** Nothing was changed. */
  | { readonly kind: 'faulty'; readonly faults: readonly ListFault[]; readonly more: boolean }
  | { readonly kind: 'shrinks'; readonly difference: Difference }
  | {
      readonly kind: 'dry-run' | 'done'
      readonly difference: Difference
      readonly duplicates: number
      readonly notes: readonly string[]
    }

export interface ExportAnswer {
  readonly entries: readonly ListEntry[]
  readonly loadedAtMs: number
}

export interface ListStatus extends Partial<Omit<ListState, 'domain'>> {
  readonly domain: string
  /** As the configuration has it; `none` if the domain is not served any more. */
  readonly recipients: RecipientSource['kind'] | 'none'
  readonly ageMs?: number
  /** Until it is fetched again by itself. */
  readonly nextInMs?: number
}

const domain = z.string().max(255)
const commands = {
  begin: z.strictObject({ domain, format: z.enum(['text', 'csv']).optional() }),
  piece: z.strictObject({ upload: z.int(), octets: z.base64() }),
  end: z.strictObject({ upload: z.int(), dryRun: z.boolean(), force: z.boolean() }),
  export: z.strictObject({ domain, after: z.string().max(400) }),
  refresh: z.strictObject({ domain, force: z.boolean() }),
  drop: z.strictObject({ domain, force: z.boolean() }),
  status: z.strictObject({ domain: domain.optional() }),
}

/** Reading the states of ten thousand lists takes some ms; not with every scrape. */
const COUNT_MS = 10_000

export interface ListsClerkParts extends LdapScheduleParts {
  readonly config: Config
}

export class ListsClerk implements Clerk<Config> {
  readonly subject = 'lists'
  readonly #lists: RecipientLists
  readonly #clock: Clock
  readonly #uploads: ListUploads
  readonly #schedule: LdapSchedule
  readonly #files: ListFiles
  readonly #log: (line: string) => void
  #config: Config
  #domains: ReadonlyMap<string, ServedDomain>
  readonly #told: (domain: string) => Promise<void>
  #counted: Snapshot = {}
  #countedMs = Number.NEGATIVE_INFINITY

  constructor(parts: ListsClerkParts) {
    const { config, lists, clock, log } = parts
    this.#config = config
    this.#lists = lists
    this.#told = parts.changed
    this.#clock = clock
    this.#uploads = new ListUploads(lists, clock)
    this.#log = log
    const changed = (domain: string) => this.#changed(domain)
    this.#schedule = new LdapSchedule({ ...parts, changed })
    this.#files = new ListFiles({ lists, clock, log, changed })
    this.#domains = domainsOf(config)
    this.#dropForeign()
  }

  /** Before mail comes in: a list that was there in its file the last time should be there now. */
  prepare(): Promise<void> {
    return this.#readFiles(this.#config)
  }

  started(): void {
    this.#sweep()
    this.#schedule.replace(jobsOf(this.#config))
  }

  async reload(config: Config): Promise<void> {
    this.#config = config
    this.#domains = domainsOf(config)
    this.#dropForeign()
    this.#sweep()
    this.#schedule.replace(jobsOf(config))
    await this.#readFiles(config)
  }

  metrics(): Snapshot {
    const nowMs = this.#clock.monotonic()
    if (nowMs - this.#countedMs < COUNT_MS) return this.#counted
    this.#countedMs = nowMs
    const states = new Map(this.#lists.states().map((state) => [state.domain, state]))
    const used = [...this.#domains.values()].filter(({ recipients }) => recipients.kind === 'directory')
    const inUse = used.map(({ name }): ListInUse => ({ source: this.#sourceOf(name), state: states.get(name) }))
    this.#counted = listMetrics(inUse, this.#clock.wall())
    return this.#counted
  }

  async close(): Promise<void> {
    this.#schedule.close()
    this.#files.close()
    await this.#uploads.close()
  }

  async command(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'begin': {
        const { domain, format } = asked(commands.begin, body)
        return this.#uploads.begin(this.#importable(domain).name, format)
      }
      case 'piece': {
        const { upload, octets } = asked(commands.piece, body)
        return this.#uploads.piece(upload, Buffer.from(octets, 'base64'))
      }
      case 'end':
        return this.#end(asked(commands.end, body))
      case 'export':
        return this.#export(asked(commands.export, body))
      case 'refresh': {
        const { domain, force } = asked(commands.refresh, body)
        const { name } = this.#served(domain)
        const refreshed = this.#files.has(name) ? this.#files : this.#schedule
        return refreshed.refresh(name, force) satisfies Promise<RefreshAnswer>
      }
      case 'drop':
        return this.#drop(asked(commands.drop, body))
      case 'status':
        return this.#status(asked(commands.status, body).domain)
      default:
        throw notUnderstood(what)
    }
  }

  async #end({ upload, dryRun, force }: z.infer<typeof commands.end>): Promise<ImportAnswer> {
    const { domain, file, staged } = await this.#uploads.end(upload)
    let taken = false
    try {
      if (file.faults.length > 0) return { kind: 'faulty', faults: file.faults, more: file.over }
      const served = this.#importable(domain)
      const difference = await staged.difference()
      if (!force && !dryRun && shrinks(difference)) return { kind: 'shrinks', difference }
      const duplicates = file.read - staged.entries
      const notes = dryRun && shrinks(difference) ? ['without --force this import will be refused'] : []
      if (served.recipients.kind !== 'directory') notes.push(unusedNote(served))
      if (dryRun) return { kind: 'dry-run', difference, duplicates, notes }
      await staged.commit({ tenant: served.tenant.name, source: 'imported' }, this.#clock.wall())
      taken = true
      await this.#changed(domain)
      return { kind: 'done', difference, duplicates, notes }
    } finally {
      if (!taken) await staged.discard()
    }
  }

  #export({ domain, after }: z.infer<typeof commands.export>): ExportAnswer {
    const name = this.#withList(domain)
    const loadedAtMs = this.#lists.state(name)?.loadedAtMs
    if (loadedAtMs === undefined) {
      throw new UserError(
        `${name} has no list`,
        `Import one: vorposten recipients import ${name} FILE.`,
        EXIT.unavailable,
      )
    }
    return { entries: this.#lists.page(name, after, EXPORT_ROWS_MAX), loadedAtMs }
  }

  #status(asked: string | undefined): ListStatus[] {
    const states = new Map(this.#lists.states().map((state) => [state.domain, state]))
    const directory = [...this.#domains.values()].filter(({ recipients }) => recipients.kind === 'directory')
    const one = asked === undefined ? undefined : this.#withList(asked)
    const names = one === undefined ? new Set([...directory.map(({ name }) => name), ...states.keys()]) : [one]
    return [...names].sort().map((name) => {
      const state = states.get(name)
      const recipients = this.#domains.get(name)?.recipients.kind ?? 'none'
      const loadedAtMs = state?.loadedAtMs
      const age = loadedAtMs === undefined ? {} : { ageMs: Math.max(0, this.#clock.wall() - loadedAtMs) }
      const nextInMs = this.#schedule.nextInMs(name)
      return { ...state, ...age, ...(nextInMs === undefined ? {} : { nextInMs }), domain: name, recipients }
    })
  }

  async #drop({ domain, force }: z.infer<typeof commands.drop>): Promise<{ readonly entries: number }> {
    const name = this.#withList(domain)
    const state = this.#lists.state(name)
    if (state === undefined)
      throw new UserError(`${name} has no list`, 'See: vorposten recipients status.', EXIT.config)
    if (this.#domains.get(name)?.recipients.kind === 'directory' && !force) {
      const advice = 'Without it nobody can say who exists, until there is another. If that is right, say --force.'
      throw new UserError(`the list of ${name} is in use`, advice, EXIT.config)
    }
    this.#lists.drop(name)
    await this.#changed(name)
    return { entries: state.entries }
  }

  #sourceOf(name: string): ListSource {
    return this.#schedule.has(name) ? 'ldap' : this.#files.has(name) ? 'file' : 'imported'
  }

  // A list outlives its domain, until somebody drops it.
  #withList(text: string): string {
    const name = nameOf(text)
    return name !== undefined && this.#lists.state(name) !== undefined ? name : this.#served(text).name
  }

  #served(text: string): ServedDomain {
    const found = this.#domains.get(nameOf(text) ?? '')
    if (found !== undefined) return found
    const advice = 'See the domains with: vorposten check-config. A new one is served after a reload.'
    throw new UserError(`${text} is not a domain of this relay`, advice, EXIT.config)
  }

  #importable(text: string): ServedDomain {
    const served = this.#served(text)
    const { name } = served
    const source = this.#sourceOf(name)
    if (source === 'imported') return served
    const from = source === 'ldap' ? 'a directory (LDAP)' : 'a file'
    const advice = `Read it again now: vorposten recipients refresh ${name}. Or set recipients: {list: imported}.`
    throw new UserError(`the list of ${name} comes from ${from}`, advice, EXIT.config)
  }

  async #readFiles({ recipientFiles, domains }: Config): Promise<void> {
    const tenants = tenantsOf(domains)
    const reading = this.#files.replace(
      recipientFiles.map((file) => ({ ...file, tenant: tenants.get(file.domain) ?? '' })),
    )
    const patience = Promise.withResolvers<'late'>()
    const cancel = this.#clock.after(FILES_MS_MAX, () => patience.resolve('late'))
    if ((await Promise.race([reading, patience.promise])) === 'late') {
      this.#log('lists of recipients are still being read; until then the last ones are in force')
    }
    cancel()
  }

  async #changed(domain: string): Promise<void> {
    await this.#told(domain)
    this.#sweep()
  }

  // A domain that went to another tenant does not take along who existed at the one before.
  #dropForeign(): void {
    for (const { domain, tenant } of this.#lists.states()) {
      const served = this.#domains.get(domain)
      if (served !== undefined && served.tenant.name !== tenant) this.#lists.drop(domain)
    }
  }

  // What is left over is in nobody's way, so a fault here is for the next sweep.
  #sweep(): void {
    void this.#lists.sweep().catch(() => {})
  }
}

/** As lists are called: A-labels, perhaps behind `*.`. */
function nameOf(text: string): string | undefined {
  const star = text.startsWith('*.')
  const ascii = readFullDomain(star ? text.slice(2) : text)
  return ascii === undefined ? undefined : star ? `*.${ascii}` : ascii
}

const domainsOf = (config: Config): ReadonlyMap<string, ServedDomain> =>
  new Map(config.domains.map((served) => [served.name, served]))

const tenantsOf = (domains: Config['domains']): ReadonlyMap<string, string> =>
  new Map(domains.map(({ name, tenant }) => [name, tenant.name]))

const jobsOf = ({ recipientDirectories, domains }: Config) => {
  const tenants = tenantsOf(domains)
  return recipientDirectories.map(({ domain, ldap }) => ({ domain, ldap, tenant: tenants.get(domain) ?? '' }))
}

const unusedNote = ({ name, recipients }: ServedDomain): string =>
  `the list is kept, but not used: ${name} has recipients: ${recipients.kind}; {list: imported} makes it count`
