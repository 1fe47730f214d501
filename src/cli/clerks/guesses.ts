/**
 * The clerk of guesses: all workers ask it before a password is looked at, so that an attacker who comes to each of them
 * has one budget. It also remembers, in the store, from which networks a login was used.
 *
 * Counts are in memory, and a restart forgets them. Without a supervisor nobody counts, and a worker refuses.
 */
import { z } from 'zod'
import { clientNetworks } from '#auth/client-networks.ts'
import { type Answer, GuessThrottle } from '#auth/guess-throttle.ts'
import { foldLogin } from '#auth/login-name.ts'
import { EXIT, UserError } from '#cli/exit.ts'
import type { Clerk } from '#cli/serve/desk.ts'
import { canonicalAddress } from '#config/units.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { CredentialStore } from '#store/credentials.ts'
import type { GroupCommit } from '#store/group-commit.ts'
import type { Clock } from '#sys/clock.ts'
import { asked, notUnderstood } from './credential-requests.ts'

/** What a worker asks or tells. */
export interface GuessQuestions {
  'guesses/admit': { body: { login: string; clientAddress: string }; answer: Answer }
  'guesses/ended': { body: { login: string; clientAddress: string; right: boolean | undefined }; answer: undefined }
}

/** A network of use is written down again so often. */
export const NETWORK_WRITE_MS = 3_600_000
/** Logins and networks in use at the same time, some 100 octets each. */
const RECENT_MAX = 20_000
/** In an answer to operators. */
const SHOWN_MAX = 1_000

export interface Standing {
  readonly addresses: readonly { readonly key: string; readonly forMs: number }[]
  readonly networks: readonly { readonly key: string; readonly forMs: number }[]
  /** Under attack. */
  readonly logins: readonly { readonly key: string; readonly forMs: number }[]
}

export interface GuessesClerkParts {
  readonly store: CredentialStore
  readonly commits: GroupCommit
  readonly clock: Clock
}

const forgiven = z.strictObject({ address: z.string().max(100) })

export class GuessesClerk<Settings = unknown> implements Clerk<Settings> {
  readonly subject = 'guesses'
  readonly #store: CredentialStore
  readonly #commits: GroupCommit
  readonly #clock: Clock
  readonly #throttle: GuessThrottle
  /** By login and site: when that was written. */
  readonly #recent = new Map<string, number>()

  constructor({ store, commits, clock }: GuessesClerkParts) {
    this.#store = store
    this.#commits = commits
    this.#clock = clock
    const nowMs = () => clock.monotonic()
    this.#throttle = new GuessThrottle({ nowMs, knows: (login, site) => this.#knows(login, site) })
  }

  async answer(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'admit': {
        const { login, clientAddress } = body as GuessQuestions['guesses/admit']['body']
        return this.#throttle.admit(nameOf(login), clientAddress)
      }
      case 'ended': {
        const { login, clientAddress, right } = body as GuessQuestions['guesses/ended']['body']
        if (right) this.#used(nameOf(login), clientNetworks(clientAddress).site)
        this.#throttle.ended(nameOf(login), clientAddress, right)
        return undefined
      }
      default:
        throw new Error(`no question about guesses: ${what}`)
    }
  }

  async command(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'list': {
        const { addresses, networks, logins } = this.#throttle.standing()
        const shown = (all: Standing['logins']) => all.slice(0, SHOWN_MAX)
        return { addresses: shown(addresses), networks: shown(networks), logins: shown(logins) } satisfies Standing
      }
      case 'forgive': {
        const { address } = asked(forgiven, body)
        const canonical = canonicalAddress(address)
        if (canonical !== undefined) return this.#throttle.forgive(canonical)
        throw new UserError(`${address} is no address`, 'Name the address of the client.', EXIT.data)
      }
      default:
        throw notUnderstood(what)
    }
  }

  metrics(): Snapshot {
    const { addresses, networks, logins } = this.#throttle.standing()
    const { refusals } = this.#throttle
    return {
      vorposten_auth_throttled: {
        kind: 'gauge',
        help: 'Clients whose passwords are not looked at now, because they guessed',
        samples: {
          'vorposten_auth_throttled{what="addresses"}': addresses.length,
          'vorposten_auth_throttled{what="networks"}': networks.length,
        },
      },
      vorposten_auth_logins_under_attack: {
        kind: 'gauge',
        help: 'Logins that are guessed at from where they were never used',
        samples: { vorposten_auth_logins_under_attack: logins.length },
      },
      vorposten_auth_throttled_total: {
        kind: 'counter',
        help: 'Passwords that were not looked at',
        samples: Object.fromEntries(
          Object.entries(refusals).map(([why, times]) => [`vorposten_auth_throttled_total{why="${why}"}`, times]),
        ),
      },
    }
  }

  async close(): Promise<void> {
    this.#commits.flush()
  }

  #knows(login: string, site: string): boolean {
    if (this.#recent.has(`${login} ${site}`)) return true
    try {
      return this.#store.knows(login, site)
    } catch {
      // Then everybody is a stranger, whose first try is looked at.
      return false
    }
  }

  #used(login: string, site: string): void {
    const key = `${login} ${site}`
    const nowMs = this.#clock.monotonic()
    const writtenMs = this.#recent.get(key)
    if (writtenMs !== undefined && nowMs - writtenMs < NETWORK_WRITE_MS) return
    this.#recent.delete(key)
    if (this.#recent.size >= RECENT_MAX) this.#recent.delete(this.#recent.keys().next().value ?? '')
    this.#recent.set(key, nowMs)
    const wallMs = this.#clock.wall()
    // A disk that is full is told by the spool.
    void this.#commits.run(() => this.#store.usedFrom(login, site, wallMs)).catch(() => {})
  }
}

/** Names that can be no login share one count. */
const nameOf = (typed: string): string => foldLogin(typed) ?? ''
