/**
 * The clerk of feedback: writes down what workers have learned of bounces and complaints, each once, puts addresses on the
 * suppression list, and tells the clerk of abuse what counts for a login. Limits: `LESSONS_PER_HOUR_MAX`, `SOURCES_MAX`.
 */
import type { Clerk } from '#cli/serve/desk.ts'
import type { FeedbackDecision, Lesson } from '#mail/feedback.ts'
import { BucketCount } from '#policy/abuse.ts'
import type { Database } from '#store/database.ts'
import { FeedbackStore } from '#store/feedback.ts'
import type { GroupCommit } from '#store/group-commit.ts'
import type { Said } from '#store/suppressions.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { AnsweredRecipients } from '../../relay/answered-recipients.ts'

/** Of one source: a sender of reports, or the bounces of one tenant. Some kilobytes of disk each second at the worst. */
export const LESSONS_PER_HOUR_MAX = 20_000
/** Sources are tenants and what the configuration trusts; the one that was silent for longest is forgotten. */
export const SOURCES_MAX = 10_000
const HOUR_MS = 3_600_000
const BUCKET_MS = HOUR_MS / 12

export interface FeedbackQuestions {
  'feedback/learn': {
    body: { readonly source: string; readonly lessons: readonly Lesson[] }
    answer: readonly FeedbackDecision[]
  }
}

export interface FeedbackClerkParts {
  readonly database: Database
  readonly commits: GroupCommit
  /** Never goes back. */
  readonly wallMs: () => number
  readonly clock: Clock
  /** Within a transaction. False: it stands there already. */
  readonly suppress: (reason: 'bounced' | 'complained', said: Said) => boolean
  /** Is this a login of the tenant, still? */
  readonly hasLogin: (tenant: string, login: string) => boolean
  /** For the signs of a stolen login. */
  readonly counted: (of: AnsweredRecipients) => void
}

export class FeedbackClerk<Settings = unknown> implements Clerk<Settings> {
  readonly subject = 'feedback'
  readonly #parts: FeedbackClerkParts
  readonly #store: FeedbackStore
  readonly #sources = new Map<string, BucketCount>()
  #cancel: Cancel = () => {}

  constructor(parts: FeedbackClerkParts) {
    this.#parts = parts
    this.#store = new FeedbackStore(parts.database)
  }

  started(): void {
    const prune = () => {
      // A disk that fails is told by the spool; the next turn tries again.
      void this.#parts.commits.run(() => this.#store.prune(this.#parts.wallMs())).catch(() => {})
      this.#cancel = this.#parts.clock.after(HOUR_MS, prune)
    }
    prune()
  }

  async close(): Promise<void> {
    this.#cancel()
    this.#parts.commits.flush()
  }

  async answer(what: string, body: unknown): Promise<unknown> {
    if (what !== 'learn') throw new Error(`no question about feedback: ${what}`)
    const { source, lessons } = body as FeedbackQuestions['feedback/learn']['body']
    if (!this.#mayTell(source, lessons.length)) return lessons.map(() => 'over-limit' satisfies FeedbackDecision)
    const decisions = await this.#parts.commits.run(() => lessons.map((one) => this.#learn(one)))
    this.#count(lessons.filter((_, i) => decisions[i] !== 'repeated'))
    return decisions
  }

  #mayTell(source: string, lessons: number): boolean {
    const found = this.#sources.get(source) ?? new BucketCount(BUCKET_MS, HOUR_MS)
    this.#sources.delete(source)
    if (this.#sources.size >= SOURCES_MAX) this.#sources.delete(this.#sources.keys().next().value ?? '')
    this.#sources.set(source, found)
    const nowMs = this.#parts.wallMs()
    if (found.sum(HOUR_MS, nowMs) + lessons > LESSONS_PER_HOUR_MAX) return false
    found.add(lessons, nowMs)
    return true
  }

  #learn({ about, tenant, address, text, evidence, once }: Lesson): FeedbackDecision {
    if (!this.#store.learn(tenant, once, this.#parts.wallMs())) return 'repeated'
    if (about === 'soft-bounce' || address === undefined) return 'counted'
    const said = { tenant, address, text, evidence }
    const isNew =
      about === 'complaint'
        ? this.#parts.suppress('complained', { ...said, source: 'feedback' })
        : this.#parts.suppress('bounced', { ...said, source: 'dsn' })
    return isNew ? 'suppressed' : 'counted'
  }

  #count(lessons: readonly Lesson[]): void {
    for (const [login, of] of Map.groupBy(lessons, (lesson) => lesson.login)) {
      const tenant = of[0]?.tenant
      if (login === undefined || tenant === undefined || !this.#parts.hasLogin(tenant, login)) continue
      const number = (about: Lesson['about']) => of.filter((one) => one.about === about).length
      const [bounced, complaints] = [number('hard-bounce'), number('complaint')]
      if (bounced + complaints === 0) continue
      this.#parts.counted({ tenant, login, answered: 0, unknown: 0, bounced, complaints })
    }
  }
}
