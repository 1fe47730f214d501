/**
 * The clerk of the spam filter's memory: writes what workers learn of senders, correspondents and texts, tells each worker of
 * the others' messages, and shows operators what is remembered of a sender. What is of a tenant that is no more is erased.
 */

import { isIP } from 'node:net'
import { z } from 'zod'
import { EXIT, UserError } from '#cli/exit.ts'
import type { AskWorkers, Clerk } from '#cli/serve/desk.ts'
import { mailboxKey, parseMailbox } from '#mail/address.ts'
import { parseDomainName } from '#mail/domain.ts'
import { registrant } from '#mail/registrable-domain.ts'
import type { Snapshot } from '#report/metrics.ts'
import { domainOf, networkOf, type Sender } from '#scan/spam/memory/facts.ts'
import type { Judged, Sighting } from '#scan/spam/memory/near-duplicates.ts'
import {
  forgottenMs,
  learned,
  leftOf,
  type OnRecord,
  reputationSigns,
  sharedOf,
  standingOf,
  sumOf,
} from '#scan/spam/memory/reputation.ts'
import type { SenderEvidence, Written } from '#scan/spam/memory/spam-memory.ts'
import type { Database } from '#store/database.ts'
import type { GroupCommit } from '#store/group-commit.ts'
import { openNames, type RememberedNames } from '#store/remembered-names.ts'
import { CORRESPONDENTS_KEPT_MS, CorrespondentStore, WRITTEN_KEPT_MS } from '#store/spam-correspondents.ts'
import { EVERYBODY, type SenderCounts, SpamSenderStore } from '#store/spam-senders.ts'
import { SpamTextStore } from '#store/spam-texts.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import { asked, notUnderstood } from './asked.ts'

const PRUNE_MS = 3_600_000
/** Workers are told in passing; one that does not answer hears the next time. */
const TELL_MS_MAX = 5_000

const tenant = z.string().min(1).max(64)
const requests = { reputation: z.strictObject({ subject: z.string().min(1).max(400), tenant: tenant.optional() }) }

/** What workers ask. */
export interface SpamMemoryQuestions {
  'spam-memory/evidence': { body: readonly SenderEvidence[] }
  'spam-memory/written': { body: readonly Written[] }
  /** `worker`: whose. */
  'spam-memory/seen': { body: { readonly worker: number; readonly sightings: readonly Sighting[] } }
  'spam-memory/judged': { body: Judged }
}

/** What workers are told. `worker`: who knows it already. */
export interface SpamMemoryNews {
  readonly worker?: number
  readonly sightings?: readonly Sighting[]
  readonly judged?: readonly Judged[]
}

/** One line of what is known. */
export interface ReputationRow {
  readonly sender: Sender
  /** Absent: of all tenants. */
  readonly tenant?: string
  /** As they count now. */
  readonly counts: Pick<SenderCounts, 'good' | 'bad' | 'sureGood' | 'sureBad' | 'sinceMs'>
}
export interface ReputationAnswer {
  readonly rows: readonly ReputationRow[]
  /** What the filter would say, if the sender is authenticated. */
  readonly signs: readonly { readonly symbol: string; readonly strength?: number }[]
  /** On how many days the tenant wrote to it; absent: no tenant was named, or it is a network. */
  readonly daysWritten?: number
}

export interface SpamMemoryClerkParts {
  readonly database: Database
  readonly commits: GroupCommit
  /** Never goes back. */
  readonly wallMs: () => number
  readonly clock: Clock
  readonly tenantExists: (name: string) => boolean
}

export class SpamMemoryClerk<Settings = unknown> implements Clerk<Settings> {
  readonly subject = 'spam-memory'
  readonly #parts: SpamMemoryClerkParts
  readonly #names: RememberedNames
  readonly #senders: SpamSenderStore
  readonly #correspondents: CorrespondentStore
  readonly #texts: SpamTextStore
  #workers: AskWorkers = async () => []
  #cancel: Cancel = () => {}
  #ended = false

  constructor(parts: SpamMemoryClerkParts) {
    const { database } = parts
    this.#parts = parts
    this.#names = openNames(database)
    this.#senders = new SpamSenderStore(database)
    this.#correspondents = new CorrespondentStore(database)
    this.#texts = new SpamTextStore(database)
  }

  started(workers: AskWorkers): void {
    this.#workers = workers
    void this.#prune()
  }

  async reload(): Promise<void> {
    this.#cancel()
    await this.#prune()
  }

  async close(): Promise<void> {
    this.#ended = true
    this.#cancel()
    this.#parts.commits.flush()
  }

  async answer(what: string, body: unknown): Promise<unknown> {
    switch (`spam-memory/${what}` as keyof SpamMemoryQuestions) {
      case 'spam-memory/evidence': {
        const all = body as SpamMemoryQuestions['spam-memory/evidence']['body']
        return this.#write((nowMs) => {
          for (const one of all) this.#learn(one, nowMs)
        })
      }
      case 'spam-memory/written': {
        const all = body as SpamMemoryQuestions['spam-memory/written']['body']
        return this.#write((nowMs) => {
          for (const one of all) this.#wrote(one, nowMs)
        })
      }
      case 'spam-memory/seen':
        return this.#tell(body as SpamMemoryQuestions['spam-memory/seen']['body'])
      case 'spam-memory/judged': {
        const judged = body as SpamMemoryQuestions['spam-memory/judged']['body']
        const [high, low] = judged.fingerprint
        await this.#write((atMs) => this.#texts.put({ ...judged, high, low, atMs }))
        return this.#tell({ judged: [judged] })
      }
      default:
        throw new Error(`no question about the spam memory: ${what}`)
    }
  }

  async command(what: string, body: unknown): Promise<unknown> {
    if (what !== 'reputation') throw notUnderstood(what)
    const { subject, tenant: name } = asked(requests.reputation, body)
    if (name !== undefined && !this.#parts.tenantExists(name))
      throw new UserError(`${name} is not a tenant of this relay`, 'See: vorposten check-config.', EXIT.config)
    return this.#reputation(sendersNamed(subject), name)
  }

  metrics(): Snapshot {
    const gauge = (kind: string, store: SpamSenderStore | CorrespondentStore) =>
      [`vorposten_spam_memory_rows{kind="${kind}"}`, store.rows.total] as const
    return {
      vorposten_spam_memory_rows: {
        kind: 'gauge',
        help: 'Senders and correspondents that the spam filter remembers',
        samples: Object.fromEntries([gauge('senders', this.#senders), gauge('correspondents', this.#correspondents)]),
      },
    }
  }

  // A tenant's word about one sender reaches all others in part only.
  #learn({ tenant: name, sender, evidence }: SenderEvidence, nowMs: number): void {
    if (name === undefined) this.#put(EVERYBODY, sender, (before) => learned(before, evidence, nowMs))
    else {
      let shared = evidence
      this.#put(name, sender, (before) => {
        shared = sharedOf(before, evidence, nowMs)
        return learned(before, evidence, nowMs, shared)
      })
      if (sumOf(shared) > 0) this.#put(EVERYBODY, sender, (before) => learned(before, shared, nowMs))
    }
  }

  #put(scope: string, sender: Sender, change: (before: SenderCounts | undefined) => SenderCounts): void {
    const key = this.#names.digest(scope, sender.kind, sender.name)
    const counts = change(this.#senders.find(scope, key))
    this.#senders.put(scope, key, counts, forgottenMs(counts))
  }

  #wrote({ tenant: name, addresses, messageId }: Written, nowMs: number): void {
    const remember = (kind: string, text: string, keptMs: number) =>
      this.#correspondents.remember(name, this.#names.digest(name, kind, text), nowMs, keptMs)
    for (const address of addresses) remember('to-address', address, CORRESPONDENTS_KEPT_MS)
    for (const domain of new Set(addresses.map((address) => registrant(domainOf(address)))))
      remember('to-domain', domain, CORRESPONDENTS_KEPT_MS)
    if (messageId !== undefined) remember('message', messageId, WRITTEN_KEPT_MS)
  }

  async #write(work: (nowMs: number) => void): Promise<void> {
    const { commits, wallMs } = this.#parts
    try {
      await commits.run(() => work(wallMs()))
    } catch (error) {
      this.#senders.rows.recount()
      this.#correspondents.rows.recount()
      throw error
    }
  }

  async #tell(news: SpamMemoryNews): Promise<void> {
    await this.#workers('spam-memory/news', news, TELL_MS_MAX)
  }

  #reputation(senders: readonly Sender[], name: string | undefined): ReputationAnswer {
    const nowMs = this.#parts.wallMs()
    const find = (scope: string, { kind, name: of }: Sender) =>
      this.#senders.find(scope, this.#names.digest(scope, kind, of))
    const records = senders.map(
      (sender): OnRecord => ({
        sender,
        own: name === undefined ? undefined : find(name, sender),
        everybody: find(EVERYBODY, sender),
      }),
    )
    const rows = records.flatMap(({ sender, own, everybody }): ReputationRow[] => [
      ...(own && name !== undefined ? [{ sender, tenant: name, counts: { ...own, ...leftOf(own, nowMs) } }] : []),
      ...(everybody ? [{ sender, counts: { ...everybody, ...leftOf(everybody, nowMs) } }] : []),
    ])
    const last = senders.at(-1)!
    const days =
      name === undefined || last.kind === 'network'
        ? {}
        : {
            daysWritten: this.#correspondents.days(name, this.#names.digest(name, `to-${last.kind}`, last.name), nowMs),
          }
    return { rows, signs: reputationSigns(standingOf(records, nowMs)), ...days }
  }

  // A disk that fails is told by the spool; the next turn tries again.
  async #prune(): Promise<void> {
    const { clock, tenantExists } = this.#parts
    let more = false
    await this.#write((nowMs) => {
      this.#texts.prune(nowMs)
      this.#texts.erase(tenantExists)
      for (const { rows } of [this.#senders, this.#correspondents])
        more = [more, rows.prune(nowMs), rows.erase(tenantExists)].some(Boolean)
    }).catch(() => {})
    if (!this.#ended) this.#cancel = clock.after(more ? 0 : PRUNE_MS, () => void this.#prune())
  }
}

/** Whom an operator means: an address with its domain, a domain, or the network of a client. */
function sendersNamed(subject: string): Sender[] {
  const address = subject.split('/')[0]!
  if (isIP(address) !== 0) return [{ kind: 'network', name: networkOf(address) }]
  if (!subject.includes('@')) {
    const domain = parseDomainName(subject)
    if (domain !== undefined) return [{ kind: 'domain', name: registrant(domain) }]
  } else {
    const mailbox = parseMailbox(subject)
    if (mailbox.ok) {
      const name = mailboxKey(mailbox.value)
      return [
        { kind: 'domain', name: registrant(domainOf(name)) },
        { kind: 'address', name },
      ]
    }
  }
  const advice = 'Write anna@shop.example, shop.example, 192.0.2.7 or 2001:db8::7.'
  throw new UserError(`${JSON.stringify(subject)} is no address, domain or network`, advice, EXIT.data)
}
