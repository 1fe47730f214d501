/**
 * Whose a domain is: of the tenant that has it here, or of each tenant that names it as a sender domain (docs/sender-domains.md),
 * which may be several. Whether a sender domain's owner agrees is another question: DNS says it, and the store keeps it.
 */
import type { Config } from '#config/config.ts'
import { readFullDomain } from '#config/units.ts'
import type { SenderDomainName } from '#store/sender-domains.ts'
import type { Directory } from '#tenant/directory.ts'
import { EXIT, UserError } from '../exit.ts'

/** All that the configuration names. */
export const senderDomains = (tenants: Config['tenants']): SenderDomainName[] =>
  tenants.flatMap(({ name: tenant, outbound }) =>
    [...(outbound?.senderDomains ?? [])].map((domain) => ({ tenant, domain })),
  )

/** In the order of the configuration; empty: nobody's. */
export function ownersOf(domain: string, { tenants }: Config, directory: Directory): string[] {
  const served = directory.domain(domain)
  if (served !== undefined) return [served.tenant.name]
  return tenants.flatMap(({ name, outbound }) => (outbound?.senderDomains?.has(domain) === true ? [name] : []))
}

/** Whose keys a command is about; `tenant` chooses among those that share a sender domain. Throws a UserError. */
export function namedOwners(
  { domain: text, tenant }: { readonly domain: string; readonly tenant?: string | undefined },
  config: Config,
  directory: Directory,
): [SenderDomainName, ...SenderDomainName[]] {
  const domain = readFullDomain(text)
  const owners = domain === undefined ? [] : ownersOf(domain, config, directory)
  const [first, ...more] = owners.filter((owner) => tenant === undefined || owner === tenant)
  if (domain !== undefined && first !== undefined) {
    return [{ tenant: first, domain }, ...more.map((other) => ({ tenant: other, domain }))]
  }
  if (owners.length > 0) {
    throw new UserError(`${text} is no domain of ${tenant}`, `It is one of ${owners.join(', ')}.`, EXIT.config)
  }
  const advice =
    'It must be served, or stand in outbound.sender-domains. See: vorposten check-config. A new one counts after a reload.'
  throw new UserError(`${text} is not a domain of this relay`, advice, EXIT.config)
}

/** Of whom is the key to be, where only one may be meant. Throws a UserError. */
export function oneOwner(...named: Parameters<typeof namedOwners>): SenderDomainName {
  const [owner, ...others] = namedOwners(...named)
  if (others.length === 0) return owner
  const all = [owner, ...others].map(({ tenant }) => tenant).join(', ')
  throw new UserError(`several tenants send as ${owner.domain}: ${all}`, 'Say which: --tenant NAME.', EXIT.config)
}
