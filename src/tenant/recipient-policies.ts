/**
 * Policies of the filters for some recipients of a domain: `postmaster`, `bewerbung*`. The exact local part comes before
 * a beginning, and the longest beginning before a shorter one; the rest has the policy of the domain.
 *
 * One question costs a look-up in a hash table, and where beginnings are declared, one more for each octet of the local
 * part (64 at most): no pattern is ever run over what a client wrote.
 */
import { type ForwardPath, localPartKey } from '#mail/address.ts'
import type { ServedDomain } from './directory.ts'

/** Keys as `localPartKey` makes them. */
export interface RecipientPolicies<Policy> {
  readonly exact: ReadonlyMap<string, Policy>
  /** By what a local part begins with. */
  readonly beginnings: ReadonlyMap<string, Policy>
}

/** The domain as it is for one recipient. The path is the plain one, without a signature of ours. */
export function domainFor(domain: ServedDomain, path: ForwardPath): ServedDomain {
  const { virusByRecipient, spamByRecipient } = domain
  if (virusByRecipient === undefined && spamByRecipient === undefined) return domain
  const key = path.kind === 'postmaster' ? 'postmaster' : localPartKey(path.mailbox)
  const keys = [key, withoutDetail(key, domain)]
  const virus = policyOf(virusByRecipient, keys)
  const spam = policyOf(spamByRecipient, keys)
  if (virus === undefined && spam === undefined) return domain
  return { ...domain, ...(virus && { virus }), ...(spam && { spam }) }
}

function policyOf<Policy>(
  policies: RecipientPolicies<Policy> | undefined,
  keys: readonly string[],
): Policy | undefined {
  if (policies === undefined) return undefined
  for (const key of keys) {
    const policy = policies.exact.get(key) ?? beginning(policies.beginnings, key)
    if (policy !== undefined) return policy
  }
  return undefined
}

function beginning<Policy>(beginnings: ReadonlyMap<string, Policy>, key: string): Policy | undefined {
  if (beginnings.size === 0) return undefined
  for (let length = key.length; length > 0; length--) {
    const policy = beginnings.get(key.slice(0, length))
    if (policy !== undefined) return policy
  }
  return undefined
}

// RFC 5233: mail to anna+shop is anna's, and a detail that anybody can put there must not lead around her policy.
function withoutDetail(key: string, { recipients }: ServedDomain): string {
  const separator = recipients.kind === 'directory' ? recipients.subaddressSeparator : undefined
  const at = separator === undefined ? -1 : key.indexOf(separator)
  return at > 0 ? key.slice(0, at) : key
}
