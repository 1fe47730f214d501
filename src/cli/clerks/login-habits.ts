/**
 * What each login usually does, for the clerk of abuse (R7): recipient domains by the hour, and from where it sends.
 *
 * The last hour is in memory, of those logins that have sent within it; a restart forgets it. What was learned of the days
 * before is in the store. A store that fails has no habits, and then nothing is unusual.
 */
import { BucketCount, HOUR_MS, MINUTE_MS } from '#policy/abuse.ts'
import { DOMAINS_MS, type DomainHabit, type Habit, habitAt, isStrange, NO_HABIT, usualAt } from '#policy/habits.ts'
import type { CredentialStore } from '#store/credentials.ts'
import type { Database } from '#store/database.ts'
import type { GroupCommit } from '#store/group-commit.ts'
import { SendingHabits } from '#store/sending-habits.ts'
import type { Cancel, Clock } from '#sys/clock.ts'

/** Of one login, some 50 octets each. Beyond, the one not written to for longest is forgotten: so many are many anyway. */
export const RECENT_DOMAINS_MAX = 200
/** Logins of the last hour, some kilobytes each at most. The one that has not sent for longest is forgotten. */
export const LOGINS_MAX = 50_000
const WRITE_MS = 1_000
/** A client is looked up again after so long: a new network settles in days. */
const LOOK_AGAIN_MS = MINUTE_MS
/** Clients of one login that are remembered meanwhile: a lookup costs some 100 microseconds. */
const CLIENTS_MAX = 16

interface Recent {
  /** When the login wrote to each last; the oldest first. */
  readonly domains: Map<string, number>
  strange: BucketCount
  habit: DomainHabit
  lastMs: number
  /** By address of the client. */
  readonly from: Map<string, { readonly isStrange: boolean; readonly untilMs: number }>
}

export interface LoginHabitsParts {
  readonly store: Database
  readonly credentials: Pick<CredentialStore, 'networks'>
  readonly commits: GroupCommit
  readonly clock: Clock
  readonly wallMs: () => number
}

const strangeCount = (): BucketCount => new BucketCount(5 * MINUTE_MS, HOUR_MS)

export class LoginHabits {
  readonly #parts: LoginHabitsParts
  readonly #kept: SendingHabits
  /** The one that has sent last at the end. */
  readonly #recent = new Map<string, Recent>()
  #changed = new Map<string, DomainHabit>()
  #cancel: Cancel | undefined

  constructor(parts: LoginHabitsParts) {
    this.#parts = parts
    this.#kept = new SendingHabits(parts.store)
  }

  /** One recipient of the domain, from that client. */
  seen(login: string, domain: string, client: string, nowMs: number): void {
    const recent = this.#of(login, nowMs)
    this.#recent.delete(login)
    this.#recent.set(login, recent)
    recent.lastMs = nowMs
    this.#letGo(nowMs)
    if (this.#isStrange(login, recent, client, nowMs)) recent.strange.add(1, nowMs)
    recent.domains.delete(domain)
    if (recent.domains.size >= RECENT_DOMAINS_MAX) recent.domains.delete(recent.domains.keys().next().value ?? '')
    recent.domains.set(domain, nowMs)
    this.#pass(recent, nowMs)
    const before = recent.habit
    recent.habit = habitAt(before, nowMs)
    const today = Math.max(recent.habit.today, recent.domains.size)
    if (today === before.today && recent.habit === before) return
    this.#note(login, recent, { today })
  }

  habit(login: string, nowMs: number): Habit {
    const recent = this.#of(login, nowMs)
    this.#pass(recent, nowMs)
    return {
      domains: recent.domains.size,
      usualDomains: usualAt(habitAt(recent.habit, nowMs), nowMs),
      strange: recent.strange.sum(HOUR_MS, nowMs),
    }
  }

  /** It looks stolen: today teaches nothing. */
  doubt(login: string, nowMs: number): void {
    const recent = this.#of(login, nowMs)
    recent.habit = habitAt(recent.habit, nowMs)
    if (!recent.habit.isDoubted) this.#note(login, recent, { isDoubted: true })
  }

  /** It was locked: what the thief did is no sign any more. */
  forget(login: string, nowMs: number): void {
    this.doubt(login, nowMs)
    const recent = this.#recent.get(login)
    recent?.domains.clear()
    if (recent !== undefined) recent.strange = strangeCount()
  }

  /** Logins whose last hour is in memory. */
  get logins(): number {
    return this.#recent.size
  }

  close(): void {
    this.#cancel?.()
    this.#write()
  }

  #of(login: string, nowMs: number): Recent {
    const found = this.#recent.get(login)
    if (found !== undefined) return found
    const habit = this.#changed.get(login) ?? this.#learned(login)
    return { domains: new Map(), strange: strangeCount(), habit, lastMs: nowMs, from: new Map() }
  }

  #learned(login: string): DomainHabit {
    try {
      return this.#kept.find(login) ?? NO_HABIT
    } catch {
      return NO_HABIT
    }
  }

  // At most two for each that sends, so that nobody waits, and the idle ones get fewer all the same.
  #letGo(nowMs: number): void {
    let looked = 0
    for (const [login, { lastMs }] of this.#recent) {
      const isIdle = lastMs <= nowMs - DOMAINS_MS
      if (looked++ >= 2 || (!isIdle && this.#recent.size <= LOGINS_MAX)) return
      this.#recent.delete(login)
    }
  }

  #isStrange(login: string, { from }: Recent, client: string, nowMs: number): boolean {
    const before = from.get(client)
    if (before !== undefined && nowMs < before.untilMs) return before.isStrange
    let found = false
    try {
      found = isStrange(this.#parts.credentials.networks(login), client, nowMs)
    } catch {
      // Where it was used is not known now.
    }
    if (from.size >= CLIENTS_MAX) from.clear()
    from.set(client, { isStrange: found, untilMs: nowMs + LOOK_AGAIN_MS })
    return found
  }

  #pass({ domains }: Recent, nowMs: number): void {
    for (const [domain, atMs] of domains) {
      if (atMs > nowMs - DOMAINS_MS) return
      domains.delete(domain)
    }
  }

  #note(login: string, recent: Recent, change: Partial<DomainHabit>): void {
    recent.habit = { ...recent.habit, ...change }
    this.#changed.set(login, recent.habit)
    this.#cancel ??= this.#parts.clock.after(WRITE_MS, () => this.#write())
  }

  #write(): void {
    this.#cancel = undefined
    const habits = this.#changed
    this.#changed = new Map()
    if (habits.size === 0) return
    const nowMs = this.#parts.wallMs()
    // A disk that fails is told by the spool.
    void this.#parts.commits.run(() => this.#kept.put(habits, nowMs)).catch(() => {})
  }
}
