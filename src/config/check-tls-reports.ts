/**
 * Whether reports about TLS can go out in the name of their contact: as a domain that is ours, by some way, and signed, without
 * which nobody reads them (RFC 8460 §3).
 */
import { checkRouteId } from './check-notices.ts'
import type { Draft, TenantDraft } from './draft.ts'
import { wildcardOver } from './wildcards.ts'
import type { YamlText } from './yaml-text.ts'

const CONTACT = ['tls-reports', 'contact']

export function checkTlsReports({ relay, tenants }: Draft, yaml: YamlText): void {
  const { 'tls-reports': settings, hostname, notices } = relay
  if (settings === undefined) return
  checkRouteId(settings.route, ['tls-reports', 'route'], tenants, yaml)
  // A faulty domain may have been the one.
  if (hostname === undefined || !tenants.every(({ complete }) => complete)) return
  const { domain } = settings.contact
  const allowed = `an address at a domain of a tenant with outbound, at ${hostname}, or at a domain above it`
  if (domain.kind !== 'name' || settings.contact.internationalized) {
    const what = domain.kind === 'name' ? 'is not ASCII, and not every reader takes that' : 'has no domain'
    yaml.report('error', CONTACT, what, { allowed })
    return
  }
  const owner = ownerOf(domain.ascii, tenants)
  const isOurs = domain.ascii === hostname || (domain.ascii.includes('.') && hostname.endsWith(`.${domain.ascii}`))
  if (!isOurs && owner?.settings.outbound === undefined) {
    const whose = owner === undefined ? 'is not served here' : `is ${owner.name}’s, who does not send through us`
    yaml.report('error', CONTACT, `${domain.ascii} ${whose}: reports cannot come from there`, { allowed })
    return
  }
  if (owner === undefined) {
    const message = `no tenant has ${domain.ascii}, so no key can sign reports, and those by mail do not go (RFC 8460 §3)`
    const hint = `declare ${domain.ascii} as a domain of a tenant, and make a key: vorposten dkim create ${domain.ascii}`
    yaml.report('warning', CONTACT, message, { hint })
  } else if (owner.settings.outbound === undefined && settings.route === undefined && notices?.route === undefined) {
    const message = `${owner.name} does not send through us, so reports by mail have no way out`
    yaml.report('warning', CONTACT, message, { hint: 'set tls-reports.route to a route with use-mx' })
  }
}

function ownerOf(domain: string, tenants: readonly TenantDraft[]): TenantDraft | undefined {
  const owners = new Map(tenants.flatMap((tenant) => tenant.domains.map(({ name }) => [name, tenant] as const)))
  return owners.get(domain) ?? wildcardOver(domain, owners)
}
