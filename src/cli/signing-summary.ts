/** Which domains' mail leaves signed, and which not: a sentence for each tenant that sends through us. From the store, if there is one. */
import { existsSync } from 'node:fs'
import type { Config } from '#config/config.ts'
import { readStore } from '#store/database.ts'
import { DkimKeyReader, type StoredKey } from '#store/dkim-keys.ts'
import { SenderDomainReader } from '#store/sender-domains.ts'
import { type IsVerified, sendingDomains, unsignedDomains } from './clerks/dkim-rows.ts'
import { storePath } from './folders.ts'

/** Of the signed, and of the unsigned ones. */
const NAMES_MAX = 5

export function signingTexts(config: Config): string[] {
  const senders = config.tenants.filter(({ outbound }) => outbound !== undefined)
  const stored = senders.length === 0 ? undefined : storedSigning(storePath(config.dataFolder))
  if (stored === undefined) return []
  const sending = sendingDomains(config, stored.verified)
  const unsigned = unsignedDomains(sending, stored.keys)
  return senders.flatMap(({ name }) => {
    const without = unsigned.filter(({ tenant }) => tenant === name).map(({ domain }) => domain)
    const all = sending.filter(({ tenant }) => tenant === name).map(({ domain }) => domain)
    const signed = all.filter((domain) => !without.includes(domain))
    return [
      ...(signed.length > 0 ? [`${name}: mail of ${some(signed)} leaves signed (DKIM)`] : []),
      ...(without.length > 0
        ? [`${name}: mail of ${some(without)} leaves without a signature: vorposten dkim create ${without[0]}`]
        : []),
    ]
  })
}

export interface StoredSigning {
  readonly keys: readonly StoredKey[]
  readonly verified: IsVerified
}

// Undefined: somebody else's, or of another release. What cannot be looked at is not said to be empty.
export function storedSigning(path: string): StoredSigning | undefined {
  if (!existsSync(path)) return { keys: [], verified: () => false }
  try {
    const store = readStore(path)
    try {
      const rows = new SenderDomainReader(store).all().filter(({ verifiedMs }) => verifiedMs !== undefined)
      const verified = new Set(rows.map(({ tenant, domain }) => `${tenant} ${domain}`))
      return {
        keys: new DkimKeyReader(store).all(),
        verified: ({ tenant, domain }) => verified.has(`${tenant} ${domain}`),
      }
    } finally {
      store.close()
    }
  } catch {
    return undefined
  }
}

function some(names: readonly string[]): string {
  const more = names.length - NAMES_MAX
  return names.slice(0, NAMES_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
