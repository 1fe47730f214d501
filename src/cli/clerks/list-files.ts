/**
 * Keeps the lists that stand in files: read at the start, at each reload, and when an operator says so; a file that has
 * not changed is not read again. One after the other, in pieces, so that a million lines hold nobody up.
 *
 * Whatever is wrong with a file, the last good list stays in force. The reason, with its line, is kept beside it and told
 * to the operator. Nothing rejects but `refresh`, whose UserErrors are the operator's.
 */
import { EXIT, UserError } from '#cli/exit.ts'
import { listStamp, readListFile } from '#recipients/list-reading.ts'
import type { Difference } from '#store/recipient-lists.ts'
import type { RefreshAnswer } from './ldap-schedule.ts'
import { type ReplacementParts, replaceList } from './list-replacement.ts'

export interface FileJob {
  readonly domain: string
  readonly tenant: string
  readonly path: string
}

export interface ListFilesParts extends ReplacementParts {
  /** One line for the operator. */
  readonly log: (line: string) => void
}

export class ListFiles {
  readonly #parts: ListFilesParts
  #jobs: ReadonlyMap<string, FileJob> = new Map()
  /** The end of what is to be read; never rejects. */
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(parts: ListFilesParts) {
    this.#parts = parts
  }

  /** From now on these. Resolves when all that have changed are read. */
  async replace(jobs: readonly FileJob[]): Promise<void> {
    this.#jobs = new Map(jobs.map((job) => [job.domain, job]))
    for (const job of jobs) void this.#inTurn(() => this.#readIfChanged(job))
    await this.#last
  }

  has(domain: string): boolean {
    return this.#jobs.has(domain)
  }

  /** Now, and by `force` whatever comes. Rejects with a UserError that says why the old list stays. */
  refresh(domain: string, force: boolean): Promise<RefreshAnswer> {
    const job = this.#jobs.get(domain)
    if (job === undefined) throw new Error(`${domain} has no file`)
    return this.#inTurn(async () => ({ difference: await this.#read(job, force), unreadable: 0 }))
  }

  close(): void {
    this.#closed = true
    this.#jobs = new Map()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }

  async #readIfChanged(job: FileJob): Promise<void> {
    const { domain, path } = job
    // A later reload says something else.
    if (this.#jobs.get(domain) !== job) return
    const { lists, clock } = this.#parts
    const state = lists.state(domain)
    // It may have been away meanwhile.
    const isInForce = state?.stamp !== undefined && state.stamp === (await listStamp(path))
    if (isInForce) lists.confirmed(domain, clock.wall(), state.stamp)
    else await this.#read(job, false)
  }

  async #read(job: FileJob, force: boolean): Promise<Difference> {
    try {
      return await this.#taken(job, force)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      this.#failed(job, text)
      const advice = error instanceof UserError ? error.advice : 'The last good list stays in force.'
      throw new UserError(`${job.domain}: ${text}`, advice, EXIT.data)
    }
  }

  async #taken({ domain, tenant, path }: FileJob, force: boolean): Promise<Difference> {
    const staged = this.#parts.lists.stage(domain)
    let stamp: string | undefined
    try {
      const read = await readListFile(path, domain, async (entries) => {
        if (this.#closed) throw new Error('the relay ends')
        await staged.add(entries)
      })
      if (read.kind === 'unreadable') throw new Error(`${path} ${read.text}`)
      if (read.kind === 'faulty') throw faulty(path, read)
      stamp = read.stamp
    } finally {
      if (stamp === undefined && !this.#closed) await staged.discard()
    }
    return replaceList(staged, { domain, origin: { tenant, source: 'file', stamp }, from: path, force }, this.#parts)
  }

  #failed({ domain, tenant }: FileJob, text: string): void {
    if (this.#closed) return
    const { lists, clock, log } = this.#parts
    lists.failed({ domain, tenant, source: 'file' }, clock.wall(), text)
    const isThere = lists.state(domain)?.loadedAtMs !== undefined
    const meanwhile = isThere ? 'the last good list stays' : 'there is no list yet, so mail for it is deferred'
    log(`alarm: recipients of ${domain} not read, ${meanwhile}: ${text}`)
  }
}

function faulty(path: string, { faults, more }: Faulty): UserError {
  const [first] = faults
  const others = faults.length > 1 ? ` (and ${faults.length - 1}${more ? ' or more' : ''} further faults)` : ''
  const text = `${path}:${first?.line}:${first?.column}: ${first?.text}${others}`
  return new UserError(text, 'Correct the file; see all faults with: vorposten check-config.', EXIT.data)
}

type Faulty = Extract<Awaited<ReturnType<typeof readListFile>>, { kind: 'faulty' }>
