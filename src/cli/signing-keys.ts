/**
 * A worker's keys for signing: read from the store, opened with the master key, and kept in memory, until the desk says
 * that something has changed. That word may get lost, so nothing is kept for longer than a minute.
 */
import { createPrivateKey } from 'node:crypto'
import type { SigningKey } from '#auth/dkim/signature.ts'
import type { Config } from '#config/config.ts'
import type { Database } from '#store/database.ts'
import { DkimKeyReader, openKey, type StoredKey } from '#store/dkim-keys.ts'
import type { MasterKey } from '#store/sealing.ts'
import type { Clock } from '#sys/clock.ts'
import type { KeysAnswer, KeysOf } from '../relay/signing.ts'
import { masterKeyOf, masterKeyPlace } from './master-key.ts'

const KEPT_MS_MAX = 60_000
/** Domains; a key has some 2 KB in memory. */
const KEPT_MAX = 10_000

export class SigningKeys {
  readonly #reader: DkimKeyReader
  readonly #config: () => Config
  readonly #clock: Clock
  readonly #kept = new Map<string, { readonly answer: KeysAnswer; readonly untilMs: number }>()

  constructor(store: Database, config: () => Config, clock: Clock) {
    this.#reader = new DkimKeyReader(store)
    this.#config = config
    this.#clock = clock
  }

  readonly of: KeysOf = (tenant, domain) => {
    const nowMs = this.#clock.monotonic()
    const name = `${tenant} ${domain}`
    const kept = this.#kept.get(name)
    if (kept !== undefined && kept.untilMs > nowMs) return kept.answer
    const answer = this.#read(tenant, domain)
    // What cannot be used now is asked for again at once: an operator may just be mending it.
    if (answer.kind === 'unavailable') return answer
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear()
    this.#kept.set(name, { answer, untilMs: nowMs + KEPT_MS_MAX })
    return answer
  }

  changed(): void {
    this.#kept.clear()
  }

  #read(tenant: string, domain: string): KeysAnswer {
    try {
      const stored = this.#reader.active(tenant, domain)
      if (stored.length === 0) return { kind: 'none' }
      const master = masterKeyOf(this.#config())
      const keys = stored.map((key) => opened(key, master))
      const missing = stored.filter((_, i) => keys[i] === undefined).map(({ selector }) => selector)
      if (missing.length === 0) return { kind: 'keys', keys: keys as SigningKey[] }
      const why = `the master key (${masterKeyPlace(this.#config())}) does not open the keys of ${domain}: ${missing.join(', ')}`
      return { kind: 'unavailable', text: why }
    } catch (error) {
      return { kind: 'unavailable', text: `the keys of ${domain} cannot be read: ${(error as Error).message}` }
    }
  }
}

function opened(key: StoredKey, master: MasterKey | undefined): SigningKey | undefined {
  const der = master && openKey(master, key)
  if (der === undefined) return undefined
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return { domain: key.domain, selector: key.selector, algorithm: key.algorithm, privateKey }
}
