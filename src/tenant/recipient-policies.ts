/**
 * Policies of the virus wall for some recipients of a domain: `postmaster`, `bewerbung*`. The exact local part comes before
 * a beginning, and the longest beginning before a shorter one; the rest has the policy of the domain.
 *
 * One question costs a look-up in a hash table, and where beginnings are declared, one more for each octet of the local
 * part (64 at most): no pattern is ever run over what a client wrote.
 */
import { type ForwardPath, localPartKey } from '#mail/address.ts'
import type { ServedDomain } from './directory.ts'
import type { VirusPolicy } from './virus-policy.ts'

/** Keys as `localPartKey` makes them. */
export interface RecipientPolicies {
  readonly exact: ReadonlyMap<string, VirusPolicy>
  /** By what a local part begins with. */
  readonly beginnings: ReadonlyMap<string, VirusPolicy>
}

/** The domain as it is for one recipient. The path is the plain one, without a signature of ours. */
export function domainFor(domain: ServedDomain, path: ForwardPath): ServedDomain {
  const { virusByRecipient } = domain
  if (virusByRecipient === undefined) return domain
  const key = path.kind === 'postmaster' ? 'postmaster' : localPartKey(path.mailbox)
  const virus = policyOf(virusByRecipient, key) ?? policyOf(virusByRecipient, withoutDetail(key, domain))
  return virus === undefined ? domain : { ...domain, virus }
}

function policyOf({ exact, beginnings }: RecipientPolicies, key: string): VirusPolicy | undefined {
  const found = exact.get(key)
  if (found !== undefined || beginnings.size === 0) return found
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
