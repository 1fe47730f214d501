/**
 * Keys that sign mail, for each tenant and domain; the private halves are sealed. A key is `pending` until its record is
 * published, then `active`, and `retired` when the next one has taken over: it signs no more, but its record must stay
 * until the last mail that it signed has arrived.
 */
import type { Database, Part } from './database.ts'
import type { MasterKey } from './sealing.ts'

export const DKIM_KEYS: Part = {
  name: 'dkim-keys',
  steps: [
    `CREATE TABLE dkim_keys (
       tenant TEXT NOT NULL,
       domain TEXT NOT NULL,
       selector TEXT NOT NULL,
       algorithm TEXT NOT NULL,
       bits INTEGER NOT NULL,
       state TEXT NOT NULL,
       state_ms INTEGER NOT NULL,
       made_ms INTEGER NOT NULL,
       public_key TEXT NOT NULL,
       sealed BLOB NOT NULL,
       sealed_by TEXT NOT NULL,
       found TEXT,
       found_ms INTEGER,
       PRIMARY KEY (domain, selector, tenant)
     ) STRICT`,
  ],
}

export type KeyState = 'pending' | 'active' | 'retired'

export interface KeyName {
  readonly tenant: string
  /** A-labels, lower case. */
  readonly domain: string
  readonly selector: string
}

export interface StoredKey extends KeyName {
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256'
  readonly bits: number
  readonly state: KeyState
  /** Since when. */
  readonly stateMs: number
  readonly madeMs: number
  /** For p= of its record. */
  readonly publicKey: string
  readonly sealed: Uint8Array
  /** Id of the master key. */
  readonly sealedBy: string
  /** What was last found in DNS, and when. */
  readonly found?: string
  readonly foundMs?: number
}

const about = ({ tenant, domain, selector }: KeyName): string[] => ['dkim', tenant, domain, selector]

export const sealKey = (master: MasterKey, name: KeyName, pkcs8: Uint8Array) => ({
  sealed: master.seal(pkcs8, about(name)),
  sealedBy: master.id,
})

/** PKCS#8, DER. Undefined: the key was sealed with another master key, or is not what it says it is. */
export const openKey = (master: MasterKey, key: StoredKey): Buffer | undefined =>
  key.sealedBy === master.id ? master.open(key.sealed, about(key)) : undefined

/** For every process; SQLite's errors are thrown. */
export class DkimKeyReader {
  readonly #database: Database
  readonly #active

  constructor(database: Database) {
    this.#database = database
    this.#active = database.prepare(
      `SELECT * FROM dkim_keys WHERE domain = ? AND tenant = ? AND state = 'active' ORDER BY algorithm DESC, selector`,
    )
  }

  /** RSA first. */
  active(tenant: string, domain: string): StoredKey[] {
    return this.#active.all(domain, tenant).map(keyOf)
  }

  all(): StoredKey[] {
    return this.#database.prepare('SELECT * FROM dkim_keys ORDER BY tenant, domain, made_ms, selector').all().map(keyOf)
  }
}

/** For the one writer. */
export class DkimKeys extends DkimKeyReader {
  readonly #database: Database

  constructor(database: Database) {
    super(database)
    this.#database = database
  }

  /** Throws if the tenant's domain has a key of that selector. */
  put(key: StoredKey): void {
    this.#database
      .prepare(
        `INSERT INTO dkim_keys (tenant, domain, selector, algorithm, bits, state, state_ms, made_ms, public_key, sealed, sealed_by)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        ...[key.tenant, key.domain, key.selector, key.algorithm, key.bits, key.state],
        ...[Math.round(key.stateMs), Math.round(key.madeMs), key.publicKey, key.sealed, key.sealedBy],
      )
  }

  setState({ tenant, domain, selector }: KeyName, state: KeyState, nowMs: number): void {
    this.#database
      .prepare('UPDATE dkim_keys SET state = ?, state_ms = ? WHERE domain = ? AND selector = ? AND tenant = ?')
      .run(state, Math.round(nowMs), domain, selector, tenant)
  }

  setFound({ tenant, domain, selector }: KeyName, found: string, nowMs: number): void {
    this.#database
      .prepare('UPDATE dkim_keys SET found = ?, found_ms = ? WHERE domain = ? AND selector = ? AND tenant = ?')
      .run(found, Math.round(nowMs), domain, selector, tenant)
  }

  setSealed({ tenant, domain, selector }: KeyName, { sealed, sealedBy }: Pick<StoredKey, 'sealed' | 'sealedBy'>): void {
    this.#database
      .prepare('UPDATE dkim_keys SET sealed = ?, sealed_by = ? WHERE domain = ? AND selector = ? AND tenant = ?')
      .run(sealed, sealedBy, domain, selector, tenant)
  }

  remove({ tenant, domain, selector }: KeyName): void {
    this.#database
      .prepare('DELETE FROM dkim_keys WHERE domain = ? AND selector = ? AND tenant = ?')
      .run(domain, selector, tenant)
  }
}

const keyOf = (row: Record<string, unknown>): StoredKey => ({
  tenant: String(row['tenant']),
  domain: String(row['domain']),
  selector: String(row['selector']),
  algorithm: row['algorithm'] === 'rsa-sha256' ? 'rsa-sha256' : 'ed25519-sha256',
  bits: Number(row['bits']),
  state: row['state'] as KeyState,
  stateMs: Number(row['state_ms']),
  madeMs: Number(row['made_ms']),
  publicKey: String(row['public_key']),
  sealed: row['sealed'] as Uint8Array,
  sealedBy: String(row['sealed_by']),
  ...(row['found'] !== null && { found: String(row['found']), foundMs: Number(row['found_ms']) }),
})
