/**
 * Credentials as a worker knows them: it reads the store at every check, so that a new password, a lock and a removed
 * login hold at once; and it does the work of a check (argon2id) a few at a time.
 *
 * Nobody outside learns which logins exist: one that does not costs the same work, and has SCRAM keys too. A password that
 * was right is known again for `RIGHT_MS`, as a MAC with a key that only this process has, and only as long as the stored
 * string is the same one.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { CredentialReader, StoredCredential } from '#store/credentials.ts'
import type { Clock } from '#sys/clock.ts'
import { applicationDigest, matching } from './application-password.ts'
import type { Credential, Credentials, PasswordAnswer, ScramKeys } from './credentials.ts'
import { foldLogin } from './login-name.ts'
import { nobodysHash, type PasswordHash, passwordFits, readHash } from './password-hash.ts'
import { PasswordLine } from './password-line.ts'
import { preparePassword } from './prepare-password.ts'
import { nobodysScramKeys } from './scram-keys.ts'

/** A client that sends a message every few minutes is checked once in a while only. */
export const RIGHT_MS = 10 * 60_000
/** Logins that send at the same time; about 150 octets each. */
export const RIGHT_MAX = 10_000
/** A login's use is written down so often at most, by each worker. */
export const USED_MS = 10 * 60_000
const USED_MAX = 20_000

export interface PasswordCheckParts {
  readonly reader: CredentialReader
  readonly clock: Clock
  /** Of the configuration in force: with its tenant a login goes. */
  readonly tenantExists: (tenant: string) => boolean
  /** Whoever keeps the store writes down that a login was used, and with which application password. Never throws. */
  readonly used: (login: string, applicationPassword: number | undefined) => void
  /** Why nothing can be said, for the operator; the client hears that it is so, and no more. Never throws. */
  readonly fault: (text: string) => void
  readonly line?: PasswordLine
  readonly fits?: typeof passwordFits
}

const WRONG: PasswordAnswer = { kind: 'wrong' }

export class PasswordChecks implements Credentials {
  readonly #parts: PasswordCheckParts
  readonly #line: PasswordLine
  readonly #fits: typeof passwordFits
  readonly #key = randomBytes(32)
  readonly #nobodys = nobodysHash()
  /** MACs of what was right, until when; the oldest first. */
  readonly #right = new Map<string, number>()
  readonly #used = new Map<string, number>()

  constructor(parts: PasswordCheckParts) {
    this.#parts = parts
    this.#line = parts.line ?? new PasswordLine()
    this.#fits = parts.fits ?? passwordFits
  }

  async check(typedLogin: string, typedPassword: string): Promise<PasswordAnswer> {
    try {
      const prepared = preparePassword(typedPassword)
      // Nobody has a password that cannot be, and its check takes as long as any.
      const password = prepared.ok ? prepared.password : ''
      const found = this.#find(typedLogin)
      if (found === undefined || !prepared.ok) return await this.#spend(password)
      const application = this.#application(found.login, typedPassword)
      if (application !== undefined) return this.#answer(found, application)
      if (this.#isRight(found, password)) return this.#answer(found)
      return await this.#compare(found, password)
    } catch (error) {
      return this.#failed(error)
    }
  }

  scramKeys(typedLogin: string): ScramKeys {
    const secret = this.#parts.reader.secret()
    const nobodys = nobodysScramKeys(foldLogin(typedLogin) ?? typedLogin, secret)
    return this.#find(typedLogin)?.scram ?? nobodys
  }

  proved(typedLogin: string): PasswordAnswer {
    try {
      const found = this.#find(typedLogin)
      return found === undefined ? WRONG : this.#answer(found)
    } catch (error) {
      return this.#failed(error)
    }
  }

  #failed(error: unknown): PasswordAnswer {
    this.#parts.fault((error as Error).message)
    return unknown('credentials cannot be checked now')
  }

  #find(typedLogin: string): StoredCredential | undefined {
    const login = foldLogin(typedLogin)
    const found = login === undefined ? undefined : this.#parts.reader.find(login)
    return found !== undefined && this.#parts.tenantExists(found.tenant) ? found : undefined
  }

  #application(login: string, typed: string): number | undefined {
    const digest = applicationDigest(typed)
    return digest && matching(this.#parts.reader.digests(login), digest)?.id
  }

  async #compare(found: StoredCredential, password: string): Promise<PasswordAnswer> {
    const kept = readHash(found.hash)
    if (kept === undefined) throw new Error(`the stored password of ${found.login} cannot be understood`)
    const fits = await this.#work(password, kept)
    if (fits === undefined) return unknown('too many passwords are checked at once')
    if (!fits) return WRONG
    // It has waited: the password may be another by now, or the login be gone.
    const now = this.#find(found.login)
    if (now?.hash !== found.hash) return WRONG
    this.#remember(now, password)
    return this.#answer(now)
  }

  async #spend(password: string): Promise<PasswordAnswer> {
    const done = await this.#work(password, this.#nobodys)
    return done === undefined ? unknown('too many passwords are checked at once') : WRONG
  }

  async #work(password: string, kept: PasswordHash): Promise<boolean | undefined> {
    return this.#line.run(() => this.#fits(password, kept))
  }

  #answer(found: StoredCredential, application?: number): PasswordAnswer {
    const { tenant, login, networks, senders, disabled, locked } = found
    const credential: Credential = { tenant, login, networks, senders }
    if (locked !== undefined) {
      const text = `this login is locked: ${inReply(locked.reason)}; ask the administrator of ${tenant} to unlock it`
      return { kind: 'locked', credential, text }
    }
    if (disabled) {
      return { kind: 'locked', credential, text: `this login is disabled; ask the administrator of ${tenant}` }
    }
    this.#tellUsed(login, application)
    return { kind: 'right', credential }
  }

  #tellUsed(login: string, application: number | undefined): void {
    const nowMs = this.#parts.clock.monotonic()
    const key = `${application ?? ''} ${login}`
    const toldMs = this.#used.get(key)
    if (toldMs !== undefined && nowMs - toldMs < USED_MS) return
    put(this.#used, key, nowMs, USED_MAX)
    this.#parts.used(login, application)
  }

  #isRight(found: StoredCredential, password: string): boolean {
    return (this.#right.get(this.#mac(found, password)) ?? 0) > this.#parts.clock.monotonic()
  }

  #remember(found: StoredCredential, password: string): void {
    put(this.#right, this.#mac(found, password), this.#parts.clock.monotonic() + RIGHT_MS, RIGHT_MAX)
  }

  // The stored string has a salt of its own: with the password it changes too, and what was right is so no more.
  #mac({ login, hash }: StoredCredential, password: string): string {
    return createHmac('sha256', this.#key).update(`${login}\0${hash}\0${password}`).digest('base64')
  }
}

// It goes to the client in a reply.
const inReply = (reason: string): string => reason.replace(/[^ -~]/g, '?')

const unknown = (text: string): PasswordAnswer => ({ kind: 'unknown', text })

/** As the last one; the oldest goes when there are too many. */
function put(map: Map<string, number>, key: string, value: number, entriesMax: number): void {
  map.delete(key)
  if (map.size >= entriesMax) map.delete(map.keys().next().value ?? '')
  map.set(key, value)
}
