/**
 * Credentials: logins with what a check of their passwords needs, application passwords, and the networks that a login
 * was used from. The supervisor writes them, every worker reads them at each check: a change holds from its commit on.
 *
 * Logins are unique in the relay, folded by the caller. No password is in here: argon2id strings, SCRAM keys, SHA-256
 * digests of application passwords, which have 128 random bits. Times are wall clock, ms. Limits: the constants below;
 * an operator who exceeds one is told by the clerk. A row that cannot be understood throws: it must not become a right.
 */
import { randomBytes } from 'node:crypto'
import type { OwnLimits } from '#tenant/directory.ts'
import { type Database, inTransaction, type Part } from './database.ts'

/** Logins of one tenant, some 600 octets each; an operator is told. */
export const LOGINS_PER_TENANT_MAX = 100_000
/** Each device of a person has its own. */
export const APPLICATION_PASSWORDS_MAX = 20
/** Networks remembered for a login: home, office, and a year of journeys. */
export const KNOWN_NETWORKS_MAX = 50
/** One that was not used for so long is the first to be forgotten. */
export const NETWORK_FADES_MS = 60 * 86_400_000
/** For both lists of a login. */
export const RESTRICTIONS_MAX = 100

export interface StoredScram {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

export interface Restrictions {
  readonly networks: readonly string[]
  readonly senders: readonly string[]
}

/** What a password leaves behind. */
export interface StoredPassword {
  /** PHC string. */
  readonly hash: string
  readonly scram: StoredScram
}

export interface StoredCredential extends Restrictions, StoredPassword {
  readonly login: string
  readonly tenant: string
  readonly createdAtMs: number
  /** Of the password. */
  readonly changedAtMs: number
  readonly lastUsedAtMs?: number
  readonly disabled: boolean
  readonly locked?: { readonly reason: string; readonly atMs: number }
  /** Absent: as the tenant's others. */
  readonly limits?: OwnLimits
}

export interface ApplicationPassword {
  readonly id: number
  readonly label: string
  readonly createdAtMs: number
  readonly lastUsedAtMs?: number
}

/** From where a login was used. */
export interface StoredNetwork {
  /** IPv4 /24, IPv6 /48. */
  readonly network: string
  /** 0: before this was written down. */
  readonly firstAtMs: number
  readonly lastAtMs: number
}

export const CREDENTIALS: Part = {
  name: 'credentials',
  steps: [
    `CREATE TABLE credentials (
       login TEXT PRIMARY KEY, tenant TEXT NOT NULL, hash TEXT NOT NULL,
       scram_salt BLOB NOT NULL, scram_iterations INTEGER NOT NULL, stored_key BLOB NOT NULL, server_key BLOB NOT NULL,
       networks TEXT NOT NULL, senders TEXT NOT NULL,
       created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, last_used_at INTEGER,
       disabled INTEGER NOT NULL DEFAULT 0, locked_at INTEGER, lock_reason TEXT
     ) STRICT;
     CREATE INDEX credentials_of ON credentials (tenant, login);
     CREATE TABLE application_passwords (
       id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL, label TEXT NOT NULL, digest BLOB NOT NULL,
       created_at INTEGER NOT NULL, last_used_at INTEGER
     ) STRICT;
     CREATE UNIQUE INDEX application_passwords_of ON application_passwords (login, label);
     CREATE TABLE credential_networks (
       login TEXT NOT NULL, network TEXT NOT NULL, last_at INTEGER NOT NULL, PRIMARY KEY (login, network)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE credential_secret (id INTEGER PRIMARY KEY CHECK (id = 1), secret BLOB NOT NULL) STRICT`,
    'ALTER TABLE credentials ADD COLUMN limits TEXT',
    // Those that are known by then were known for long.
    'ALTER TABLE credential_networks ADD COLUMN first_at INTEGER NOT NULL DEFAULT 0',
  ],
}

const SECRET_OCTETS = 32

type Row = Record<string, unknown>

/** For workers: a look takes some microseconds. */
export class CredentialReader {
  readonly #find
  readonly #digests
  readonly #knows
  readonly #secret

  constructor(database: Database) {
    this.#find = database.prepare('SELECT * FROM credentials WHERE login = ?')
    this.#digests = database.prepare('SELECT id, digest FROM application_passwords WHERE login = ? ORDER BY id')
    this.#knows = database.prepare('SELECT 1 FROM credential_networks WHERE login = ? AND network = ?')
    this.#secret = database.prepare('SELECT secret FROM credential_secret')
  }

  find(login: string): StoredCredential | undefined {
    const row = this.#find.get(login)
    return row && credentialOf(row)
  }

  digests(login: string): { readonly id: number; readonly digest: Uint8Array }[] {
    return this.#digests.all(login).map((row) => ({ id: Number(row['id']), digest: row['digest'] as Uint8Array }))
  }

  /** Has the login been used from there? */
  knows(login: string, network: string): boolean {
    return this.#knows.get(login, network) !== undefined
  }

  /** From which the keys of logins that do not exist are made. Throws where the writer never was. */
  secret(): Uint8Array {
    const row = this.#secret.get()
    if (row === undefined) throw new Error('the store has no secret of credentials')
    return row['secret'] as Uint8Array
  }
}

/** For the one writer. */
export class CredentialStore extends CredentialReader {
  readonly #database: Database

  constructor(database: Database) {
    super(database)
    this.#database = database
    this.#run('INSERT OR IGNORE INTO credential_secret (id, secret) VALUES (1, ?)', randomBytes(SECRET_OCTETS))
  }

  /** In the order of logins, behind `after`. */
  page(tenant: string | undefined, after: string, rowsMax: number): StoredCredential[] {
    const where = tenant === undefined ? '' : 'tenant = ? AND '
    return this.#database
      .prepare(`SELECT * FROM credentials WHERE ${where}login > ? ORDER BY login LIMIT ?`)
      .all(...(tenant === undefined ? [] : [tenant]), after, rowsMax)
      .map(credentialOf)
  }

  /** Logins of a tenant. */
  count(tenant: string): number {
    return Number(this.#database.prepare('SELECT count(*) AS n FROM credentials WHERE tenant = ?').get(tenant)?.['n'])
  }

  /** False: there is one of this login. */
  add(
    of: { login: string; tenant: string; limits?: OwnLimits } & Restrictions & StoredPassword,
    atMs: number,
  ): boolean {
    const { login, tenant, networks, senders, hash, scram, limits = {} } = of
    const { changes } = this.#run(
      `INSERT OR IGNORE INTO credentials (login, tenant, hash, scram_salt, scram_iterations, stored_key, server_key,
         networks, senders, created_at, changed_at, limits) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[login, tenant, hash, scram.salt, scram.iterations, scram.storedKey, scram.serverKey],
      ...[JSON.stringify(networks), JSON.stringify(senders), atMs, atMs, textOf(limits)],
    )
    return Number(changes) === 1
  }

  setPassword(login: string, { hash, scram }: StoredPassword, atMs: number): void {
    this.#run(
      `UPDATE credentials SET hash = ?, scram_salt = ?, scram_iterations = ?, stored_key = ?, server_key = ?,
         changed_at = ? WHERE login = ?`,
      ...[hash, scram.salt, scram.iterations, scram.storedKey, scram.serverKey, atMs, login],
    )
  }

  restrict(login: string, { networks, senders }: Restrictions): void {
    const sql = 'UPDATE credentials SET networks = ?, senders = ? WHERE login = ?'
    this.#run(sql, JSON.stringify(networks), JSON.stringify(senders), login)
  }

  /** Those that are absent are the tenant's. */
  limit(login: string, limits: OwnLimits): void {
    this.#run('UPDATE credentials SET limits = ? WHERE login = ?', textOf(limits), login)
  }

  setDisabled(login: string, disabled: boolean): void {
    this.#run('UPDATE credentials SET disabled = ? WHERE login = ?', disabled ? 1 : 0, login)
  }

  /** One that is locked stays locked for its first reason. */
  lock(login: string, reason: string, atMs: number): void {
    const sql = 'UPDATE credentials SET locked_at = ?, lock_reason = ? WHERE login = ? AND locked_at IS NULL'
    this.#run(sql, atMs, reason, login)
  }

  unlock(login: string): void {
    this.#run('UPDATE credentials SET locked_at = NULL, lock_reason = NULL WHERE login = ?', login)
  }

  /** With its application passwords and its networks. */
  remove(login: string): void {
    inTransaction(this.#database, () => {
      for (const table of ['application_passwords', 'credential_networks', 'credentials'])
        this.#run(`DELETE FROM ${table} WHERE login = ?`, login)
    })
  }

  applicationPasswords(login: string): ApplicationPassword[] {
    return this.#database
      .prepare('SELECT * FROM application_passwords WHERE login = ? ORDER BY id')
      .all(login)
      .map((row) => ({
        id: Number(row['id']),
        label: row['label'] as string,
        createdAtMs: row['created_at'] as number,
        ...lastUsed(row),
      }))
  }

  addApplicationPassword(login: string, label: string, digest: Uint8Array, atMs: number): 'added' | 'exists' | 'full' {
    const passwords = this.applicationPasswords(login)
    if (passwords.some((password) => password.label === label)) return 'exists'
    if (passwords.length >= APPLICATION_PASSWORDS_MAX) return 'full'
    const sql = 'INSERT INTO application_passwords (login, label, digest, created_at) VALUES (?, ?, ?, ?)'
    this.#run(sql, login, label, digest, atMs)
    return 'added'
  }

  /** False: there is none of this label. */
  removeApplicationPassword(login: string, label: string): boolean {
    const { changes } = this.#run('DELETE FROM application_passwords WHERE login = ? AND label = ?', login, label)
    return Number(changes) === 1
  }

  /** Within a transaction. */
  used(login: string, applicationPassword: number | undefined, atMs: number): void {
    this.#run('UPDATE credentials SET last_used_at = ? WHERE login = ?', atMs, login)
    if (applicationPassword === undefined) return
    const sql = 'UPDATE application_passwords SET last_used_at = ? WHERE id = ? AND login = ?'
    this.#run(sql, atMs, applicationPassword, login)
  }

  /**
   * The login was used from there; a login that is gone has no networks. Too many: first those go that were not used for
   * `NETWORK_FADES_MS`, then the youngest, so that a thief with a hundred networks does not drive out the owner's. Within a
   * transaction.
   */
  usedFrom(login: string, network: string, atMs: number): void {
    this.#run(
      `INSERT INTO credential_networks (login, network, first_at, last_at)
         SELECT login, ?1, ?2, ?2 FROM credentials WHERE login = ?3
       ON CONFLICT (login, network) DO UPDATE SET last_at = excluded.last_at`,
      ...[network, atMs, login],
    )
    this.#run(
      `DELETE FROM credential_networks WHERE login = ?1 AND network IN (
         SELECT network FROM credential_networks WHERE login = ?1
         ORDER BY network = ?2 DESC, last_at > ?3 DESC, first_at, network LIMIT -1 OFFSET ?4)`,
      ...[login, network, atMs - NETWORK_FADES_MS, KNOWN_NETWORKS_MAX],
    )
  }

  /** The latest first. */
  networks(login: string): StoredNetwork[] {
    return this.#database
      .prepare('SELECT * FROM credential_networks WHERE login = ? ORDER BY last_at DESC, network')
      .all(login)
      .map((row) => ({
        network: row['network'] as string,
        firstAtMs: row['first_at'] as number,
        lastAtMs: row['last_at'] as number,
      }))
  }

  #run(sql: string, ...values: (string | number | Uint8Array | null)[]) {
    return this.#database.prepare(sql).run(...values)
  }
}

function credentialOf(row: Row): StoredCredential {
  const { locked_at: lockedAtMs, lock_reason: reason } = row as { locked_at: number | null; lock_reason: string | null }
  return {
    login: row['login'] as string,
    tenant: row['tenant'] as string,
    hash: row['hash'] as string,
    scram: {
      salt: row['scram_salt'] as Uint8Array,
      iterations: row['scram_iterations'] as number,
      storedKey: row['stored_key'] as Uint8Array,
      serverKey: row['server_key'] as Uint8Array,
    },
    networks: textsOf(row['networks'] as string),
    senders: textsOf(row['senders'] as string),
    createdAtMs: row['created_at'] as number,
    changedAtMs: row['changed_at'] as number,
    ...lastUsed(row),
    disabled: row['disabled'] !== 0,
    ...(lockedAtMs === null ? {} : { locked: { reason: reason ?? '', atMs: lockedAtMs } }),
    ...(row['limits'] === null ? {} : { limits: limitsOf(row['limits'] as string) }),
  }
}

const textOf = (limits: OwnLimits): string | null => (Object.keys(limits).length === 0 ? null : JSON.stringify(limits))

/** As they are stored. Throws for anything else: no limit would mean the tenant's, which may be higher. */
function limitsOf(json: string): OwnLimits {
  const value: unknown = JSON.parse(json)
  const isLimits = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (isLimits && Object.values(value).every((count) => Number.isSafeInteger(count) && count > 0)) return value
  throw new Error('the limits of a credential cannot be understood')
}

const lastUsed = (row: Row): { lastUsedAtMs?: number } =>
  row['last_used_at'] === null ? {} : { lastUsedAtMs: row['last_used_at'] as number }

/** A list as it is stored. Throws for anything else: an empty list would mean "any". */
export function textsOf(json: string): string[] {
  const value: unknown = JSON.parse(json)
  const isList = Array.isArray(value) && value.length <= RESTRICTIONS_MAX
  if (isList && value.every((text) => typeof text === 'string')) return value
  throw new Error('a list of a credential cannot be understood')
}
