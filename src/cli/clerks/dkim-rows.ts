/** What operators are shown of the keys that sign mail; never the private half. */
import { RSA_BITS, recordName, recordText, zoneLine } from '#auth/dkim/keys.ts'
import type { Algorithm } from '#auth/dkim/signature.ts'
import type { Config } from '#config/config.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { KeyName, KeyState, StoredKey } from '#store/dkim-keys.ts'
import type { MasterKey } from '#store/sealing.ts'
import type { Directory } from '#tenant/directory.ts'
import { masterKeyPlace } from '../master-key.ts'

export interface KeyRow extends KeyName {
  readonly algorithm: Algorithm
  readonly bits: number
  readonly state: KeyState
  readonly sinceMs: number
  readonly recordName: string
  readonly record: string
  /** For a zone file. */
  readonly zoneLine: string
  /** What DNS was last seen to say, and how long ago. */
  readonly found?: string
  readonly foundAgeMs?: number
  /** Of a retired key: until its record may go; 0: now. */
  readonly removableInMs?: number
  /** What keeps it from signing. */
  readonly trouble?: string
  readonly note?: string
}

export interface DkimList {
  readonly keys: readonly KeyRow[]
  /** Domains whose mail leaves through us without a signature. */
  readonly unsigned: readonly { readonly tenant: string; readonly domain: string }[]
}

interface Around {
  readonly config: Config
  readonly directory: Directory
  readonly master: MasterKey | undefined
  readonly nowMs: number
}

export function keyRow(key: StoredKey, around: Around): KeyRow {
  const { tenant, domain, selector, algorithm, bits, state, stateMs, publicKey, found, foundMs } = key
  const name = recordName(domain, selector)
  const record = recordText(algorithm, publicKey)
  const trouble = troubleOf(key, around)
  const isShort = algorithm === 'rsa-sha256' && bits < RSA_BITS
  return {
    ...{ tenant, domain, selector, algorithm, bits, state, sinceMs: stateMs },
    ...{ recordName: name, record, zoneLine: zoneLine(name, record) },
    ...(found !== undefined && { found, foundAgeMs: Math.max(0, around.nowMs - (foundMs ?? 0)) }),
    ...(state === 'retired' && { removableInMs: removableInMs(key, around) }),
    ...(trouble !== undefined && { trouble }),
    ...(isShort && { note: `a key of ${bits} bits is weak; ${RSA_BITS} are advised (RFC 8301)` }),
  }
}

function troubleOf(key: StoredKey, { config, directory, master }: Around): string | undefined {
  const owner = directory.domain(key.domain)?.tenant.name
  if (owner === undefined) return `${key.domain} is not served any more`
  if (owner !== key.tenant) return `${key.domain} belongs to ${owner} now`
  return isSealed(key, master) ? `the master key (${masterKeyPlace(config)}) does not open it` : undefined
}

/** Until the last mail that it signed must have arrived; 0 for one that never signed. */
export function removableInMs(
  { state, stateMs }: StoredKey,
  { config, nowMs }: Pick<Around, 'config' | 'nowMs'>,
): number {
  return state === 'retired' ? Math.max(0, stateMs + config.dkim.keepPublishedMs - nowMs) : 0
}

/** By another master key than we have. */
export const isSealed = (key: StoredKey, master: MasterKey | undefined): boolean => key.sealedBy !== master?.id

export function keyMetrics(keys: readonly StoredKey[], master: MasterKey | undefined): Snapshot {
  const samples: Record<string, number> = {}
  for (const state of ['pending', 'active', 'retired', 'sealed']) samples[`vorposten_dkim_keys{state="${state}"}`] = 0
  for (const key of keys) samples[`vorposten_dkim_keys{state="${isSealed(key, master) ? 'sealed' : key.state}"}`]! += 1
  return {
    vorposten_dkim_keys: { kind: 'gauge', help: 'Keys that sign mail, by state', samples },
  }
}

/** Domains of tenants that send through us. */
export function unsignedDomains({ domains }: Config, keys: readonly StoredKey[]): DkimList['unsigned'] {
  const signing = new Set(keys.flatMap((key) => (key.state === 'active' ? [`${key.tenant} ${key.domain}`] : [])))
  return domains
    .filter(({ tenant, name }) => tenant.outbound !== undefined && !name.startsWith('*.'))
    .map(({ tenant, name }) => ({ tenant: tenant.name, domain: name }))
    .filter((row) => !signing.has(`${row.tenant} ${row.domain}`))
}
