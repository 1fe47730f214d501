/**
 * The clerk of abuse: counts recipients of what leaves for all workers (R7), hears what became of them, and slows down or
 * locks a login that looks stolen. The login, never the tenant.
 *
 * Counts are in memory and are written every `WRITE_MS`: a crash forgets the last seconds, which a limit against floods
 * can bear, and nobody waits for a disk. One that fails keeps no mail back. Limit: `SUBJECTS_MAX`.
 */
import type { Clerk } from '#cli/serve/desk.ts'
import {
  BURST_MS,
  BucketCount,
  DAY_MS,
  HISTORY_MS,
  HOUR_MS,
  type Judgement,
  judge,
  lockReason,
  MINUTE_MS,
  OUTCOMES_MS,
  type Sign,
  SLOW_DIVISOR,
  signsOf,
} from '#policy/abuse.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { CredentialStore } from '#store/credentials.ts'
import type { Database } from '#store/database.ts'
import type { GroupCommit } from '#store/group-commit.ts'
import { type CountRow, SendingCounts } from '#store/sending-counts.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { RecipientLimit, SendingLimits } from '#tenant/directory.ts'
import type { AnsweredRecipients } from '../../relay/answered-recipients.ts'
import type { QuotaAnswer } from '../../relay/outbound.ts'

/** Logins, tenants and servers of tenants, some kilobytes each. The one that has not sent for longest is forgotten. */
export const SUBJECTS_MAX = 50_000
export const WRITE_MS = 1_000

export interface AbuseQuestions {
  /** One recipient. `login` absent: one of the tenant's servers sends. */
  'abuse/take': { body: { tenant: string; login?: string; limits: SendingLimits }; answer: QuotaAnswer }
  'abuse/answered': { body: readonly AnsweredRecipients[]; answer: undefined }
}

const COUNTED = {
  minutes: { bucketMs: MINUTE_MS, keepMs: BURST_MS },
  hours: { bucketMs: HOUR_MS, keepMs: HISTORY_MS },
  answered: { bucketMs: 5 * MINUTE_MS, keepMs: OUTCOMES_MS },
  unknown: { bucketMs: 5 * MINUTE_MS, keepMs: OUTCOMES_MS },
  malware: { bucketMs: 5 * MINUTE_MS, keepMs: OUTCOMES_MS },
} as const
type What = keyof typeof COUNTED
type Tally = { readonly [what in What]: BucketCount } & { judgement: Judgement }

const newTally = (): Tally => {
  const count = ({ bucketMs, keepMs }: { bucketMs: number; keepMs: number }) => new BucketCount(bucketMs, keepMs)
  return {
    minutes: count(COUNTED.minutes),
    hours: count(COUNTED.hours),
    answered: count(COUNTED.answered),
    unknown: count(COUNTED.unknown),
    malware: count(COUNTED.malware),
    judgement: 'fine',
  }
}

interface Subject {
  readonly key: string
  /** For people. */
  readonly name: string
  readonly limit: RecipientLimit
}

export interface AbuseClerkParts {
  readonly store: Database
  readonly credentials: CredentialStore
  readonly commits: GroupCommit
  /** Never goes back. */
  readonly wallMs: () => number
  readonly clock: Clock
  readonly log: (line: string) => void
}

export class AbuseClerk<Settings = unknown> implements Clerk<Settings> {
  readonly subject = 'abuse'
  readonly #parts: AbuseClerkParts
  readonly #kept: SendingCounts
  readonly #tallies = new Map<string, Tally>()
  #changed = new Map<string, CountRow>()
  #cancel: Cancel = () => {}
  #isTimed = false
  readonly #counts = { refused: { burst: 0, day: 0, locked: 0 }, judged: { warn: 0, slow: 0, lock: 0 } }

  constructor(parts: AbuseClerkParts) {
    this.#parts = parts
    this.#kept = new SendingCounts(parts.store)
    for (const { subject, what, startMs, count } of this.#kept.all(parts.wallMs()))
      if (what in COUNTED) this.#tally(subject)[what as What].add(count, startMs)
  }

  async answer(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'take':
        return this.#take(body as AbuseQuestions['abuse/take']['body'])
      case 'answered':
        for (const one of body as AbuseQuestions['abuse/answered']['body']) this.#answered(one)
        return undefined
      default:
        throw new Error(`no question about abuse: ${what}`)
    }
  }

  metrics(): Snapshot {
    const samples = (name: string, label: string, of: Readonly<Record<string, number>>) =>
      Object.fromEntries(Object.entries(of).map(([key, count]) => [`${name}{${label}="${key}"}`, count]))
    return {
      vorposten_sending_limited_total: {
        kind: 'counter',
        help: 'Recipients of outgoing mail that were refused: over a limit, or the login is locked',
        samples: samples('vorposten_sending_limited_total', 'why', this.#counts.refused),
      },
      vorposten_logins_suspected_total: {
        kind: 'counter',
        help: 'Times that a login began to look stolen, by what was done',
        samples: samples('vorposten_logins_suspected_total', 'deed', this.#counts.judged),
      },
    }
  }

  async close(): Promise<void> {
    this.#cancel()
    this.#write()
    this.#parts.commits.flush()
  }

  #take({ tenant, login, limits }: AbuseQuestions['abuse/take']['body']): QuotaAnswer {
    const locked = login === undefined ? undefined : this.#parts.credentials.find(login)?.locked
    if (locked !== undefined) {
      this.#counts.refused.locked++
      return { kind: 'locked', reason: locked.reason }
    }
    const nowMs = this.#parts.wallMs()
    const subjects = subjectsOf(tenant, login, limits)
    for (const subject of subjects) {
      const over = this.#over(subject, nowMs)
      if (over === undefined) continue
      this.#counts.refused[over.window]++
      return over
    }
    for (const { key } of subjects) {
      this.#add(key, 'minutes', 1, nowMs)
      this.#add(key, 'hours', 1, nowMs)
    }
    if (login !== undefined) this.#look(tenant, login, nowMs)
    return { kind: 'taken' }
  }

  #over({ key, name, limit }: Subject, nowMs: number): Extract<QuotaAnswer, { kind: 'over' }> | undefined {
    const { minutes, hours, judgement } = this.#tally(key)
    const burst = judgement === 'slow' ? Math.ceil(limit.per10Minutes / SLOW_DIVISOR) : limit.per10Minutes
    if (minutes.sum(BURST_MS, nowMs) >= burst) {
      const why = judgement === 'slow' ? ', slowed down because it looks stolen' : ''
      const text = `${name}: ${burst} recipients in 10 minutes${why}`
      return { kind: 'over', window: 'burst', text, waitMs: minutes.waitMs(burst, BURST_MS, nowMs) }
    }
    if (hours.sum(DAY_MS, nowMs) < limit.perDay) return undefined
    const waitMs = hours.waitMs(limit.perDay, DAY_MS, nowMs)
    return { kind: 'over', window: 'day', text: `${name}: ${limit.perDay} recipients in 24 hours`, waitMs }
  }

  #answered({ tenant, login, answered, unknown, malware = 0 }: AnsweredRecipients): void {
    const nowMs = this.#parts.wallMs()
    this.#add(loginKey(login), 'answered', answered, nowMs)
    if (malware > 0) this.#add(loginKey(login), 'malware', malware, nowMs)
    if (unknown > 0) this.#add(loginKey(login), 'unknown', unknown, nowMs)
    this.#look(tenant, login, nowMs)
  }

  #look(tenant: string, login: string, nowMs: number): void {
    const tally = this.#tally(loginKey(login))
    const signs = signsOf({
      answered: tally.answered.sum(OUTCOMES_MS, nowMs),
      unknown: tally.unknown.sum(OUTCOMES_MS, nowMs),
      malware: tally.malware.sum(OUTCOMES_MS, nowMs),
      hour: tally.hours.sum(0, nowMs),
      busiestHour: tally.hours.most(nowMs - (nowMs % HOUR_MS)),
    })
    const before = tally.judgement
    tally.judgement = judge(signs)
    if (tally.judgement !== before && tally.judgement !== 'fine') this.#judged(tenant, login, tally.judgement, signs)
  }

  #judged(tenant: string, login: string, judgement: Exclude<Judgement, 'fine'>, signs: readonly Sign[]): void {
    const { credentials, clock, log } = this.#parts
    this.#counts.judged[judgement]++
    const why = signs.map(({ symbol, text }) => `${symbol}: ${text}`).join('; ')
    if (judgement === 'lock') {
      credentials.lock(login, lockReason(signs), clock.wall())
      this.#forget(loginKey(login))
      log(`warning: credential ${login} of ${tenant}: locked (${why}); then: vorposten credentials unlock ${login}`)
      return
    }
    const deed = judgement === 'slow' ? 'slowed down' : 'watched'
    log(`warning: credential ${login} of ${tenant}: ${deed} (${why}); see: vorposten credentials show ${login}`)
  }

  // Who is unlocked begins anew: what the thief did is no sign any more.
  #forget(key: string): void {
    const nowMs = this.#parts.wallMs()
    const tally = this.#tally(key)
    for (const what of ['answered', 'unknown', 'malware'] as const) {
      const { bucketMs, keepMs } = COUNTED[what]
      for (let startMs = nowMs - (nowMs % bucketMs); startMs > nowMs - keepMs - bucketMs; startMs -= bucketMs)
        this.#note({ subject: key, what, startMs, count: 0, untilMs: startMs + bucketMs + keepMs })
    }
    const { answered, unknown, malware } = newTally()
    this.#tallies.set(key, { ...tally, answered, unknown, malware, judgement: 'fine' })
  }

  #tally(key: string): Tally {
    const found = this.#tallies.get(key) ?? newTally()
    this.#tallies.delete(key)
    if (this.#tallies.size >= SUBJECTS_MAX) this.#tallies.delete(this.#tallies.keys().next().value ?? '')
    this.#tallies.set(key, found)
    return found
  }

  #add(key: string, what: What, count: number, nowMs: number): void {
    const { bucketMs, keepMs } = COUNTED[what]
    const changed = this.#tally(key)[what].add(count, nowMs)
    this.#note({ subject: key, what, ...changed, untilMs: changed.startMs + bucketMs + keepMs })
  }

  #note(row: CountRow): void {
    this.#changed.set(`${row.subject} ${row.what} ${row.startMs}`, row)
    if (this.#isTimed) return
    this.#isTimed = true
    this.#cancel = this.#parts.clock.after(WRITE_MS, () => this.#write())
  }

  #write(): void {
    this.#isTimed = false
    const rows = this.#changed
    this.#changed = new Map()
    if (rows.size === 0) return
    const nowMs = this.#parts.wallMs()
    // A disk that fails is told by the spool; what is in memory still counts.
    void this.#parts.commits.run(() => this.#kept.put(rows.values(), nowMs)).catch(() => {})
  }
}

const loginKey = (login: string): string => `login ${login}`

function subjectsOf(tenant: string, login: string | undefined, limits: SendingLimits): Subject[] {
  const own =
    login === undefined
      ? { key: `servers ${tenant}`, name: `servers of ${tenant}`, limit: limits.servers }
      : { key: loginKey(login), name: login, limit: limits.login }
  const all = { key: `tenant ${tenant}`, name: `tenant ${tenant}`, limit: limits.tenant }
  return [own, all].flatMap(({ limit, ...subject }) => (limit === undefined ? [] : [{ ...subject, limit }]))
}
