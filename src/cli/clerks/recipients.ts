/**
 * The desk's clerk for the knowledge of recipients: gives workers leave to ask customers' servers, writes down what they
 * learn, and does what operators want: show, flush, probe. Its thoughts are in `recipients/`; this is how they are asked.
 */
import { z } from 'zod'
import { lookUp, type Shown, subjectOf } from '#cli/recipients-show.ts'
import type { AskWorkers, Clerk } from '#cli/serve/desk.ts'
import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { mailboxKey } from '#mail/address.ts'
import type { ListReader, RecipientAnswer } from '#recipients/knowledge.ts'
import { type LeaseAnswer, type LeaseRequest, Leases } from '#recipients/leases.ts'
import { domainStanding, standing } from '#recipients/lesson.ts'
import { LessonBook } from '#recipients/lesson-book.ts'
import { KNOWLEDGE_LIMITS } from '#recipients/limits.ts'
import { type Concern, concerns } from '#recipients/memory.ts'
import type { DeskQuestions, Greeting } from '#recipients/shared-memory.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { Database } from '#store/database.ts'
import { type FactState, RecipientFactsWriter } from '#store/recipient-facts.ts'
import type { SteadyWall } from '#store/steady-wall.ts'
import type { Clock } from '#sys/clock.ts'
import type { Directory } from '#tenant/directory.ts'

export interface RecipientsClerkParts {
  readonly store: Database
  readonly wall: SteadyWall
  readonly clock: Clock
  readonly config: Config
  readonly lists?: ListReader
  readonly log: (line: string) => void
}

/** To the workers, when something has changed. */
export interface ChangedNotice extends Greeting {
  readonly concern: Concern
  /** Everything about it is forgotten, not the refusals alone. */
  readonly all: boolean
}

/** A worker asks a server for an operator: its patience, and the way there and back. */
const PROBE_MS_MAX = KNOWLEDGE_LIMITS.leaseMsMax + 5_000

const COUNT_MS = 60_000

/** To the workers: ask the server of this address, whatever is known. */
export interface ProbeQuestion {
  readonly address: string
  /** Of the steady clock: what was learned before does not count. */
  readonly sinceMs: number
}

const named = z.strictObject({ subject: z.string().min(1).max(400) })
const flushed = z.strictObject({ subject: z.string().min(1).max(400).optional() })

export class RecipientsClerk implements Clerk<Config> {
  readonly subject = 'recipients'
  readonly #parts: RecipientsClerkParts
  readonly #facts: RecipientFactsWriter
  readonly #book: LessonBook
  readonly #leases: Leases
  #directory: Directory
  #workers: AskWorkers = async () => []
  #epoch = 0
  #waits = 0
  #counted: Record<FactState, number> = { known: 0, unknown: 0 }
  #countedMs = Number.NEGATIVE_INFINITY

  constructor(parts: RecipientsClerkParts) {
    const { store, wall, clock, config, log } = parts
    this.#parts = parts
    this.#directory = directoryFrom(config)
    this.#facts = new RecipientFactsWriter(store)
    this.#leases = new Leases(clock, KNOWLEDGE_LIMITS)
    this.#book = new LessonBook({ facts: this.#facts, wall, clock, limits: KNOWLEDGE_LIMITS, fault: log })
  }

  started(workers: AskWorkers): void {
    this.#workers = workers
    this.#book.prune()
  }

  async answer(what: string, body: unknown, worker: number): Promise<unknown> {
    switch (`recipients/${what}` as keyof DeskQuestions) {
      case 'recipients/hello':
        return this.#greeting()
      case 'recipients/lease':
        return this.#lease(worker, body as LeaseRequest)
      case 'recipients/wait':
        this.#waits++
        return this.#leases.wait((body as DeskQuestions['recipients/wait']['body']).lease)
      case 'recipients/told': {
        const { lease, result } = body as DeskQuestions['recipients/told']['body']
        // Something may have changed since it was asked; what is good is good.
        const counts = this.#leases.holds(lease) || result.answer.kind === 'known'
        // Whoever asks after the lease has ended finds it in the store.
        if (counts) await this.#book.add([{ kind: 'callout', result }])
        this.#leases.told(lease, result.answer)
        return undefined
      }
      case 'recipients/learn': {
        const { lessons, epoch } = body as DeskQuestions['recipients/learn']['body']
        const fresh = lessons.filter(({ state }) => state === 'known' || epoch === this.#epoch)
        await this.#book.add(fresh.map((lesson) => ({ kind: 'lesson', lesson })))
        return undefined
      }
      case 'recipients/reached':
        return this.#leases.reached((body as DeskQuestions['recipients/reached']['body']).target)
    }
  }

  async command(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'show':
        return this.#show(named.parse(body).subject)
      case 'flush':
        return this.#flush(flushed.parse(body).subject)
      case 'probe':
        return this.#probe(named.parse(body).subject)
    }
    throw new Error(`recipients/${what} is not known`)
  }

  ended(worker: number): void {
    this.#leases.gone(worker)
  }

  reload(config: Config): Promise<void> {
    this.#directory = directoryFrom(config)
    return this.directoryChanged()
  }

  /** Who exists may have changed: no refusal that was learned before holds any longer, in any worker. */
  async directoryChanged(domain?: string): Promise<void> {
    this.#change(() => this.#facts.forgetUnknown(domain))
    await this.#tell(domain === undefined ? { kind: 'all' } : { kind: 'domain', domain }, false)
  }

  metrics(): Snapshot {
    const { known, unknown } = this.#counts()
    return {
      vorposten_recipient_facts: {
        kind: 'gauge',
        help: 'Recipients that something was learned about',
        samples: {
          'vorposten_recipient_facts{state="known"}': known,
          'vorposten_recipient_facts{state="unknown"}': unknown,
        },
      },
      vorposten_callout_leases: {
        kind: 'gauge',
        help: 'Callouts under way, in all workers',
        samples: { vorposten_callout_leases: this.#leases.open },
      },
      vorposten_callout_lease_waits_total: {
        kind: 'counter',
        help: 'Questions that waited for the callout of another worker',
        samples: { vorposten_callout_lease_waits_total: this.#waits },
      },
    }
  }

  async close(): Promise<void> {
    this.#book.close()
  }

  #greeting(): Greeting {
    return { epoch: this.#epoch, nowMs: this.#parts.wall.now() }
  }

  #lease(worker: number, request: LeaseRequest): LeaseAnswer {
    // Another worker may have learned it while this one's question was on its way.
    return this.#knows(request) ? { kind: 'look' } : this.#leases.ask(worker, request)
  }

  #knows({ about, route, sinceMs }: LeaseRequest): boolean {
    const nowMs = this.#parts.wall.now()
    if (!about.includes('@')) {
      const domain = domainStanding(
        this.#facts.domain(about.slice(about.indexOf(' ') + 1)),
        route,
        nowMs,
        KNOWLEDGE_LIMITS,
      )
      return domain !== undefined && !domain.stale
    }
    const fact = this.#facts.get(about)
    if (fact === undefined) return false
    if (sinceMs !== undefined) return fact.atMs >= Math.floor(sinceMs)
    const now = standing(fact, route, nowMs, KNOWLEDGE_LIMITS)
    return now !== undefined && !now.stale
  }

  #show(subject: string): Shown {
    const { wall, lists } = this.#parts
    this.#book.flush()
    return lookUp(subjectOf(subject), {
      directory: this.#directory,
      facts: this.#facts,
      nowMs: wall.now(),
      trouble: (target) => this.#leases.trouble(target),
      ...(lists && { lists }),
    })
  }

  async #flush(text: string | undefined): Promise<{ readonly forgotten: number }> {
    const subject = text === undefined ? undefined : subjectOf(text)
    const concern: Concern =
      subject === undefined
        ? { kind: 'all' }
        : subject.kind === 'domain'
          ? { kind: 'domain', domain: subject.domain }
          : { kind: 'key', key: mailboxKey(subject.mailbox) }
    const forgotten = this.#change(() => {
      if (concern.kind === 'all') return this.#facts.forgetAll()
      return concern.kind === 'domain' ? this.#facts.forgetDomain(concern.domain) : this.#facts.forget(concern.key)
    }, concern)
    await this.#tell(concern, true)
    return { forgotten }
  }

  // Written first what was learned before, so that it does not come afterwards.
  #change(forget: () => number, concern: Concern = { kind: 'all' }): number {
    this.#book.flush()
    this.#epoch++
    const forgotten = forget()
    this.#leases.takeBack((question) => concerns(concern, question))
    return forgotten
  }

  async #tell(concern: Concern, all: boolean): Promise<void> {
    const notice: ChangedNotice = { ...this.#greeting(), concern, all }
    await this.#workers('recipients/changed', notice)
  }

  // Every worker is asked, one of them asks the server, the others hear of it.
  async #probe(text: string): Promise<RecipientAnswer> {
    const body: ProbeQuestion = { address: text, sinceMs: this.#parts.wall.now() }
    const answers = (await this.#workers('recipients/probe', body, PROBE_MS_MAX)) as RecipientAnswer[]
    const unreachable: RecipientAnswer = { kind: 'unreachable', text: 'no worker answered' }
    return answers.find(({ kind }) => kind !== 'unreachable') ?? answers[0] ?? unreachable
  }

  // Reads an index from end to end, so not with every scrape.
  #counts(): Record<FactState, number> {
    const nowMs = this.#parts.clock.monotonic()
    if (nowMs - this.#countedMs < COUNT_MS) return this.#counted
    this.#countedMs = nowMs
    try {
      this.#counted = this.#facts.counts()
    } catch {
      // The disk's trouble is told where something is written.
    }
    return this.#counted
  }
}
