/** Which domains' mail leaves signed, and which not: a sentence for each tenant that sends through us. From the store, if there is one. */
import { existsSync } from 'node:fs'
import type { Config } from '#config/config.ts'
import { readStore } from '#store/database.ts'
import { DkimKeyReader, type StoredKey } from '#store/dkim-keys.ts'
import { unsignedDomains } from './clerks/dkim-rows.ts'
import { storePath } from './folders.ts'

/** Of the signed, and of the unsigned ones. */
const NAMES_MAX = 5

export function signingTexts(config: Config): string[] {
  const senders = config.tenants.filter(({ outbound }) => outbound !== undefined)
  const keys = senders.length === 0 ? undefined : storedKeys(storePath(config.dataFolder))
  if (keys === undefined) return []
  const unsigned = unsignedDomains(config, keys)
  return senders.flatMap(({ name }) => {
    const without = unsigned.filter(({ tenant }) => tenant === name).map(({ domain }) => domain)
    const all = config.domains.filter(({ tenant }) => tenant.name === name).map((domain) => domain.name)
    const signed = all.filter((domain) => !domain.startsWith('*.') && !without.includes(domain))
    return [
      ...(signed.length > 0 ? [`${name}: mail of ${some(signed)} leaves signed (DKIM)`] : []),
      ...(without.length > 0
        ? [`${name}: mail of ${some(without)} leaves without a signature: vorposten dkim create ${without[0]}`]
        : []),
    ]
  })
}

// Undefined: somebody else's, or of another release. What cannot be looked at is not said to be empty.
export function storedKeys(path: string): StoredKey[] | undefined {
  if (!existsSync(path)) return []
  try {
    const store = readStore(path)
    try {
      return new DkimKeyReader(store).all()
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
