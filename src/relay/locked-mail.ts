/**
 * Mail of a login that is locked because it looks stolen (R7): what was accepted before the lock and still waits is held, and
 * goes out when the login is unlocked. One worker's part of it.
 *
 * Each attempt asks the store once more, so that nothing slips out that was under way, or was read while nobody looked.
 * A login that is gone leaves its mail as it is.
 */
import type { Report } from '#mail/event.ts'
import type { QueueEntry, RecipientState, StoredMessage } from '#mail/stored.ts'
import type { Keep, Queue } from '#queue/queue.ts'

/** After so many entries the loop gives way to the path. */
const ENTRIES_PER_TURN = 100

export type LoginState = 'open' | 'locked' | 'gone'

export interface LockedMailParts {
  readonly keep: Keep
  readonly entries: () => Iterable<QueueEntry>
  readonly queue: Pick<Queue, 'nowMs' | 'isUnderWay' | 'due'>
  /** Throws when the store cannot be read. */
  readonly login: (name: string) => LoginState
  readonly report: Report
}

export class LockedMail {
  readonly #parts: LockedMailParts

  constructor(parts: LockedMailParts) {
    this.#parts = parts
  }

  /** True: it may not be sent now, and was held. */
  withheld(message: StoredMessage): boolean {
    const login = loginOf(message)
    if (login === undefined || this.#state(login) !== 'locked') return false
    this.#hold(message, login)
    return true
  }

  /** After a lock. How many were held; those that are being attempted are held after the attempt, if it fails. */
  async hold(tenant: string, login: string): Promise<number> {
    const { entries, keep, queue } = this.#parts
    let held = 0
    let seen = 0
    for (const entry of entries()) {
      if (entry.tenant !== tenant || entry.state !== 'active') continue
      if (++seen % ENTRIES_PER_TURN === 0) await new Promise(setImmediate)
      const message = await keep.load(entry.id)
      if (message === undefined || loginOf(message) !== login || queue.isUnderWay(entry.id)) continue
      if (keep.get(entry.id)?.state !== 'active') continue
      // It may have been unlocked meanwhile.
      if (this.#state(login) !== 'locked') return held
      this.#hold(message, login)
      held++
    }
    return held
  }

  /** After an unlock: what is held for its login goes out. How many that are. */
  async release(login: string): Promise<number> {
    let released = 0
    let seen = 0
    for (const entry of this.#parts.entries()) {
      if (++seen % ENTRIES_PER_TURN === 0) await new Promise(setImmediate)
      if (heldFor(entry) === login && this.#release(entry, login)) released++
    }
    return released
  }

  /** A start found it: its login may have been unlocked while this worker was away. */
  found(entry: QueueEntry): void {
    const login = heldFor(entry)
    if (login !== undefined) this.#release(entry, login)
  }

  #hold({ id, envelope, recipients }: StoredMessage, login: string): void {
    const { keep, queue, report } = this.#parts
    const text = textFor(login)
    keep.change(id, { kind: 'hold', atMs: queue.nowMs(), reason: 'locked', text })
    const entry = keep.get(id)
    const pending = envelope.recipients.filter((_, i) => recipients[i]?.kind === 'pending')
    if (entry !== undefined) report({ kind: 'held', entry, reason: 'locked', recipients: pending, text })
  }

  #release(entry: QueueEntry, login: string): boolean {
    const { keep, queue, report } = this.#parts
    if (this.#state(login) !== 'open') return false
    const atMs = queue.nowMs()
    keep.change(entry.id, { kind: 'release', atMs, nextAttemptMs: atMs })
    report({ kind: 'operator', entry, action: 'released', text: `login ${login} is unlocked` })
    queue.due(entry.id)
    return true
  }

  // A store that cannot be read holds nothing back and lets nothing go.
  #state(login: string): LoginState {
    try {
      return this.#parts.login(login)
    } catch {
      return 'gone'
    }
  }
}

const textFor = (login: string): string => `login ${login} is locked`

// Our own text: logins have no spaces.
const loginIn = (text: string): string | undefined => /^login (\S+) is locked$/.exec(text)?.[1]

const loginOf = ({ submission, login, notice }: StoredMessage): string | undefined =>
  notice ? undefined : (submission?.credential ?? login)

function heldFor({ state, recipients = [] }: QueueEntry): string | undefined {
  if (state !== 'held') return undefined
  const isOurs = (one: RecipientState) => one.kind === 'held' && one.reason === 'locked'
  const found = recipients.find(isOurs)
  return found?.kind === 'held' ? loginIn(found.text) : undefined
}
