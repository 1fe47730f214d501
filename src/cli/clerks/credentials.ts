/**
 * The clerk of credentials: adds, shows, changes and removes logins for operators, and writes down for the workers when
 * one was used. Workers read the store at each check, so that what is done here holds as soon as it is answered.
 *
 * A password goes in and is forgotten; one that was made here is answered once.
 */
import { applicationDigest, newApplicationPassword } from '#auth/application-password.ts'
import type { PasswordAnswer } from '#auth/credentials.ts'
import { hashPassword } from '#auth/password-hash.ts'
import { scramKeysOf } from '#auth/scram-keys.ts'
import { EXIT, UserError } from '#cli/exit.ts'
import type { AskOne, AskWorkers, Clerk } from '#cli/serve/desk.ts'
import type { Config } from '#config/config.ts'
import {
  APPLICATION_PASSWORDS_MAX,
  type ApplicationPassword,
  type CredentialStore,
  LOGINS_PER_TENANT_MAX,
  type StoredCredential,
  type StoredNetwork,
  type StoredPassword,
} from '#store/credentials.ts'
import type { GroupCommit } from '#store/group-commit.ts'
import type { Clock } from '#sys/clock.ts'
import type { SendingLimits } from '#tenant/directory.ts'
import { limitsAfter } from './credential-limits.ts'
import {
  asked,
  labelOf,
  loginOf,
  networksOf,
  notUnderstood,
  passwordOf,
  reasonOf,
  requests,
  senderDomain,
  sendersOf,
} from './credential-requests.ts'

const DEEDS = {
  add: 'added',
  passwd: 'another password',
  restrict: 'other restrictions',
  limit: 'other limits',
  disable: 'disabled',
  enable: 'enabled',
  lock: 'locked',
  unlock: 'unlocked',
  remove: 'removed',
  'application-password-add': 'an application password added',
  'application-password-remove': 'an application password removed',
} as const
type Deed = keyof typeof DEEDS

/** A hundred thousand messages take some seconds. What comes later is done all the same, and not counted. */
const MOVE_MS_MAX = 20_000

/** In one answer of a list. */
export const LIST_ROWS_MAX = 1_000

/** A login as operators see it: nothing of its password. Wall clock, ms. */
export interface CredentialRow extends Omit<StoredCredential, keyof StoredPassword> {
  /** False: its tenant is not in the configuration, and the login does not work. */
  readonly works: boolean
}

export interface CredentialMoved extends CredentialRow {
  /** Messages that are held now, or go out. */
  readonly moved: number
}

export interface CredentialShown extends CredentialRow {
  readonly applicationPasswords: readonly ApplicationPassword[]
  readonly usedFrom: readonly StoredNetwork[]
}

/** `password`: the one that was made. */
export interface PasswordSet {
  readonly login: string
  readonly password?: string
  readonly notes: readonly string[]
}

/** What a worker asks or tells. */
export interface CredentialQuestions {
  'credentials/used': { body: { login: string; applicationPassword: number | undefined } }
}

export interface CredentialsClerkParts {
  readonly store: CredentialStore
  readonly commits: GroupCommit
  readonly clock: Clock
  readonly config: Config
  /** One line for the operator: who was added, locked, removed. */
  readonly log: (line: string) => void
}

export class CredentialsClerk implements Clerk<Config> {
  readonly subject = 'credentials'
  readonly #store: CredentialStore
  readonly #commits: GroupCommit
  readonly #clock: Clock
  readonly #log: (line: string) => void
  #config: Config
  #workers: AskWorkers = async () => []
  #askOne: AskOne = async () => undefined

  constructor({ store, commits, clock, config, log }: CredentialsClerkParts) {
    this.#store = store
    this.#commits = commits
    this.#clock = clock
    this.#config = config
    this.#log = log
  }

  started(workers: AskWorkers, one: AskOne): void {
    this.#workers = workers
    this.#askOne = one
  }

  async reload(config: Config): Promise<void> {
    this.#config = config
  }

  async close(): Promise<void> {
    this.#commits.flush()
  }

  async answer(what: string, body: unknown): Promise<unknown> {
    if (what !== 'used') throw new Error(`no question about credentials: ${what}`)
    const { login, applicationPassword } = body as CredentialQuestions['credentials/used']['body']
    const nowMs = this.#clock.wall()
    return this.#commits.run(() => this.#store.used(login, applicationPassword, nowMs))
  }

  async command(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'add':
        return this.#add(body)
      case 'list': {
        const { tenant, after } = asked(requests.list, body)
        return this.#store.page(tenant, after, LIST_ROWS_MAX).map((found) => this.#row(found))
      }
      case 'show':
        return this.#show(this.#named(body))
      case 'passwd':
        return this.#passwd(body)
      case 'try':
        return this.#try(body)
      case 'restrict':
        return this.#restrict(body)
      case 'limit':
        return this.#limit(body)
      case 'disable':
      case 'enable':
        return this.#change(what, body, ({ login }) => this.#store.setDisabled(login, what === 'disable'))
      case 'lock': {
        const { login, reason } = asked(requests.lock, body)
        const row = this.#change(what, { login }, (of) =>
          this.#store.lock(of.login, reasonOf(reason), this.#clock.wall()),
        )
        return { ...row, moved: await this.#move('locked', row) }
      }
      // Answered is what it was before, so that the operator reads what he has unlocked.
      case 'unlock': {
        const row = this.#change(what, body, ({ login }) => this.#store.unlock(login))
        return { ...row, moved: await this.#move('unlocked', row) }
      }
      case 'remove':
        return this.#change(what, body, ({ login }) => this.#store.remove(login))
      case 'application-password-add':
        return this.#addApplicationPassword(body)
      case 'application-password-remove':
        return this.#removeApplicationPassword(body)
      default:
        throw notUnderstood(what)
    }
  }

  async #add(body: unknown): Promise<PasswordSet> {
    const { tenant, login: typed, password, networks, senders, limits = {} } = asked(requests.add, body)
    const login = loginOf(typed)
    if (!this.#hasTenant(tenant)) {
      const advice = 'See the tenants with: vorposten check-config. A new one is known after a reload.'
      throw new UserError(`${tenant} is not a tenant of this relay`, advice, EXIT.config)
    }
    if (this.#store.count(tenant) >= LOGINS_PER_TENANT_MAX) {
      const problem = `${tenant} has ${LOGINS_PER_TENANT_MAX} logins, which is the limit`
      throw new UserError(problem, 'Remove some: vorposten credentials list shows when they were used.', EXIT.data)
    }
    const restrictions = { networks: networksOf(networks), senders: sendersOf(senders) }
    const own = limitsAfter(undefined, limits, tenant, this.#limitsOf(tenant))
    const { stored, made } = await passwordFor(login, password)
    if (!this.#store.add({ login, tenant, ...restrictions, ...stored, limits: own }, this.#clock.wall())) {
      const advice = `Logins are unique in the relay. See it with: vorposten credentials show ${login}.`
      throw new UserError(`there is a login ${login} already`, advice, EXIT.data)
    }
    this.#tell({ login, tenant }, 'add')
    return { login, notes: this.#foreign(tenant, restrictions.senders), ...made }
  }

  async #passwd(body: unknown): Promise<PasswordSet> {
    const { login: typed, password } = asked(requests.passwd, body)
    const found = this.#named({ login: typed })
    const { login } = found
    const { stored, made } = await passwordFor(login, password)
    this.#store.setPassword(login, stored, this.#clock.wall())
    this.#tell(found, 'passwd')
    const devices = this.#store.applicationPasswords(login).length
    const notes = devices === 0 ? [] : [`application passwords still hold: ${devices}`]
    return { login, notes, ...made }
  }

  async #try(body: unknown): Promise<PasswordAnswer> {
    const { login, password } = asked(requests.try, body)
    const answer = await this.#askOne('credentials/check', { login: loginOf(login), password })
    return (answer as PasswordAnswer | undefined) ?? { kind: 'unknown', text: 'no worker answered' }
  }

  #restrict(body: unknown): { readonly row: CredentialRow; readonly notes: readonly string[] } {
    const { login, networks, senders } = asked(requests.restrict, body)
    const found = this.#named({ login })
    const restrictions = {
      networks: networks === undefined ? found.networks : networksOf(networks),
      senders: senders === undefined ? found.senders : sendersOf(senders),
    }
    this.#store.restrict(found.login, restrictions)
    this.#tell(found, 'restrict')
    const notes = senders === undefined ? [] : this.#foreign(found.tenant, restrictions.senders)
    return { row: this.#row({ ...found, ...restrictions }), notes }
  }

  // The clerk of abuse reads them at the next recipient.
  #limit(body: unknown): CredentialRow {
    const { login, limits: wanted } = asked(requests.limit, body)
    const { limits: before, ...found } = this.#named({ login })
    const limits = limitsAfter(before, wanted, found.tenant, this.#limitsOf(found.tenant))
    this.#store.limit(found.login, limits)
    this.#tell(found, 'limit')
    return this.#row({ ...found, ...(Object.keys(limits).length > 0 && { limits }) })
  }

  #limitsOf(name: string): SendingLimits | undefined {
    return this.#config.tenants.find((tenant) => tenant.name === name)?.outbound?.limits
  }

  #addApplicationPassword(body: unknown): PasswordSet {
    const { login: typed, label: typedLabel } = asked(requests.labelled, body)
    const found = this.#named({ login: typed })
    const { login } = found
    const label = labelOf(typedLabel)
    const password = newApplicationPassword()
    const done = this.#store.addApplicationPassword(login, label, applicationDigest(password)!, this.#clock.wall())
    if (done === 'added') {
      this.#tell(found, 'application-password-add')
      return { login, password, notes: [] }
    }
    const remove = `Remove one first: vorposten credentials application-password remove ${login} LABEL.`
    const problem =
      done === 'exists'
        ? `${login} has an application password ${label} already`
        : `${login} has ${APPLICATION_PASSWORDS_MAX} application passwords, which is the limit`
    throw new UserError(problem, remove, EXIT.data)
  }

  #removeApplicationPassword(body: unknown): CredentialRow {
    const { login, label: typed } = asked(requests.labelled, body)
    const found = this.#named({ login })
    const label = labelOf(typed)
    if (this.#store.removeApplicationPassword(found.login, label)) {
      this.#tell(found, 'application-password-remove')
      return this.#row(found)
    }
    const advice = `See them with: vorposten credentials show ${found.login}.`
    throw new UserError(`${found.login} has no application password ${label}`, advice, EXIT.unavailable)
  }

  #show(found: StoredCredential): CredentialShown {
    const { login } = found
    const applicationPasswords = this.#store.applicationPasswords(login)
    return { ...this.#row(found), applicationPasswords, usedFrom: this.#store.networks(login) }
  }

  #change(what: Deed, body: unknown, change: (found: StoredCredential) => void): CredentialRow {
    const found = this.#named(body)
    change(found)
    this.#tell(found, what)
    return this.#row(found)
  }

  /** What waits of the login's mail is held, or goes out. How many messages that are, in all workers. */
  async #move(what: 'locked' | 'unlocked', { tenant, login }: CredentialRow): Promise<number> {
    const counts = await this.#workers(`credentials/${what}`, { tenant, login }, MOVE_MS_MAX)
    return (counts as number[]).reduce((sum, count) => sum + count, 0)
  }

  // The path has its own log; this is of what operators did.
  #tell({ login, tenant }: { login: string; tenant: string }, what: Deed): void {
    this.#log(`credential ${login} of ${tenant}: ${DEEDS[what]}`)
  }

  #named(body: unknown): StoredCredential {
    const { login: typed } = asked(requests.one, body)
    const login = loginOf(typed)
    const found = this.#store.find(login)
    if (found !== undefined) return found
    throw new UserError(`there is no login ${login}`, 'See them with: vorposten credentials list.', EXIT.unavailable)
  }

  #row({ hash: _, scram: __, ...seen }: StoredCredential): CredentialRow {
    return { ...seen, works: this.#hasTenant(seen.tenant) }
  }

  #hasTenant(name: string): boolean {
    return this.#config.tenants.some((tenant) => tenant.name === name)
  }

  #foreign(tenant: string, senders: readonly string[]): string[] {
    const served = this.#config.domains.filter((d) => d.tenant.name === tenant).map(({ name }) => name)
    const sentAs = this.#config.tenants.find(({ name }) => name === tenant)?.outbound?.senderDomains ?? []
    const own = new Set([...served, ...sentAs])
    const foreign = [...new Set(senders.map(senderDomain))].filter((domain) => !own.has(domain))
    return foreign.map((domain) => `${domain} is not a domain of ${tenant}`)
  }
}

async function passwordFor(
  login: string,
  typed: string | undefined,
): Promise<{ stored: StoredPassword; made: object }> {
  const password = typed === undefined ? newApplicationPassword() : passwordOf(typed, login)
  const [hash, scram] = await Promise.all([hashPassword(password), scramKeysOf(password)])
  return { stored: { hash, scram }, made: typed === undefined ? { password } : {} }
}
