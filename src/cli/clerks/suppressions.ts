/** The clerk of suppressions: writes down which addresses a tenant sends nothing to, for workers and for operators. */
import { z } from 'zod'
import { EXIT, UserError } from '#cli/exit.ts'
import type { Clerk } from '#cli/serve/desk.ts'
import { mailboxKey, parseMailbox } from '#mail/address.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { Database } from '#store/database.ts'
import type { GroupCommit } from '#store/group-commit.ts'
import { type Said, type Suppression, type SuppressionReason, SuppressionStore } from '#store/suppressions.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { HardBounce } from '../../relay/hard-bounces.ts'
import { asked, notUnderstood } from './asked.ts'

/** In one answer of a list. */
export const LIST_ROWS_MAX = 1_000
const PRUNE_MS = 3_600_000
const DAY_MS = 86_400_000

const tenant = z.string().min(1).max(64)
const address = z.string().max(400)
const requests = {
  list: z.strictObject({ tenant: tenant.optional(), after: z.tuple([z.string().max(64), address]) }),
  add: z.strictObject({
    tenant,
    address,
    reason: z.string().max(200),
    days: z.number().int().positive().max(3650).optional(),
  }),
  remove: z.strictObject({ tenant, address }),
}

export interface SuppressionQuestions {
  'suppressions/bounced': { body: readonly HardBounce[] }
}

export interface SuppressionsClerkParts {
  readonly database: Database
  readonly commits: GroupCommit
  /** Never goes back. */
  readonly wallMs: () => number
  readonly clock: Clock
  readonly tenantExists: (name: string) => boolean
  readonly log: (line: string) => void
}

export class SuppressionsClerk<Settings = unknown> implements Clerk<Settings> {
  readonly subject = 'suppressions'
  readonly #parts: SuppressionsClerkParts
  readonly #store: SuppressionStore
  readonly #counts: Record<SuppressionReason, number> = { bounced: 0, complained: 0, operator: 0 }
  #cancel: Cancel = () => {}

  constructor(parts: SuppressionsClerkParts) {
    this.#parts = parts
    this.#store = new SuppressionStore(parts.database)
  }

  started(): void {
    const prune = () => {
      // A disk that fails is told by the spool; the next turn tries again.
      void this.#parts.commits.run(() => this.#store.prune(this.#parts.wallMs())).catch(() => {})
      this.#cancel = this.#parts.clock.after(PRUNE_MS, prune)
    }
    prune()
  }

  async close(): Promise<void> {
    this.#cancel()
    this.#parts.commits.flush()
  }

  async answer(what: string, body: unknown): Promise<unknown> {
    if (what !== 'bounced') throw new Error(`no question about suppressions: ${what}`)
    const { commits } = this.#parts
    const bounces = body as SuppressionQuestions['suppressions/bounced']['body']
    await commits.run(() => {
      for (const bounce of bounces) this.put('bounced', { ...bounce, source: 'session' })
    })
    return undefined
  }

  /** Within a transaction. False: it stands there already. */
  put(reason: 'bounced' | 'complained', said: Said): boolean {
    const isNew = this.#store[reason](said, this.#parts.wallMs())
    if (isNew) this.#counts[reason]++
    return isNew
  }

  async command(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'list': {
        const { tenant: of, after } = asked(requests.list, body)
        return this.#store.page(of, after, LIST_ROWS_MAX, this.#parts.wallMs())
      }
      case 'add':
        return this.#add(asked(requests.add, body))
      case 'remove':
        return this.#remove(asked(requests.remove, body))
      default:
        throw notUnderstood(what)
    }
  }

  metrics(): Snapshot {
    const name = 'vorposten_suppressions_total'
    const samples = Object.fromEntries(
      Object.entries(this.#counts).map(([reason, count]) => [`${name}{reason="${reason}"}`, count]),
    )
    return {
      vorposten_suppressions_total: {
        kind: 'counter',
        help: 'Addresses that a tenant sends nothing to any more, by why',
        samples,
      },
    }
  }

  async #add({ tenant: name, address: typed, reason, days }: z.output<typeof requests.add>): Promise<Suppression> {
    const { commits, wallMs, tenantExists, log } = this.#parts
    if (!tenantExists(name)) {
      const advice = 'See the tenants with: vorposten check-config.'
      throw new UserError(`${name} is not a tenant of this relay`, advice, EXIT.config)
    }
    const key = keyOf(typed)
    const sinceMs = wallMs()
    const end = days === undefined ? {} : { untilMs: sinceMs + days * DAY_MS }
    const text = reason.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
    await commits.run(() => this.#store.add({ tenant: name, address: key, reason: 'operator', text, sinceMs, ...end }))
    this.#counts.operator++
    log(`suppression of ${key} by ${name}: added`)
    return this.#store.find(name, key, sinceMs)!
  }

  async #remove({
    tenant: name,
    address: typed,
  }: z.output<typeof requests.remove>): Promise<{ readonly address: string }> {
    const key = keyOf(typed)
    if (!(await this.#parts.commits.run(() => this.#store.remove(name, key)))) {
      const advice = `See them with: vorposten suppressions list --tenant ${name}.`
      throw new UserError(`${name} does not suppress ${key}`, advice, EXIT.unavailable)
    }
    this.#parts.log(`suppression of ${key} by ${name}: removed`)
    return { address: key }
  }
}

function keyOf(typed: string): string {
  const parsed = parseMailbox(typed)
  if (parsed.ok) return mailboxKey(parsed.value)
  throw new UserError(`${JSON.stringify(typed)} is no address`, 'Write bob@elsewhere.example.', EXIT.data)
}
