/**
 * The clerk of abuse: counts recipients of what leaves for all workers (R7), hears what became of them, and slows down or
 * locks a login that looks stolen. The login, never the tenant.
 *
 * Counts are in memory and are written every `WRITE_MS`: a crash forgets the last seconds, which a limit against floods
 * can bear, and nobody waits for a disk. One that fails keeps no mail back. Limit: `SUBJECTS_MAX`.
 */
import type { AskWorkers, Clerk } from '#cli/serve/desk.ts'
import type { Notify, SignSymbol } from '#mail/notice.ts'
import {
  BURST_MS,
  BucketCount,
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
import { BOUNCES_MS, COMPLAINTS_MS, type Rates } from '#policy/feedback-rates.ts'
import { type Limit, limitsFor, limitsToOneDomain, overLimit } from '#policy/sending-limits.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { CredentialStore } from '#store/credentials.ts'
import type { Database } from '#store/database.ts'
import type { GroupCommit } from '#store/group-commit.ts'
import { type CountRow, SendingCounts } from '#store/sending-counts.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { OwnLimits } from '#tenant/directory.ts'
import type { AnsweredRecipients } from '../../relay/answered-recipients.ts'
import type { CountedRecipient, QuotaAnswer } from '../../relay/outbound.ts'
import { DomainCounts } from './domain-counts.ts'
import { LoginHabits } from './login-habits.ts'

/** Logins, tenants and servers of tenants, some kilobytes each. The one that has not sent for longest is forgotten. */
export const SUBJECTS_MAX = 50_000
export const WRITE_MS = 1_000

export interface AbuseQuestions {
  'abuse/take': { body: CountedRecipient; answer: QuotaAnswer }
  'abuse/answered': { body: readonly AnsweredRecipients[]; answer: undefined }
}

const COUNTED = {
  minutes: { bucketMs: MINUTE_MS, keepMs: BURST_MS },
  hours: { bucketMs: HOUR_MS, keepMs: HISTORY_MS },
  answered: { bucketMs: 5 * MINUTE_MS, keepMs: OUTCOMES_MS },
  unknown: { bucketMs: 5 * MINUTE_MS, keepMs: OUTCOMES_MS },
  braked: { bucketMs: 5 * MINUTE_MS, keepMs: OUTCOMES_MS },
  malware: { bucketMs: 5 * MINUTE_MS, keepMs: OUTCOMES_MS },
  bounced: { bucketMs: HOUR_MS, keepMs: BOUNCES_MS },
  complaints: { bucketMs: HOUR_MS, keepMs: COMPLAINTS_MS },
} as const
type What = keyof typeof COUNTED
/** What an unlocking forgets. */
const SIGNS = ['answered', 'unknown', 'malware', 'braked', 'bounced', 'complaints'] as const
type Tally = { readonly [what in What]: BucketCount } & {
  judgement: Exclude<Judgement, 'lock'>
  /** It should be locked, and the store failed. */
  cannotLock: boolean
}

const newTally = (): Tally => {
  const count = ({ bucketMs, keepMs }: { bucketMs: number; keepMs: number }) => new BucketCount(bucketMs, keepMs)
  return {
    minutes: count(COUNTED.minutes),
    hours: count(COUNTED.hours),
    answered: count(COUNTED.answered),
    unknown: count(COUNTED.unknown),
    braked: count(COUNTED.braked),
    malware: count(COUNTED.malware),
    bounced: count(COUNTED.bounced),
    complaints: count(COUNTED.complaints),
    judgement: 'fine',
    cannotLock: false,
  }
}

interface Over {
  readonly answer: Extract<QuotaAnswer, { kind: 'over' }>
  /** Without the sign of theft it would have been taken. */
  readonly isBraked: boolean
}

interface Subject extends Limit {
  readonly key: string
  /** For people. */
  readonly name: string
}

export interface AbuseClerkParts {
  readonly store: Database
  readonly credentials: CredentialStore
  readonly commits: GroupCommit
  /** Never goes back. */
  readonly wallMs: () => number
  readonly clock: Clock
  readonly log: (line: string) => void
  /** Tells the tenant's postmaster. */
  readonly notify: Notify
}

export class AbuseClerk<Settings = unknown> implements Clerk<Settings> {
  readonly subject = 'abuse'
  readonly #parts: AbuseClerkParts
  readonly #kept: SendingCounts
  readonly #tallies = new Map<string, Tally>()
  readonly #habits: LoginHabits
  readonly #toDomains = new DomainCounts((row) => this.#note(row))
  #workers: AskWorkers = async () => []
  #changed = new Map<string, CountRow>()
  #cancel: Cancel = () => {}
  #isTimed = false
  readonly #counts = { refused: { burst: 0, day: 0, domain: 0, locked: 0 }, judged: { warn: 0, slow: 0, lock: 0 } }
  readonly #signs = new Map<SignSymbol, number>()

  constructor(parts: AbuseClerkParts) {
    this.#parts = parts
    this.#kept = new SendingCounts(parts.store)
    this.#habits = new LoginHabits(parts)
    for (const row of this.#kept.all(parts.wallMs())) {
      const { subject, what, startMs, count } = row
      if (!this.#toDomains.load(row) && what in COUNTED) this.#tally(subject)[what as What].add(count, startMs)
    }
  }

  started(workers: AskWorkers): void {
    this.#workers = workers
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
      vorposten_login_signs_total: {
        kind: 'counter',
        help: 'Signs that were seen when a login began to look stolen',
        samples: samples('vorposten_login_signs_total', 'sign', Object.fromEntries(this.#signs)),
      },
    }
  }

  async close(): Promise<void> {
    this.#cancel()
    this.#write()
    this.#habits.close()
    this.#parts.commits.flush()
  }

  #take(recipient: CountedRecipient): QuotaAnswer {
    const { tenant, login, limits } = recipient
    const found = login === undefined ? undefined : this.#parts.credentials.find(login)
    if (found?.locked !== undefined) {
      this.#counts.refused.locked++
      return { kind: 'locked', reason: found.locked.reason }
    }
    const own = login === undefined ? undefined : (found?.limits ?? {})
    const nowMs = this.#parts.wallMs()
    const subjects = subjectsOf(recipient, own)
    for (const subject of subjects) {
      const over = this.#over(subject, nowMs)
      if (over === undefined) continue
      this.#counts.refused[over.answer.window]++
      if (login !== undefined && over.isBraked) this.#braked(tenant, login, nowMs)
      return over.answer
    }
    const toOne = limitsToOneDomain(limits, own)
    const over = this.#toDomains.over(recipient, toOne, nowMs)
    if (over !== undefined) {
      this.#counts.refused.domain++
      return over
    }
    for (const { key } of subjects) {
      this.#add(key, 'minutes', 1, nowMs)
      this.#add(key, 'hours', 1, nowMs)
    }
    this.#toDomains.add(recipient, toOne, nowMs)
    if (login !== undefined) {
      this.#habits.seen(login, recipient.domain, recipient.client, nowMs)
      this.#look(tenant, login, nowMs)
    }
    return { kind: 'taken' }
  }

  #over({ key, name, limit, slowedFrom }: Subject, nowMs: number): Over | undefined {
    const tally = this.#tally(key)
    const isSlow = tally.judgement === 'slow'
    const per10Minutes = isSlow ? Math.ceil((slowedFrom ?? limit.per10Minutes) / SLOW_DIVISOR) : limit.per10Minutes
    const over = overLimit(tally, { ...limit, per10Minutes }, nowMs)
    if (over === undefined) return undefined
    const isBraked = isSlow && over.window === 'burst'
    const text = `${name}: ${over.text}${isBraked ? ', slowed down because it looks stolen' : ''}`
    return { answer: { kind: 'over', ...over, text }, isBraked }
  }

  #braked(tenant: string, login: string, nowMs: number): void {
    this.#add(loginKey(login), 'braked', 1, nowMs)
    this.#look(tenant, login, nowMs)
  }

  #answered({ tenant, login, answered, unknown, malware = 0, ...later }: AnsweredRecipients): void {
    const nowMs = this.#parts.wallMs()
    this.#add(loginKey(login), 'answered', answered, nowMs)
    if (malware > 0) this.#add(loginKey(login), 'malware', malware, nowMs)
    if (unknown > 0) this.#add(loginKey(login), 'unknown', unknown, nowMs)
    const { bounced = 0, complaints = 0 } = later
    if (unknown + bounced > 0) this.#add(loginKey(login), 'bounced', unknown + bounced, nowMs)
    if (complaints > 0) this.#add(loginKey(login), 'complaints', complaints, nowMs)
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
      braked: tally.braked.sum(OUTCOMES_MS, nowMs),
      rates: ratesOf(tally, nowMs),
      habit: this.#habits.habit(login, nowMs),
    })
    const before = tally.judgement
    const judgement = judge(signs)
    if (judgement === 'lock') {
      this.#lock(tenant, login, signs)
      return
    }
    tally.judgement = judgement
    if (judgement === before || judgement === 'fine') return
    this.#counted(judgement, signs)
    if (judgement === 'slow') this.#habits.doubt(login, nowMs)
    const why = whyOf(signs)
    const deed = judgement === 'slow' ? 'slowed down' : 'watched'
    this.#parts.log(
      `warning: credential ${login} of ${tenant}: ${deed} (${why}); see: vorposten credentials show ${login}`,
    )
  }

  #counted(judgement: Exclude<Judgement, 'fine'>, signs: readonly Sign[]): void {
    this.#counts.judged[judgement]++
    for (const { symbol } of signs) this.#signs.set(symbol, (this.#signs.get(symbol) ?? 0) + 1)
  }

  // Only what is written is a lock: a store that fails leaves the login slowed down, and the next sign tries again.
  #lock(tenant: string, login: string, signs: readonly Sign[]): void {
    const { credentials, clock, log, notify } = this.#parts
    try {
      if (credentials.find(login)?.locked !== undefined) return
      credentials.lock(login, lockReason(signs), clock.wall())
    } catch (error) {
      const tally = this.#tally(loginKey(login))
      if (!tally.cannotLock) log(`warning: credential ${login} of ${tenant}: not locked: ${(error as Error).message}`)
      tally.judgement = 'slow'
      tally.cannotLock = true
      return
    }
    this.#counted('lock', signs)
    this.#habits.forget(login, this.#parts.wallMs())
    this.#forget(loginKey(login))
    const then = `vorposten credentials unlock ${login}`
    log(`warning: credential ${login} of ${tenant}: locked (${whyOf(signs)}); then: ${then}`)
    // Workers that do not answer hold it at its next attempt.
    void this.#workers('credentials/locked', { tenant, login }).catch(() => {})
    const seen = signs.map(({ symbol, count, of }) => ({ symbol, count, ...(of !== undefined && { of }) }))
    notify({ kind: 'login-locked', tenant, login, atMs: clock.wall(), signs: seen })
  }

  // Who is unlocked begins anew: what the thief did is no sign any more.
  #forget(key: string): void {
    const nowMs = this.#parts.wallMs()
    const tally = this.#tally(key)
    for (const what of SIGNS) {
      const { bucketMs, keepMs } = COUNTED[what]
      for (let startMs = nowMs - (nowMs % bucketMs); startMs > nowMs - keepMs - bucketMs; startMs -= bucketMs)
        this.#note({ subject: key, what, startMs, count: 0, untilMs: startMs + bucketMs + keepMs })
    }
    const { minutes: _, hours: __, ...fresh } = newTally()
    this.#tallies.set(key, { ...tally, ...fresh })
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

function ratesOf({ hours, bounced, complaints }: Tally, nowMs: number): Rates {
  // Most logins have neither; then nobody need add up the recipients of a week, at each recipient.
  const of = (count: BucketCount, windowMs: number) => {
    const found = count.sum(windowMs, nowMs)
    return { found, sent: found === 0 ? 0 : hours.sum(windowMs, nowMs) }
  }
  const [gone, angry] = [of(bounced, BOUNCES_MS), of(complaints, COMPLAINTS_MS)]
  return { bounced: gone.found, sentForBounces: gone.sent, complaints: angry.found, sentForComplaints: angry.sent }
}

const whyOf = (signs: readonly Sign[]): string => signs.map(({ symbol, text }) => `${symbol}: ${text}`).join('; ')

const loginKey = (login: string): string => `login ${login}`

function subjectsOf({ tenant, login, limits }: CountedRecipient, own: OwnLimits | undefined): Subject[] {
  const keys = { login: loginKey(login ?? ''), servers: `servers ${tenant}`, tenant: `tenant ${tenant}` }
  const names = { login: login ?? '', servers: `servers of ${tenant}`, tenant: keys.tenant }
  return limitsFor(limits, own).map((one) => ({ ...one, key: keys[one.of], name: names[one.of] }))
}
