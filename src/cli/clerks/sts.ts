/**
 * The clerk of MTA-STS: fetches the policies of recipient domains for all workers, keeps them in the store until they
 * expire, and fetches them again before that (RFC 8461 §3.3, §10.2). A policy that cannot be fetched, or is none, never
 * takes the place of a kept one.
 */
import { z } from 'zod'
import type { Clerk } from '#cli/serve/desk.ts'
import type { Config } from '#config/config.ts'
import { readFullDomain } from '#config/units.ts'
import { type Fetched, type FetchParts, fetchPolicy } from '#deliver/mta-sts/fetch-policy.ts'
import { readPolicy, readRecordId, type StsPolicy } from '#deliver/mta-sts/policy.ts'
import type { StsAnswer, StsFailure, StsQuestion } from '#deliver/mta-sts/sts-policies.ts'
import { type PublishedTls, publishedTls } from '#deliver/published-tls.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { Database } from '#store/database.ts'
import { type KeptPolicy, StsPolicyStore } from '#store/sts-policies.ts'
import { addressGuard } from '#sys/address-guard.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { EXIT, UserError } from '../exit.ts'
import { asked } from './asked.ts'

/** RFC 8461 §3.3: a policy host that failed is left alone for five minutes at least. */
export const RETRY_MS = 300_000
/** RFC 8461 §10.2 wants fresh policies; a day is what its §3.3 calls daily. */
export const REFRESH_MS = 86_400_000
/** A domain to which no mail went for so long is not asked any more. */
export const USED_MS = 30 * REFRESH_MS
/** That a policy is used is written once in this time. */
const USE_NOTED_MS = 3_600_000
export const TURN_MS = 600_000
/** Of one turn, one after the other. */
const REFRESHES_PER_TURN_MAX = 200
/** Policy hosts that failed, and fetches under way. */
const FAILURES_MAX = 10_000
const FETCHES_MAX = 100
const SMTP_PORT = 25

export interface StsClerkParts {
  readonly database: Database
  /** Never goes back. */
  readonly wallMs: () => number
  readonly clock: Clock
  readonly config: Config
  readonly dns: Dns
  readonly log: (line: string) => void
  readonly fetch?: (domain: string, parts: FetchParts) => Promise<Fetched>
}

/** What an operator sees. Moments are wall clock, ms. */
export interface StsRow {
  readonly domain: string
  readonly record: { readonly kind: 'found' | 'none' | 'unknown'; readonly id?: string; readonly text?: string }
  readonly kept?: StsPolicy & Pick<KeptPolicy, 'id' | 'fetchedMs' | 'expiresMs'>
  /** Why the last fetch failed, if it did. */
  readonly failed?: string
  /** What DANE says, which comes before the policy. */
  readonly published: PublishedTls
}

/** `id`: of the record whose policy was asked for. */
interface Failure extends StsFailure {
  readonly id: string
  /** Monotonic ms. */
  readonly untilMs: number
}

const domainAsked = z.strictObject({ domain: z.string().max(255) })

export class StsClerk implements Clerk<Config> {
  readonly subject = 'sts'
  readonly #parts: StsClerkParts
  readonly #store: StsPolicyStore
  readonly #fetches = new Map<string, Promise<Fetched>>()
  readonly #failures = new Map<string, Failure>()
  readonly #counts = { fetched: 0, failed: 0 }
  #config: Config
  #cancel: Cancel = () => {}
  #ended = false
  #changed: () => void = () => {}

  constructor(parts: StsClerkParts) {
    this.#parts = parts
    this.#config = parts.config
    this.#store = new StsPolicyStore(parts.database)
  }

  async answer(what: string, body: unknown): Promise<StsAnswer> {
    if (what !== 'policy') throw new Error(`unknown question sts/${what}`)
    const { domain, id } = body as StsQuestion
    return this.#policy(domain, id)
  }

  async command(what: string, body: unknown): Promise<StsRow> {
    const { domain: given } = asked(domainAsked, body)
    const domain = readFullDomain(given)
    if (domain === undefined) throw new UserError(`${given} is no domain`, 'Write one such as example.org.', EXIT.data)
    const record = await this.#record(domain)
    if (what === 'refresh' && (record.id !== undefined || this.#store.of(domain) !== undefined)) {
      await this.#fetch(domain, record.id ?? this.#store.of(domain)!.id)
      this.#changed()
    }
    return this.#row(domain, record, await publishedTls(domain, this.#parts.dns, this.#mxPort()))
  }

  started(workers: (about: string, body: unknown) => Promise<unknown[]>): void {
    this.#changed = () => void workers('sts/changed', undefined)
    this.#cancel = this.#parts.clock.after(TURN_MS, () => void this.#turn())
  }

  async reload(config: Config): Promise<void> {
    this.#config = config
  }

  async close(): Promise<void> {
    this.#ended = true
    this.#cancel()
  }

  metrics(): Snapshot {
    const { fetched, failed } = this.#counts
    return {
      vorposten_mta_sts_fetches_total: {
        kind: 'counter',
        help: 'MTA-STS policies asked for over HTTPS',
        samples: {
          'vorposten_mta_sts_fetches_total{result="fetched"}': fetched,
          'vorposten_mta_sts_fetches_total{result="failed"}': failed,
        },
      },
    }
  }

  async #policy(domain: string, id: string | undefined): Promise<StsAnswer> {
    const nowMs = this.#parts.wallMs()
    const row = this.#store.of(domain)
    const valid = row !== undefined && row.expiresMs > nowMs ? row : undefined
    if (valid !== undefined) this.#noteUse(domain, nowMs)
    const kept: StsAnswer | undefined = valid && { body: valid.body }
    if (id === undefined) return kept ?? {}
    // RFC 8461 §3.3: the same id, the same policy.
    if (kept !== undefined && valid?.id === id) return kept
    const failure = this.#failures.get(domain)
    if (failure?.id === id && failure.untilMs > this.#parts.clock.monotonic())
      return kept ?? { failure: { type: failure.type, text: failure.text } }
    const fetched = await this.#fetch(domain, id)
    if (fetched.kind === 'fetched') return { body: fetched.body }
    return kept ?? { failure: { type: fetched.fault, text: fetched.text } }
  }

  #noteUse(domain: string, nowMs: number): void {
    try {
      this.#store.used(domain, nowMs, nowMs - USE_NOTED_MS)
    } catch {
      // A disk that is full is told by the spool; the next use tries again.
    }
  }

  /** Once at a time for each domain. */
  #fetch(domain: string, id: string): Promise<Fetched> {
    const underWay = this.#fetches.get(domain)
    if (underWay !== undefined) return underWay
    if (this.#fetches.size >= FETCHES_MAX) {
      const text = `${FETCHES_MAX} other policies are being fetched`
      return Promise.resolve({ kind: 'failed', fault: 'sts-policy-fetch-error', text })
    }
    const work = this.#fetchOne(domain, id).finally(() => this.#fetches.delete(domain))
    this.#fetches.set(domain, work)
    return work
  }

  async #fetchOne(domain: string, id: string): Promise<Fetched> {
    const { dns, clock, wallMs, log, fetch = fetchPolicy } = this.#parts
    const { allowNetworks, mtaStsPort: port } = this.#config.destinations
    const fetched = await fetch(domain, { dns, guard: addressGuard(allowNetworks), port })
    this.#counts[fetched.kind]++
    if (fetched.kind === 'failed') {
      if (this.#failures.size >= FAILURES_MAX) this.#failures.clear()
      const untilMs = clock.monotonic() + RETRY_MS
      this.#failures.set(domain, { id, type: fetched.fault, text: fetched.text, untilMs })
      log(`warning: mta-sts: the policy of ${domain} cannot be fetched: ${fetched.text}`)
      return fetched
    }
    this.#failures.delete(domain)
    const nowMs = wallMs()
    const { body, policy } = fetched
    try {
      this.#store.put({ domain, id, body, fetchedMs: nowMs, expiresMs: nowMs + policy.maxAgeMs, usedMs: nowMs })
    } catch (error) {
      log(`warning: mta-sts: the policy of ${domain} cannot be kept: ${(error as Error).message}`)
    }
    return fetched
  }

  async #turn(): Promise<void> {
    const { wallMs, clock } = this.#parts
    try {
      const nowMs = wallMs()
      this.#store.prune(nowMs)
      const due = this.#store.due(nowMs - USED_MS, nowMs - REFRESH_MS, nowMs, REFRESHES_PER_TURN_MAX)
      for (const row of due) if (!this.#ended) await this.#refresh(row)
    } catch {
      // As above: the next turn tries again.
    }
    if (!this.#ended) this.#cancel = clock.after(TURN_MS, () => void this.#turn())
  }

  // Whose record is gone for certain wants no policy any more (RFC 8461 §8.3): it is left to expire.
  async #refresh({ domain, id }: KeptPolicy): Promise<void> {
    const failure = this.#failures.get(domain)
    if (failure !== undefined && failure.untilMs > this.#parts.clock.monotonic()) return
    const record = await this.#record(domain)
    if (record.kind !== 'none') await this.#fetch(domain, record.id ?? id)
  }

  async #record(domain: string): Promise<StsRow['record']> {
    const answer = await this.#parts.dns.lookup(`_mta-sts.${domain}`, 'TXT')
    if (answer.kind === 'unknown') return { kind: 'unknown', text: answer.text }
    const id = answer.kind === 'found' ? readRecordId(answer.records) : undefined
    return id === undefined ? { kind: 'none' } : { kind: 'found', id }
  }

  // Of the first route by MX; a relay that has several such ports is a test.
  #mxPort(): number {
    return this.#config.routes.find(({ byMx }) => byMx !== undefined)?.byMx?.port ?? SMTP_PORT
  }

  #row(domain: string, record: StsRow['record'], published: PublishedTls): StsRow {
    const row = this.#store.of(domain)
    const failure = this.#failures.get(domain)
    const read = row && readPolicy(row.body)
    return {
      ...{ domain, record, published },
      ...(row &&
        read?.kind === 'policy' && {
          kept: { ...read.policy, id: row.id, fetchedMs: row.fetchedMs, expiresMs: row.expiresMs },
        }),
      ...(failure && { failed: failure.text }),
    }
  }
}
