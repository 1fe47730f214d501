/**
 * The clerk of the quarantine: takes what workers want kept, lists and deletes for operators, and ends what nobody decided
 * about in time. It alone moves contents to their place and away, and it alone writes their rows. What is released goes by
 * quarantine-release.ts.
 *
 * A message is answered `kept` after its content is synced in its place and its row is committed. A content goes when the last
 * message that has it is gone; a crash in between leaves a file that nobody needs, and those are collected at the start.
 */

import { EXIT, UserError } from '#cli/exit.ts'
import type { AskOnce, AskOne, AskWorkers, Clerk } from '#cli/serve/desk.ts'
import type { Config } from '#config/config.ts'
import type { PathEvent } from '#mail/event.ts'
import type { KeepAnswer, QuarantineAction, Quarantined } from '#mail/quarantine.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Contents } from '#quarantine/contents.ts'
import type { Unkept } from '#quarantine/keeper.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { Database } from '#store/database.ts'
import type { GroupCommit } from '#store/group-commit.ts'
import { ENTRY_OCTETS, type QuarantineEntry, QuarantineStore } from '#store/quarantine.ts'
import { AccessLog } from '#store/quarantine-access.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Tenant } from '#tenant/directory.ts'
import { asked, notUnderstood } from './asked.ts'
import { QuarantineCounts } from './quarantine-counts.ts'
import { Releases } from './quarantine-release.ts'
import { type Done, NOT_THERE, requests, type ShownEntry } from './quarantine-requests.ts'

/** Messages whose time is over, ended in one transaction; more wait for the next turn. */
export const EXPIRE_MAX = 200
const EXPIRE_MS = 60_000
const PRUNE_MS = 3_600_000
/** Between two looks at the disk. */
const LOOK_MS = 1000
/** Who ends what nobody decided about. */
const OURSELVES = 'vorposten'

export interface QuarantineQuestions {
  'quarantine/room': { body: { tenant: string; octets: number }; answer: Unkept | undefined }
  'quarantine/keep': { body: Quarantined; answer: KeepAnswer }
}

export interface QuarantineClerkParts {
  readonly database: Database
  readonly commits: GroupCommit
  readonly contents: Contents
  readonly config: Config
  /** Never goes back. */
  readonly wallMs: () => number
  readonly clock: Clock
  readonly newTraceId: () => TraceId
  /** How many there are. */
  readonly workers: number
  readonly log: (line: string) => void
}

export class QuarantineClerk implements Clerk<Config> {
  readonly subject = 'quarantine'
  readonly #parts: QuarantineClerkParts
  readonly #store: QuarantineStore
  readonly #access: AccessLog
  readonly #counts: QuarantineCounts
  readonly #releases: Releases
  /** Contents that a message under way will need. */
  readonly #awaited = new Map<string, number>()
  #config: Config
  #tenants: ReadonlyMap<string, Tenant>
  #one: AskOne = async () => undefined
  #freeOctets = Number.POSITIVE_INFINITY
  #lookedMs = Number.NEGATIVE_INFINITY
  #cancels: Cancel[] = []
  #collecting: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(parts: QuarantineClerkParts) {
    this.#parts = parts
    this.#config = parts.config
    this.#tenants = byName(parts.config)
    this.#store = new QuarantineStore(parts.database)
    this.#access = new AccessLog(parts.database)
    this.#counts = new QuarantineCounts(this.#store.totals())
    const note = (entry: QuarantineEntry, action: QuarantineAction, who: string, text: string) =>
      this.#note(entry, action, who, text)
    this.#releases = new Releases({ ...parts, store: this.#store, note })
  }

  /** Before any worker writes. */
  async prepare(): Promise<void> {
    await this.#parts.contents.prepare()
    await this.#parts.contents.clearIncoming()
  }

  started(workers: AskWorkers, one: AskOne, once: AskOnce): void {
    this.#one = one
    this.#releases.started(workers, once)
    this.#every(EXPIRE_MS, () => this.#expire())
    this.#every(PRUNE_MS, () => this.#parts.commits.run(() => this.#access.prune(this.#parts.wallMs())))
    this.#collecting = this.collectOrphans().catch((error: Error) =>
      this.#parts.log(`contents in quarantine that nobody needs were not collected: ${error.message}`),
    )
  }

  async reload(config: Config): Promise<void> {
    this.#config = config
    this.#tenants = byName(config)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const cancel of this.#cancels) cancel()
    this.#releases.close()
    await this.#collecting
    this.#parts.commits.flush()
  }

  async answer(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'room': {
        const { tenant, octets } = body as QuarantineQuestions['quarantine/room']['body']
        return (await this.#diskIsFull(octets)) ? this.#full('disk') : this.#shareUsedUp(tenant, octets)
      }
      case 'keep':
        return this.#keep(body as Quarantined)
      default:
        throw new Error(`no question about the quarantine: ${what}`)
    }
  }

  async command(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'list':
        return this.#store.list(asked(requests.list, body))
      case 'log':
        return this.#access.list(asked(requests.log, body))
      case 'show':
        return this.#shown(asked(requests.look, body), 'shown')
      case 'export':
        return this.#shown(asked(requests.look, body), 'exported')
      case 'delete':
        return this.#delete(asked(requests.delete, body))
      case 'release':
        return this.#releases.release(asked(requests.release, body))
      default:
        throw notUnderstood(what)
    }
  }

  async sickness(): Promise<string | undefined> {
    return (await this.#diskIsFull(0)) ? 'the quarantine has no room on its disk' : undefined
  }

  metrics(): Snapshot {
    return this.#counts.snapshot()
  }

  /** Contents that nobody needs, left by a crash. How many. */
  async collectOrphans(): Promise<number> {
    const { contents, log } = this.#parts
    let found = 0
    for await (const hash of contents.hashes()) {
      if (this.#closed) break
      if (!this.#needs(hash) && (await this.#drop(hash))) found++
    }
    if (found > 0) log(`${found} contents in quarantine that nobody needs were removed: left by a crash`)
    return found
  }

  async #keep(entry: Quarantined): Promise<KeepAnswer> {
    const { id, tenant, hash, octets } = entry
    const { contents, commits, wallMs } = this.#parts
    this.#awaited.set(hash, (this.#awaited.get(hash) ?? 0) + 1)
    try {
      await contents.place(id, hash)
    } catch (error) {
      return this.#notKept(hash, { kind: 'failed', text: (error as Error).message })
    }
    try {
      const refusal = await commits.run(() => {
        const full = this.#shareUsedUp(tenant, octets)
        if (full === undefined) this.#store.add(entry, wallMs(), wallMs() + this.#keepMs(tenant))
        return full
      })
      if (refusal !== undefined) return this.#notKept(hash, refusal)
    } catch (error) {
      // Any other fault of a commit leaves it open whether the row is on the disk.
      if (isFullStore(error)) return this.#notKept(hash, this.#full('disk'))
      this.#unawait(hash)
      throw error
    }
    this.#unawait(hash)
    this.#counts.added(entry.class, octets + ENTRY_OCTETS)
    return { kind: 'kept' }
  }

  #notKept(hash: string, answer: Unkept): Unkept {
    this.#unawait(hash)
    void this.#drop(hash)
    return answer
  }

  async #shown(
    { id, tenant, who }: { id: string; tenant?: string | undefined; who: string },
    action: 'shown' | 'exported',
  ) {
    const entry = this.#find(id, tenant)
    await this.#parts.commits.run(() => this.#record(entry, action, who, ''))
    this.#tell(entry, action, who, '')
    const { trace, ...rest } = entry
    return { ...rest, trace: Buffer.from(trace).toString('base64') } satisfies ShownEntry
  }

  async #delete({
    ids,
    tenant,
    who,
  }: {
    ids: readonly string[]
    tenant?: string | undefined
    who: string
  }): Promise<Done[]> {
    const done: Done[] = []
    for (const id of ids) done.push(await this.#deleteOne(id, tenant, who))
    return done
  }

  async #deleteOne(id: string, tenant: string | undefined, who: string): Promise<Done> {
    const entry = this.#store.find(id)
    if (entry === undefined || (tenant !== undefined && entry.tenant !== tenant))
      return { id, done: false, text: NOT_THERE }
    if (this.#releases.isBusy(id)) return { id, done: false, text: 'busy: it is being released, try again' }
    await this.#end([id], 'deleted', who, '')
    return { id, done: true, text: 'deleted' }
  }

  async #expire(): Promise<void> {
    const ids = this.#store.ended(this.#parts.wallMs(), EXPIRE_MAX).filter((id) => !this.#releases.isBusy(id))
    if (ids.length > 0) await this.#end(ids, 'expired', OURSELVES, 'nobody decided about it in time')
  }

  async #end(ids: readonly string[], action: 'deleted' | 'expired', who: string, text: string): Promise<void> {
    const entries = await this.#parts.commits.run(() =>
      ids.flatMap((id) => {
        const entry = this.#store.remove(id)
        if (entry !== undefined) this.#record(entry, action, who, text)
        return entry ?? []
      }),
    )
    for (const entry of entries) {
      this.#counts.ended(entry.class, entry.octets + ENTRY_OCTETS, action)
      this.#tell(entry, action, who, text)
      await this.#drop(entry.hash)
    }
  }

  #find(id: string, tenant: string | undefined): QuarantineEntry {
    const entry = this.#store.find(id.toUpperCase())
    if (entry !== undefined && (tenant === undefined || entry.tenant === tenant)) return entry
    throw new UserError(`${id}: ${NOT_THERE}`, `See what happened to it: vorposten trace ${id}`, EXIT.unavailable)
  }

  async #note(entry: QuarantineEntry, action: QuarantineAction, who: string, text: string): Promise<void> {
    await this.#parts.commits.run(() => this.#record(entry, action, who, text))
    if (action === 'released') this.#counts.released(entry.class)
    // The worker that released it has told already, with the id that it has now.
    else this.#tell(entry, action, who, text)
  }

  #record({ id, tenant }: QuarantineEntry, action: QuarantineAction, who: string, text: string): void {
    this.#access.add({ atMs: this.#parts.wallMs(), who, action, id, tenant, text })
  }

  // The trace is written by workers.
  #tell({ id, tenant, class: of }: QuarantineEntry, action: QuarantineAction, who: string, text: string): void {
    const event: PathEvent = { kind: 'quarantine', id, tenant, class: of, action, who, text }
    void this.#one('quarantine/tell', event).catch(() => {})
  }

  #shareUsedUp(tenant: string, octets: number): Unkept | undefined {
    const octetsMax = this.#tenants.get(tenant)?.quarantine?.octetsMax ?? this.#config.quarantine.octetsMax
    return this.#store.octetsOf(tenant) + octets + ENTRY_OCTETS > octetsMax ? this.#full('tenant') : undefined
  }

  #full(of: 'tenant' | 'disk'): Unkept {
    this.#counts.refused(of)
    return { kind: 'full', of }
  }

  #keepMs(tenant: string): number {
    return this.#tenants.get(tenant)?.quarantine?.keepMs ?? this.#config.quarantine.keepMs
  }

  // A disk that does not answer is not called full.
  async #diskIsFull(octets: number): Promise<boolean> {
    const nowMs = this.#parts.clock.monotonic()
    if (nowMs - this.#lookedMs >= LOOK_MS) {
      this.#lookedMs = nowMs
      this.#freeOctets = await this.#parts.contents.freeOctets().catch(() => Number.POSITIVE_INFINITY)
    }
    return this.#freeOctets - octets < this.#config.spool.freeOctetsMin
  }

  #needs(hash: string): boolean {
    return this.#awaited.has(hash) || this.#store.needs(hash)
  }

  // What cannot be removed now is collected at the next start.
  #drop(hash: string): Promise<boolean> {
    return this.#parts.contents.drop(hash, () => this.#needs(hash)).catch(() => false)
  }

  #unawait(hash: string): void {
    const left = (this.#awaited.get(hash) ?? 1) - 1
    if (left > 0) this.#awaited.set(hash, left)
    else this.#awaited.delete(hash)
  }

  #every(ms: number, work: () => Promise<unknown>): void {
    const at = this.#cancels.length
    const turn = (): void => {
      // A disk that fails is told by the spool; the next turn tries again.
      void work()
        .catch(() => {})
        .then(() => {
          if (!this.#closed) this.#cancels[at] = this.#parts.clock.after(ms, turn)
        })
    }
    this.#cancels.push(() => {})
    turn()
  }
}

const byName = ({ tenants }: Config): ReadonlyMap<string, Tenant> =>
  new Map(tenants.map((tenant) => [tenant.name, tenant]))

/** SQLITE_FULL: it was rolled back before anything was committed. */
const isFullStore = (error: unknown): boolean => ((error as { errcode?: number }).errcode ?? 0) % 256 === 13
