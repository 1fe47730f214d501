/**
 * The clerks of what leaves: they count automatic replies and keep the record of mail for all workers. All that is asked
 * at the same time is synced together, and answered after that.
 */
import type { Clerk } from '#cli/serve/desk.ts'
import type { Database } from '#store/database.ts'
import { GroupCommit } from '#store/group-commit.ts'
import { type FactKind, MessageRecordsStore } from '#store/message-records.ts'
import { ReplyLimitsStore } from '#store/reply-limits.ts'
import { type Cancel, type Clock, systemClock } from '#sys/clock.ts'

/** What a worker asks: `subject/what`, with its body and answer. */
export interface OutboundQuestions {
  'limits/take': {
    body: { tenant: string; counters: readonly string[]; limit: number; windowMs: number }
    answer: readonly boolean[]
  }
  'records/remember': { body: { tenant: string; kind: FactKind; facts: readonly string[] }; answer: undefined }
  'records/known': {
    body: { tenant: string; kind: FactKind; facts: readonly string[] }
    answer: readonly (boolean | undefined)[]
  }
}

/** What has ended is forgotten so often. */
export const PRUNE_MS = 60_000

interface Kept {
  prune(nowMs: number): boolean
  recount(): void
}

/** `wallMs`: a wall clock that never goes back, across restarts too. */
export function outboundClerks<Settings>(
  database: Database,
  wallMs: () => number,
  clock: Clock = systemClock,
): Clerk<Settings>[] {
  const commits = new GroupCommit(database)
  const limits = new ReplyLimitsStore(database)
  const records = new MessageRecordsStore(database)
  const limitsPruning = new Pruning(limits, commits, wallMs, clock)
  const recordsPruning = new Pruning(records, commits, wallMs, clock)
  return [
    {
      subject: 'limits',
      async answer(what, body) {
        if (what !== 'take') throw new Error(`unknown question limits/${what}`)
        const { tenant, counters, limit, windowMs } = body as OutboundQuestions['limits/take']['body']
        const nowMs = wallMs()
        return undone(
          limits,
          commits.run(() => counters.map((one) => limits.take(tenant, one, limit, windowMs, nowMs))),
        )
      },
      started: () => limitsPruning.start(),
      async close() {
        limitsPruning.end()
        commits.flush()
      },
    },
    {
      subject: 'records',
      async answer(what, body) {
        const { tenant, kind, facts } = body as OutboundQuestions['records/known']['body']
        const nowMs = wallMs()
        if (what === 'remember')
          return undone(
            records,
            commits.run(() => records.remember(tenant, kind, facts, nowMs)),
          )
        if (what === 'known') return records.known(tenant, kind, facts, nowMs)
        throw new Error(`unknown question records/${what}`)
      },
      started: () => recordsPruning.start(),
      async close() {
        recordsPruning.end()
        commits.flush()
      },
    },
  ]
}

// The counts in memory have run ahead of a transaction that failed.
async function undone<T>(kept: Kept, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    kept.recount()
    throw error
  }
}

class Pruning {
  readonly #kept: Kept
  readonly #commits: GroupCommit
  readonly #wallMs: () => number
  readonly #clock: Clock
  #cancel: Cancel = () => {}
  #ended = false

  constructor(kept: Kept, commits: GroupCommit, wallMs: () => number, clock: Clock) {
    this.#kept = kept
    this.#commits = commits
    this.#wallMs = wallMs
    this.#clock = clock
  }

  start(): void {
    void this.#prune()
  }

  end(): void {
    this.#ended = true
    this.#cancel()
  }

  async #prune(): Promise<void> {
    // A disk that fails is told by those who need an answer; what has ended can wait.
    const more = await undone(
      this.#kept,
      this.#commits.run(() => this.#kept.prune(this.#wallMs())),
    ).catch(() => false)
    if (!this.#ended) this.#cancel = this.#clock.after(more ? 0 : PRUNE_MS, () => void this.#prune())
  }
}
