/** What operators are shown of the keys that sign mail; never the private half. */
import { RSA_BITS, recordName, recordText, zoneLine } from '#auth/dkim/keys.ts'
import type { Algorithm } from '#auth/dkim/signature.ts'
import type { Config } from '#config/config.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { KeyName, KeyState, StoredKey } from '#store/dkim-keys.ts'
import type { MasterKey } from '#store/sealing.ts'
import type { SenderDomainName } from '#store/sender-domains.ts'
import type { Directory } from '#tenant/directory.ts'
import { masterKeyPlace } from '../master-key.ts'
import { senderDomains } from './domain-owners.ts'

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
  readonly unsigned: readonly SenderDomainName[]
}

/** May the tenant send as this sender domain? */
export type IsVerified = (name: SenderDomainName) => boolean

interface Around {
  readonly config: Config
  readonly directory: Directory
  readonly master: MasterKey | undefined
  readonly verified: IsVerified
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

function troubleOf(key: StoredKey, { config, directory, master, verified }: Around): string | undefined {
  const { tenant, domain } = key
  const owner = directory.domain(domain)?.tenant.name
  if (owner === undefined) {
    const isNamed = directory.tenant(tenant)?.outbound?.senderDomains?.has(domain) === true
    if (!isNamed) return `${domain} is neither served for ${tenant} nor one of its sender domains any more`
    if (!verified(key)) return `${tenant} may not send as ${domain}: see vorposten domains show ${domain}`
  } else if (owner !== tenant) return `${domain} belongs to ${owner} now`
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

/** As which tenants may send through us: those served here, and the sender domains that are verified. */
export function sendingDomains({ domains, tenants }: Config, verified: IsVerified): SenderDomainName[] {
  const served = domains
    .filter(({ tenant, name }) => tenant.outbound !== undefined && !name.startsWith('*.'))
    .map(({ tenant, name }) => ({ tenant: tenant.name, domain: name }))
  return [...served, ...senderDomains(tenants).filter(verified)]
}

/** Those of them whose mail leaves without a signature. */
export function unsignedDomains(
  sending: readonly SenderDomainName[],
  keys: readonly StoredKey[],
): DkimList['unsigned'] {
  const signing = new Set(keys.flatMap((key) => (key.state === 'active' ? [`${key.tenant} ${key.domain}`] : [])))
  return sending.filter((row) => !signing.has(`${row.tenant} ${row.domain}`))
}
