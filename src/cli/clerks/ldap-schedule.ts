/**
 * Fetches lists from their directories, each at its interval. Whatever a directory does, the last good list stays in
 * force: when it cannot be asked, when it breaks off, when it suddenly knows nobody or a fifth less than before. The age
 * and the reason are kept beside the list; a failed fetch is tried again soon, then ever later, up to the interval.
 *
 * Limits: `FETCHES_MAX` at a time. Nothing rejects but `refresh`, whose UserErrors are the operator's.
 */
import { setImmediate as pause } from 'node:timers/promises'
import { EXIT, UserError } from '#cli/exit.ts'
import type { LdapSource } from '#config/config.ts'
import { readSecret, type Secret } from '#config/secret.ts'
import type { LdapPage } from '#recipients/ldap-directory.ts'
import type { Difference } from '#store/recipient-lists.ts'
import type { Cancel } from '#sys/clock.ts'
import { type ReplacementParts, replaceList } from './list-replacement.ts'

/** The supervisor has other work, and a directory of many domains should not get them all at once. */
const FETCHES_MAX = 2
/** Doubled after each further failure. */
const RETRY_FIRST_MS = 30_000
/** After so many failures in a row a person should look. */
export const FAILURES_ALARMING = 3
/** … and is told again after so many. */
const FAILURES_AGAIN = 50

export interface LdapJob {
  readonly domain: string
  readonly tenant: string
  readonly ldap: LdapSource
}

export interface RefreshAnswer {
  readonly difference: Difference
  /** Values that are no addresses: how many, and the first. */
  readonly unreadable: number
  readonly firstUnreadable?: string
}

export interface LdapScheduleParts extends ReplacementParts {
  readonly fetch: (source: LdapSource, password: Secret | undefined, domain: string) => AsyncIterable<LdapPage>
  readonly readText: (path: string) => Promise<string>
  /** One line for the operator. */
  readonly log: (line: string) => void
}

interface Scheduled {
  readonly job: LdapJob
  cancel: Cancel
  nextMs: number
}

export class LdapSchedule {
  readonly #parts: LdapScheduleParts
  readonly #scheduled = new Map<string, Scheduled>()
  /** One fetch of a domain at a time. */
  readonly #busy = new Set<string>()
  readonly #waiting: (() => void)[] = []
  #fetching = 0
  #closed = false

  constructor(parts: LdapScheduleParts) {
    this.#parts = parts
  }

  /** From now on these; a job that has not changed keeps its time, one that has is done now. */
  replace(jobs: readonly LdapJob[]): void {
    const next = new Map(jobs.map((job) => [job.domain, job]))
    const before = new Set(this.#scheduled.keys())
    for (const [domain, { job, cancel }] of this.#scheduled) {
      if (JSON.stringify(next.get(domain)) === JSON.stringify(job)) next.delete(domain)
      else {
        cancel()
        this.#scheduled.delete(domain)
      }
    }
    for (const job of next.values()) this.#plan(job, before.has(job.domain) ? 0 : this.#dueInMs(job))
  }

  has(domain: string): boolean {
    return this.#scheduled.has(domain)
  }

  /** Until the next fetch begins by itself. */
  nextInMs(domain: string): number | undefined {
    const at = this.#scheduled.get(domain)?.nextMs
    return at === undefined ? undefined : Math.max(0, at - this.#parts.clock.monotonic())
  }

  /** Now, and by `force` whatever comes. Rejects with a UserError that says why the old list stays. */
  async refresh(domain: string, force: boolean): Promise<RefreshAnswer> {
    const scheduled = this.#scheduled.get(domain)
    if (scheduled === undefined) {
      const advice = 'Only a list with recipients: {ldap: …} or {file: …} is read again; others are imported.'
      throw new UserError(`${domain} has neither a directory nor a file`, advice, EXIT.config)
    }
    if (this.#busy.has(domain)) {
      throw new UserError(`${domain} is being fetched just now`, 'See: vorposten recipients status.', EXIT.unavailable)
    }
    return this.#run(scheduled.job, force)
  }

  close(): void {
    this.#closed = true
    for (const { cancel } of this.#scheduled.values()) cancel()
    this.#scheduled.clear()
  }

  #plan(job: LdapJob, delayMs: number): void {
    if (this.#closed) return
    this.#scheduled.get(job.domain)?.cancel()
    const { clock } = this.#parts
    const cancel = clock.after(delayMs, () => void this.#run(job, false).catch(() => {}))
    this.#scheduled.set(job.domain, { job, cancel, nextMs: clock.monotonic() + delayMs })
  }

  #dueInMs({ domain, ldap }: LdapJob): number {
    const state = this.#parts.lists.state(domain)
    if (state?.loadedAtMs === undefined || state.source !== 'ldap' || state.failures > 0) return 0
    return Math.min(Math.max(0, state.loadedAtMs + ldap.intervalMs - this.#parts.clock.wall()), ldap.intervalMs)
  }

  async #run(job: LdapJob, force: boolean): Promise<RefreshAnswer> {
    const { domain } = job
    if (this.#busy.has(domain)) throw new UserError(`${domain} is being fetched`, 'Try again.', EXIT.unavailable)
    this.#busy.add(domain)
    try {
      await this.#turn()
      const answer = await this.#fetch(job, force)
      this.#again(job, job.ldap.intervalMs)
      return answer
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      this.#failed(job, text)
      const advice = error instanceof UserError ? error.advice : 'The last good list stays in force.'
      throw new UserError(`${domain}: ${text}`, advice, EXIT.unavailable)
    } finally {
      this.#fetching--
      this.#waiting.shift()?.()
      this.#busy.delete(domain)
    }
  }

  async #turn(): Promise<void> {
    this.#fetching++
    if (this.#fetching > FETCHES_MAX) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async #fetch(job: LdapJob, force: boolean): Promise<RefreshAnswer> {
    const { lists, fetch } = this.#parts
    const { domain, tenant, ldap } = job
    const password = await this.#password(ldap)
    const staged = lists.stage(domain)
    let whole = false
    let unreadable = 0
    let firstUnreadable: string | undefined
    try {
      for await (const page of fetch(ldap, password, domain)) {
        if (this.#closed) throw new Error('the relay ends')
        await staged.add(page.keys.map((key) => ({ key })))
        unreadable += page.unreadable.length
        firstUnreadable ??= page.unreadable[0]
        await pause()
      }
      whole = true
    } finally {
      if (!whole && !this.#closed) await staged.discard()
    }
    const replacement = { domain, origin: { tenant, source: 'ldap' }, from: 'the directory', force } as const
    const difference = await replaceList(staged, replacement, this.#parts)
    return { difference, unreadable, ...(firstUnreadable === undefined ? {} : { firstUnreadable }) }
  }

  async #password({ password }: LdapSource): Promise<Secret | undefined> {
    if (password === undefined) return undefined
    const { readText } = this.#parts
    const read = await readSecret({ ...password }, 'password', { environment: process.env, readText })
    if (read.ok) return read.secret
    throw new Error(read.fault)
  }

  #failed(job: LdapJob, text: string): void {
    if (this.#closed) return
    const { lists, clock, log } = this.#parts
    lists.failed({ domain: job.domain, tenant: job.tenant, source: 'ldap' }, clock.wall(), text)
    const { failures = 1 } = lists.state(job.domain) ?? {}
    this.#again(job, Math.min(job.ldap.intervalMs, RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 20)))
    const alarming = failures === FAILURES_ALARMING || failures % FAILURES_AGAIN === 0
    if (alarming) log(`alarm: recipients of ${job.domain} could not be fetched ${failures} times in a row: ${text}`)
    else if (failures < FAILURES_ALARMING) log(`recipients of ${job.domain} not fetched, the last list stays: ${text}`)
  }

  // A reload may have taken it away, or brought another.
  #again(job: LdapJob, delayMs: number): void {
    if (this.#scheduled.get(job.domain)?.job === job) this.#plan(job, delayMs)
  }
}
